/* SPDX-License-Identifier: BSD-3-Clause */
/* What time and the other members do to a keyring. */
#include <errno.h>
#include <string.h>

#include "control/heartbeat.h"
#include "control/keys_private.h"

bool key_is_forgettable(const struct key *key, const struct keys_schedule *s, int64_t now)
{
	return now > key->resolves_until + s->max_skew_s + KEYS_TOMBSTONE_S;
}

/* The keys that have had their time: octets go first, their names much later. */
static int bury(struct keys *k, const struct keys_schedule *s, int64_t now)
{
	int changes = 0;

	for (unsigned int i = k->n; i-- > 0;) {
		struct key *key = &k->key[i];

		if (key_is_held(key) && key->state != KEY_ACTIVE &&
			now > key->resolves_until + s->max_skew_s) {
			keys_erase(key, KEY_DESTROYED);
			changes |= KEYS_DESTROYED_SOME;
		}
		if (!key_is_held(key) && key_is_forgettable(key, s, now)) {
			keys_forget(k, i);
			changes |= KEYS_FORGOT_SOME;
		}
	}
	return changes;
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

static const struct heartbeat_key *find_held(const struct keys_member *m, const char *id)
{
	for (unsigned int i = 0; i < m->n_held; i++) {
		if (strcmp(m->held[i].id, id) == 0)
			return &m->held[i];
	}
	return NULL;
}

bool keys_member_holds(const struct keys_member *m, const char *id)
{
	const struct heartbeat_key *held = find_held(m, id);

	return held && held->state <= KEY_RETIRING;
}

bool keys_member_has_revoked(const struct keys_member *m, const char *id)
{
	const struct heartbeat_key *held = find_held(m, id);

	return held && held->state == KEY_REVOKED;
}

static bool is_named(const char *name, const char *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* The first member that does not hold the key and is not named; NULL: none. */
static const char *who_lacks(const struct keys_situation *at, const char *id,
	const char *const *without, unsigned int n_without)
{
	for (unsigned int i = 0; i < at->n_members; i++) {
		const struct keys_member *m = &at->members[i];

		if (!keys_member_holds(m, id) && !is_named(m->name, without, n_without))
			return m->name;
	}
	return NULL;
}

/*
 * A published key takes over when its time has come and every data plane holds it. A single node
 * without a data plane has nobody who could lack it, but nobody who needs it either: then it waits,
 * unless the active key has run out. Without any active key the time is not waited for.
 */
static bool may_activate(
	const struct key *next, const struct key *active, const struct keys_situation *at)
{
	/* by the slowest clock: who has just lost contact has the whole lead to notice it */
	if (!may_seal(next, at->now) || (active && at->now - at->behind_s < next->seals_from))
		return false;
	if (at->peers == KEYS_CUT_OFF)
		return false;
	if (at->peers == KEYS_SET)
		return at->n_members > 0 && !who_lacks(at, next->id, NULL, 0);
	if (at->dataplane == KEYS_CONNECTED)
		return at->acknowledged_epoch >= next->epoch && at->now >= next->seals_from;
	return !may_seal(active, at->now);
}

static struct key *writable(struct keys *k, const struct key *key)
{
	return key ? &k->key[key - k->key] : NULL;
}

/* Keys that waited for an acknowledgement until they were too old. */
static int retire_late(struct keys *k, int64_t now)
{
	int changes = 0;

	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].state == KEY_PUBLISHED && !may_seal(&k->key[i], now)) {
			k->key[i].state = KEY_RETIRING;
			changes |= KEYS_DESTROYED_SOME;
		}
	}
	return changes;
}

/* Nothing can seal: is there nobody who could lack a key that is made now. */
static bool may_create_active(const struct keys *k, const struct keys_situation *at)
{
	if (at->peers == KEYS_SINGLE)
		return true;
	return at->peers == KEYS_SET && k->n == 0 && at->may_found;
}

static int create_active(struct keys *k, const struct keys_schedule *s, int64_t now)
{
	int err = keys_create(k, s, now, now);

	if (err)
		return err;
	keys_make_active(k, &k->key[k->n - 1]);
	k->admission = KEYS_MEMBER;
	return KEYS_CREATED | KEYS_ACTIVATED;
}

static bool must_publish(const struct keys *k, const struct keys_schedule *s,
	const struct key *active, const struct keys_situation *at)
{
	if (at->peers == KEYS_CUT_OFF || k->n == 0)
		return false;
	return !active || is_due(active, s, at->now - at->publish_delay_s);
}

int keys_step(struct keys *k, const struct keys_schedule *s, const struct keys_situation *at)
{
	int changes = bury(k, s, at->now - at->behind_s) | retire_late(k, at->now), made = 0;
	struct key *next = writable(k, keys_published(k));
	const struct key *active = keys_active(k);

	if (next && may_activate(next, active, at)) {
		keys_make_active(k, next);
		made = KEYS_ACTIVATED;
	} else if (!may_seal(active, at->now) && may_create_active(k, at)) {
		/* waiting for anything would only refuse more requests */
		made = create_active(k, s, at->now);
	} else if (!next && must_publish(k, s, active, at)) {
		/* the lead is for those who have another key meanwhile */
		made = keys_create(k, s, at->now, active ? at->now + s->lead_s : at->now);
		made = made ? made : KEYS_CREATED;
	}
	changes |= made > 0 ? made : 0;
	if (changes)
		k->epoch++;
	return changes ? changes : made;
}

int keys_activate(struct keys *k, const char *id, const struct keys_situation *at,
	const char *const *without, unsigned int n_without, const char **missing)
{
	struct key *key = keys_find(k, id);
	const char *lacks;

	if (!key)
		return -ENOENT;
	if (key->state == KEY_ACTIVE)
		return -EALREADY;
	if (key->state != KEY_PUBLISHED || !may_seal(key, at->now))
		return -ESRCH;
	if (at->now - at->behind_s < key->seals_from)
		return -EAGAIN;
	lacks = who_lacks(at, id, without, n_without);
	if (lacks) {
		*missing = lacks;
		return -EBUSY;
	}
	keys_make_active(k, key);
	k->epoch++;
	return 0;
}

enum keys_wait keys_waiting(
	const struct keys *k, const struct keys_schedule *s, const struct keys_situation *at)
{
	const struct key *next = keys_published(k), *active = keys_active(k);

	if (!next && (k->n == 0 || (active && !is_due(active, s, at->now))))
		return k->n == 0 && at->peers != KEYS_SINGLE ? KEYS_WAIT_CONTACT
							     : KEYS_WAIT_NOTHING;
	if (at->peers == KEYS_CUT_OFF)
		return KEYS_WAIT_CONTACT;
	if (!next)
		return KEYS_WAIT_NOTHING;
	return at->now - at->behind_s < next->seals_from ? KEYS_WAIT_TIME : KEYS_WAIT_MEMBERS;
}
