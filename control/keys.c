/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"

enum { ID_RANDOM_LEN = 8 };

struct keys *keys_new(void)
{
	return secret_alloc(sizeof(struct keys));
}

void keys_free(struct keys *k)
{
	secret_free(k, sizeof(*k));
}

const char *key_state_name(enum key_state state)
{
	static const char *const names[] = {
		"published", "active", "retiring", "destroyed", "revoked"};

	return names[state];
}

struct key *keys_find(struct keys *k, const char *id)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (strcmp(k->key[i].id, id) == 0)
			return &k->key[i];
	}
	return NULL;
}

static const struct key *first_in(const struct keys *k, enum key_state state)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].state == state)
			return &k->key[i];
	}
	return NULL;
}

const struct key *keys_active(const struct keys *k)
{
	return first_in(k, KEY_ACTIVE);
}

const struct key *keys_published(const struct keys *k)
{
	return first_in(k, KEY_PUBLISHED);
}

bool key_is_held(const struct key *key)
{
	return key->state <= KEY_RETIRING;
}

bool keys_valid_id(const char *id)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(id), prefix = strlen(KEYS_ID_PREFIX);

	return len > prefix && len <= KEYS_ID_MAX && strncmp(id, KEYS_ID_PREFIX, prefix) == 0 &&
	       id[strspn(id, allowed)] == '\0';
}

uint64_t keys_held_at_most(uint64_t rotation_s, uint64_t max_lifetime_s)
{
	/* a key lives for 2R + M and one is made every R; one more is published, one is rounded up
	 */
	return rotation_s ? (2 * rotation_s + max_lifetime_s) / rotation_s + 2 : UINT64_MAX;
}

static void erase(struct key *key, enum key_state state)
{
	secret_wipe(key->octets, sizeof(key->octets));
	key->len = 0;
	key->state = (uint8_t)state;
}

static void forget(struct keys *k, unsigned int i)
{
	memmove(&k->key[i], &k->key[i + 1], (k->n - i - 1) * sizeof(k->key[0]));
	secret_wipe(&k->key[--k->n], sizeof(k->key[0]));
}

/*
 * Room for one more: the oldest name of a key that could not resolve any more anyway goes before
 * its time. A revoked key that still could keeps its place, so that it cannot come back.
 */
static int make_room(struct keys *k, int64_t now)
{
	unsigned int oldest = KEYS_MAX;

	if (k->n < KEYS_MAX)
		return 0;
	for (unsigned int i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];

		if (!key_is_held(key) && key->resolves_until < now &&
			(oldest == KEYS_MAX || key->resolves_until < k->key[oldest].resolves_until))
			oldest = i;
	}
	if (oldest == KEYS_MAX)
		return -ENOSPC;
	forget(k, oldest);
	return 0;
}

/* The next epoch's key, published; its times start at seals_from. */
static int create(struct keys *k, const struct keys_schedule *s, int64_t now, int64_t seals_from)
{
	uint8_t random[ID_RANDOM_LEN];
	int err = make_room(k, now);
	struct key *key = &k->key[k->n];

	if (err)
		return err;
	memset(key, 0, sizeof(*key));
	err = secret_random(random, sizeof(random));
	if (!err)
		err = secret_random(key->octets, KEYS_LEN);
	if (err)
		return err;
	strcpy(key->id, KEYS_ID_PREFIX);
	for (unsigned int i = 0; i < ID_RANDOM_LEN; i++)
		snprintf(key->id + strlen(key->id), 3, "%02x", random[i]);
	key->len = KEYS_LEN;
	key->state = KEY_PUBLISHED;
	key->epoch = k->epoch + 1;
	key->seals_from = seals_from;
	key->seals_until = seals_from + 2 * s->rotation_s;
	key->resolves_until = key->seals_until + s->max_lifetime_s;
	k->n++;
	return 0;
}

