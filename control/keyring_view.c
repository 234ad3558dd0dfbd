/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node may conclude about the others. A member counts as heard only while its heartbeats
 * come without a pause and are not behind its own clock: a store that replays old ones, or shows
 * some nodes to some nodes, must not make anybody believe in a contact that is none.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/clock.h"
#include "control/control.h"
#include "control/keyring_sync_private.h"

enum {
	IN_A_ROW = 2,		/* heartbeats before they count */
	BEST_OFFSET_MS = 15000, /* a clock that stays behind for so long was set */
	PUBLISH_DELAY_S = 5,	/* between members that might publish */
};

const char *keyring_name_of(const struct keyring_sync *s, uint64_t origin)
{
	unsigned int n;
	const struct cluster_member *m = cluster_members(s->control->cluster, &n);

	for (unsigned int i = 0; i < n; i++) {
		if (m[i].origin == origin)
			return m[i].beat.name;
	}
	return "";
}

/* A pause that makes no member dead yet. */
static uint64_t pause_ms(const struct keyring_sync *s)
{
	uint64_t heartbeat = s->control->live->cluster.heartbeat;
	uint64_t dead_after = s->control->live->cluster.dead_after;
	uint64_t pause = dead_after - dead_after / 4;

	return pause > heartbeat ? pause : heartbeat;
}

static struct keyring_contact *contact_of(struct keyring_sync *s, uint64_t origin)
{
	struct keyring_contact *c;

	for (unsigned int i = 0; i < s->n_contacts; i++) {
		if (s->contacts[i].origin == origin)
			return &s->contacts[i];
	}
	/* full: of those that have gone for ever one is given up */
	c = &s->contacts[s->n_contacts < BUS_ORIGINS_MAX ? s->n_contacts++
							 : origin % BUS_ORIGINS_MAX];
	*c = (struct keyring_contact){.origin = origin};
	return c;
}

static bool is_late(
	struct keyring_sync *s, struct keyring_contact *c, int64_t offset_ms, uint64_t now)
{
	int64_t behind = c->best_offset_ms - offset_ms;

	if (c->counter == 0 || behind <= 0 ||
		(c->stale_since_ms && now - c->stale_since_ms > BEST_OFFSET_MS)) {
		c->best_offset_ms = offset_ms;
		behind = 0;
	}
	if (behind <= (int64_t)pause_ms(s)) {
		c->stale_since_ms = 0;
		return false;
	}
	if (!c->stale_since_ms)
		c->stale_since_ms = now;
	return true;
}

static void listen_to(struct keyring_sync *s, const struct cluster_member *m, uint64_t now)
{
	struct keyring_contact *c = contact_of(s, m->origin);
	bool late;

	if (m->counter == c->counter)
		return;
	late = is_late(s, c, m->clock_offset_ms, now);
	c->in_a_row = c->counter && m->seen_ms - c->grew_ms <= pause_ms(s) ? c->in_a_row + 1 : 0;
	c->grew_ms = m->seen_ms;
	c->counter = m->counter;
	if (!late && c->in_a_row >= IN_A_ROW)
		c->fresh_ms = m->seen_ms;
}

static bool is_fresh(struct keyring_sync *s, const struct cluster_member *m, uint64_t now)
{
	const struct keyring_contact *c = contact_of(s, m->origin);

	return m->is_self || (m->is_heard && c->fresh_ms && now - c->fresh_ms <= pause_ms(s));
}

/* A node that was set up again under its old name has left a dead member behind. */
static bool is_replaced(const struct cluster_member *members, unsigned int n, unsigned int i)
{
	for (unsigned int j = 0; j < n; j++) {
		if (j != i && members[j].is_alive && !members[i].is_alive &&
			strcmp(members[j].beat.name, members[i].beat.name) == 0)
			return true;
	}
	return false;
}

