/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/limiter.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIMITER_ROWS = 4096,
	TOKEN = 1000, /* one Error: a rate of r a second is r of these units a millisecond */
	WORKER_BURST_PARTS = 10, /* the worker's burst is a tenth of a second's Errors */
};

struct bucket {
	uint64_t source; /* 0: free */
	uint64_t filled_ms;
	uint64_t tokens;
};

struct row {
	struct bucket ways[LIMITER_WAYS];
};

struct limiter {
	uint64_t secret[2];
	struct bucket worker;
	struct row rows[LIMITER_ROWS];
};

struct limiter *limiter_new(const uint64_t secret[2])
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	memcpy(l->secret, secret, sizeof(l->secret));
	l->worker.tokens = UINT64_MAX / 2; /* full, whatever its size will be */
	return l;
}

void limiter_free(struct limiter *l)
{
	free(l);
}

/* One number per source: IPv4 addresses take the place of IPv6 multicast prefixes, which are no
 * sources. */
static uint64_t source_number(uint8_t family, const uint8_t *address)
{
	uint32_t v4;
	uint64_t v6;

	if (family == 4) {
		memcpy(&v4, address, sizeof(v4));
		return (uint64_t)v4 << 32 | 0xff;
	}
	memcpy(&v6, address, sizeof(v6));
	return v6 ? v6 : UINT64_MAX;
}

static struct row *row_of(struct limiter *l, uint64_t source)
{
	uint64_t h = (source ^ l->secret[0]) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32 ^ l->secret[1]) * UINT64_C(0xd6e8feb86659fd93);
	return &l->rows[(h ^ h >> 32) % LIMITER_ROWS];
}

static uint32_t capped(uint32_t rate)
{
	return rate < LIMITER_RATE_MAX ? rate : LIMITER_RATE_MAX;
}

static void bucket_fill(struct bucket *b, uint32_t rate, uint64_t size, uint64_t now_ms)
{
	uint64_t passed = now_ms > b->filled_ms ? now_ms - b->filled_ms : 0;
	/* Longer pauses fill any bucket, and the product stays small. */
	uint64_t counted = passed < UINT32_MAX ? passed : UINT32_MAX;

	b->tokens += counted * rate;
	if (b->tokens > size)
		b->tokens = size;
	b->filled_ms += passed;
}

static bool bucket_take(struct bucket *b)
{
	if (b->tokens < TOKEN)
		return false;
	b->tokens -= TOKEN;
	return true;
}

static struct bucket *bucket_of(struct limiter *l, uint64_t source, uint64_t full, uint64_t now_ms)
{
	struct row *row = row_of(l, source);
	struct bucket *victim = &row->ways[0];

	for (unsigned int i = 0; i < LIMITER_WAYS; i++) {
		if (row->ways[i].source == source)
			return &row->ways[i];
		if (row->ways[i].filled_ms < victim->filled_ms)
			victim = &row->ways[i];
	}
	*victim = (struct bucket){.source = source, .filled_ms = now_ms, .tokens = full};
	return victim;
}

enum verdict limiter_take(struct limiter *l, const struct limiter_rates *rates, uint8_t family,
	const uint8_t *address, uint64_t now_ms)
{
	if (rates->source_rate != 0) {
		uint64_t size =
			(uint64_t)TOKEN * (rates->source_burst ? capped(rates->source_burst) : 1);
		struct bucket *b = bucket_of(l, source_number(family, address), size, now_ms);

		bucket_fill(b, capped(rates->source_rate), size, now_ms);
		if (!bucket_take(b))
			return VERDICT_DROP_ERROR_SOURCE_LIMIT;
	}
	if (rates->worker_rate != 0) {
		uint32_t burst = capped(rates->worker_rate) / WORKER_BURST_PARTS;
		uint64_t size = (uint64_t)TOKEN * (burst ? burst : 1);

		bucket_fill(&l->worker, capped(rates->worker_rate), size, now_ms);
		if (!bucket_take(&l->worker))
			return VERDICT_DROP_ERROR_WORKER_LIMIT;
	}
	return VERDICT_PENDING;
}
