/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/membership.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_STEP = 8 };

int membership_init(struct membership *m, uint64_t self, const struct membership_settings *settings,
	uint64_t now_ms)
{
	*m = (struct membership){.settings = *settings, .self = self, .contact_ms = now_ms};
	m->members = calloc(MEMBERS_STEP, sizeof(*m->members));
	if (!m->members)
		return -ENOMEM;
	m->cap = MEMBERS_STEP;
	m->n = 1;
	m->members[0].origin = self;
	m->members[0].is_self = true;
	m->members[0].is_heard = true;
	m->members[0].is_alive = true;
	m->members[0].seen_ms = now_ms;
	return 0;
}

void membership_clear(struct membership *m)
{
	free(m->members);
	*m = (struct membership){0};
}

struct cluster_member *membership_find(const struct membership *m, uint64_t origin)
{
	for (unsigned int i = 0; i < m->n; i++) {
		if (m->members[i].origin == origin)
			return &m->members[i];
	}
	return NULL;
}

struct cluster_member *membership_self(const struct membership *m)
{
	return membership_find(m, m->self);
}

static int grow(struct membership *m)
{
	struct cluster_member *members;

	if (m->n < m->cap)
		return 0;
	if (m->n == BUS_ORIGINS_MAX)
		return -ENOSPC;
	members = reallocarray(m->members, m->cap + MEMBERS_STEP, sizeof(*members));
	if (!members)
		return -ENOMEM;
	m->members = members;
	m->cap += MEMBERS_STEP;
	return 0;
}

/* In order of the origins. NULL with *err. */
static struct cluster_member *insert(struct membership *m, uint64_t origin, int *err)
{
	unsigned int at = 0;

	*err = grow(m);
	if (*err)
		return NULL;
	while (at < m->n && m->members[at].origin < origin)
		at++;
	memmove(&m->members[at + 1], &m->members[at], (m->n - at) * sizeof(m->members[0]));
	memset(&m->members[at], 0, sizeof(m->members[at]));
	m->members[at].origin = origin;
	m->n++;
	return &m->members[at];
}

int membership_remember(struct membership *m, uint64_t origin, const char *name, uint64_t counter)
{
	struct cluster_member *member;
	int err = 0;

	if (membership_find(m, origin))
		return 0;
	member = insert(m, origin, &err);
	if (!member)
		return err;
	snprintf(member->beat.name, sizeof(member->beat.name), "%s", name);
	member->counter = counter;
	return 0;
}

/*
 * A record that lay on the bus while we, or it, were away says nothing about clocks: only one that
 * came in step does.
 */
static void note_clock(const struct membership *m, struct cluster_member *member, int change,
	uint64_t now_ms, int64_t wall_ms)
{
	bool in_step = !(change & (MEMBER_NEW | MEMBER_BACK)) && m->is_healthy &&
		       now_ms - member->seen_ms <= m->settings.dead_after_ms;

	if (in_step)
		member->clock_offset_ms = member->beat.time_ms - wall_ms;
	member->has_clock_offset = in_step;
}

/* The last heartbeat from before the start tells what was said then. */
static bool is_old(const struct cluster_member *member, uint64_t counter)
{
	return member->is_heard ? counter <= member->counter : counter < member->counter;
}

int membership_record(struct membership *m, uint64_t origin, uint64_t counter,
	const struct heartbeat *beat, uint64_t now_ms, int64_t wall_ms)
{
	struct cluster_member *member = membership_find(m, origin);
	int change = 0, err = 0;

	if (origin == m->self || (member && is_old(member, counter)))
		return 0;
	if (!member) {
		member = insert(m, origin, &err);
		if (!member)
			return err;
		change = MEMBER_NEW;
	} else if (!member->is_heard) {
		change = MEMBER_NEW;
	} else if (!member->is_alive) {
		change = MEMBER_BACK;
	}
	if (change || !heartbeat_says_the_same(&member->beat, beat))
		change |= MEMBER_SAYS;
	member->is_heard = true;
	member->beat = *beat;
	note_clock(m, member, change, now_ms, wall_ms);
	member->counter = counter;
	member->seen_ms = now_ms;
	member->still_ms = 0;
	/* also the first record of all: it may be old, but that takes dead_after to know */
	member->is_alive = true;
	m->contact_ms = now_ms;
	return change;
}

/* When we last know that we could be heard and could hear: 0 for never. */
static uint64_t confirmed_ms(const struct bus_status *bus)
{
	uint64_t written = bus->written_ms[BUS_NODES], read = bus->read_ms[BUS_NODES];

	return written < read ? written : read;
}

