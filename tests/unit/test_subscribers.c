/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/subscribers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/engine/siphash.h"
#include "dataplane/engine/subscriber_index.h"

static struct crypto *crypto;
static struct subscriber_table *table;

static void setup(void)
{
	crypto = crypto_open("openssl");
	table = subscriber_table_new(0);
	cr_assert(crypto && table);
}

static void teardown(void)
{
	subscriber_table_free(table);
	crypto_close(crypto);
}

TestSuite(subscribers, .init = setup, .fini = teardown);

static struct identity text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

struct person {
	const char *psk_id;
	const char *uids[4];
	uint8_t psk;
	int64_t expires;
	uint32_t roles;
};

static int put(struct person p)
{
	uint8_t psk[32];
	struct identity uids[4];
	unsigned int n = 0;

	memset(psk, p.psk, sizeof(psk));
	while (n < 4 && p.uids[n]) {
		uids[n] = text(p.uids[n]);
		n++;
	}
	const struct subscriber_spec spec = {
		.psk_id = text(p.psk_id),
		.psk = psk,
		.psk_len = sizeof(psk),
		.uids = uids,
		.n_uids = n,
		.expires = p.expires,
		.roles = p.roles,
	};

	return subscriber_table_put(table, crypto, &spec);
}

static const struct subscriber *by_psk_id(const char *id)
{
	const struct identity i = text(id);
	const struct subscriber *s;

	subscriber_table_lookup(table, &i, 1, &s);
	return s;
}

static const struct subscriber *by_uid(const char *id)
{
	const struct identity i = text(id);
	const struct subscriber *s;

	subscriber_table_lookup_uid(table, &i, 1, &s);
	return s;
}

Test(subscribers, are_found_by_psk_id_and_by_every_uid)
{
	cr_assert_eq(put((struct person){"psk-a", {"a@x", "aa@x"}, 1, 77, SUBSCRIBER_FUNCTION}), 0);
	const struct subscriber *s = by_psk_id("psk-a");

	cr_assert(s);
	cr_assert_eq(by_uid("a@x"), s);
	cr_assert_eq(by_uid("aa@x"), s);
	cr_assert_null(by_uid("psk-a"));
	cr_assert_null(by_psk_id("a@x"));
	cr_assert_null(by_psk_id("psk-"));
	cr_assert_eq(s->expires, 77);
	cr_assert_eq(s->roles, SUBSCRIBER_FUNCTION);
	cr_assert_eq(s->psk_len, 32);
	cr_assert_eq(s->n_uids, 2);
	cr_assert(identity_equal(subscriber_uid(s, 0), text("a@x")));
	cr_assert(identity_equal(subscriber_uid(s, 1), text("aa@x")));
	cr_assert(subscriber_has_uid(s, text("aa@x")));
	cr_assert_not(subscriber_has_uid(s, text("a@")));
	cr_assert_eq(subscriber_table_count(table), 1);
}

Test(subscribers, psk_is_kept_prepared)
{
	uint8_t raw[32];
	struct crypto_key key;

	memset(raw, 5, sizeof(raw));
	crypto_key_prepare(crypto, raw, sizeof(raw), &key);
	cr_assert_eq(put((struct person){"p", {"u@x"}, 5}), 0);
	cr_assert_eq(memcmp(&by_psk_id("p")->psk, &key, sizeof(key)), 0);
}

Test(subscribers, bulk_lookup_keeps_the_order_and_skips_absent_ids)
{
	put((struct person){"p1", {"u1@x"}, 1});
	put((struct person){"p2", {"u2@x"}, 2});
	const struct identity ids[] = {text("p2"), {NULL, 0}, text("nobody"), text("p1")};
	const struct subscriber *out[4];

	subscriber_table_lookup(table, ids, 4, out);
	cr_assert_eq(out[0], by_psk_id("p2"));
	cr_assert_null(out[1]);
	cr_assert_null(out[2]);
	cr_assert_eq(out[3], by_psk_id("p1"));
}

