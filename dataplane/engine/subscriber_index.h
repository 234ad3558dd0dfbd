/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hash index from an identity to a subscriber record. One writer; any number of readers without
 * locks.
 *
 * Buckets of one cache line. An entry is never moved within an array, so that a reader cannot miss
 * it: what does not fit its home bucket goes to one of the next, and the buckets it passed count it
 * in `overflow`: a reader goes on as long as that is not zero. An array is sized for its entries
 * beforehand; growing makes a new array, published by the owner of the index.
 */
#ifndef TKMS_ENGINE_SUBSCRIBER_INDEX_H
#define TKMS_ENGINE_SUBSCRIBER_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/identity/identity.h"
#include "dataplane/engine/subscribers.h"

enum { INDEX_ENTRIES = 6 };

/*
 * An entry: a record and which of its identities is meant (the PSK id, or the UID of that number),
 * in one word, so that it is read and written at once. User space pointers of x86-64 leave the
 * upper 16 bits free.
 */
typedef uint64_t index_entry;

enum { INDEX_PSK_ID = 0xffff };

static inline index_entry index_entry_make(struct subscriber *s, unsigned int which)
{
	return (uint64_t)(uintptr_t)s | (uint64_t)which << 48;
}

static inline struct subscriber *index_entry_record(index_entry e)
{
	return (struct subscriber *)(uintptr_t)(e & 0xffffffffffff);
}

struct identity index_entry_identity(index_entry e);

struct index_bucket {
	/* Written by the writer, read by all: relaxed but for entry (release, acquire). */
	uint16_t tag[INDEX_ENTRIES];
	uint32_t overflow;
	index_entry entry[INDEX_ENTRIES]; /* 0: empty */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct index_bucket) == 64, "a bucket is one cache line");

struct subscriber_index {
	size_t n_buckets; /* a power of two */
	size_t n_entries; /* writer only */
	struct index_bucket buckets[];
};

/* Room for n entries. NULL with errno ENOMEM. */
struct subscriber_index *index_new(size_t n);
void index_free(struct subscriber_index *x);

/* Entries that an array of this size holds before it must grow. */
size_t index_capacity(const struct subscriber_index *x);

/* Writer: replaces the entry of the same identity, or inserts it (there must be capacity). */
void index_put(struct subscriber_index *x, uint64_t hash, index_entry entry);

/* Writer. Does nothing if there is none. */
void index_remove(struct subscriber_index *x, uint64_t hash, struct identity id);

/* Readers. NULL if there is none. */
struct subscriber *index_find(const struct subscriber_index *x, uint64_t hash, struct identity id);

/* Prefetches the home bucket; then, in a later pass, the first candidate's record. */
void index_prefetch(const struct subscriber_index *x, uint64_t hash);
void index_prefetch_record(const struct subscriber_index *x, uint64_t hash);

#endif
