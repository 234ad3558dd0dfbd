/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"

enum { R = 1000, L = 10, M = 5000, SKEW = 300, T0 = 2000000000 };
static const struct keys_schedule SCHEDULE = {R, L, M, SKEW};

static struct keys *k;

static void setup(void)
{
	k = keys_new();
	cr_assert(k);
}

static void teardown(void)
{
	keys_free(k);
}

TestSuite(control_keys, .init = setup, .fini = teardown);

static int step(int64_t now, uint64_t acknowledged)
{
	const struct keys_situation at = {
		.now = now, .dataplane = KEYS_CONNECTED, .acknowledged_epoch = acknowledged};

	return keys_step(k, &SCHEDULE, &at);
}

static int step_alone(int64_t now)
{
	const struct keys_situation at = {.now = now, .dataplane = KEYS_NOBODY};

	return keys_step(k, &SCHEDULE, &at);
}

static unsigned int in_state(enum key_state state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->n; i++)
		n += k->key[i].state == state;
	return n;
}

Test(control_keys, the_first_key_is_active_at_once)
{
	const struct key *key;

	cr_assert_eq(step_alone(T0), KEYS_CREATED | KEYS_ACTIVATED);
	cr_assert_eq(k->epoch, 1);
	key = keys_active(k);
	cr_assert(key);
	cr_assert(keys_valid_id(key->id));
	cr_assert_eq(strlen(key->id), strlen("tpk-") + 16);
	cr_assert_eq(key->len, 32);
	cr_assert_eq(key->seals_from, T0);
	cr_assert_eq(key->seals_until, T0 + 2 * R);
	cr_assert_eq(key->resolves_until, T0 + 2 * R + M);
	cr_assert_eq(step_alone(T0 + 1), 0, "nothing more is due");
	cr_assert_eq(k->epoch, 1);
}

Test(control_keys, a_successor_is_published_then_activated_when_the_data_plane_holds_it)
{
	const struct key *first;

	step(T0, 0);
	cr_assert_eq(step(T0 + R - 1, 1), 0);
	cr_assert_eq(step(T0 + R, 1), KEYS_CREATED);
	cr_assert_eq(k->epoch, 2);
	cr_assert_eq(in_state(KEY_PUBLISHED), 1);
	first = keys_active(k);
	cr_assert_eq(k->key[1].seals_from, T0 + R + L);
	cr_assert_eq(step(T0 + R + L - 1, 2), 0, "its time has not come");
	cr_assert_eq(step(T0 + R + L, 1), 0, "the data plane has not got it");
	cr_assert_eq(keys_active(k), first);
	cr_assert_eq(step(T0 + R + L, 2), KEYS_ACTIVATED);
	cr_assert_eq(k->epoch, 3);
	cr_assert_eq(keys_active(k), &k->key[1]);
	cr_assert_eq(first->state, KEY_RETIRING);
	cr_assert_eq(in_state(KEY_ACTIVE), 1);
	cr_assert_eq(first->seals_until, T0 + 2 * R, "times never change");
}

Test(control_keys, nobody_connected_activates_nothing_before_it_must)
{
	step(T0, 0);
	step_alone(T0 + R);
	cr_assert_eq(in_state(KEY_PUBLISHED), 1);
	cr_assert_eq(step_alone(T0 + 2 * R), 0);
	cr_assert_eq(step_alone(T0 + 2 * R + 1), KEYS_ACTIVATED, "the active key has run out");
}

Test(control_keys, a_keyring_that_was_asleep_for_years_can_seal_at_once)
{
	step(T0, 0);
	cr_assert_eq(step(T0 + R, 1), KEYS_CREATED);
	cr_assert_gt(step_alone(T0 + 1000 * R), 0);
	cr_assert(keys_active(k));
	cr_assert_eq(keys_active(k)->seals_from, T0 + 1000 * R);
	cr_assert_eq(in_state(KEY_ACTIVE), 1);
}

Test(control_keys, the_data_plane_never_acknowledging_does_not_stop_requests)
{
	step(T0, 0);
	for (int64_t t = T0; t < T0 + 20 * R; t += R / 7) {
		cr_assert_geq(step(t, 0), 0);
		cr_assert(keys_active(k));
		cr_assert_leq(t, keys_active(k)->seals_until);
	}
}