/* The keys that have had their time: octets go first, their names much later. */
static int bury(struct keys *k, const struct keys_schedule *s, int64_t now)
{
	int changes = 0;

	for (unsigned int i = k->n; i-- > 0;) {
		struct key *key = &k->key[i];

		if (key_is_held(key) && key->state != KEY_ACTIVE &&
			now > key->resolves_until + s->max_skew_s) {
			erase(key, KEY_DESTROYED);
			changes |= KEYS_DESTROYED_SOME;
		}
		if (!key_is_held(key) &&
			now > key->resolves_until + s->max_skew_s + KEYS_TOMBSTONE_S) {
			forget(k, i);
			changes |= KEYS_FORGOT_SOME;
		}
	}
	return changes;
}

static void activate(struct keys *k, struct key *key)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].state == KEY_ACTIVE)
			k->key[i].state = KEY_RETIRING;
	}
	key->state = KEY_ACTIVE;
}

static bool may_seal(const struct key *key, int64_t now)
{
	return key && now <= key->seals_until;
}

/* The active key needs a successor: by age, or because tickets of the longest lifetime no longer
 * fit under it. */
static bool is_due(const struct key *active, const struct keys_schedule *s, int64_t now)
{
	return now >= active->seals_from + s->rotation_s ||
	       active->resolves_until - active->seals_until < s->max_lifetime_s;
}

/*
 * A published key takes over when its time has come and the data plane holds it. With no data plane
 * there is nobody who could lack it, but nobody who needs it either: then it waits, unless the
 * active key has run out.
 */
static bool may_activate(
	const struct key *next, const struct key *active, const struct keys_situation *at)
{
	if (at->now < next->seals_from || !may_seal(next, at->now))
		return false;
	if (at->dataplane == KEYS_CONNECTED)
		return at->acknowledged_epoch >= next->epoch;
	return !may_seal(active, at->now);
}

static struct key *published(struct keys *k)
{
	const struct key *key = keys_published(k);

	return key ? &k->key[key - k->key] : NULL;
}

int keys_step(struct keys *k, const struct keys_schedule *s, const struct keys_situation *at)
{
	int changes = bury(k, s, at->now), err = 0;
	struct key *next = published(k);
	const struct key *active = keys_active(k);

	/* it waited for an acknowledgement until it was too old */
	if (next && !may_seal(next, at->now)) {
		next->state = KEY_RETIRING;
		changes |= KEYS_DESTROYED_SOME;
		next = NULL;
	}
	if (next && may_activate(next, active, at)) {
		activate(k, next);
		changes |= KEYS_ACTIVATED;
	} else if (!may_seal(active, at->now)) {
		/* nothing can seal: waiting for anything would only refuse more requests */
		err = create(k, s, at->now, at->now);
		if (!err) {
			activate(k, &k->key[k->n - 1]);
			changes |= KEYS_CREATED | KEYS_ACTIVATED;
		}
	} else if (!next && is_due(active, s, at->now)) {
		err = create(k, s, at->now, at->now + s->lead_s);
		changes |= err ? 0 : KEYS_CREATED;
	}
	if (changes)
		k->epoch++;
	return changes ? changes : err;
}

int keys_rotate(struct keys *k, const struct keys_schedule *s, int64_t now)
{
	int err = keys_published(k) ? -EALREADY : create(k, s, now, now + s->lead_s);

	if (!err)
		k->epoch++;
	return err;
}

int keys_import(struct keys *k, const struct key *key, int64_t now)
{
	struct key *to;
	int err;

	if (!keys_valid_id(key->id) || !crypto_key_acceptable(key->octets, key->len) ||
		key->len > KEYS_LEN || (key->state != KEY_RETIRING && key->state != KEY_ACTIVE) ||
		key->seals_from > key->seals_until || key->seals_until > key->resolves_until)
		return -EINVAL;
	if (keys_find(k, key->id))
		return -EEXIST;
	err = make_room(k, now);
	if (err)
		return err;
	to = &k->key[k->n];
	*to = *key;
	to->epoch = ++k->epoch;
	k->n++;
	if (to->state == KEY_ACTIVE) {
		to->state = KEY_RETIRING;
		activate(k, to);
	}
	return 0;
}

int keys_revoke(struct keys *k, const char *id)
{
	struct key *key = keys_find(k, id);

	if (!key)
		return -ENOENT;
	if (!key_is_held(key))
		return -EALREADY;
	erase(key, KEY_REVOKED);
	k->epoch++;
	return 0;
}
