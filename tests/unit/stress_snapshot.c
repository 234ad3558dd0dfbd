/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers use snapshots while the main thread publishes new ones: every reader sees whole
 * snapshots, epochs never go back, and no memory is freed before it is wiped. A plain program: RCU
 * and Criterion's processes do not go together.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "dataplane/snapshot.h"

enum { READERS = 3, ROUNDS = 400, RULES = 20, RULE_LEN = 250 };

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static struct shared shared;
static unsigned int stop;
static unsigned int wiped;

void __real_free(void *p);
void __wrap_free(void *p);

/* The linker puts it in the place of free(): blocks of a snapshot's size must be all zero by then.
 */
void __wrap_free(void *p)
{
	size_t n = p ? malloc_usable_size(p) : 0;

	if (n >= 2 * RULES * RULE_LEN ||
		(n >= sizeof(struct snapshot) && n < sizeof(struct snapshot) + 2048)) {
		const uint8_t *octets = p;
		size_t used =
			n >= 2 * RULES * RULE_LEN ? 2 * RULES * RULE_LEN : sizeof(struct snapshot);

		for (size_t i = 0; i < used; i++)
			CHECK(octets[i] == 0);
		wiped++;
	}
	__real_free(p);
}

/* Everything in a snapshot of this test follows from its epoch. */
static struct snapshot *build(struct crypto *crypto, uint64_t epoch)
{
	static struct ipc_snapshot ipc;
	static uint8_t octets[RULE_LEN];
	static uint8_t key[32];
	struct snapshot *s;
	const char *why;

	memset(octets, (int)(epoch % 251) + 1, sizeof(octets));
	memset(key, (int)(epoch % 251) + 1, sizeof(key));
	ipc = (struct ipc_snapshot){.epoch = epoch,
		.kms_identity = {octets, 20},
		.max_skew_s = 300,
		.default_lifetime_s = (uint32_t)epoch,
		.max_lifetime_s = (uint32_t)epoch,
		.max_message = 8192,
		.max_idr_r = 1,
		.max_identity = 255,
		.max_keys = 16,
		.n_types = 1,
		.n_rules = RULES,
		.n_keys = 1,
		.n_addresses = 1,
		.errors_per_source_rate = (uint32_t)epoch,
		.keys = {{.id = {(const uint8_t *)"tpk-1", 5},
			.key = {key, 32},
			.seals_until = (int64_t)epoch,
			.resolves_until = (int64_t)epoch,
			.state = 1}},
		.addresses = {{.family = 4,
			.port = (uint16_t)(epoch % 60000 + 1),
			.octets = {192, 0, 2, 1}}}};
	for (unsigned int i = 0; i < RULES; i++)
		ipc.rules[i] = (struct ipc_rule){{octets, RULE_LEN}, {octets, RULE_LEN}, true};
	CHECK(snapshot_build(&s, crypto, &ipc, &why) == 0);
	return s;
}

static void check(const struct snapshot *s, const struct engine_view *view)
{
	uint8_t octet = (uint8_t)(s->epoch % 251 + 1);

	CHECK(view->keyring == &s->keyring && s->keyring.epoch == s->epoch);
	CHECK(s->keyring.keys[0].seals_until == (int64_t)s->epoch);
	CHECK(s->policy.default_lifetime_s == s->epoch && s->limits.errors_source.rate == s->epoch);
	CHECK(s->addresses.port4[0] == s->epoch % 60000 + 1);
	CHECK(s->policy.kms_identity.data[19] == octet);
	CHECK(s->policy.rules[RULES - 1].to.data[RULE_LEN - 1] == octet);
}

static void *reader(void *arg)
{
	uint64_t last = 0, seen = 0;

	(void)arg;
	rcu_register_thread();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct engine_view view;
		const struct snapshot *s = snapshot_view(&shared, &view);

		if (s) {
			CHECK(s->epoch >= last);
			seen += s->epoch != last;
			last = s->epoch;
			check(s, &view);
			/* Still the same after the writer may have published another. */
			for (int i = 0; i < 50; i++)
				check(s, &view);
		}
		rcu_quiescent_state();
		if (seen % 64 == 0) {
			rcu_thread_offline();
			sched_yield();
			rcu_thread_online();
		}
	}
	rcu_unregister_thread();
	CHECK(seen > 0);
	return NULL;
}

int main(void)
{
	struct crypto *crypto = crypto_open("openssl");
	pthread_t threads[READERS];

	CHECK(crypto);
	subscribers_publish(&shared, subscriber_table_new(16));
	snapshot_publish(&shared, build(crypto, 1));
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_create(&threads[i], NULL, reader, NULL) == 0);
	for (uint64_t epoch = 2; epoch <= ROUNDS; epoch++) {
		snapshot_publish(&shared, build(crypto, epoch));
		if (epoch % 100 == 0)
			subscribers_publish(&shared, subscriber_table_new(16));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	shared_clear(&shared);
	/* Two blocks each, the snapshot and its octets; other blocks may be of that size too. */
	CHECK(wiped >= 2 * ROUNDS);
	crypto_close(crypto);
	return 0;
}
