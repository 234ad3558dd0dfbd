/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/subscribers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "common/crypto/secret.h"
#include "dataplane/engine/keyring.h"
#include "dataplane/engine/siphash.h"
#include "dataplane/engine/subscriber_arena.h"
#include "dataplane/engine/subscriber_index.h"

enum {
	RETIRED_MAX = 4096, /* waiting for a grace period; then the writer waits for one */
	LOOKUP_MAX = 64,
};

/* What readers may still use: a record, or an index that has been outgrown. */
struct retired {
	struct subscriber *record;
	struct subscriber_index *index;
};

struct subscriber_table {
	/* Read by all, changed by the writer: release, acquire. */
	struct subscriber_index *by_psk_id;
	struct subscriber_index *by_uid;
	uint8_t longest_uid;	     /* octets; only grows */
	struct siphash_key hash_key; /* constant */
	/* Writer only. */
	struct subscriber_arena arena;
	size_t n_retired;
	uint32_t load;
	bool loading;
	struct retired retired[RETIRED_MAX];
};

_Static_assert(offsetof(struct subscriber, octets) + SUBSCRIBER_PSK_ID_MAX +
			       SUBSCRIBER_UIDS_MAX * (1 + IDENTITY_MAX) <=
		       ARENA_LARGE_MAX,
	"the longest record has a size class");

struct identity subscriber_uid(const struct subscriber *s, unsigned int i)
{
	const uint8_t *p = s->octets + s->psk_id_len;

	while (i-- > 0)
		p += 1 + p[0];
	return (struct identity){p + 1, p[0]};
}

bool subscriber_has_uid(const struct subscriber *s, struct identity uid)
{
	const uint8_t *p = s->octets + s->psk_id_len;

	for (unsigned int i = 0; i < s->n_uids; i++, p += 1 + p[0]) {
		if (identity_equal((struct identity){p + 1, p[0]}, uid))
			return true;
	}
	return false;
}

static uint64_t hash_of(const struct subscriber_table *t, struct identity id)
{
	return siphash13(&t->hash_key, id.data, id.len);
}

struct subscriber_table *subscriber_table_new(size_t expected)
{
	struct subscriber_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->by_psk_id = index_new(expected);
	t->by_uid = index_new(expected);
	if (!t->by_psk_id || !t->by_uid || secret_random(&t->hash_key, sizeof(t->hash_key)) != 0) {
		subscriber_table_free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

static size_t record_size(size_t psk_id_len, const struct identity *uids, unsigned int n_uids)
{
	size_t n = offsetof(struct subscriber, octets) + psk_id_len;

	for (unsigned int i = 0; i < n_uids; i++)
		n += 1u + uids[i].len;
	return n;
}

static size_t record_size_of(const struct subscriber *s)
{
	const uint8_t *p = s->octets + s->psk_id_len;

	for (unsigned int i = 0; i < s->n_uids; i++)
		p += 1 + p[0];
	return (size_t)(p - (const uint8_t *)s);
}

void subscriber_table_free(struct subscriber_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_retired; i++)
		index_free(t->retired[i].index);
	index_free(t->by_psk_id);
	index_free(t->by_uid);
	arena_clear(&t->arena);
	secret_wipe(t, sizeof(*t));
	free(t);
}

void subscriber_table_reclaim(struct subscriber_table *t)
{
	if (t->n_retired == 0)
		return;
	synchronize_rcu();
	for (size_t i = 0; i < t->n_retired; i++) {
		struct retired *r = &t->retired[i];

		index_free(r->index);
		if (r->record)
			arena_give(&t->arena, r->record, record_size_of(r->record));
	}
	t->n_retired = 0;
}

static void retire(struct subscriber_table *t, struct retired r)
{
	if (t->n_retired == RETIRED_MAX)
		subscriber_table_reclaim(t);
	t->retired[t->n_retired++] = r;
}

/* Makes room for n more entries: all entries go to a larger array, which readers then see at once.
 */
static int index_reserve(struct subscriber_table *t, struct subscriber_index **root, size_t n)
{
	struct subscriber_index *old = *root;

	if (old->n_entries + n <= index_capacity(old))
		return 0;
	struct subscriber_index *x = index_new(old->n_entries + n + index_capacity(old));

	if (!x)
		return -ENOMEM;
	for (size_t i = 0; i < old->n_buckets; i++) {
		for (unsigned int j = 0; j < INDEX_ENTRIES; j++) {
			const index_entry e = old->buckets[i].entry[j];

			if (e != 0)
				index_put(x, hash_of(t, index_entry_identity(e)), e);
		}
	}
	/* Pairs with the acquire in the lookups: the array is complete when it is seen. */
	__atomic_store_n(root, x, __ATOMIC_RELEASE);
	retire(t, (struct retired){.index = old});
	subscriber_table_reclaim(t);
	return 0;
}

static int spec_check(const struct subscriber_spec *spec)
{
	if (spec->psk_id.len < 1 || spec->psk_id.len > SUBSCRIBER_PSK_ID_MAX)
		return -EINVAL;
	if (keyring_id_is_sealing(spec->psk_id))
		return -EINVAL;
	if (spec->psk_len < 16 || spec->psk_len > 32)
		return -EINVAL;
	if (spec->n_uids < 1 || spec->n_uids > SUBSCRIBER_UIDS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < spec->n_uids; i++) {
		if (spec->uids[i].len < 1 || spec->uids[i].len > IDENTITY_MAX)
			return -EINVAL;
		for (unsigned int j = 0; j < i; j++) {
			if (identity_equal(spec->uids[i], spec->uids[j]))
				return -EINVAL;
		}
	}
	return 0;
}

static struct subscriber *find_psk_id(const struct subscriber_table *t, struct identity id)
{
	return index_find(t->by_psk_id, hash_of(t, id), id);
}

/* During a full load a record that it has not named yet may be on its way out: it gives way. */
static bool uid_held(const struct subscriber_table *t, const struct subscriber *owner)
{
	return !t->loading || owner->load == t->load;
}

static bool uids_free(const struct subscriber_table *t, const struct subscriber_spec *spec,
	const struct subscriber *old)
{
	for (unsigned int i = 0; i < spec->n_uids; i++) {
		const struct subscriber *s =
			index_find(t->by_uid, hash_of(t, spec->uids[i]), spec->uids[i]);

		if (s && s != old && uid_held(t, s))
			return false;
	}
	return true;
}

static void record_fill(
	struct subscriber *s, const struct subscriber_spec *spec, const struct crypto_key *psk)
{
	uint8_t *p = s->octets;

