/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/subscriber_arena.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/crypto/secret.h"

enum {
	CHUNK_FIRST = 64 * 1024, /* doubles with each chunk of a class: small tables stay small */
	CHUNK_MAX = 2 * 1024 * 1024, /* a huge page of x86-64 */
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
};

struct arena_free {
	struct arena_free *next;
};

static size_t class_of(size_t n)
{
	if (n <= ARENA_SMALL_MAX)
		return (n + ARENA_STEP_SMALL - 1) / ARENA_STEP_SMALL - 1;
	return ARENA_SMALL_MAX / ARENA_STEP_SMALL +
	       (n - ARENA_SMALL_MAX + ARENA_STEP_LARGE - 1) / ARENA_STEP_LARGE - 1;
}

static size_t class_size(size_t class)
{
	const size_t n_small = ARENA_SMALL_MAX / ARENA_STEP_SMALL;

	if (class < n_small)
		return (class + 1) * ARENA_STEP_SMALL;
	return ARENA_SMALL_MAX + (class - n_small + 1) * ARENA_STEP_LARGE;
}

/*
 * One huge page, where the kernel has one: a look-up among millions of records costs as many TLB
 * misses as cache misses otherwise. The wish must be made before the pages are locked, which
 * touches them.
 */
static void *huge_chunk(void)
{
	uint8_t *p = mmap(NULL, 2 * (size_t)CHUNK_MAX, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	const size_t before = -(uintptr_t)p & (CHUNK_MAX - 1);

	if ((before && munmap(p, before) != 0) ||
		munmap(p + before + CHUNK_MAX, CHUNK_MAX - before) != 0)
		return NULL;
	p += before;
	/* A wish only. */
	(void)madvise(p, CHUNK_MAX, MADV_HUGEPAGE);
	if (secret_protect(p, CHUNK_MAX) != 0) {
		(void)munmap(p, CHUNK_MAX);
		return NULL;
	}
	return p;
}

static void *chunk_alloc(size_t size)
{
	return size == CHUNK_MAX ? huge_chunk() : secret_alloc(size);
}

static void chunk_free(struct arena_chunk *chunk)
{
	const size_t size = chunk->size;

	if (size != CHUNK_MAX) {
		secret_free(chunk, size);
		return;
	}
	secret_wipe(chunk, size);
	(void)munmap(chunk, size);
}

static int class_grow(struct subscriber_arena *a, struct arena_class *c)
{
	size_t size = c->chunk_size ? 2 * c->chunk_size : CHUNK_FIRST;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	unsigned char *p = chunk_alloc(size);

	if (!p)
		return -ENOMEM;
	struct arena_chunk *chunk = (struct arena_chunk *)(void *)p;

	chunk->next = a->chunks;
	chunk->size = size;
	a->chunks = chunk;
	a->reserved += size;
	c->chunk_size = size;
	c->next = p + ARENA_STEP_SMALL;
	c->end = p + size;
	return 0;
}

void *arena_take(struct subscriber_arena *a, size_t n)
{
	if (n == 0 || n > ARENA_LARGE_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	const size_t class = class_of(n);
	struct arena_class *c = &a->classes[class];

	if (c->free) {
		struct arena_free *f = c->free;

		c->free = f->next;
		f->next = NULL;
		return f;
	}
	if ((size_t)(c->end - c->next) < class_size(class) && class_grow(a, c) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	void *p = c->next;

	c->next += class_size(class);
	return p;
}

void arena_give(struct subscriber_arena *a, void *p, size_t n)
{
	struct arena_class *c = &a->classes[class_of(n)];
	struct arena_free *f = p;

	secret_wipe(p, n);
	f->next = c->free;
	c->free = f;
}

void arena_clear(struct subscriber_arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *chunk = a->chunks; chunk; chunk = next) {
		next = chunk->next;
		chunk_free(chunk);
	}
	memset(a, 0, sizeof(*a));
}