/* Longer than this without a confirmation: the others may have had no chance either. */
static uint64_t longest_gap(const struct membership *m)
{
	uint64_t half = m->settings.dead_after_ms / 2, two = 2 * m->settings.heartbeat_ms;

	return half > two ? half : two;
}

/* A member stood still while time was confirmed, but not before we had heard it last. */
static void count_against(const struct membership *m, struct cluster_member *member, uint64_t upto)
{
	uint64_t from = m->confirmed_ms > member->seen_ms ? m->confirmed_ms : member->seen_ms;

	if (upto - m->confirmed_ms > longest_gap(m))
		member->still_ms = 0;
	else if (upto > from)
		member->still_ms += upto - from;
}

int membership_tick(struct membership *m, uint64_t now_ms, const struct bus_status *bus)
{
	uint64_t upto = confirmed_ms(bus);
	bool healthy = bus->is_reachable && upto && now_ms - upto <= m->settings.dead_after_ms;
	int change = healthy == m->is_healthy ? 0 : MEMBER_HEALTH;

	m->is_healthy = healthy;
	for (unsigned int i = 0; i < m->n && upto > m->confirmed_ms; i++) {
		struct cluster_member *member = &m->members[i];

		if (member->is_self || !member->is_alive)
			continue;
		count_against(m, member, upto);
		if (member->still_ms < m->settings.dead_after_ms)
			continue;
		member->is_alive = false;
		member->has_clock_offset = false;
		change |= MEMBER_DIED;
	}
	if (upto > m->confirmed_ms)
		m->confirmed_ms = upto;
	if (healthy)
		m->contact_ms = now_ms;
	return change;
}

int membership_forget(struct membership *m, uint64_t origin)
{
	struct cluster_member *member = membership_find(m, origin);
	size_t at;

	if (!member)
		return -ENOENT;
	if (member->is_self)
		return -EINVAL;
	if (member->is_alive)
		return -EBUSY;
	at = (size_t)(member - m->members);
	m->n--;
	memmove(member, member + 1, (m->n - at) * sizeof(*member));
	return 0;
}

uint64_t membership_alone_ms(const struct membership *m, uint64_t now_ms)
{
	return now_ms - m->contact_ms;
}

enum membership_clock membership_clock(const struct membership *m)
{
	unsigned int near = 1, far = 0;

	for (unsigned int i = 0; i < m->n; i++) {
		const struct cluster_member *member = &m->members[i];

		if (member->is_self || !member->is_alive || !member->has_clock_offset)
			continue;
		if ((uint64_t)llabs(member->clock_offset_ms) > m->settings.max_clock_offset_ms)
			far++;
		else
			near++;
	}
	if (far > near)
		return CLOCKS_WE_ARE_OFF;
	return far ? CLOCKS_DISPUTED : CLOCKS_AGREE;
}

static uint64_t cursor_of(const struct heartbeat *beat, uint64_t origin)
{
	for (unsigned int i = 0; i < beat->n_cursors; i++) {
		if (beat->cursors[i].origin == origin)
			return beat->cursors[i].sequence;
	}
	return 0;
}

static struct heartbeat_cursor *find_keyring(struct membership *m, uint64_t origin)
{
	for (unsigned int i = 0; i < m->n_keyrings; i++) {
		if (m->keyrings[i].origin == origin)
			return &m->keyrings[i];
	}
	return NULL;
}

void membership_keyring_read(struct membership *m, uint64_t origin, uint64_t version)
{
	struct heartbeat_cursor *keyring = find_keyring(m, origin);

	if (!keyring && m->n_keyrings < BUS_ORIGINS_MAX) {
		keyring = &m->keyrings[m->n_keyrings++];
		*keyring = (struct heartbeat_cursor){.origin = origin};
	}
	if (keyring && version > keyring->sequence)
		keyring->sequence = version;
}

static uint64_t keyring_version(const struct membership *m, uint64_t origin)
{
	for (unsigned int i = 0; i < m->n_keyrings; i++) {
		if (m->keyrings[i].origin == origin)
			return m->keyrings[i].sequence;
	}
	return 0;
}

enum membership_lag membership_lag(const struct membership *m)
{
	const struct cluster_member *self = membership_self(m);
	enum membership_lag lag = LAG_NONE;

	for (unsigned int i = 0; i < m->n; i++) {
		const struct cluster_member *member = &m->members[i];

		if (member->is_self || !member->is_alive)
			continue;
		if (keyring_version(m, member->origin) < member->beat.keyring_version)
			return LAG_KEYRING;
		if (cursor_of(&self->beat, member->origin) < member->beat.log_last)
			lag = LAG_CHANGES;
	}
	return lag;
}
