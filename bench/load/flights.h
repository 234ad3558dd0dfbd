/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exchanges in flight: a fixed array found by CSB ID, and a timer wheel of 1 ms slots for retries
 * and deadlines. A CSB ID holds the index and a generation, so that a late answer to an earlier
 * exchange never meets a later one. One thread.
 */
#ifndef TKMS_BENCH_LOAD_FLIGHTS_H
#define TKMS_BENCH_LOAD_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/client/plan.h"
#include "bench/exchange/exchange.h"

enum {
	FLIGHT_INDEX_BITS = 18,
	FLIGHTS_MAX = 1 << FLIGHT_INDEX_BITS,
	FLIGHT_WHEEL_SLOTS = 8192, /* ms; more than the longest wait */
	FLIGHT_NONE = UINT32_MAX,
};

struct flight {
	struct exchange x;
	uint64_t number; /* in the schedule, from 0 */
	uint64_t due;	 /* scheduled time, ns on the monotonic clock: latency counts from here */
	uint64_t timer;	 /* ns: next retry or the deadline */
	struct client_plan plan;
	uint32_t next, previous; /* in its wheel slot or the free list */
	bool heard;		 /* anything came back */
	bool busy;		 /* not free */
	bool in_wheel;
	bool in_batch; /* an answer is being judged */
};

struct flights {
	uint32_t n;
	uint32_t in_use;
	uint32_t free;
	uint16_t message_cap;
	struct flight *flight;
	uint8_t *octets;
	uint64_t wheel_ms; /* slots up to here have been emptied */
	uint32_t wheel[FLIGHT_WHEEL_SLOTS];
};

/* 0 or -ENOMEM. now: monotonic ns. */
int flights_init(
	struct flights *f, uint32_t n, uint16_t message_cap, struct rng *rng, uint64_t now);
void flights_clear(struct flights *f);

/* NULL when all are in use. Its CSB ID is set. */
struct flight *flights_take(struct flights *f);
void flights_release(struct flights *f, struct flight *fl);

/* The flight of that CSB ID, or NULL. */
struct flight *flights_find(struct flights *f, uint32_t csb_id);

/* Wakes the flight at ns (replaces its timer). */
void flights_arm(struct flights *f, struct flight *fl, uint64_t ns);

/* The next flight whose timer is due, disarmed; NULL: none. */
struct flight *flights_due(struct flights *f, uint64_t now);

#endif