struct census {
	unsigned int n;
	const struct cluster_member *members;
	unsigned int known, live, fresh; /* fresh: of the live ones */
	unsigned int heard;		 /* of all */
	/* of the others: those that serve, or did, and those of them that are heard */
	unsigned int established, speaking;
	uint64_t least; /* the largest epoch of those */
	uint64_t hash;	/* of who is alive */
	int64_t behind_ms;
	unsigned int before_us; /* alive, with a lower origin */
};

static void count(struct keyring_sync *s, struct census *z, unsigned int i, uint64_t now)
{
	const struct cluster_member *m = &z->members[i];
	bool fresh;

	if (!m->is_self && m->is_heard)
		listen_to(s, m, now);
	fresh = is_fresh(s, m, now);
	z->heard += fresh;
	z->known += !is_replaced(z->members, z->n, i);
	/* one that was not heard since the start may well serve */
	if (!m->is_self && (m->beat.keyring_epoch || !m->is_heard)) {
		z->established += !is_replaced(z->members, z->n, i);
		z->speaking += fresh;
		if (fresh && m->beat.keyring_epoch > z->least)
			z->least = m->beat.keyring_epoch;
	}
	if (!m->is_alive && !m->is_self)
		return;
	z->live++;
	z->fresh += fresh;
	z->hash = (z->hash ^ m->origin) * UINT64_C(0x100000001b3);
	if (!m->is_self && m->has_clock_offset && -m->clock_offset_ms > z->behind_ms)
		z->behind_ms = -m->clock_offset_ms;
}

/* When our own clock is set, all others seem to be set the other way. */
static void follow_own_clock(struct keyring_sync *s, uint64_t now)
{
	struct timespec ts;
	int64_t ahead, step;

	clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
	ahead = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 - (int64_t)now;
	step = s->has_wall ? ahead - s->wall_ahead_ms : 0;
	s->has_wall = true;
	s->wall_ahead_ms = ahead;
	for (unsigned int i = 0; step && i < s->n_contacts; i++)
		s->contacts[i].best_offset_ms -= step;
}

static struct census take_census(struct keyring_sync *s)
{
	struct census z = {.hash = 1};
	uint64_t now = clock_mono_ms();
	bool is_after_us = false;

	follow_own_clock(s, now);
	z.members = cluster_members(s->control->cluster, &z.n);
	for (unsigned int i = 0; i < z.n; i++) {
		count(s, &z, i, now);
		is_after_us |= z.members[i].is_self;
		z.before_us += !is_after_us && z.members[i].is_alive;
	}
	/* who is alive but was not heard for a moment may have been elsewhere */
	if (z.hash != s->live_hash || z.fresh != z.live)
		s->steady_ms = now;
	s->live_hash = z.hash;
	return z;
}

static bool is_steady(const struct keyring_sync *s)
{
	return clock_mono_ms() - s->steady_ms >= s->control->live->cluster.dead_after;
}

/* Another side of a divided store, where half of the members are, could decide as well. */
static bool is_minority(const struct census *z)
{
	return z->live * 2 < z->known;
}

static bool is_reached(const struct keyring_sync *s)
{
	const struct cluster_status *status = cluster_status(s->control->cluster);

	return s->is_caught_up && status->is_healthy && status->is_caught_up;
}

bool keyring_sync_is_in_sync(struct keyring_sync *s)
{
	struct census z;

	if (!s->bus.put)
		return true;
	z = take_census(s);
	return is_reached(s) && keyring_sync_may_serve(s) && z.heard * 2 > z.known;
}

bool keyring_sync_is_admitted(struct keyring_sync *s, const struct keys *k)
{
	struct census z = take_census(s);
	uint64_t now = clock_mono_ms();

	if (!is_reached(s) || k->n == 0 || z.speaking == 0 ||
		(k->min_epoch == 0 && z.speaking * 2 <= z.established)) {
		s->joining_ms = 0;
		return false;
	}
	if (!s->joining_ms)
		s->joining_ms = now;
	/* meanwhile they have met us too */
	return now - s->joining_ms > s->control->live->cluster.dead_after && k->epoch >= z.least &&
	       k->epoch >= k->min_epoch;
}

