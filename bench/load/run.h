/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run: exchanges on a schedule, sent, retried, matched with their answers, judged and counted.
 * The same loop first fetches the tickets that resolves need. One thread.
 */
#ifndef TKMS_BENCH_LOAD_RUN_H
#define TKMS_BENCH_LOAD_RUN_H

#include <signal.h>

#include "bench/load/flights.h"
#include "bench/load/stats.h"

struct run_spec {
	double rate;	/* per second; 0: as fast as answers come, window in flight */
	uint64_t total; /* exchanges; UINT64_MAX: as many as the seconds hold */
	double seconds;
	unsigned int window;
	enum load_op op;
	const struct parties *parties;
	const struct grant *pool; /* RESOLVE and mix */
	size_t n_pool;
	struct grant *granted; /* REQUEST: the i-th exchange's ticket goes to granted[i] */
	uint16_t message_cap;
	unsigned int give_up; /* ends the run after so many failures; 0: never */
	bool progress;
	const volatile sig_atomic_t *stop; /* ends the schedule when not 0 */
};

/* What the i-th exchange of a schedule is about. */
void exchange_choose(struct exchange *x, uint64_t i, enum load_op op, const struct parties *p,
	const struct grant *pool, size_t n_pool);

/* 0 or -errno; s is complete in both cases. */
int run_load(
	const struct run_spec *spec, struct exchanger *e, const struct targets *t, struct stats *s);

#endif
