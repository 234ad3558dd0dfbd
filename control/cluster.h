/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replica set as this node sees it: members, who is alive, which service addresses this node
 * holds. Without a bus there is one member, this node, and it holds all addresses.
 *
 * A member is dead when its counter stood still for cluster.dead_after by the local monotonic clock
 * while the primary was reachable and this node's own heartbeats were accepted; when they are not,
 * the last assignment stands, for sync.max_staleness at most. One thread, the event loop's.
 */
#ifndef TKMS_CONTROL_CLUSTER_H
#define TKMS_CONTROL_CLUSTER_H

#include "control/bus.h"
#include "control/heartbeat.h"

struct cluster;

struct cluster_member {
	uint64_t origin;
	bool is_self;
	bool is_alive;
	uint64_t counter;	 /* of its last heartbeat */
	uint64_t seen_ms;	 /* monotonic: when the counter last grew */
	int64_t clock_offset_ms; /* its wall clock less ours, when it was read */
	struct heartbeat beat;
};

struct cluster_owner {
	void *arg;
	/* Fills what only others know: serving, keyring_*, load, log_*, held, cursors. */
	void (*fill)(void *arg, struct heartbeat *h);
	/* Members, liveness or the addresses held have changed. */
	void (*changed)(void *arg);
};

/* Members in order of their origin, this node included; forgotten ones are not in it. Valid until
 * the event loop runs again. */
const struct cluster_member *cluster_members(const struct cluster *c, unsigned int *n);

#endif
