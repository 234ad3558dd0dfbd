/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is in the replica set, who is alive, whose clock is off, and how long we have been alone.
 * Pure: the caller brings heartbeats, clocks and the state of the bus.
 *
 * Time counts against a member only as far as we know that it could have been heard: up to the last
 * moment at which our own heartbeat had been accepted and all tables had been read, and not across
 * a gap between two such moments. A process that was stopped, or cut off, finds nobody dead when it
 * comes back.
 */
#ifndef TKMS_CONTROL_MEMBERSHIP_H
#define TKMS_CONTROL_MEMBERSHIP_H

#include "control/bus.h"
#include "control/cluster.h"

struct membership_settings {
	uint64_t heartbeat_ms, dead_after_ms;
	uint64_t max_clock_offset_ms;
};

struct membership {
	struct membership_settings settings;
	uint64_t self; /* origin */
	struct cluster_member *members;
	unsigned int n, cap;
	/* Versions of the records in BUS_KEYRINGS that we have taken; they may come before the
	 * first heartbeat. */
	unsigned int n_keyrings;
	struct heartbeat_cursor keyrings[BUS_ORIGINS_MAX];
	bool is_healthy;       /* at the last tick */
	uint64_t confirmed_ms; /* up to here the bus is known to have worked */
	uint64_t contact_ms;
};

/* With this node as its only member. now_ms: monotonic. 0, -ENOMEM. */
int membership_init(struct membership *m, uint64_t self, const struct membership_settings *settings,
	uint64_t now_ms);
void membership_clear(struct membership *m);

struct cluster_member *membership_find(const struct membership *m, uint64_t origin);
struct cluster_member *membership_self(const struct membership *m);

/*
 * A member that was met before the start: known, not alive, never heard; no heartbeat before
 * counter is taken of it. 0 (also when it is there), -ENOMEM, -ENOSPC.
 */
int membership_remember(struct membership *m, uint64_t origin, const char *name, uint64_t counter);

/* What a heartbeat changed: bits. */
enum membership_change {
	MEMBER_NEW = 1 << 0,	/* heard for the first time */
	MEMBER_BACK = 1 << 1,	/* it was dead */
	MEMBER_SAYS = 1 << 2,	/* something other than before, or than nothing */
	MEMBER_DIED = 1 << 3,	/* (ticks) */
	MEMBER_HEALTH = 1 << 4, /* (ticks) is_healthy */
};

/*
 * A heartbeat of another node; a counter that has not grown is ignored. Returns bits, or -ENOMEM,
 * -ENOSPC. wall_ms: our wall clock in milliseconds since 1900.
 */
int membership_record(struct membership *m, uint64_t origin, uint64_t counter,
	const struct heartbeat *beat, uint64_t now_ms, int64_t wall_ms);

/* A record of BUS_KEYRINGS has been taken. */
void membership_keyring_read(struct membership *m, uint64_t origin, uint64_t version);

/* Looks at the clock. Call it several times a heartbeat. Returns bits. */
int membership_tick(struct membership *m, uint64_t now_ms, const struct bus_status *bus);

/* Takes out a dead member. 0, -ENOENT, -EBUSY (it is alive), -EINVAL (it is us). */
int membership_forget(struct membership *m, uint64_t origin);

/* How long ago the bus was last known to work. */
uint64_t membership_alone_ms(const struct membership *m, uint64_t now_ms);

/*
 * Clocks: a node is off when more members are further away from it than settings allow than are
 * near (it counts itself), so that one bad clock among three or more never makes the good ones
 * suspect. Two that differ cannot know: disputed.
 */
enum membership_clock { CLOCKS_AGREE, CLOCKS_DISPUTED, CLOCKS_WE_ARE_OFF };
enum membership_clock membership_clock(const struct membership *m);

/* Does a live member know more than us. */
enum membership_lag { LAG_NONE, LAG_CHANGES, LAG_KEYRING };
enum membership_lag membership_lag(const struct membership *m);

#endif