	s->psk = *psk;
	s->expires = spec->expires;
	s->roles = spec->roles;
	s->n_uids = (uint16_t)spec->n_uids;
	s->psk_id_len = spec->psk_id.len;
	s->psk_len = (uint8_t)spec->psk_len;
	memcpy(p, spec->psk_id.data, spec->psk_id.len);
	p += spec->psk_id.len;
	for (unsigned int i = 0; i < spec->n_uids; i++) {
		*p++ = (uint8_t)spec->uids[i].len;
		memcpy(p, spec->uids[i].data, spec->uids[i].len);
		p += spec->uids[i].len;
	}
}

static bool records_equal(const struct subscriber *a, const struct subscriber *b)
{
	return a->expires == b->expires && a->roles == b->roles && a->n_uids == b->n_uids &&
	       a->psk_id_len == b->psk_id_len && a->psk_len == b->psk_len &&
	       record_size_of(a) == record_size_of(b) &&
	       memcmp(a->octets, b->octets,
		       record_size_of(a) - offsetof(struct subscriber, octets)) == 0 &&
	       secret_equal(&a->psk, &b->psk, sizeof(a->psk));
}

/* Before the record is published, so that who finds the record finds this. */
static void longest_uid_grow(struct subscriber_table *t, const struct subscriber *s)
{
	for (unsigned int i = 0; i < s->n_uids; i++) {
		const uint16_t len = subscriber_uid(s, i).len;

		if (len > t->longest_uid)
			__atomic_store_n(&t->longest_uid, (uint8_t)len, __ATOMIC_RELEASE);
	}
}

uint8_t subscriber_table_longest_uid(const struct subscriber_table *t)
{
	return __atomic_load_n(&t->longest_uid, __ATOMIC_ACQUIRE);
}

/* Everything is reserved: cannot fail. */
static void record_publish(struct subscriber_table *t, struct subscriber *s, struct subscriber *old)
{
	longest_uid_grow(t, s);
	for (unsigned int i = 0; i < s->n_uids; i++)
		index_put(t->by_uid, hash_of(t, subscriber_uid(s, i)), index_entry_make(s, i));
	index_put(
		t->by_psk_id, hash_of(t, subscriber_psk_id(s)), index_entry_make(s, INDEX_PSK_ID));
	if (!old)
		return;
	for (unsigned int i = 0; i < old->n_uids; i++) {
		const struct identity uid = subscriber_uid(old, i);

		if (!subscriber_has_uid(s, uid))
			index_remove(t->by_uid, hash_of(t, uid), uid);
	}
	retire(t, (struct retired){.record = old});
}

static void record_remove(struct subscriber_table *t, struct subscriber *s)
{
	const struct identity psk_id = subscriber_psk_id(s);

	index_remove(t->by_psk_id, hash_of(t, psk_id), psk_id);
	for (unsigned int i = 0; i < s->n_uids; i++) {
		const struct identity uid = subscriber_uid(s, i);

		index_remove(t->by_uid, hash_of(t, uid), uid);
	}
	retire(t, (struct retired){.record = s});
}

static void uids_take_over(struct subscriber_table *t, const struct subscriber_spec *spec,
	const struct subscriber *old)
{
	for (unsigned int i = 0; i < spec->n_uids; i++) {
		struct subscriber *s =
			index_find(t->by_uid, hash_of(t, spec->uids[i]), spec->uids[i]);

		if (s && s != old)
			record_remove(t, s);
	}
}

int subscriber_table_put(
	struct subscriber_table *t, struct crypto *ctx, const struct subscriber_spec *spec)
{
	int rc = spec_check(spec);

