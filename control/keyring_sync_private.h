/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/keyring_sync*.c. */
#ifndef TKMS_CONTROL_KEYRING_SYNC_PRIVATE_H
#define TKMS_CONTROL_KEYRING_SYNC_PRIVATE_H

#include "control/keyring_sync.h"

/* How steadily a member has been heard. */
struct keyring_contact {
	uint64_t origin, counter;
	uint64_t grew_ms;	/* monotonic: when its counter last grew */
	unsigned int in_a_row;	/* so often, with no longer pause */
	int64_t best_offset_ms; /* its clock less ours, when its heartbeats came fastest */
	uint64_t fresh_ms;	/* monotonic: last heartbeat that was surely new; 0: none */
	uint64_t stale_since_ms;
};

struct keyring_sync {
	struct control *control;
	struct cluster_bus bus; /* put NULL: no set */
	bool is_caught_up, pushed_in_sync;
	struct keys *inbox, *scratch, *seen; /* secret memory */
	uint8_t *buffer;
	uint64_t refused, odd_origin;
	struct keys_join_report odd;

	/* what the data plane has acknowledged */
	unsigned int n_held;
	struct heartbeat_key held[KEYS_MAX];
	uint64_t lost_ms; /* since when there is none, 0: there is one */

	bool has_wall;
	int64_t wall_ahead_ms; /* our wall clock less the monotonic one */
	unsigned int n_contacts;
	struct keyring_contact contacts[BUS_ORIGINS_MAX];
	uint64_t live_hash, steady_ms; /* who is alive; since when they are all heard steadily */
	uint64_t joining_ms;	       /* since when a new node has met enough members, 0: not */
	struct keys_member members[BUS_ORIGINS_MAX];
	char explanation[256];
};

/* A member's name, "" if there is no such member. */
const char *keyring_name_of(const struct keyring_sync *s, uint64_t origin);

#endif
