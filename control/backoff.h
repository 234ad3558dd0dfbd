/* SPDX-License-Identifier: BSD-3-Clause */
/* Times between attempts: doubled up to a limit, spread at random so that many do not come back at
 * once. */
#ifndef TKMS_CONTROL_BACKOFF_H
#define TKMS_CONTROL_BACKOFF_H

#include <event2/util.h>
#include <stdint.h>
#include <sys/time.h>

struct backoff {
	uint32_t min_ms, max_ms, now_ms; /* now 0: begin with min */
};

/* How long to wait before the next attempt: half to one and a half of the current step. */
static inline struct timeval backoff_next(struct backoff *b)
{
	uint16_t r;
	uint32_t ms;

	b->now_ms = b->now_ms ? b->now_ms * 2 : b->min_ms;
	if (b->now_ms > b->max_ms)
		b->now_ms = b->max_ms;
	evutil_secure_rng_get_bytes(&r, sizeof(r));
	ms = b->now_ms / 2 + (uint32_t)((uint64_t)b->now_ms * r / 65536);
	return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

static inline void backoff_reset(struct backoff *b)
{
	b->now_ms = 0;
}

#endif
