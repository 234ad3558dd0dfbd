/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests a second per source, for all workers together: a table in memory that they share. A
 * source's state is one number, the time at which it will have used up what it took (GCRA): a rate
 * and a burst follow from it. Lock-free; a worker that dies leaves nothing behind that could hold
 * others up.
 *
 * The table never fills up: a new source takes the place of one of its set that has been quiet
 * longest. An attacker with many addresses can so forget sources early; that gives him no more than
 * his addresses' own shares.
 */
#ifndef TKMS_HTTP_LIMITER_H
#define TKMS_HTTP_LIMITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LIMITER_SETS = 16384, LIMITER_WAYS = 4 };

struct limiter_slot {
	_Atomic uint64_t tag; /* hash of the source; 0: empty */
	_Atomic uint64_t until_ns;
};

/* Zeroed memory is an empty table. */
struct limiter {
	struct limiter_slot slot[LIMITER_SETS][LIMITER_WAYS];
};

struct limiter_rate {
	uint64_t gap_ns;   /* between requests at the full rate; 0: no limit */
	uint64_t burst_ns; /* gap times burst */
};

/* a_second 0: no limit. */
struct limiter_rate limiter_rate(uint32_t a_second, uint32_t burst);

/* source: keyed hash. now_ns: a monotonic clock that all workers share. */
bool limiter_take(
	struct limiter *l, const struct limiter_rate *rate, uint64_t source, uint64_t now_ns);

#endif
