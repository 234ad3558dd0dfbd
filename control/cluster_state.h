/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node has to know of the replica set when it starts while the bus is away: a small text
 * file in the state directory. Nothing in it is secret. Times are wall-clock milliseconds since
 * 1900.
 */
#ifndef TKMS_CONTROL_CLUSTER_STATE_H
#define TKMS_CONTROL_CLUSTER_STATE_H

#include "control/bus.h"
#include "control/heartbeat.h"

/* Another node of the set that this node has met, and that nobody has forgotten. */
struct cluster_state_member {
	uint64_t origin, counter; /* of its last heartbeat, or of one before */
	char name[HEARTBEAT_NAME_MAX + 1];
};

struct cluster_state {
	uint64_t counter;   /* none higher was used in a heartbeat */
	int64_t contact_ms; /* when the bus last worked; 0: never */
	bool is_drained_by_operator;
	unsigned int n_claims;
	struct heartbeat_claim claims[IPC_ADDRESSES_MAX];
	bool has_members; /* an older version's file says nothing of them */
	unsigned int n_members;
	struct cluster_state_member members[BUS_ORIGINS_MAX];
};

/* 0, -ENOENT, -EBADMSG (not such a file), -errno; s is zero then. */
int cluster_state_load(const char *path, struct cluster_state *s);
/* Replaces the file as a whole. 0 or -errno. */
int cluster_state_save(const char *path, const struct cluster_state *s);

#endif