Test(control_keys, a_schedule_runs_for_years_with_every_promise_kept)
{
	uint64_t most = 0;

	/* every ticket sealed now for the longest lifetime resolves until its end */
	for (int64_t t = T0; t < T0 + 300 * R; t += 60) {
		const struct key *active;
		unsigned int n = 0;

		step(t, k->epoch);
		active = keys_active(k);
		cr_assert(active && in_state(KEY_ACTIVE) == 1);
		cr_assert(active->seals_from <= t && t <= active->seals_until);
		cr_assert_geq(active->resolves_until, t + M);
		for (unsigned int i = 0; i < k->n; i++) {
			if (key_is_held(&k->key[i]))
				n++;
			else
				cr_assert_gt(t, k->key[i].resolves_until + SKEW);
		}
		most = n > most ? n : most;
	}
	cr_assert_leq(most, keys_held_at_most(R, M) + 1, "%lu", (unsigned long)most);
	cr_assert_geq(most, 6);
}

Test(control_keys, a_key_is_destroyed_when_the_slowest_clock_has_passed_its_end)
{
	static const uint8_t zeros[KEYS_LEN];
	int64_t end;

	step(T0, 0);
	end = k->key[0].resolves_until + SKEW;
	for (int64_t t = T0; t <= end; t += 10)
		step(t, k->epoch);
	step(end, k->epoch);
	cr_assert_eq(k->key[0].state, KEY_RETIRING);
	cr_assert(step(end + 1, k->epoch) & KEYS_DESTROYED_SOME);
	cr_assert_eq(k->key[0].state, KEY_DESTROYED);
	cr_assert_eq(k->key[0].len, 0);
	cr_assert_arr_eq(k->key[0].octets, zeros, sizeof(zeros));
	cr_assert_neq(*k->key[0].id, '\0', "its name stays");
}

Test(control_keys, longer_lifetimes_bring_a_successor_at_once)
{
	const struct keys_schedule longer = {R, L, 2 * M, SKEW};
	const struct keys_situation at = {
		.now = T0 + 5, .dataplane = KEYS_CONNECTED, .acknowledged_epoch = 1};

	step(T0, 0);
	cr_assert_eq(keys_step(k, &longer, &at), KEYS_CREATED);
	cr_assert_eq(k->key[1].resolves_until - k->key[1].seals_until, 2 * M);
}

Test(control_keys, a_clock_that_jumps_back_makes_no_new_keys)
{
	step(T0, 0);
	for (int64_t t = T0 - 100000; t < T0; t += 1000)
		cr_assert_eq(step(t, 1), 0);
	cr_assert_eq(k->n, 1);
}

Test(control_keys, rotation_by_hand_waits_for_a_pending_one)
{
	step(T0, 0);
	cr_assert_eq(keys_rotate(k, &SCHEDULE, T0 + 1), 0);
	cr_assert_eq(keys_rotate(k, &SCHEDULE, T0 + 1), -EALREADY);
	cr_assert_eq(step(T0 + 1 + L, k->epoch), KEYS_ACTIVATED);
	cr_assert_eq(keys_rotate(k, &SCHEDULE, T0 + 2 + L), 0);
}

Test(control_keys, revoked_keys_are_gone_at_once_and_stay_gone)
{
	char id[KEYS_ID_MAX + 1];

	step(T0, 0);
	strcpy(id, keys_active(k)->id);
	cr_assert_eq(keys_revoke(k, id), 0);
	cr_assert_eq(keys_revoke(k, id), -EALREADY);
	cr_assert_eq(keys_revoke(k, "tpk-none"), -ENOENT);
	cr_assert_null(keys_active(k));
	cr_assert_eq(step(T0 + 1, k->epoch), KEYS_CREATED | KEYS_ACTIVATED);
	cr_assert_eq(keys_find(k, id)->state, KEY_REVOKED);
	cr_assert_eq(keys_find(k, id)->len, 0);
}

