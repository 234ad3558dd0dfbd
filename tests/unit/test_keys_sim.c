/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole replica sets in one thread: real keyrings, a bus that loses, replays and splits, clocks
 * that differ, nodes that come and go. After every second of every schedule:
 *
 *   - a node that says it is in sync resolves every ticket that anybody was given, until its TRe,
 *     unless its key was revoked (so no node seals with a key that a live member cannot resolve);
 *   - no key's state moves back on any node, a revoked one never comes back;
 *   - a node seals with one key at most, and never past the time that the key resolves;
 *   - what a revocation reports as acknowledged by all is gone everywhere that is live;
 *   - in the end, when all are well again, all have the same keys, the same epoch, and one active
 * key.
 *
 * A schedule is a number: a failure names it. TKMS_LONG=1 runs many more.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/heartbeat.h"
#include "control/keys.h"

enum {
	NODES_MAX = 5,
	PROMISES_MAX = 256,
	R = 60,
	L = 5,
	M = 100,
	SKEW = 20,
	OFFSET_MAX = 8,
	SECONDS = 500,
	/* whom a store hides from a new node, that cannot miss: sets form in peace */
	FORMED_AT = 60,
	HEAL_AT = 380,	/* from here on nothing goes wrong any more */
	DEAD_AFTER = 4, /* a member whose counter stood still for so long is dead */
	FRESH = 2,	/* contact is what came within so long */
	IN_A_ROW = 2,	/* heartbeats before they count */
	T0 = 2000000000,
};
static const struct keys_schedule SCHEDULE = {R, L, M, SKEW};

struct beat {
	uint64_t counter, keyring_version, keyring_epoch;
	int64_t clock;
	unsigned int n_held;
	struct heartbeat_key held[64];
};

struct record {
	uint64_t version;
	size_t len;
	uint8_t octets[4096];
	struct beat beat;
};

struct bus_copy {
	struct record now[NODES_MAX], old[NODES_MAX];
};

struct view { /* what a node knows of another */
	bool is_known;
	uint64_t counter, version_read;
	int seen, grew, in_a_row;
	int dead_clock; /* second; its counter stood still so long while we had contact */
	int64_t offset, best_offset;
	struct beat beat;
};

struct node {
	char name[16];
	struct keys *keys, *dataplane;
	bool is_up, may_found, has_joined;
	int bus; /* -1: cut off */
	int64_t offset;
	uint64_t counter;
	unsigned int live; /* a bit per node; since when */
	int live_since, down_until, apply_at, contact, joining;
	struct view view[NODES_MAX];
	uint8_t lowest[64]; /* states may not go below, by the number of a key */
	bool revoked[64];
};

static struct world {
	uint64_t seed, random;
	unsigned int n;
	int second;
	bool is_split;
	struct node node[NODES_MAX];
	struct bus_copy bus[2];
	struct {
		char id[KEYS_ID_MAX + 1];
		int64_t until;
		bool revoked;
	} promise[PROMISES_MAX];
	unsigned int n_promises, rotations;
} w;

