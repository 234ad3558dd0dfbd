/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects the workers' counters for tkms-control. Main thread. */
#ifndef TKMS_DATAPLANE_STATS_H
#define TKMS_DATAPLANE_STATS_H

#include "common/ipc/ipc.h"
#include "dataplane/worker.h"

enum { STATS_STILL = 2 }; /* collections without a turn: the worker is stuck */

/* Remembers the last collection: the busy share is that of the time since. */
struct stats {
	uint64_t collected_at; /* TSC, 0: never */
	uint64_t busy_cycles[OPTIONS_WORKERS_MAX];
	uint64_t turns[OPTIONS_WORKERS_MAX];
	unsigned int still[OPTIONS_WORKERS_MAX]; /* collections in a row without a turn */
	bool is_cut_off;			 /* said by the caller: no port has a link */
	struct key_counts keys;
	struct ipc_stats report;
};

/* Before a keyring is published. */
void stats_assign_keys(struct stats *s, struct worker *const *workers, unsigned int n_workers,
	struct keyring *ring);

/* Fills s->report. Counters: one per verdict, then those of the ports (sums). */
void stats_collect(struct stats *s, struct worker *const *workers, unsigned int n_workers,
	const struct shared *shared);

#endif
