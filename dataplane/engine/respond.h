/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning that both responses share: HDR, T (to be filled in), IDRkms. */
#ifndef TKMS_ENGINE_RESPOND_H
#define TKMS_ENGINE_RESPOND_H

#include "dataplane/engine/slot.h"

void respond_begin(struct engine *e, struct slot *s);

#endif