static int64_t publish_delay(const struct keyring_sync *s, const struct census *z)
{
	int64_t most = (int64_t)(s->control->live->keys.rotation_interval / SECOND / 4);

	return (int64_t)z->before_us * (most < PUBLISH_DELAY_S ? most : PUBLISH_DELAY_S);
}

void keyring_sync_situation(struct keyring_sync *s, struct keys_situation *at)
{
	const struct keys *k = s->control->keys;
	struct census z;

	at->peers = KEYS_SINGLE;
	if (!s->bus.put)
		return;
	z = take_census(s);
	at->peers = KEYS_SET;
	if (!is_reached(s) || !is_steady(s) || is_minority(&z) ||
		(k->admission != KEYS_MEMBER && (k->admission != KEYS_FOUNDER || k->n > 0)))
		at->peers = KEYS_CUT_OFF;
	at->members = s->members;
	for (unsigned int i = 0; i < z.n; i++) {
		const struct cluster_member *m = &z.members[i];

		if (!m->is_alive && !m->is_self && at->peers == KEYS_SET)
			continue;
		s->members[at->n_members++] =
			(struct keys_member){m->beat.name, m->is_self ? s->held : m->beat.held,
				m->is_self ? s->n_held : m->beat.n_held};
	}
	at->behind_s = z.behind_ms / 1000;
	at->publish_delay_s = publish_delay(s, &z);
	at->may_found = k->admission == KEYS_FOUNDER && z.established == 0;
}

void keyring_sync_unrevoked(
	struct keyring_sync *s, const char *id, keyring_sync_name_fn fn, void *arg)
{
	unsigned int n;
	const struct cluster_member *m = cluster_members(s->control->cluster, &n);

	for (unsigned int i = 0; s->bus.put && i < n; i++) {
		struct keys_member member = {m[i].beat.name, m[i].beat.held, m[i].beat.n_held};

		if (!m[i].is_self && !is_replaced(m, n, i) && !keys_member_has_revoked(&member, id))
			fn(arg, member.name, m[i].is_alive);
	}
}

void keyring_sync_lacking(
	struct keyring_sync *s, const char *id, keyring_sync_name_fn fn, void *arg)
{
	struct keys_situation at = {.now = 0};

	keyring_sync_situation(s, &at);
	for (unsigned int i = 0; i < at.n_members; i++) {
		if (!keys_member_holds(&at.members[i], id))
			fn(arg, at.members[i].name, true);
	}
}

struct text {
	char *at;
	size_t cap;
};

static void add_name(void *arg, const char *name, bool is_alive)
{
	struct text *t = arg;
	int n = snprintf(t->at, t->cap, " %s", name);

	(void)is_alive;
	if (n > 0 && (size_t)n < t->cap) {
		t->at += n;
		t->cap -= (size_t)n;
	}
}

const char *keyring_sync_explain(struct keyring_sync *s)
{
	struct keys_schedule schedule = control_schedule(s->control);
	struct keys_situation at = {.now = clock_now()};
	const struct keys *k = s->control->keys;
	struct text t = {s->explanation, sizeof(s->explanation)};
	int n = 0;

	*s->explanation = '\0';
	if (!s->bus.put)
		return s->explanation;
	keyring_sync_situation(s, &at);
	if (k->admission == KEYS_JOINING)
		n = snprintf(t.at, t.cap, "waits until it has joined the others");
	else if (k->admission == KEYS_FOUNDER)
		n = snprintf(t.at, t.cap, "waits for contact to make the first key");
	else if (keys_waiting(k, &schedule, &at) == KEYS_WAIT_CONTACT)
		n = snprintf(t.at, t.cap, "rotation waits for contact with the others");
	else if (keys_waiting(k, &schedule, &at) == KEYS_WAIT_MEMBERS) {
		n = snprintf(t.at, t.cap, "rotation waits for the data planes of:");
		t.at += n;
		t.cap -= (size_t)n;
		keyring_sync_lacking(s, keys_published(k)->id, add_name, &t);
	}
	return s->explanation;
}
