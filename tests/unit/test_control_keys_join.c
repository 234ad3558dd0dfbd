/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyrings of several nodes: joining, and what a step does in a set. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/heartbeat.h"
#include "control/keys.h"

enum { R = 1000, L = 10, M = 5000, SKEW = 300, T0 = 2000000000, ROUNDS = 3000 };
static const struct keys_schedule SCHEDULE = {R, L, M, SKEW};

static struct keys *a, *b, *c, *d, *e;
static struct keys_join_report report;

static void setup(void)
{
	a = keys_new();
	b = keys_new();
	c = keys_new();
	d = keys_new();
	e = keys_new();
	cr_assert(a && b && c && d && e);
	srandom(1);
}

static void teardown(void)
{
	keys_free(a);
	keys_free(b);
	keys_free(c);
	keys_free(d);
	keys_free(e);
}

TestSuite(control_keys_join, .init = setup, .fini = teardown);

static int join(struct keys *own, const struct keys *other)
{
	return keys_join(own, other, T0, &SCHEDULE, &report);
}

/* A key that is the same on every node that has it: all but the state follows from its number. */
static struct key numbered(unsigned int number, enum key_state state)
{
	struct key key = {.len = KEYS_LEN,
		.state = (uint8_t)state,
		.was_active = state == KEY_ACTIVE,
		.seals_from = T0 - 100 + (number * 7) % 5};

	key.seals_until = key.seals_from + 2 * R;
	key.resolves_until = key.seals_until + M;
	snprintf(key.id, sizeof(key.id), "tpk-%u", number);
	memset(key.octets, (int)number + 1, KEYS_LEN);
	if (state >= KEY_DESTROYED) {
		memset(key.octets, 0, KEYS_LEN);
		key.len = 0;
		key.was_active = random() % 2;
		/* nobody destroys before the end: those keys are old ones */
		if (state == KEY_DESTROYED)
			key.state = KEY_REVOKED;
	}
	return key;
}

static void put(struct keys *k, struct key key)
{
	k->key[k->n++] = key;
}

/* At most one active key, as every document has it; those that it outranks have retired. */
static void fill(struct keys *k)
{
	static struct keys *empty;

	memset(k, 0, sizeof(*k));
	k->epoch = 1 + (uint64_t)random() % 5;
	for (unsigned int i = 0; i < 6; i++) {
		if (random() % 3)
			put(k, numbered(i, (enum key_state)(random() % 5)));
	}
	/* what a document of a node is: closed under joining */
	if (!empty)
		empty = keys_new();
	memset(empty, 0, sizeof(*empty));
	empty->epoch = k->epoch - 1;
	join(empty, k);
	memcpy(k, empty, sizeof(*k));
}

static void copy(struct keys *to, const struct keys *from)
{
	memcpy(to, from, sizeof(*to));
}

static unsigned int in_state(const struct keys *k, enum key_state state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->n; i++)
		n += k->key[i].state == state;
	return n;
}

Test(control_keys_join, the_order_of_joining_makes_no_difference)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		fill(a);
		fill(b);
		fill(c);
		copy(d, a);
		cr_assert_geq(join(d, b), 0);
		copy(e, b);
		cr_assert_geq(join(e, a), 0);
		cr_assert(keys_equal(d, e), "a+b = b+a");
		cr_assert_geq(join(d, c), 0);
		copy(e, b);
		cr_assert_geq(join(e, c), 0);
		copy(b, a);
		cr_assert_geq(join(b, e), 0);
		cr_assert(keys_equal(d, b), "(a+b)+c = a+(b+c)");
		copy(e, d);
		cr_assert_eq(join(e, d), 0, "a+a = a");
		cr_assert_eq(join(e, c), 0, "what is in it changes nothing");
		cr_assert_eq(join(e, a), 0);
		cr_assert_leq(in_state(e, KEY_ACTIVE), 1);
	}
}

Test(control_keys_join, nothing_moves_back)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		fill(a);
		fill(b);
		copy(d, a);
		join(d, b);
		cr_assert_geq(d->epoch, a->epoch);
		for (unsigned int i = 0; i < a->n; i++) {
			const struct key *key = keys_get(d, a->key[i].id);

			cr_assert(key);
			cr_assert_geq(key->state, a->key[i].state);
			cr_assert(key->was_active || !a->key[i].was_active);
		}
		cr_assert_eq(report.content_changed, !keys_equal(d, a));
		cr_assert(!report.content_changed || d->epoch > a->epoch);
	}
}

