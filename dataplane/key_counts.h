/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often each sealing key was used, over all snapshots that it is in. A key has a slot for as
 * long as it is in the keyring; each worker counts in an array of its own. Main thread, but for
 * the workers' counting.
 */
#ifndef TKMS_DATAPLANE_KEY_COUNTS_H
#define TKMS_DATAPLANE_KEY_COUNTS_H

#include "common/ipc/ipc.h"
#include "dataplane/engine/keyring.h"

/* More than two keyrings hold: a slot is not given away while a worker may still use it. */
enum { KEY_SLOTS = 3 * KEYRING_KEYS_MAX };

struct key_uses {
	uint64_t sealed, resolved;
};

/* Written by one worker, read by the main thread at any time (relaxed). */
struct key_counters {
	struct key_uses slot[KEY_SLOTS];
};

struct key_counts {
	struct {
		uint8_t id[KEYRING_ID_MAX];
		uint8_t id_len;		/* 0: never used */
		uint64_t generation;	/* of the last keyring that it was in */
		struct key_uses before; /* what the slot's counters showed when it got this key */
	} slot[KEY_SLOTS];
	uint64_t generation;
};

/* The counters of all workers. */
struct key_counters_list {
	const struct key_counters *const *counters;
	unsigned int n;
};

/* Gives every key of a keyring that is to be published its slot. */
void key_counts_assign(
	struct key_counts *c, struct keyring *ring, const struct key_counters_list *workers);

/* The keys of the last keyring and their uses. */
void key_counts_report(const struct key_counts *c, const struct key_counters_list *workers,
	struct ipc_stats *report);

#endif
