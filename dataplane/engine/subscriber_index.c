/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/subscriber_index.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Three quarters full at most: longer runs of full buckets would cost readers cache lines. */
static size_t capacity_of(size_t n_buckets)
{
	return n_buckets * INDEX_ENTRIES / 4 * 3;
}

static size_t octets_of(size_t n_buckets)
{
	return sizeof(struct subscriber_index) + n_buckets * sizeof(struct index_bucket);
}

struct subscriber_index *index_new(size_t n)
{
	size_t n_buckets = 2;

	while (capacity_of(n_buckets) < n) {
		if (n_buckets > SIZE_MAX / 256) {
			errno = ENOMEM;
			return NULL;
		}
		n_buckets *= 2;
	}
	/* Anonymous pages come zeroed and untouched: a large index costs memory as it fills. Holds
	 * no secrets. */
	void *p = mmap(NULL, octets_of(n_buckets), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		errno = ENOMEM;
		return NULL;
	}
	/* A wish only: fewer TLB misses. Where the kernel has no huge pages the index works
	 * without. */
	(void)madvise(p, octets_of(n_buckets), MADV_HUGEPAGE);
	struct subscriber_index *x = p;

	x->n_buckets = n_buckets;
	return x;
}

void index_free(struct subscriber_index *x)
{
	if (x && munmap(x, octets_of(x->n_buckets)) != 0)
		abort(); /* a corrupt header: going on would leak or free what readers use */
}

size_t index_capacity(const struct subscriber_index *x)
{
	return capacity_of(x->n_buckets);
}

/* The low bits choose the bucket, the high ones the tag; 0 marks an empty entry. */
static uint16_t tag_of(uint64_t hash)
{
	const uint16_t tag = (uint16_t)(hash >> 48);

	return tag != 0 ? tag : 1;
}

static size_t home_of(const struct subscriber_index *x, uint64_t hash)
{
	return hash & (x->n_buckets - 1);
}

struct identity index_entry_identity(index_entry e)
{
	const struct subscriber *s = index_entry_record(e);
	const unsigned int which = (unsigned int)(e >> 48);

	if (which == INDEX_PSK_ID)
		return (struct identity){s->octets, s->psk_id_len};
	return subscriber_uid(s, which);
}

/* All ones or zero, so that a choice needs no branch; the compiler must not know better. */
static inline uint64_t mask_if(bool condition)
{
	uint64_t mask = -(uint64_t)condition;

	__asm__("" : "+r"(mask));
	return mask;
}

static index_entry nobody_entry(void)
{
	/* As long as what is prefetched of a record. */
	static const struct subscriber nobody = {.psk_id_len = 1, .octets = {[127] = 0}};

	return (uint64_t)(uintptr_t)&nobody | (uint64_t)INDEX_PSK_ID << 48;
}

static index_entry bucket_find(
	const struct index_bucket *b, uint16_t tag, struct identity id, unsigned int *at)
{
	for (unsigned int i = 0; i < INDEX_ENTRIES; i++) {
		if (__atomic_load_n(&b->tag[i], __ATOMIC_RELAXED) != tag)
			continue;
		/* Pairs with the release in entry_publish(): the record is complete when it is
		 * seen. */
		const index_entry e = __atomic_load_n(&b->entry[i], __ATOMIC_ACQUIRE);

		if (e != 0 && identity_equal(index_entry_identity(e), id)) {
			*at = i;
			return e;
		}
	}
	return 0;
}

/* Goes on to the next candidate when identities differ behind equal tags. */
static struct subscriber *find_slowly(
	const struct subscriber_index *x, uint64_t hash, struct identity id)
{
	size_t at = home_of(x, hash);
	unsigned int place;

	for (size_t probed = 0; probed < x->n_buckets; probed++) {
		const struct index_bucket *b = &x->buckets[at];
		const index_entry e = bucket_find(b, tag_of(hash), id, &place);

		if (e != 0)
			return index_entry_record(e);
		if (__atomic_load_n(&b->overflow, __ATOMIC_RELAXED) == 0)
			return NULL;
		at = (at + 1) & (x->n_buckets - 1);
	}
	return NULL;
}

/* The first entry with the tag, 0: none. All are looked at, without branches. */
static index_entry bucket_candidate(const struct index_bucket *b, uint16_t tag)
{
	index_entry candidate = 0;

	for (unsigned int i = 0; i < INDEX_ENTRIES; i++) {
		const index_entry e = __atomic_load_n(&b->entry[i], __ATOMIC_ACQUIRE);
		const bool take =
			(__atomic_load_n(&b->tag[i], __ATOMIC_RELAXED) == tag) & (candidate == 0);

		candidate |= e & mask_if(take);
	}
	return candidate;
}