	if (rc != 0)
		return rc;
	struct subscriber *old = find_psk_id(t, spec->psk_id);

	if (!uids_free(t, spec, old))
		return -EEXIST;
	if (index_reserve(t, &t->by_psk_id, 1) != 0 ||
		index_reserve(t, &t->by_uid, spec->n_uids) != 0)
		return -ENOMEM;
	const size_t size = record_size(spec->psk_id.len, spec->uids, spec->n_uids);
	struct subscriber *s = arena_take(&t->arena, size);

	if (!s)
		return -ENOMEM;
	struct crypto_key psk;

	crypto_key_prepare(ctx, spec->psk, spec->psk_len, &psk);
	record_fill(s, spec, &psk);
	secret_wipe(&psk, sizeof(psk));
	s->load = t->load;
	if (old && records_equal(old, s)) {
		old->load = t->load;
		arena_give(&t->arena, s, size);
		return 0;
	}
	uids_take_over(t, spec, old);
	record_publish(t, s, old);
	return 0;
}

int subscriber_table_remove(struct subscriber_table *t, struct identity psk_id)
{
	struct subscriber *s = find_psk_id(t, psk_id);

	if (!s)
		return -ENOENT;
	record_remove(t, s);
	return 0;
}

size_t subscriber_table_count(const struct subscriber_table *t)
{
	return t->by_psk_id->n_entries;
}

size_t subscriber_table_locked(const struct subscriber_table *t)
{
	return t->arena.reserved;
}

void subscriber_table_begin_load(struct subscriber_table *t)
{
	t->load++;
	t->loading = true;
}

size_t subscriber_table_end_load(struct subscriber_table *t)
{
	const struct subscriber_index *x = t->by_psk_id;
	size_t removed = 0;

	t->loading = false;
	for (size_t i = 0; i < x->n_buckets; i++) {
		for (unsigned int j = 0; j < INDEX_ENTRIES; j++) {
			const index_entry e = x->buckets[i].entry[j];

			if (e == 0 || index_entry_record(e)->load == t->load)
				continue;
			record_remove(t, index_entry_record(e));
			removed++;
		}
	}
	return removed;
}

/* In three passes, so that the cache misses of all lookups overlap. */
static void lookup(const struct subscriber_table *t, const struct subscriber_index *x,
	const struct identity *ids, unsigned int n, const struct subscriber **out)
{
	uint64_t hash[LOOKUP_MAX];

	assert(n <= LOOKUP_MAX);
	for (unsigned int i = 0; i < n; i++) {
		if (!ids[i].data)
			continue;
		hash[i] = hash_of(t, ids[i]);
		index_prefetch(x, hash[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i].data)
			index_prefetch_record(x, hash[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		out[i] = ids[i].data ? index_find(x, hash[i], ids[i]) : NULL;
}

void subscriber_table_lookup(const struct subscriber_table *t, const struct identity *psk_ids,
	unsigned int n, const struct subscriber **out)
{
	lookup(t, __atomic_load_n(&t->by_psk_id, __ATOMIC_ACQUIRE), psk_ids, n, out);
}

void subscriber_table_lookup_uid(const struct subscriber_table *t, const struct identity *uids,
	unsigned int n, const struct subscriber **out)
{
	lookup(t, __atomic_load_n(&t->by_uid, __ATOMIC_ACQUIRE), uids, n, out);
}
