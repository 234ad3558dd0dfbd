/* SPDX-License-Identifier: BSD-3-Clause */
/* What a REQUEST asks for, checked part by part. VERDICT_PENDING: nothing against it. */
#ifndef TKMS_ENGINE_REQUEST_H
#define TKMS_ENGINE_REQUEST_H

#include "dataplane/engine/slot.h"

/* Ticket type, PRF, TP Data, whose request, for whom. Sets s->tp, s->grant.hash and s->grant.idr_i.
 */
enum verdict request_check_policy(struct engine *e, struct slot *s);

/* TRs, TRe, TRr as they are asked for. */
enum verdict request_check_times(const struct slot *s);

/* The desired keys, or the default: one TGK. Sets s->grant.keys. */
enum verdict request_check_keys(struct engine *e, struct slot *s);

/* TP Data as granted: as asked for, what is missing added, KEMAC and unexpected payloads left out.
 * Returns: does it differ. */
bool request_policy_differs(const struct slot *s);
void request_write_policy(struct mikey_writer *w, const struct engine *e, const struct slot *s);

#endif