static struct key given(const char *id, enum key_state state)
{
	struct key key = {.len = 32,
		.state = (uint8_t)state,
		.seals_from = T0,
		.seals_until = T0 + 10,
		.resolves_until = T0 + 100};

	strcpy(key.id, id);
	memset(key.octets, 0x55, sizeof(key.octets));
	key.octets[0] = 1;
	return key;
}

Test(control_keys, given_keys_resolve_or_seal)
{
	struct key a = given("tpk-a", KEY_RETIRING), b = given("tpk-b", KEY_ACTIVE);

	step(T0, 0);
	cr_assert_eq(keys_import(k, &a, T0), 0);
	cr_assert_eq(keys_find(k, "tpk-a")->state, KEY_RETIRING);
	cr_assert_eq(keys_import(k, &a, T0), -EEXIST);
	cr_assert_eq(keys_import(k, &b, T0), 0);
	cr_assert_str_eq(keys_active(k)->id, "tpk-b");
	cr_assert_eq(in_state(KEY_ACTIVE), 1);
	cr_assert_eq(k->epoch, 3);
}

Test(control_keys, given_keys_that_make_no_sense_are_refused)
{
	struct key key = given("kms-a", KEY_RETIRING);

	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "id");
	key = given("tpk-", KEY_RETIRING);
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "id");
	key = given("tpk-a b", KEY_RETIRING);
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "id");
	key = given("tpk-a", KEY_REVOKED);
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "state");
	key = given("tpk-a", KEY_RETIRING);
	key.len = 15;
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "length");
	key.len = 33;
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "length");
	key = given("tpk-a", KEY_RETIRING);
	key.resolves_until = key.seals_until - 1;
	cr_assert_eq(keys_import(k, &key, T0), -EINVAL, "times");
	cr_assert_eq(k->n, 0);
	cr_assert_eq(k->epoch, 0);
	for (unsigned int i = 0; i < KEYS_MAX; i++) {
		char id[32];

		snprintf(id, sizeof(id), "tpk-%u", i);
		key = given(id, KEY_RETIRING);
		cr_assert_eq(keys_import(k, &key, T0), 0);
	}
	key = given("tpk-one-more", KEY_RETIRING);
	cr_assert_eq(keys_import(k, &key, T0), -ENOSPC);
}

static size_t redo(const uint8_t *buf, size_t len, uint8_t *out, size_t cap)
{
	struct keys *back = keys_new();
	size_t n = 0;

	cr_assert(back);
	if (keys_decode(back, buf, len) == 0)
		n = keys_encode(back, out, cap);
	keys_free(back);
	return n;
}

Test(control_keys, the_document_comes_back_and_survives_truncation_and_flips)
{
	struct key a = given("tpk-a", KEY_RETIRING);
	uint8_t *buf, *again;
	size_t len;

	step(T0, 0);
	cr_assert_eq(keys_import(k, &a, T0), 0);
	cr_assert_eq(keys_revoke(k, "tpk-a"), 0);
	keys_rotate(k, &SCHEDULE, T0);
	len = keys_encode(k, NULL, 0);
	buf = malloc(len + 1);
	again = malloc(len + 64);
	cr_assert(len && buf && again);
	cr_assert_eq(keys_encode(k, buf, len - 1), 0);
	cr_assert_eq(keys_encode(k, buf, len), len);
	cr_assert_eq(redo(buf, len, again, len), len);
	cr_assert_arr_eq(buf, again, len);
	buf[len] = 0;
	cr_assert_eq(redo(buf, len + 1, again, len + 64), 0);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, buf, cut);
		cr_assert_eq(redo(copy, cut, again, len), 0);
		free(copy);
	}
	for (size_t i = 0; i < len * 8; i++) {
		size_t n;

		buf[i / 8] ^= (uint8_t)(1u << i % 8);
		n = redo(buf, len, again, len);
		if (n) {
			cr_assert_eq(n, len);
			cr_assert_arr_eq(buf, again, len);
		}
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	buf[0] = 3;
	cr_assert_eq(keys_decode(k, buf, len), -EPROTONOSUPPORT);
	free(buf);
	free(again);
}
