/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"
#include "control/keys_private.h"

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

const struct key *keys_get(const struct keys *k, const char *id)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (strcmp(k->key[i].id, id) == 0)
			return &k->key[i];
	}
	return NULL;
}

struct key *keys_find(struct keys *k, const char *id)
{
	const struct key *key = keys_get(k, id);

	return key ? &k->key[key - k->key] : NULL;
}

bool key_outranks(const struct key *a, const struct key *b)
{
	return a->seals_from > b->seals_from ||
	       (a->seals_from == b->seals_from && strcmp(a->id, b->id) < 0);
}

static const struct key *highest_in(const struct keys *k, enum key_state state)
{
	const struct key *highest = NULL;

	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].state == state && (!highest || key_outranks(&k->key[i], highest)))
			highest = &k->key[i];
	}
	return highest;
}

const struct key *keys_active(const struct keys *k)
{
	return highest_in(k, KEY_ACTIVE);
}

const struct key *keys_published(const struct keys *k)
{
	return highest_in(k, KEY_PUBLISHED);
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

void keys_erase(struct key *key, enum key_state state)
{
	secret_wipe(key->octets, sizeof(key->octets));
	key->len = 0;
	key->state = (uint8_t)state;
}

void keys_forget(struct keys *k, unsigned int i)
{
	memmove(&k->key[i], &k->key[i + 1], (k->n - i - 1) * sizeof(k->key[0]));
	secret_wipe(&k->key[--k->n], sizeof(k->key[0]));
}

/*
 * The oldest name of a key that could not resolve any more anyway goes before its time. A revoked
 * key that still could keeps its place, so that it cannot come back.
 */
int keys_make_room(struct keys *k, int64_t now)
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
	keys_forget(k, oldest);
	return 0;
}

/* Ranks follow the order of events as every node has seen them, whatever its clock says. */
static int64_t after_all(const struct keys *k, int64_t seals_from)
{
	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].seals_from >= seals_from)
			seals_from = k->key[i].seals_from + 1;
	}
	return seals_from;
}

int keys_create(struct keys *k, const struct keys_schedule *s, int64_t now, int64_t seals_from)
{
	uint8_t random[ID_RANDOM_LEN];
	int err = keys_make_room(k, now);
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
	key->seals_from = after_all(k, seals_from);
	key->seals_until = key->seals_from + 2 * s->rotation_s;
	key->resolves_until = key->seals_until + s->max_lifetime_s;
	k->n++;
	return 0;
}

/*
 * What was active and is dead counts: the key that it overtook must not seal again when nodes
 * learn of the two in another order.
 */
void keys_settle(struct keys *k)
{
	const struct key *top = NULL;

	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].was_active && (!top || key_outranks(&k->key[i], top)))
			top = &k->key[i];
	}
	for (unsigned int i = 0; top && i < k->n; i++) {
		struct key *key = &k->key[i];

		if (key->state < KEY_RETIRING && key_outranks(top, key))
			key->state = KEY_RETIRING;
	}
}

void keys_make_active(struct keys *k, struct key *key)
{
	key->state = KEY_ACTIVE;
	key->was_active = true;
	keys_settle(k);
}

int keys_rotate(struct keys *k, const struct keys_schedule *s, int64_t now)
{
	int err = keys_published(k) ? -EALREADY : keys_create(k, s, now, now + s->lead_s);

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
	err = keys_make_room(k, now);
	if (err)
		return err;
	to = &k->key[k->n];
	*to = *key;
	to->epoch = ++k->epoch;
	if (to->state == KEY_ACTIVE) {
		to->seals_from = after_all(k, to->seals_from);
		if (to->seals_until < to->seals_from)
			to->seals_until = to->seals_from;
		if (to->resolves_until < to->seals_until)
			to->resolves_until = to->seals_until;
	}
	k->n++;
	if (to->state == KEY_ACTIVE)
		keys_make_active(k, to);
	return 0;
}

int keys_revoke(struct keys *k, const char *id)
{
	struct key *key = keys_find(k, id);

	if (!key)
		return -ENOENT;
	if (!key_is_held(key))
		return -EALREADY;
	keys_erase(key, KEY_REVOKED);
	k->epoch++;
	return 0;
}