Test(subscribers, replacing_moves_all_identities_to_the_new_record)
{
	put((struct person){"p", {"keep@x", "drop@x"}, 1});
	const struct subscriber *old = by_psk_id("p");

	cr_assert_eq(put((struct person){"p", {"new@x", "keep@x"}, 2}), 0);
	const struct subscriber *s = by_psk_id("p");

	cr_assert_neq(s, old);
	cr_assert_eq(by_uid("keep@x"), s);
	cr_assert_eq(by_uid("new@x"), s);
	cr_assert_null(by_uid("drop@x"));
	cr_assert_eq(subscriber_table_count(table), 1);
	subscriber_table_reclaim(table);
	cr_assert_eq(by_psk_id("p"), s);
}

Test(subscribers, putting_the_same_again_changes_nothing)
{
	put((struct person){"p", {"u@x"}, 1});
	const struct subscriber *s = by_psk_id("p");

	cr_assert_eq(put((struct person){"p", {"u@x"}, 1}), 0);
	cr_assert_eq(by_psk_id("p"), s);
	cr_assert_eq(put((struct person){"p", {"u@x"}, 2}), 0);
	cr_assert_neq(by_psk_id("p"), s);
}

Test(subscribers, uid_of_another_is_refused_and_nothing_changes)
{
	put((struct person){"p1", {"u1@x"}, 1});
	put((struct person){"p2", {"u2@x"}, 2});
	const struct subscriber *s = by_psk_id("p2");

	cr_assert_eq(put((struct person){"p2", {"u3@x", "u1@x"}, 2}), -EEXIST);
	cr_assert_eq(put((struct person){"p3", {"u1@x"}, 3}), -EEXIST);
	cr_assert_eq(by_psk_id("p2"), s);
	cr_assert_null(by_uid("u3@x"));
	cr_assert_null(by_psk_id("p3"));
	cr_assert_eq(by_uid("u1@x"), by_psk_id("p1"));
}

Test(subscribers, removed_ones_are_not_found_and_free_their_uids)
{
	put((struct person){"p1", {"u1@x"}, 1});
	cr_assert_eq(subscriber_table_remove(table, text("p1")), 0);
	cr_assert_eq(subscriber_table_remove(table, text("p1")), -ENOENT);
	cr_assert_null(by_psk_id("p1"));
	cr_assert_null(by_uid("u1@x"));
	cr_assert_eq(subscriber_table_count(table), 0);
	cr_assert_eq(put((struct person){"p2", {"u1@x"}, 1}), 0);
	subscriber_table_reclaim(table);
	cr_assert_eq(by_uid("u1@x"), by_psk_id("p2"));
}

Test(subscribers, sizes_out_of_range_are_refused)
{
	uint8_t octets[300] = {0};
	struct identity uids[SUBSCRIBER_UIDS_MAX + 1];
	const struct subscriber_spec good = {
		.psk_id = text("p"), .psk = octets, .psk_len = 16, .uids = uids, .n_uids = 1};
	struct subscriber_spec bad;

	for (unsigned int i = 0; i <= SUBSCRIBER_UIDS_MAX; i++)
		uids[i] = (struct identity){octets, (uint16_t)(i + 1)};
	bad = good;
	bad.psk_id.len = 0;
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad.psk_id = (struct identity){octets, 256};
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad.psk_id = text("tpk-x");
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad = good;
	bad.psk_len = 15;
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad.psk_len = 33;
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad = good;
	bad.n_uids = 0;
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad.n_uids = SUBSCRIBER_UIDS_MAX + 1;
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	bad = good;
	bad.n_uids = 2;
	uids[1] = uids[0];
	cr_assert_eq(subscriber_table_put(table, crypto, &bad), -EINVAL);
	uids[0].len = 256;
	cr_assert_eq(subscriber_table_put(table, crypto, &good), -EINVAL);
	uids[0].len = 0;
	cr_assert_eq(subscriber_table_put(table, crypto, &good), -EINVAL);
	uids[0].len = 1;
	cr_assert_eq(subscriber_table_put(table, crypto, &good), 0);
}

