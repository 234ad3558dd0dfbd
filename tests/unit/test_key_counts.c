/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/key_counts.h"

static struct key_counters workers[2];
static const struct key_counters *const list[] = {&workers[0], &workers[1]};
static const struct key_counters_list COUNTERS = {list, 2};
static struct sealing_key keys[KEYRING_KEYS_MAX];
static struct key_counts counts;
static struct ipc_stats report;

/* A keyring with keys first to last. */
static void publish(unsigned int first, unsigned int last)
{
	struct keyring ring = {.keys = keys, .n_keys = last - first + 1};

	for (unsigned int i = 0; i < ring.n_keys; i++)
		keys[i].id_len = (uint8_t)sprintf((char *)keys[i].id, "tpk-%u", first + i);
	key_counts_assign(&counts, &ring, &COUNTERS);
}

static void use(unsigned int worker, unsigned int key, uint64_t sealed, uint64_t resolved)
{
	workers[worker].slot[keys[key].slot].sealed += sealed;
	workers[worker].slot[keys[key].slot].resolved += resolved;
}

static const struct ipc_key_count *reported(const char *id)
{
	key_counts_report(&counts, &COUNTERS, &report);
	for (unsigned int i = 0; i < report.n_keys; i++) {
		if (strcmp(report.keys[i].id, id) == 0)
			return &report.keys[i];
	}
	return NULL;
}

Test(key_counts, uses_add_up_over_workers_and_keyrings)
{
	publish(1, 2);
	use(0, 0, 3, 1);
	use(1, 0, 4, 0);
	use(1, 1, 0, 5);
	publish(1, 3);
	use(0, 0, 1, 0);
	cr_assert_eq(reported("tpk-1")->sealed, 8);
	cr_assert_eq(reported("tpk-1")->resolved, 1);
	cr_assert_eq(reported("tpk-2")->resolved, 5);
	cr_assert_eq(reported("tpk-3")->sealed, 0);
	cr_assert_eq(report.n_keys, 3);
	publish(2, 3);
	cr_assert_null(reported("tpk-1"), "it is gone");
}

Test(key_counts, a_slot_begins_anew_with_another_key)
{
	for (unsigned int round = 0; round < 50; round++) {
		unsigned int first = round * KEYRING_KEYS_MAX;

		publish(first, first + KEYRING_KEYS_MAX - 1);
		for (unsigned int i = 0; i < KEYRING_KEYS_MAX; i++) {
			for (unsigned int j = 0; j < i; j++)
				cr_assert_neq(keys[i].slot, keys[j].slot);
			use(i % 2, i, 1, 2);
		}
		key_counts_report(&counts, &COUNTERS, &report);
		cr_assert_eq(report.n_keys, KEYRING_KEYS_MAX);
		for (unsigned int i = 0; i < report.n_keys; i++) {
			cr_assert_eq(report.keys[i].sealed, 1);
			cr_assert_eq(report.keys[i].resolved, 2);
		}
	}
}

Test(key_counts, a_slot_that_workers_may_still_use_is_not_given_away)
{
	uint16_t before[KEYRING_KEYS_MAX];

	publish(1, KEYRING_KEYS_MAX);
	for (unsigned int i = 0; i < KEYRING_KEYS_MAX; i++)
		before[i] = keys[i].slot;
	publish(1001, 1000 + KEYRING_KEYS_MAX);
	for (unsigned int i = 0; i < KEYRING_KEYS_MAX; i++) {
		for (unsigned int j = 0; j < KEYRING_KEYS_MAX; j++)
			cr_assert_neq(keys[i].slot, before[j]);
	}
}
