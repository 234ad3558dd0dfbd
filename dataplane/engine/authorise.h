/* SPDX-License-Identifier: BSD-3-Clause */
/* May this ticket be used, and by this sender. */
#ifndef TKMS_ENGINE_AUTHORISE_H
#define TKMS_ENGINE_AUTHORISE_H

#include "dataplane/engine/slot.h"

/*
 * A ticket whose MAC is right: who made it and was he allowed to, is it valid now, may the sender
 * resolve it. VERDICT_PENDING: yes; sets the IDRr that is returned when keys are forked.
 */
enum verdict authorise_ticket(struct engine *e, struct slot *s);

/* The decrypted keys of an initiator-made ticket. */
enum verdict authorise_keys(struct engine *e, struct slot *s);

#endif