/*
 * Takes the same time whether there is one or not: a sender must not learn who is a subscriber. Who
 * is none is compared with himself. Two identities with the same tag and bucket are rare, and which
 * ones those are is behind a secret hash.
 */
struct subscriber *index_find(const struct subscriber_index *x, uint64_t hash, struct identity id)
{
	const uint16_t tag = tag_of(hash);
	size_t at = home_of(x, hash), probed = 0;
	index_entry candidate = 0;
	uint32_t overflow;

	do {
		const index_entry e = bucket_candidate(&x->buckets[at], tag);

		overflow = __atomic_load_n(&x->buckets[at].overflow, __ATOMIC_RELAXED);
		candidate |= e & mask_if(candidate == 0);
		at = (at + 1) & (x->n_buckets - 1);
	} while (overflow != 0 && ++probed < x->n_buckets);

	const uint64_t some = mask_if(candidate != 0);
	const struct identity own = index_entry_identity(candidate | (nobody_entry() & ~some));
	const struct identity other = {
		(const uint8_t *)(((uintptr_t)own.data & some) | ((uintptr_t)id.data & ~some)),
		(uint16_t)((own.len & some) | (id.len & ~some))};

	if (!identity_equal(other, id))
		return find_slowly(x, hash, id);
	return index_entry_record(candidate);
}

static void overflow_add(struct index_bucket *b, uint32_t n)
{
	/* Readers that see the old count look for an entry whose insertion or removal is not
	 * complete anyway. */
	__atomic_store_n(&b->overflow, b->overflow + n, __ATOMIC_RELAXED);
}

static void entry_publish(struct index_bucket *b, unsigned int i, uint16_t tag, index_entry e)
{
	__atomic_store_n(&b->tag[i], tag, __ATOMIC_RELAXED);
	__atomic_store_n(&b->entry[i], e, __ATOMIC_RELEASE);
}

/* The bucket and place of the entry of id, or NULL. */
static struct index_bucket *locate(
	struct subscriber_index *x, uint64_t hash, struct identity id, unsigned int *place)
{
	size_t at = home_of(x, hash);

	for (size_t probed = 0; probed < x->n_buckets; probed++) {
		struct index_bucket *b = &x->buckets[at];

		if (bucket_find(b, tag_of(hash), id, place) != 0)
			return b;
		if (b->overflow == 0)
			return NULL;
		at = (at + 1) & (x->n_buckets - 1);
	}
	return NULL;
}

static bool bucket_vacancy(const struct index_bucket *b, unsigned int *place)
{
	for (unsigned int i = 0; i < INDEX_ENTRIES; i++) {
		if (b->entry[i] == 0) {
			*place = i;
			return true;
		}
	}
	return false;
}

void index_put(struct subscriber_index *x, uint64_t hash, index_entry entry)
{
	unsigned int place;
	struct index_bucket *b = locate(x, hash, index_entry_identity(entry), &place);

	if (b) {
		entry_publish(b, place, tag_of(hash), entry);
		return;
	}
	assert(x->n_entries < capacity_of(x->n_buckets));
	size_t at = home_of(x, hash);

	for (b = &x->buckets[at]; !bucket_vacancy(b, &place); b = &x->buckets[at]) {
		overflow_add(b, 1);
		at = (at + 1) & (x->n_buckets - 1);
	}
	entry_publish(b, place, tag_of(hash), entry);
	x->n_entries++;
}

void index_remove(struct subscriber_index *x, uint64_t hash, struct identity id)
{
	unsigned int place;
	struct index_bucket *b = locate(x, hash, id, &place);

	if (!b)
		return;
	entry_publish(b, place, 0, 0);
	x->n_entries--;
	for (size_t at = home_of(x, hash); &x->buckets[at] != b; at = (at + 1) & (x->n_buckets - 1))
		overflow_add(&x->buckets[at], (uint32_t)-1);
}

void index_prefetch(const struct subscriber_index *x, uint64_t hash)
{
	__builtin_prefetch(&x->buckets[home_of(x, hash)]);
}

void index_prefetch_record(const struct subscriber_index *x, uint64_t hash)
{
	const index_entry e = bucket_candidate(&x->buckets[home_of(x, hash)], tag_of(hash));
	const char *s = (const char *)index_entry_record(e | (nobody_entry() & ~mask_if(e != 0)));

	/* The prepared PSK has 128 octets, the identities follow. */
	__builtin_prefetch(s);
	__builtin_prefetch(s + 64);
	__builtin_prefetch(s + 128);
	__builtin_prefetch(s + 192);
}
