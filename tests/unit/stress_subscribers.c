/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subscriber table with one writer and readers at work: a plain program, since Criterion does
 * not run under ThreadSanitizer. Exit status 0: every reader found every subscriber that was never
 * removed, and no record changed under a reader's hands.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "dataplane/engine/subscribers.h"

enum {
	READERS = 2,
	STABLE = 200,	 /* replaced again and again, never removed */
	VOLATILE = 5000, /* come and go, so that the index grows */
	VERSIONS = 8,
	ROUNDS = 300,
	BULK = 64,
};

static struct subscriber_table *table;
static struct crypto_key keys[VERSIONS];
static uint8_t psks[VERSIONS][32];
static atomic_bool stop;
static atomic_uint failures;

static void fail(const char *what, unsigned int i)
{
	atomic_fetch_add(&failures, 1);
	fprintf(stderr, "%s: %u\n", what, i);
}

static struct identity name(char *buf, size_t cap, const char *prefix, unsigned int i)
{
	return (struct identity){
		(const uint8_t *)buf, (uint16_t)snprintf(buf, cap, "%s%u@x", prefix, i)};
}

static void put(struct crypto *crypto, const char *prefix, unsigned int i, unsigned int version)
{
	char psk_id[32], uid[32];
	struct identity uids[1] = {name(uid, sizeof(uid), "u-", i)};
	const struct subscriber_spec spec = {
		.psk_id = name(psk_id, sizeof(psk_id), prefix, i),
		.psk = psks[version],
		.psk_len = sizeof(psks[version]),
		.uids = uids,
		.n_uids = 1,
		.expires = version,
	};

	if (subscriber_table_put(table, crypto, &spec) != 0)
		fail("put", i);
}

/* A record that was wiped or reused too early does not have the key that belongs to its version. */
static void check_record(const struct subscriber *s, unsigned int i)
{
	if (s->expires < 0 || s->expires >= VERSIONS ||
		memcmp(&s->psk, &keys[s->expires], sizeof(s->psk)) != 0)
		fail("record", i);
}

static void *read_all(void *arg)
{
	unsigned int start = (unsigned int)(size_t)arg;

	rcu_register_thread();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		char text[BULK][32];
		struct identity ids[BULK];
		const struct subscriber *out[BULK];

		for (unsigned int i = 0; i < BULK; i++)
			ids[i] = name(text[i], sizeof(text[i]), "stable-", (start + i) % STABLE);
		subscriber_table_lookup(table, ids, BULK, out);
		for (unsigned int i = 0; i < BULK; i++) {
			if (out[i])
				check_record(out[i], (start + i) % STABLE);
			else
				fail("not found", (start + i) % STABLE);
		}
		for (unsigned int i = 0; i < BULK; i++)
			ids[i] = name(text[i], sizeof(text[i]), "u-", (start * 7 + i) % VOLATILE);
		subscriber_table_lookup_uid(table, ids, BULK, out);
		for (unsigned int i = 0; i < BULK; i++) {
			if (out[i])
				check_record(out[i], i);
		}
		start++;
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	return NULL;
}

static void write_all(struct crypto *crypto)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < STABLE; i++)
			put(crypto, "stable-", i, round % VERSIONS);
		for (unsigned int i = STABLE; i < VOLATILE; i++) {
			char psk_id[32];

			if (round % 2 == 0)
				put(crypto, "psk-", i, round % VERSIONS);
			else if (subscriber_table_remove(
					 table, name(psk_id, sizeof(psk_id), "psk-", i)) != 0)
				fail("remove", i);
		}
		subscriber_table_reclaim(table);
	}
}

int main(void)
{
	struct crypto *crypto = crypto_open("openssl");
	pthread_t readers[READERS];

	table = subscriber_table_new(0);
	if (!crypto || !table)
		return 2;
	for (unsigned int v = 0; v < VERSIONS; v++) {
		memset(psks[v], (int)v + 1, sizeof(psks[v]));
		crypto_key_prepare(crypto, psks[v], sizeof(psks[v]), &keys[v]);
	}
	for (unsigned int i = 0; i < STABLE; i++)
		put(crypto, "stable-", i, 0);
	for (size_t i = 0; i < READERS; i++) {
		if (pthread_create(&readers[i], NULL, read_all, (void *)(17 * i)) != 0)
			return 2;
	}
	write_all(crypto);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	subscriber_table_free(table);
	crypto_close(crypto);
	return atomic_load(&failures) == 0 ? 0 : 1;
}