#define CHECK(expression, ...)                                                                \
	do {                                                                                  \
		if (!(expression)) {                                                          \
			printf("schedule %lu, second %d: ", (unsigned long)w.seed, w.second); \
			printf(__VA_ARGS__);                                                  \
			printf("\n");                                                         \
			fflush(stdout);                                                       \
			cr_assert_fail("an invariant does not hold: %s", #expression);        \
		}                                                                             \
	} while (0)

static unsigned int pick(unsigned int n)
{
	w.random ^= w.random << 13;
	w.random ^= w.random >> 7;
	w.random ^= w.random << 17;
	return (unsigned int)((w.random >> 11) % n);
}

static bool happens(unsigned int one_in)
{
	return pick(one_in) == 0;
}

static int64_t clock_of(const struct node *n)
{
	return T0 + w.second + n->offset;
}

static int promise_of(const char *id)
{
	for (unsigned int i = 0; i < w.n_promises; i++) {
		if (strcmp(w.promise[i].id, id) == 0)
			return (int)i;
	}
	return -1;
}

static int number_of(const char *id)
{
	int i = promise_of(id);

	if (i < 0) {
		i = (int)w.n_promises++;
		CHECK(w.n_promises < 64, "too many keys for the test");
		memset(&w.promise[i], 0, sizeof(w.promise[i]));
		strcpy(w.promise[i].id, id);
	}
	return i;
}

/* ---- what control does ---- */

static void publish(struct node *n)
{
	struct record *r;
	size_t len = keys_encode(n->keys, NULL, 0);

	if (n->bus < 0)
		return;
	r = &w.bus[n->bus].now[n - w.node];
	if (r->version != n->keys->epoch && n->keys->epoch) {
		CHECK(len && len <= sizeof(r->octets), "document of %zu octets", len);
		w.bus[n->bus].old[n - w.node] = *r;
		r->version = n->keys->epoch;
		r->len = keys_encode(n->keys, r->octets, sizeof(r->octets));
	}
	r->beat = (struct beat){.counter = ++n->counter,
		.keyring_version = n->keys->epoch,
		.keyring_epoch = n->has_joined ? n->dataplane->epoch : 0,
		.clock = clock_of(n)};
	for (unsigned int i = 0; i < n->dataplane->n; i++) {
		const struct key *key = &n->dataplane->key[i];
		struct heartbeat_key *held = &r->beat.held[r->beat.n_held];

		if (key->state == KEY_DESTROYED)
			continue;
		CHECK(r->beat.n_held < 64, "too many keys in a heartbeat");
		strcpy(held->id, key->id);
		held->state = key->state;
		r->beat.n_held++;
	}
}

static void join(struct node *n, const struct record *r)
{
	static struct keys *other;
	struct keys_join_report report;
	int err;

	if (!other)
		other = keys_new();
	cr_assert(other);
	CHECK(keys_decode(other, r->octets, r->len) == 0, "a document cannot be decoded");
	err = keys_join(n->keys, other, clock_of(n), &SCHEDULE, &report);
	CHECK(err >= 0, "%s cannot join: %d", n->name, err);
	CHECK(report.oddity != KEYS_ODD_DIFFERS, "one id, two keys");
}

static bool is_alive(const struct view *v)
{
	return v->is_known && v->dead_clock < DEAD_AFTER;
}

static bool is_fresh(const struct view *v)
{
	return v->is_known && w.second - v->seen <= FRESH;
}

static void read_bus(struct node *n)
{
	unsigned int live = 0;
	bool is_steady = true;

	if (n->bus < 0)
		return;
	for (unsigned int i = 0; i < w.n; i++) {
		struct view *v = &n->view[i];
		const struct record *r = &w.bus[n->bus].now[i];

		if (&w.node[i] == n)
			continue;
		if (r->beat.counter > v->counter) {
			v->offset = r->beat.clock - clock_of(n);
			if (!v->counter || v->offset > v->best_offset)
				v->best_offset = v->offset;
			/* one alone may be old; so is one that is behind its member's clock */
			v->in_a_row = w.second - v->grew <= FRESH ? v->in_a_row + 1 : 0;
			v->grew = w.second;
			if (v->in_a_row >= IN_A_ROW && v->offset >= v->best_offset - FRESH)
				v->seen = w.second;
			v->is_known = true;
			v->counter = r->beat.counter;
			v->beat = r->beat;
			v->dead_clock = 0;
		} else if (v->is_known) {
			v->dead_clock++;
		}
		/* a bus that replays: an old document may be met at any time */
		if (r->len && r->version != v->version_read) {
			join(n, r);
			if (r->version > v->version_read)
				v->version_read = r->version;
		}
		if (w.bus[n->bus].old[i].len && happens(20))
			join(n, &w.bus[n->bus].old[i]);
	}
	n->contact = w.second;
	/* who is alive but was not heard for a moment may have been elsewhere */
	for (unsigned int i = 0; i < w.n; i++) {
		live |= (unsigned int)is_alive(&n->view[i]) << i;
		is_steady &= !is_alive(&n->view[i]) || is_fresh(&n->view[i]);
	}
	if (live != n->live || !is_steady)
		n->live_since = w.second;
	n->live = live;
}

static struct keys_situation situation(
	const struct node *n, struct keys_member *members, struct beat *own)
{
	struct keys_situation at = {.now = clock_of(n),
		.peers = n->bus >= 0 && (n->has_joined || n->may_found) ? KEYS_SET : KEYS_CUT_OFF,
		.members = members,
		.may_found = n->may_found};
	unsigned int known = 1;

	*own = (struct beat){.n_held = 0};
	for (unsigned int i = 0; i < n->dataplane->n; i++) {
		strcpy(own->held[own->n_held].id, n->dataplane->key[i].id);
		own->held[own->n_held++].state = n->dataplane->key[i].state;
	}
	members[at.n_members++] = (struct keys_member){n->name, own->held, own->n_held};
	for (unsigned int i = 0; i < w.n; i++) {
		const struct view *v = &n->view[i];

		known += v->is_known;
		if (!is_alive(v))
			continue;
		members[at.n_members++] =
			(struct keys_member){w.node[i].name, v->beat.held, v->beat.n_held};
		if (-v->offset > at.behind_s)
			at.behind_s = -v->offset;
		at.publish_delay_s += &w.node[i] < n;
	}
	/* who has just come may still be counted on elsewhere */
	if (at.n_members * 2 < known || w.second - n->live_since < DEAD_AFTER)
		at.peers = KEYS_CUT_OFF;
	return at;
}

static bool is_in_sync(const struct node *n)
{
	unsigned int known = 1, fresh = 1;

	if (!n->is_up || !n->has_joined || w.second - n->contact > FRESH)
		return false;
	for (unsigned int i = 0; i < w.n; i++) {
		const struct view *v = &n->view[i];

		if (!v->is_known)
			continue;
		known++;
		fresh += is_fresh(v);
		if (is_alive(v) && v->beat.keyring_version > v->version_read)
			return false;
	}
	return n->dataplane->epoch == n->keys->epoch && fresh * 2 > known;
}

/* A new node serves when it has what its peers say there is, and they have had the time to meet it.
 */
static void look_whether_joined(struct node *n)
{
	unsigned int others = 0, spoke = 0;
	uint64_t least = 0;

	for (unsigned int i = 0; i < w.n; i++) {
		const struct view *v = &n->view[i];

		others += v->is_known && v->beat.keyring_epoch;
		spoke += is_fresh(v) && v->beat.keyring_epoch;
		if (is_fresh(v) && v->beat.keyring_epoch > least)
			least = v->beat.keyring_epoch;
	}
	n->joining = spoke && spoke * 2 > others ? n->joining + 1 : 0;
	if (n->may_found || (n->joining > DEAD_AFTER && n->keys->epoch >= least))
		n->has_joined = n->keys->epoch > 0;
}

static void run_node(struct node *n)
{
	struct keys_member members[NODES_MAX];
	struct beat own;
	struct keys_situation at;

	read_bus(n);
	if (!n->has_joined)
		look_whether_joined(n);
	at = situation(n, members, &own);
	if (n->keys->epoch || n->may_found)
		CHECK(keys_step(n->keys, &SCHEDULE, &at) >= 0, "a step failed");
	if (at.peers == KEYS_SET && happens(70) && w.rotations < 25)
		w.rotations += keys_rotate(n->keys, &SCHEDULE, at.now) == 0;
	/* the data plane takes what it is given a little later */
	if (n->dataplane->epoch != n->keys->epoch) {
		if (n->apply_at < w.second - 5)
			n->apply_at = w.second + (int)pick(3);
		if (n->apply_at <= w.second)
			memcpy(n->dataplane, n->keys, sizeof(*n->keys));
	}
	publish(n);
}

/* The operator revokes on some node; what it then reports is checked. */
static void revoke(struct node *n)
{
	unsigned int i = n->keys->n ? pick(n->keys->n) : 0;
	struct keys_member members[NODES_MAX];
	struct beat own;
	struct keys_situation at = situation(n, members, &own);

	if (n->keys->n && key_is_held(&n->keys->key[i])) {
		w.promise[number_of(n->keys->key[i].id)].revoked = true;
		(void)keys_revoke(n->keys, n->keys->key[i].id);
		(void)keys_step(n->keys, &SCHEDULE, &at);
	}
}

/* ---- what goes wrong ---- */

static void end_split(void)
{
	w.is_split = false;
	if (happens(2))
		w.bus[0] = w.bus[1];
	for (unsigned int i = 0; i < w.n; i++)
		w.node[i].bus = 0;
}

static void trouble(void)
{
	struct node *n = &w.node[pick(w.n)];

	if (happens(60)) {
		n->is_up = false;
		n->down_until =
			w.second + (happens(4) ? 2 * R + M + 2 * SKEW + 20 : 1 + (int)pick(30));
	}
	if (happens(30))
		n->bus = (int)pick(w.is_split ? 3 : 2) - 1;
	if (!w.is_split && happens(60)) {
		/* two primaries with the same past, or one of them with an older one */
		w.is_split = true;
		w.bus[1] = w.bus[0];
		if (happens(3))
			memcpy(w.bus[1].now, w.bus[0].old, sizeof(w.bus[1].now));
		for (unsigned int i = 0; i < w.n; i++)
			w.node[i].bus = (int)pick(2);
	} else if (w.is_split && happens(40)) {
		/* one of them was right */
		end_split();
	}
	if (happens(25)) { /* a failover that loses writes: keyring and heartbeat together or not */
		struct record *r = &w.bus[pick(2)].now[n - w.node];
		const struct record *old = &w.bus[pick(2)].old[n - w.node];

		r->version = old->version;
		r->len = old->len;
		memcpy(r->octets, old->octets, sizeof(old->octets));
		if (happens(2))
			r->beat = old->beat;
	}
	if (happens(100)) /* all is as it was */
		memcpy(w.bus[0].now, w.bus[0].old, sizeof(w.bus[0].now));
	if (happens(120) && n->is_up)
		revoke(n);
}

static void heal(void)
{
	end_split();
	for (unsigned int i = 0; i < w.n; i++)
		w.node[i].down_until = w.second;
}

static void start(struct node *n)
{
	n->is_up = true;
	for (unsigned int i = 0; i < w.n; i++) /* whom it has met is in its store */
		n->view[i] = (struct view){.is_known = n->view[i].is_known,
			.seen = -SECONDS,
			.grew = -SECONDS,
			.dead_clock = DEAD_AFTER};
	n->contact = w.second - FRESH - 1;
	n->dataplane->n = 0;
	n->dataplane->epoch = 0;
}

/* ---- what must hold ---- */

static void seal(const struct node *n)
{
	const struct key *active = keys_active(n->dataplane);
	int64_t now = clock_of(n), until = now + M;
	int i;

	if (!active || !n->has_joined)
		return;
	if (until > active->resolves_until)
		until = active->resolves_until;
	if (until <= now)
		return;
	i = number_of(active->id);
	if (until > w.promise[i].until)
		w.promise[i].until = until;
}

static void check_promises(const struct node *n)
{
	for (unsigned int i = 0; i < w.n_promises; i++) {
		const struct key *key = keys_get(n->dataplane, w.promise[i].id);

		if (w.promise[i].until < T0 + w.second || w.promise[i].revoked)
			continue;
		CHECK(key && key_is_held(key),
			"%s is in sync and cannot resolve tickets of %s (%s)", n->name,
			w.promise[i].id, key ? key_state_name(key->state) : "unknown");
	}
}

static void check_node(struct node *n)
{
	unsigned int active = 0;

	for (unsigned int i = 0; i < n->keys->n; i++) {
		const struct key *key = &n->keys->key[i];
		int number = number_of(key->id);

		active += key->state == KEY_ACTIVE;
		CHECK(key->state >= n->lowest[number], "%s: %s went back from %s to %s", n->name,
			key->id, key_state_name(n->lowest[number]), key_state_name(key->state));
		n->lowest[number] = key->state;
		CHECK(key->state != KEY_DESTROYED || w.promise[number].revoked ||
				w.promise[number].until < T0 + w.second,
			"%s destroyed %s before a ticket's end", n->name, key->id);
	}
	CHECK(active <= 1, "%s has %u active keys", n->name, active);
	seal(n);
}

static void check_revocations(const struct node *n)
{
	struct keys_member members[NODES_MAX];
	struct beat own;
	struct keys_situation at = situation(n, members, &own);

	for (unsigned int i = 0; i < n->keys->n; i++) {
		bool all = at.peers == KEYS_SET;

		if (n->keys->key[i].state != KEY_REVOKED)
			continue;
		for (unsigned int m = 0; m < at.n_members; m++)
			all &= keys_member_has_revoked(&members[m], n->keys->key[i].id);
		for (unsigned int o = 0; all && o < w.n; o++) {
			const struct key *key = keys_get(w.node[o].dataplane, n->keys->key[i].id);

			CHECK(!w.node[o].is_up || !is_alive(&n->view[o]) || !key ||
					key->state == KEY_REVOKED || !w.node[o].dataplane->n,
				"%s still has a key that all have acknowledged as revoked",
				w.node[o].name);
		}
	}
}

/* What is wrong with a set that has been well for a while; NULL: nothing. */
static const char *what_is_unsettled(void)
{
	const struct keys *first = w.node[0].keys;

	for (unsigned int i = 0; i < w.n; i++) {
		const struct node *n = &w.node[i];

		if (n->keys->epoch != first->epoch)
			return "epochs differ";
		if (!keys_equal(n->keys, first))
			return "keys differ";
		if (!is_in_sync(n))
			return "a node is not in sync";
		if (!keys_active(n->dataplane) || !keys_active(first) ||
			strcmp(keys_active(n->dataplane)->id, keys_active(first)->id) != 0)
			return "not the same key is active everywhere";
	}
	return NULL;
}

/* TKMS_SCHEDULE=N TKMS_TRACE=1 shows a schedule second by second. */
static void trace(void)
{
	printf("%d:", w.second);
	for (unsigned int i = 0; i < w.n; i++) {
		const struct node *n = &w.node[i];

		printf(" %s%s%s bus %d epoch %lu/%lu", n->name, n->is_up ? "" : " down",
			is_in_sync(n) ? " in sync" : "", n->bus, (unsigned long)n->keys->epoch,
			(unsigned long)n->dataplane->epoch);
		for (unsigned int k = 0; k < n->keys->n; k++)
			printf(" %.4s:%c", n->keys->key[k].id + 4,
				key_state_name(n->keys->key[k].state)[0]);
		printf(" |");
	}
	printf("\n");
}

static void run_second(void)
{
	unsigned int first = pick(w.n);

	if (w.second >= FORMED_AT && w.second < HEAL_AT)
		trouble();
	else if (w.second == HEAL_AT)
		heal();
	for (unsigned int i = 0; i < w.n; i++) {
		struct node *n = &w.node[(first + i) % w.n];

		if (!n->is_up && w.second >= n->down_until)
			start(n);
		if (n->is_up)
			run_node(n);
	}
	if (getenv("TKMS_TRACE"))
		trace();
	for (unsigned int i = 0; i < w.n; i++) {
		if (w.node[i].is_up)
			check_node(&w.node[i]);
	}
	for (unsigned int i = 0; i < w.n; i++) {
		if (is_in_sync(&w.node[i]))
			check_promises(&w.node[i]);
		if (w.node[i].is_up)
			check_revocations(&w.node[i]);
	}
}

static void run_schedule(uint64_t seed)
{
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	w.n = 2 + pick(NODES_MAX - 1);
	for (unsigned int i = 0; i < w.n; i++) {
		struct node *n = &w.node[i];

		n->keys = keys_new();
		n->dataplane = keys_new();
		cr_assert(n->keys && n->dataplane);
		snprintf(n->name, sizeof(n->name), "node%u", i + 1);
		n->offset = (int64_t)pick(2 * OFFSET_MAX + 1) - OFFSET_MAX;
		n->may_found = i == 0;
		n->down_until = i ? (int)pick(FORMED_AT / 2) : 0;
	}
	for (w.second = 0; w.second < SECONDS; w.second++)
		run_second();
	/* a rotation may be under way */
	for (; what_is_unsettled() && w.second < SECONDS + R; w.second++)
		run_second();
	CHECK(!what_is_unsettled(), "in the end %s", what_is_unsettled());
	for (unsigned int i = 0; i < w.n; i++) {
		keys_free(w.node[i].keys);
		keys_free(w.node[i].dataplane);
	}
}

Test(keys_sim, every_promise_holds_in_every_schedule)
{
	const char *only = getenv("TKMS_SCHEDULE");
	uint64_t n = getenv("TKMS_LONG") ? 20000 : 300;

	if (only)
		return run_schedule(strtoull(only, NULL, 10));
	for (uint64_t seed = 1; seed <= n; seed++)
		run_schedule(seed);
}
