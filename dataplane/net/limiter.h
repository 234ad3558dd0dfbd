/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many Errors to unauthenticated messages leave a worker: token buckets per source and one for
 * all. A source is an IPv4 address or an IPv6 /64. The table has a fixed size; when it is full the
 * source that has waited longest is forgotten, and what that could let through is bounded by the
 * worker's own bucket. One thread; time is injected.
 */
#ifndef TKMS_NET_LIMITER_H
#define TKMS_NET_LIMITER_H

#include <stdint.h>

#include "dataplane/engine/verdict.h"

/* Errors a second; 0: no limit. */
struct limiter_rates {
	uint32_t source_rate;
	uint32_t source_burst; /* taken as 1 when 0 */
	uint32_t worker_rate;
};

enum { LIMITER_RATE_MAX = 1000000, LIMITER_WAYS = 4 };

struct limiter;

/* secret: keeps others from choosing sources that share a table row. NULL with errno ENOMEM. */
struct limiter *limiter_new(const uint64_t secret[2]);
void limiter_free(struct limiter *l);

/*
 * May an Error go to that source (address in wire order)? now_ms: a monotonic clock.
 * VERDICT_PENDING when it may, else VERDICT_DROP_ERROR_SOURCE_LIMIT or
 * VERDICT_DROP_ERROR_WORKER_LIMIT. Rates above LIMITER_RATE_MAX count as that.
 */
enum verdict limiter_take(struct limiter *l, const struct limiter_rates *rates, uint8_t family,
	const uint8_t *address, uint64_t now_ms);

#endif