Test(control_keys_join, nodes_that_exchange_documents_come_to_one_epoch)
{
	struct keys *const node[] = {a, b, c};

	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int changes = 1, exchanges = 0;
		uint64_t highest = 0;

		for (unsigned int i = 0; i < 3; i++) {
			fill(node[i]);
			highest = node[i]->epoch > highest ? node[i]->epoch : highest;
		}
		while (changes) {
			changes = 0;
			for (unsigned int i = 0; i < 9; i++)
				changes += join(node[i / 3], node[(i + i / 3) % 3]) > 0;
			cr_assert_lt(++exchanges, 6);
		}
		cr_assert(keys_equal(a, b) && keys_equal(b, c));
		cr_assert_eq(a->epoch, b->epoch);
		cr_assert_eq(b->epoch, c->epoch);
		cr_assert_geq(a->epoch, highest);
	}
}

Test(control_keys_join, two_that_rotate_at_once_agree_on_the_one_that_seals)
{
	const char *first;

	put(a, numbered(1, KEY_RETIRING));
	a->epoch = 5;
	copy(b, a);
	put(a, numbered(2, KEY_ACTIVE));
	a->epoch = 6;
	put(b, numbered(7, KEY_ACTIVE)); /* same time, larger id */
	b->epoch = 6;
	cr_assert_eq(join(a, b), 1);
	cr_assert_eq(join(b, a), 1);
	cr_assert_str_eq(keys_active(a)->id, "tpk-2");
	cr_assert_str_eq(keys_active(b)->id, "tpk-2");
	first = keys_get(b, "tpk-7")->id;
	cr_assert_eq(keys_get(b, first)->state, KEY_RETIRING, "its tickets resolve on");
	cr_assert_eq(keys_get(a, first)->state, KEY_RETIRING);
	cr_assert_eq(a->epoch, 7);
	cr_assert_eq(b->epoch, 7);
}

Test(control_keys_join, an_older_key_does_not_seal_again_when_the_newer_one_is_revoked)
{
	put(a, numbered(1, KEY_ACTIVE));
	a->epoch = 1;
	copy(b, a);
	put(b, numbered(2, KEY_ACTIVE));
	b->key[1].seals_from = T0;
	b->epoch = 2;
	b->key[0].state = KEY_RETIRING;
	copy(c, b);
	cr_assert_eq(keys_revoke(c, "tpk-2"), 0);
	cr_assert_eq(join(a, c), 1);
	cr_assert_null(keys_active(a));
	cr_assert_eq(keys_get(a, "tpk-1")->state, KEY_RETIRING);
}

Test(control_keys_join, a_revoked_key_does_not_come_back)
{
	static const uint8_t zeros[KEYS_LEN];

	put(a, numbered(1, KEY_ACTIVE));
	a->epoch = 1;
	copy(b, a);
	cr_assert_eq(keys_revoke(a, "tpk-1"), 0);
	cr_assert_eq(join(a, b), 0, "an old document is no news");
	cr_assert_eq(a->key[0].state, KEY_REVOKED);
	cr_assert_eq(join(b, a), 1);
	cr_assert_eq(b->key[0].state, KEY_REVOKED);
	cr_assert_eq(b->key[0].len, 0);
	cr_assert_arr_eq(b->key[0].octets, zeros, sizeof(zeros));
	/* nor one that was forgotten, in the document of a node that slept */
	put(c, numbered(2, KEY_RETIRING));
	c->epoch = 1;
	cr_assert_eq(keys_join(a, c, c->key[0].resolves_until + SKEW + KEYS_TOMBSTONE_S + 1,
			     &SCHEDULE, &report),
		0);
	cr_assert_null(keys_get(a, "tpk-2"));
}

Test(control_keys_join, one_id_with_two_keys_is_refused_as_a_whole)
{
	for (unsigned int field = 0; field < 5; field++) {
		memset(a, 0, sizeof(*a));
		put(a, numbered(1, KEY_ACTIVE));
		a->epoch = 1;
		copy(b, a);
		put(b, numbered(2, KEY_PUBLISHED));
		b->epoch = 9;
		switch (field) {
		case 0:
			b->key[0].octets[31] ^= 1;
			break;
		case 1:
			b->key[0].len = 16;
			break;
		case 2:
			b->key[0].seals_from++;
			break;
		case 3:
			b->key[0].seals_until++;
			break;
		default:
			b->key[0].resolves_until++;
			break;
		}
		copy(d, a);
		cr_assert_eq(join(a, b), -EUCLEAN, "field %u", field);
		cr_assert_eq(report.oddity, KEYS_ODD_DIFFERS);
		cr_assert_str_eq(report.id, "tpk-1");
		cr_assert(keys_equal(a, d) && a->epoch == d->epoch);
	}
}