Test(subscribers, longest_record_is_kept_whole)
{
	static uint8_t octets[SUBSCRIBER_UIDS_MAX][255];
	struct identity uids[SUBSCRIBER_UIDS_MAX];
	uint8_t psk_id[255];

	memset(psk_id, 'p', sizeof(psk_id));
	for (unsigned int i = 0; i < SUBSCRIBER_UIDS_MAX; i++) {
		memset(octets[i], 'a', 255);
		octets[i][254] = (uint8_t)i;
		uids[i] = (struct identity){octets[i], 255};
	}
	const struct subscriber_spec spec = {.psk_id = {psk_id, 255},
		.psk = octets[0],
		.psk_len = 32,
		.uids = uids,
		.n_uids = SUBSCRIBER_UIDS_MAX};
	const struct subscriber *out[SUBSCRIBER_UIDS_MAX];

	cr_assert_eq(subscriber_table_put(table, crypto, &spec), 0);
	subscriber_table_lookup_uid(table, uids, SUBSCRIBER_UIDS_MAX, out);
	for (unsigned int i = 0; i < SUBSCRIBER_UIDS_MAX; i++) {
		cr_assert(out[i]);
		cr_assert(identity_equal(subscriber_uid(out[i], i), uids[i]));
	}
}

static int put_numbered(unsigned int i)
{
	char psk_id[32], uid[32];

	snprintf(psk_id, sizeof(psk_id), "psk-%u", i);
	snprintf(uid, sizeof(uid), "user%u@x", i);
	return put((struct person){psk_id, {uid}, (uint8_t)i});
}

static bool numbered_found(unsigned int i)
{
	char psk_id[32], uid[32];

	snprintf(psk_id, sizeof(psk_id), "psk-%u", i);
	snprintf(uid, sizeof(uid), "user%u@x", i);
	return by_psk_id(psk_id) && by_psk_id(psk_id) == by_uid(uid);
}

Test(subscribers, table_grows_with_its_entries)
{
	for (unsigned int i = 0; i < 20000; i++)
		cr_assert_eq(put_numbered(i), 0);
	cr_assert_eq(subscriber_table_count(table), 20000);
	for (unsigned int i = 0; i < 20000; i++)
		cr_assert(numbered_found(i));
	cr_assert_not(numbered_found(20000));
}

Test(subscribers, memory_of_removed_ones_is_used_again)
{
	for (unsigned int i = 0; i < 1000; i++)
		put_numbered(i);
	const size_t locked = subscriber_table_locked(table);

	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 1000; i++) {
			char psk_id[32];

			snprintf(psk_id, sizeof(psk_id), "psk-%u", i);
			cr_assert_eq(subscriber_table_remove(table, text(psk_id)), 0);
		}
		subscriber_table_reclaim(table);
		for (unsigned int i = 0; i < 1000; i++)
			cr_assert_eq(put_numbered(i), 0);
	}
	cr_assert_eq(subscriber_table_locked(table), locked);
}

/* README's dimensioning: 10 M subscribers in 4 GiB leaves 429 octets for each, indexes included. */
Test(subscribers, ten_million_fit_four_gibibytes)
{
	enum { N = 50000 };
	char psk_id[64], uid[64];

	for (unsigned int i = 0; i < N; i++) {
		snprintf(
			psk_id, sizeof(psk_id), "dGhpcyBpcyBhIEItVElE%08u@bsf.operator.example", i);
		snprintf(uid, sizeof(uid), "+4670%08u@ims.operator.example", i);
		cr_assert_eq(put((struct person){psk_id, {uid}, 1}), 0);
	}
	/* Two index arrays at their emptiest: a cache line holds 2.25 entries. */
	const size_t each = subscriber_table_locked(table) / N + 2 * 64 / 2;

	cr_assert_leq(each, 429, "%zu octets each", each);
}

