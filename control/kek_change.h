/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change of the KEK. Every node first gets the new one beside the old (kek.next, read at the
 * start or given by tkmsctl kek load) and says so in its heartbeat; then each begins to seal under
 * it and seals all that it has stored again, in the background, from the beginning after a restart;
 * then the old one is dropped. At every moment each record is under one KEK or the other as a
 * whole, and both are at hand.
 */
#ifndef TKMS_CONTROL_KEK_CHANGE_H
#define TKMS_CONTROL_KEK_CHANGE_H

#include <jansson.h>

#include "control/heartbeat.h"
#include "control/reason.h"
#include "control/seal.h"

struct control;
struct kek_change;

/* The other KEKs of the files into the sealer, before the store is opened. 0, -errno. */
int kek_change_prepare(struct sealer *sealer, const char *kek_file, struct reason *why);
/* After the store has been opened: goes on with what was interrupted. NULL: ENOMEM. */
struct kek_change *kek_change_new(struct control *c);
void kek_change_free(struct kek_change *k);

/* A KEK to open records under. 0, -ENOSPC, -EIO. */
int kek_change_load(struct kek_change *k, const uint8_t kek[SEAL_KEK_LEN], struct reason *why);
/* Seals under that KEK from now on; all live members have to have it. 0, or -errno and the reason.
 */
int kek_change_begin(struct kek_change *k, const uint8_t kek[SEAL_KEK_LEN], struct reason *why);
/* Is everything that is stored here under the KEK that seals. */
bool kek_change_is_done(const struct kek_change *k);
/* Forgets all others; no live member may seal under them any more. */
int kek_change_drop(struct kek_change *k, struct reason *why);

void kek_change_fill(const struct kek_change *k, struct heartbeat *h);
json_t *kek_change_status(const struct kek_change *k);

#endif