Test(control_keys_join, a_clock_far_ahead_does_no_harm)
{
	put(a, numbered(1, KEY_RETIRING));
	a->epoch = 1;
	copy(b, a);
	b->epoch = 2;
	memset(b->key[0].octets, 0, KEYS_LEN);
	b->key[0].len = 0;
	b->key[0].state = KEY_DESTROYED;
	join(a, b);
	cr_assert_eq(report.oddity, KEYS_ODD_EARLY);
	cr_assert_eq(a->key[0].state, KEY_RETIRING, "held to its end");
	cr_assert_eq(keys_join(a, b, a->key[0].resolves_until + 1, &SCHEDULE, &report), 1);
	cr_assert_eq(a->key[0].state, KEY_DESTROYED, "when that has come by our own clock");
	put(b, numbered(2, KEY_PUBLISHED));
	b->epoch = 10;
	b->key[1].seals_from += 365 * 86400;
	b->key[1].seals_until += 365 * 86400;
	b->key[1].resolves_until += 365 * 86400;
	join(a, b);
	cr_assert_eq(report.oddity, KEYS_ODD_FUTURE);
	cr_assert_null(keys_get(a, "tpk-2"));
}

Test(control_keys_join, a_full_keyring_refuses_more_and_stays_as_it_is)
{
	for (unsigned int i = 0; i < KEYS_MAX; i++)
		put(a, numbered(i, KEY_RETIRING));
	a->epoch = 1;
	put(b, numbered(KEYS_MAX, KEY_RETIRING));
	b->epoch = 2;
	cr_assert_eq(join(a, b), -ENOSPC);
	cr_assert_eq(a->n, KEYS_MAX);
	cr_assert_eq(a->epoch, 1);
}

/* ---- steps in a set ---- */

static struct heartbeat_key held[3][8];
static struct keys_member members[3] = {
	{"node1", held[0], 0}, {"node2", held[1], 0}, {"node3", held[2], 0}};

static struct keys_situation in_set(int64_t now, enum keys_peers peers)
{
	return (struct keys_situation){
		.now = now, .peers = peers, .n_members = 3, .members = members};
}

static void hold(unsigned int member, const char *id, enum key_state state)
{
	struct heartbeat_key *key = &held[member][members[member].n_held++];

	strcpy(key->id, id);
	key->state = (uint8_t)state;
}

static int step(int64_t now, enum keys_peers peers)
{
	const struct keys_situation at = in_set(now, peers);

	return keys_step(a, &SCHEDULE, &at);
}

/* A set with one active key, and its successor published at T0 + R. */
static const char *publish(void)
{
	struct keys_situation at = in_set(T0, KEYS_SET);

	for (unsigned int i = 0; i < 3; i++)
		members[i].n_held = 0;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), 0, "nobody may begin a keyring of its own");
	at.may_found = true;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), KEYS_CREATED | KEYS_ACTIVATED);
	cr_assert_eq(step(T0 + R, KEYS_SET), KEYS_CREATED);
	return keys_published(a)->id;
}

Test(control_keys_join, a_key_is_active_when_every_live_member_holds_it)
{
	const char *id = publish();

	hold(0, id, KEY_PUBLISHED);
	hold(2, id, KEY_PUBLISHED);
	cr_assert_eq(step(T0 + R + L, KEYS_SET), 0, "one lacks it");
	hold(1, id, KEY_REVOKED);
	cr_assert_eq(step(T0 + R + L, KEYS_SET), 0, "a dead key is not held");
	members[1].n_held = 0;
	hold(1, id, KEY_ACTIVE);
	cr_assert_eq(step(T0 + R + L - 1, KEYS_SET), 0, "its time has not come");
	cr_assert_eq(
		step(T0 + R + L, KEYS_CUT_OFF), 0, "who cannot see the others decides nothing");
	cr_assert_eq(step(T0 + R + L, KEYS_SET), KEYS_ACTIVATED);
}

Test(control_keys_join, the_time_of_a_key_comes_by_the_slowest_clock)
{
	const char *id = publish();
	struct keys_situation at = in_set(T0 + R + L, KEYS_SET);

	for (unsigned int i = 0; i < 3; i++)
		hold(i, id, KEY_PUBLISHED);
	at.behind_s = 5;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), 0);
	at.now += 5;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), KEYS_ACTIVATED);
}