Test(subscribers, full_load_removes_what_it_does_not_name)
{
	for (unsigned int i = 0; i < 100; i++)
		put_numbered(i);
	subscriber_table_begin_load(table);
	for (unsigned int i = 50; i < 150; i++)
		cr_assert_eq(put_numbered(i), 0);
	cr_assert_eq(subscriber_table_end_load(table), 50);
	for (unsigned int i = 0; i < 150; i++)
		cr_assert_eq(numbered_found(i), i >= 50);
	cr_assert_eq(subscriber_table_count(table), 100);
}

Test(subscribers, full_load_may_give_a_uid_to_somebody_else)
{
	put((struct person){"old", {"u@x"}, 1});
	subscriber_table_begin_load(table);
	cr_assert_eq(put((struct person){"new", {"u@x"}, 2}), 0);
	cr_assert_eq(put((struct person){"third", {"u@x"}, 3}), -EEXIST);
	cr_assert_null(by_psk_id("old"));
	cr_assert_eq(by_uid("u@x"), by_psk_id("new"));
	cr_assert_eq(subscriber_table_end_load(table), 0);
	cr_assert_eq(put((struct person){"fourth", {"u@x"}, 2}), -EEXIST);
}

/* Records whose hashes are all the same: the index below the table. */
Test(subscriber_index, collisions_are_told_apart_and_survive_removals)
{
	enum { N = 40 };
	struct subscriber *records[N];
	struct subscriber_index *x = index_new(N);
	const uint64_t hash = 0x1234000000000001;

	cr_assert(x);
	for (unsigned int i = 0; i < N; i++) {
		records[i] = calloc(1, sizeof(struct subscriber) + 8);
		records[i]->psk_id_len = 1;
		records[i]->octets[0] = (uint8_t)i;
		index_put(x, hash, index_entry_make(records[i], INDEX_PSK_ID));
	}
	for (unsigned int i = 0; i < N; i += 2)
		index_remove(x, hash, (struct identity){records[i]->octets, 1});
	for (unsigned int i = 0; i < N; i++) {
		const struct subscriber *s =
			index_find(x, hash, (struct identity){records[i]->octets, 1});

		cr_assert_eq(s, i % 2 ? records[i] : NULL);
	}
	cr_assert_eq(x->n_entries, N / 2);
	for (unsigned int i = 1; i < N; i += 2)
		index_remove(x, hash, (struct identity){records[i]->octets, 1});
	for (size_t i = 0; i < x->n_buckets; i++)
		cr_assert_eq(x->buckets[i].overflow, 0);
	index_free(x);
	for (unsigned int i = 0; i < N; i++)
		free(records[i]);
}

/* A record with two UIDs of one hash: removing one must not take the other's entry. */
Test(subscriber_index, identities_of_one_record_do_not_mix)
{
	struct subscriber *s = calloc(1, sizeof(struct subscriber) + 16);
	struct subscriber_index *x = index_new(4);

	s->psk_id_len = 0;
	s->n_uids = 2;
	memcpy(s->octets, "\1a\1b", 4);
	index_put(x, 9, index_entry_make(s, 0));
	index_put(x, 9, index_entry_make(s, 1));
	cr_assert_eq(x->n_entries, 2);
	index_remove(x, 9, text("b"));
	cr_assert_eq(index_find(x, 9, text("a")), s);
	cr_assert_null(index_find(x, 9, text("b")));
	index_free(x);
	free(s);
}

/* Computed with OpenSSL 3.0: EVP_MAC SIPHASH, c-rounds 1, d-rounds 3, size 8, key 00..0f. */
Test(siphash, agrees_with_an_independent_implementation)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} cases[] = {{0, 0xabac0158050fc4dc}, {1, 0xc9f49bf37d57ca93}, {7, 0xd3927d989bb11140},
		{8, 0x369095118d299a8e}, {15, 0xd320d86d2a519956}, {16, 0xcc4fdd1a7d908b66},
		{21, 0xb992abfe2b45f844}, {63, 0x9d199062b7bbb3a8}};
	const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t data[64];

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(siphash13(&key, data, cases[i].len), cases[i].hash, "length %zu",
			cases[i].len);
}
