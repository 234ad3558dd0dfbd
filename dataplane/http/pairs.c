/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/pairs.h"

#include <stdlib.h>

_Static_assert(sizeof(struct pair) == 64, "a cache line");

struct rest_list {
	struct pair *first, *last; /* in order of free_us */
};

struct pairs {
	struct pairs_timing timing;
	uint64_t seed, evicted;
	uint32_t cap, fresh, used, mask;
	struct pair *free;
	struct rest_list rest[2];
	struct pair *pair;
	uint32_t *bucket; /* index + 1 */
};

struct pairs *pairs_new(uint32_t cap, const struct pairs_timing *timing, uint64_t seed)
{
	struct pairs *p = calloc(1, sizeof(*p));
	uint32_t buckets = 64;

	if (!p)
		return NULL;
	while (buckets < cap)
		buckets *= 2;
	p->timing = *timing;
	p->seed = seed;
	p->cap = cap;
	p->mask = buckets - 1;
	/* A cache line each. Pages that are never touched cost nothing. */
	p->pair = aligned_alloc(sizeof(*p->pair), cap * sizeof(*p->pair));
	p->bucket = calloc(buckets, sizeof(*p->bucket));
	if (!p->pair || !p->bucket) {
		pairs_free(p);
		return NULL;
	}
	return p;
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	free(p->pair);
	free(p->bucket);
	free(p);
}

/* The seed keeps senders from choosing CSB IDs that share a bucket. */
static uint32_t *bucket_of(const struct pairs *p, uint16_t socket, uint32_t csb_id)
{
	uint64_t x = ((uint64_t)socket << 32 | csb_id) ^ p->seed;

	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27 ^ p->seed >> 32;
	x *= 0x94d049bb133111eb;
	x ^= x >> 31;
	return &p->bucket[x & p->mask];
}

struct pair *pairs_find(const struct pairs *p, uint16_t socket, uint32_t csb_id)
{
	for (uint32_t i = *bucket_of(p, socket, csb_id); i; i = p->pair[i - 1].chain) {
		struct pair *x = &p->pair[i - 1];

		if (x->socket == socket && x->csb_id == csb_id)
			return x;
	}
	return NULL;
}

static void rest_begin(struct pairs *p, struct pair *x, uint64_t now_us)
{
	struct rest_list *l;

	x->rest = x->open > 0 ? PAIRS_LONG : PAIRS_SHORT;
	x->free_us = now_us + p->timing.rest_us[x->rest];
	l = &p->rest[x->rest];
	x->prev = l->last;
	x->next = NULL;
	*(l->last ? &l->last->next : &l->first) = x;
	l->last = x;
}

static void rest_end(struct pairs *p, struct pair *x)
{
	struct rest_list *l = &p->rest[x->rest];

	*(x->prev ? &x->prev->next : &l->first) = x->next;
	*(x->next ? &x->next->prev : &l->last) = x->prev;
	x->rest = PAIRS_NONE;
}

static void drop(struct pairs *p, struct pair *x)
{
	uint32_t *link = bucket_of(p, x->socket, x->csb_id), index = (uint32_t)(x - p->pair) + 1;

	while (*link != index)
		link = &p->pair[*link - 1].chain;
	*link = x->chain;
	x->next = p->free;
	p->free = x;
	p->used--;
}

/* What has rested longest. */
static void evict(struct pairs *p)
{
	struct pair *oldest = NULL;
	uint64_t since = UINT64_MAX;

	for (unsigned int k = 0; k < 2; k++) {
		struct pair *x = p->rest[k].first;

		if (x && x->free_us - p->timing.rest_us[k] < since) {
			since = x->free_us - p->timing.rest_us[k];
			oldest = x;
		}
	}
	if (!oldest)
		return;
	rest_end(p, oldest);
	drop(p, oldest);
	p->evicted++;
}

static struct pair *take(struct pairs *p)
{
	struct pair *x;

	if (p->used == p->cap)
		evict(p);
	x = p->free;
	if (x)
		p->free = x->next;
	else if (p->fresh < p->cap)
		x = &p->pair[p->fresh++];
	return x;
}

enum pairs_claim pairs_claim(struct pairs *p, uint16_t socket, uint32_t csb_id, uint64_t digest,
	uint8_t type, struct leg *leg)
{
	struct pair *x = pairs_find(p, socket, csb_id);
	uint32_t *bucket;

	if (x && x->digest != digest)
		return PAIRS_TAKEN;
	if (x && x->rest != PAIRS_NONE) {
		rest_end(p, x);
	} else if (!x) {
		x = take(p);
		if (!x)
			return PAIRS_FULL;
		bucket = bucket_of(p, socket, csb_id);
		*x = (struct pair){.digest = digest,
			.csb_id = csb_id,
			.socket = socket,
			.type = type,
			.chain = *bucket,
			.rest = PAIRS_NONE};
		*bucket = (uint32_t)(x - p->pair) + 1;
		p->used++;
	}
	leg->pair = x;
	leg->next = NULL;
	leg->prev = x->last;
	*(x->last ? &x->last->next : &x->first) = leg;
	x->last = leg;
	return PAIRS_CLAIMED;
}

void pairs_release(struct pairs *p, struct leg *leg, uint64_t now_us)
{
	struct pair *x = leg->pair;

	*(leg->prev ? &leg->prev->next : &x->first) = leg->next;
	*(leg->next ? &leg->next->prev : &x->last) = leg->prev;
	leg->pair = NULL;
	if (!x->first)
		rest_begin(p, x, now_us);
}

void pairs_expire(struct pairs *p, uint64_t now_us)
{
	for (unsigned int k = 0; k < 2; k++) {
		while (p->rest[k].first && p->rest[k].first->free_us <= now_us) {
			struct pair *x = p->rest[k].first;

			rest_end(p, x);
			drop(p, x);
		}
	}
}

uint64_t pairs_evicted(const struct pairs *p)
{
	return p->evicted;
}

uint32_t pairs_used(const struct pairs *p)
{
	return p->used;
}