Test(control_keys_join, a_key_is_destroyed_by_the_slowest_clock)
{
	struct keys_situation at = in_set(0, KEYS_SET);

	publish();
	put(a, numbered(1, KEY_RETIRING));
	at.now = a->key[a->n - 1].resolves_until + SKEW + 5;
	at.behind_s = 5;
	keys_step(a, &SCHEDULE, &at);
	cr_assert_eq(keys_get(a, "tpk-1")->state, KEY_RETIRING);
	at.now++;
	cr_assert(keys_step(a, &SCHEDULE, &at) & KEYS_DESTROYED_SOME);
	cr_assert_eq(keys_get(a, "tpk-1")->state, KEY_DESTROYED);
}

Test(control_keys_join, without_contact_rotation_waits_and_the_old_key_seals_on)
{
	struct keys_situation at;

	publish();
	a->key[--a->n] = (struct key){.len = 0};
	for (int64_t t = T0; t < T0 + 3 * R; t += 10)
		cr_assert_eq(step(t, KEYS_CUT_OFF), 0);
	cr_assert(keys_active(a));
	cr_assert_eq(a->n, 1);
	at = in_set(T0 + 2 * R, KEYS_CUT_OFF);
	cr_assert_eq(keys_waiting(a, &SCHEDULE, &at), KEYS_WAIT_CONTACT);
	at.peers = KEYS_SET;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), KEYS_CREATED, "as soon as there is contact");
	cr_assert_eq(keys_waiting(a, &SCHEDULE, &at), KEYS_WAIT_TIME);
	at.now += L;
	cr_assert_eq(keys_waiting(a, &SCHEDULE, &at), KEYS_WAIT_MEMBERS);
}

Test(control_keys_join, others_publish_first_when_they_can)
{
	struct keys_situation at = in_set(T0 + R, KEYS_SET);

	publish();
	a->key[--a->n] = (struct key){.len = 0};
	at.publish_delay_s = 7;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), 0);
	at.now += 7;
	cr_assert_eq(keys_step(a, &SCHEDULE, &at), KEYS_CREATED);
}

Test(control_keys_join, a_revoked_active_key_is_followed_by_the_published_one)
{
	const char *id = publish();

	for (unsigned int i = 0; i < 3; i++)
		hold(i, id, KEY_PUBLISHED);
	cr_assert_eq(keys_revoke(a, keys_active(a)->id), 0);
	cr_assert_eq(step(T0 + R, KEYS_SET), KEYS_ACTIVATED, "before its time");
	cr_assert_str_eq(keys_active(a)->id, id);
	cr_assert_eq(keys_revoke(a, id), 0);
	cr_assert_eq(step(T0 + R, KEYS_SET), KEYS_CREATED, "a new one waits for the members");
	cr_assert_null(keys_active(a));
}

Test(control_keys_join, the_operator_activates_without_members_that_he_names)
{
	static const char *const without[] = {"node2", "node9"};
	struct keys_situation at = in_set(T0 + R + L - 1, KEYS_SET);
	char id[KEYS_ID_MAX + 1];
	const char *missing = "";

	strcpy(id, publish());
	hold(0, id, KEY_PUBLISHED);
	cr_assert_eq(keys_activate(a, "tpk-none", &at, without, 2, &missing), -ENOENT);
	cr_assert_eq(keys_activate(a, id, &at, without, 2, &missing), -EAGAIN, "its time");
	at.now++;
	cr_assert_eq(keys_activate(a, id, &at, without, 2, &missing), -EBUSY);
	cr_assert_str_eq(missing, "node3");
	hold(2, id, KEY_PUBLISHED);
	cr_assert_eq(keys_activate(a, id, &at, NULL, 0, &missing), -EBUSY);
	cr_assert_str_eq(missing, "node2");
	cr_assert_eq(keys_activate(a, id, &at, without, 2, &missing), 0);
	cr_assert_str_eq(keys_active(a)->id, id);
	cr_assert_eq(keys_activate(a, id, &at, without, 2, &missing), -EALREADY);
}

Test(control_keys_join, an_acknowledged_revocation_is_told_from_a_key_that_is_held)
{
	members[0].n_held = members[1].n_held = 0;
	hold(0, "tpk-1", KEY_REVOKED);
	hold(0, "tpk-2", KEY_RETIRING);
	cr_assert(keys_member_has_revoked(&members[0], "tpk-1"));
	cr_assert(!keys_member_holds(&members[0], "tpk-1"));
	cr_assert(!keys_member_has_revoked(&members[0], "tpk-2"));
	cr_assert(keys_member_holds(&members[0], "tpk-2"));
	cr_assert(!keys_member_has_revoked(&members[1], "tpk-1"));
}
