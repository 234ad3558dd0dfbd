/* SPDX-License-Identifier: BSD-3-Clause */
/* Two keyrings become one. */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/keys_private.h"

enum {
	FUTURE_S = 2 * 86400, /* a lead of a day, and a clock that is off by another */
};
#define LIFE_MAX_S (INT64_C(40) * 365 * 86400) /* longest settings: 2 rotations and a lifetime */

static bool same_state(const struct key *a, const struct key *b)
{
	return a->state == b->state && a->was_active == b->was_active;
}

bool keys_equal(const struct keys *a, const struct keys *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < b->n; i++) {
		const struct key *mine = keys_get(a, b->key[i].id);

		if (!mine || !same_state(mine, &b->key[i]))
			return false;
	}
	return true;
}

/* What never changes. The octets of a dead key are gone. */
static bool same_key(const struct key *a, const struct key *b)
{
	if (a->seals_from != b->seals_from || a->seals_until != b->seals_until ||
		a->resolves_until != b->resolves_until)
		return false;
	if (!key_is_held(a) || !key_is_held(b))
		return true;
	return a->len == b->len && secret_equal(a->octets, b->octets, sizeof(a->octets));
}

static void note(struct keys_join_report *r, enum keys_oddity oddity, const struct key *key)
{
	r->oddity = oddity;
	memcpy(r->id, key->id, sizeof(r->id));
}

static void join_state(struct key *own, const struct key *other)
{
	if (other->state <= own->state)
		return;
	if (key_is_held(other))
		own->state = other->state;
	else
		keys_erase(own, (enum key_state)other->state);
}

/* One key of the other's. 0, -errno. */
static int join_key(struct keys *own, const struct key *other, int64_t now,
	const struct keys_schedule *s, struct keys_join_report *r)
{
	struct key *mine = keys_find(own, other->id);
	int err;

	if (mine) {
		if (other->state == KEY_DESTROYED && key_is_held(mine) &&
			now <= other->resolves_until)
			note(r, KEYS_ODD_EARLY, other);
		else
			join_state(mine, other);
		mine->was_active |= other->was_active;
		return 0;
	}
	/* we have forgotten it, or would have */
	if (key_is_forgettable(other, s, now))
		return 0;
	if (other->seals_from > now + FUTURE_S ||
		other->resolves_until - other->seals_from > LIFE_MAX_S) {
		note(r, KEYS_ODD_FUTURE, other);
		return 0;
	}
	err = keys_make_room(own, now);
	/* the name of a key that nobody resolves any more is not worth a refusal */
	if (err && !key_is_held(other) && other->resolves_until < now)
		return 0;
	if (err)
		return err;
	own->key[own->n] = *other;
	own->key[own->n].epoch = own->epoch + 1;
	own->n++;
	return 0;
}

static int check_same(const struct keys *own, const struct keys *other, struct keys_join_report *r)
{
	for (unsigned int i = 0; i < other->n; i++) {
		const struct key *mine = keys_get(own, other->key[i].id);

		if (mine && !same_key(mine, &other->key[i])) {
			note(r, KEYS_ODD_DIFFERS, &other->key[i]);
			return -EUCLEAN;
		}
	}
	return 0;
}

/*
 * The content of both: the larger epoch. New for us: if it is just what the other has, and its
 * epoch is larger than ours, that; otherwise one more than both. Only new content makes epochs grow
 * past all there were, so they come to rest when the contents do.
 */
static uint64_t join_epoch(
	const struct keys *before, const struct keys *other, const struct keys *after, bool is_new)
{
	uint64_t larger = before->epoch > other->epoch ? before->epoch : other->epoch;

	if (!is_new)
		return larger;
	return other->epoch > before->epoch && keys_equal(after, other) ? larger : larger + 1;
}

/* Most documents that are met say nothing new. */
static bool has_news(const struct keys *own, const struct keys *other)
{
	for (unsigned int i = 0; i < other->n; i++) {
		const struct key *mine = keys_get(own, other->key[i].id);

		if (!mine || other->key[i].state > mine->state ||
			(other->key[i].was_active && !mine->was_active))
			return true;
	}
	return other->epoch > own->epoch;
}

int keys_join(struct keys *own, const struct keys *other, int64_t now,
	const struct keys_schedule *schedule, struct keys_join_report *report)
{
	struct keys *next;
	int err;

	*report = (struct keys_join_report){.oddity = KEYS_ODD_NOTHING};
	err = check_same(own, other, report);
	if (err || !has_news(own, other))
		return err;
	next = keys_new();
	if (!next)
		return -ENOMEM;
	memcpy(next, own, sizeof(*own));
	for (unsigned int i = 0; !err && i < other->n; i++)
		err = join_key(next, &other->key[i], now, schedule, report);
	if (!err) {
		keys_settle(next);
		report->content_changed = !keys_equal(next, own);
		next->epoch = join_epoch(own, other, next, report->content_changed);
		err = next->epoch != own->epoch;
		if (err)
			memcpy(own, next, sizeof(*own));
	}
	keys_free(next);
	return err;
}
