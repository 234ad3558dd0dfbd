/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/buckets.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/source.h"

enum {
	TOKEN = 1000, /* a rate of r a second is r of these units a millisecond */
	CACHE_LINE = 64,
};

struct row {
	_Alignas(CACHE_LINE) struct bucket ways[BUCKETS_WAYS];
};

struct buckets {
	uint64_t secret[2];
	struct row rows[BUCKETS_ROWS];
};

_Static_assert(sizeof(struct row) == CACHE_LINE, "one access to memory");

struct buckets *buckets_new(const uint64_t secret[2])
{
	struct buckets *b = aligned_alloc(CACHE_LINE, sizeof(*b));

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	memcpy(b->secret, secret, sizeof(b->secret));
	return b;
}

void buckets_free(struct buckets *b)
{
	free(b);
}

static uint32_t capped(uint32_t n)
{
	return n < BUCKETS_RATE_MAX ? n : BUCKETS_RATE_MAX;
}

static uint32_t size_of(struct bucket_rate rate)
{
	return TOKEN * (rate.burst ? capped(rate.burst) : 1);
}

bool bucket_take(struct bucket *b, struct bucket_rate rate, uint64_t now_ms)
{
	const uint64_t passed = now_ms > b->filled_ms ? now_ms - b->filled_ms : 0;
	/* Longer pauses fill any bucket, and the product stays small. */
	const uint64_t counted = passed < UINT32_MAX ? passed : UINT32_MAX;
	const uint32_t size = size_of(rate);
	uint64_t tokens = b->tokens + counted * capped(rate.rate);

	if (rate.rate == 0)
		return true;
	b->filled_ms += passed;
	if (tokens > size)
		tokens = size;
	b->tokens = (uint32_t)tokens;
	if (tokens < TOKEN)
		return false;
	b->tokens -= TOKEN;
	return true;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) ? (uint32_t)(hash >> 32) : 1;
}

enum buckets_token buckets_take(
	struct buckets *b, uint64_t number, struct bucket_rate rate, uint64_t now_ms)
{
	const uint64_t hash = source_hash(number, b->secret);
	const uint32_t tag = tag_of(hash);
	struct row *row = &b->rows[hash % BUCKETS_ROWS];
	struct bucket *victim = &row->ways[0];

	if (rate.rate == 0)
		return BUCKETS_FIRST;
	for (unsigned int i = 0; i < BUCKETS_WAYS; i++) {
		if (row->ways[i].tag == tag)
			return bucket_take(&row->ways[i], rate, now_ms) ? BUCKETS_NEXT
									: BUCKETS_NONE;
		if (row->ways[i].filled_ms < victim->filled_ms)
			victim = &row->ways[i];
	}
	/* Full, and a burst is at least one. */
	*victim = (struct bucket){.tag = tag, .filled_ms = now_ms, .tokens = size_of(rate) - TOKEN};
	return BUCKETS_FIRST;
}

void buckets_forget(struct buckets *b, uint64_t number)
{
	const uint64_t hash = source_hash(number, b->secret);
	struct row *row = &b->rows[hash % BUCKETS_ROWS];

	for (unsigned int i = 0; i < BUCKETS_WAYS; i++)
		if (row->ways[i].tag == tag_of(hash))
			row->ways[i] = (struct bucket){0};
}
