/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of subscriber records: chunks of secret memory cut into size classes, with a free list
 * each. One thread. Memory goes back to the system only with the arena.
 */
#ifndef TKMS_ENGINE_SUBSCRIBER_ARENA_H
#define TKMS_ENGINE_SUBSCRIBER_ARENA_H

#include <stddef.h>

enum {
	ARENA_STEP_SMALL = 32, /* octets between classes up to ARENA_SMALL_MAX */
	ARENA_SMALL_MAX = 1024,
	ARENA_STEP_LARGE = 1024, /* octets between classes above */
	ARENA_LARGE_MAX = 17408, /* longest record */
	ARENA_CLASSES = ARENA_SMALL_MAX / ARENA_STEP_SMALL +
			(ARENA_LARGE_MAX - ARENA_SMALL_MAX) / ARENA_STEP_LARGE,
};

struct arena_chunk;
struct arena_free;

struct arena_class {
	struct arena_free *free;
	unsigned char *next, *end; /* uncut rest of the youngest chunk */
	size_t chunk_size;	   /* of the youngest chunk */
};

struct subscriber_arena {
	struct arena_class classes[ARENA_CLASSES];
	struct arena_chunk *chunks;
	size_t reserved; /* octets of all chunks */
};

/*
 * At least n octets, 8-octet aligned. NULL with errno ENOMEM: no memory, or no more that may be
 * locked (RLIMIT_MEMLOCK); also when n exceeds ARENA_LARGE_MAX.
 */
void *arena_take(struct subscriber_arena *a, size_t n);

/* Wipes what arena_take(a, n) gave and keeps it for the next taker. */
void arena_give(struct subscriber_arena *a, void *p, size_t n);

/* Wipes and frees everything. */
void arena_clear(struct subscriber_arena *a);

#endif
