/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The MAC of an initial message: over the message without it || Identity_i or Identity_r ||
 * Identity_kms (RFC 6043 5.5). What is left out of the message counts as what the KMS knows anyway
 * (readings N10). A sender's UID that is taken from its record must not show in the blocks hashed,
 * as nobody is authenticated yet: how long it is, or that there is none.
 */
#ifndef TKMS_ENGINE_INIT_MAC_H
#define TKMS_ENGINE_INIT_MAC_H

#include "dataplane/engine/slot.h"

/*
 * MACs to be computed for a UID of 1 to longest octets after fixed octets: one of every number of
 * blocks that there may be, in ascending order. n and the blocks depend on fixed and longest only.
 */
struct init_mac_plan {
	unsigned int n;
	unsigned int right;		/* the one that is over the UID; the others are dummies */
	uint32_t len[INIT_MAC_OPS_MAX]; /* octets that stand for the UID, at most longest */
};

/* 1 <= uid_len <= longest <= IDENTITY_MAX. Constant time in uid_len. */
void init_mac_plan(struct init_mac_plan *p, uint32_t fixed, uint32_t uid_len, uint32_t longest);

/* Queues it; after ops_mac_run(), init_mac_take() puts it into s->mac. */
void init_mac_queue(struct engine *e, struct slot *s);
void init_mac_take(struct engine *e, struct slot *s);

#endif
