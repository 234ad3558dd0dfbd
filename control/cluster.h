/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replica set as this node sees it: members, who is alive, which service addresses this node
 * holds. Without a bus there is one member, this node, and it holds all addresses.
 *
 * A member is dead when its counter stood still for cluster.dead_after by the local monotonic clock
 * while the primary was reachable and this node's own heartbeats were accepted
 * (control/membership.h); when they are not, the last assignment stands, for sync.max_staleness at
 * most. Whom it has met it knows after a restart too (control/cluster_state.h), as not alive and
 * not heard, until an operator forgets them. How addresses are shared out: control/assignment.h.
 * One thread, the event loop's.
 */
#ifndef TKMS_CONTROL_CLUSTER_H
#define TKMS_CONTROL_CLUSTER_H

#include "control/bus.h"
#include "control/heartbeat.h"

struct cluster;

struct cluster_member {
	uint64_t origin;
	bool is_self;
	bool is_heard; /* since the start: if not, only origin, name and counter are known */
	bool is_alive;
	bool has_clock_offset;
	uint64_t counter;	 /* of its last heartbeat */
	uint64_t seen_ms;	 /* monotonic: when the counter last grew */
	uint64_t still_ms;	 /* for how long it has stood still as far as we can tell */
	int64_t clock_offset_ms; /* its wall clock less ours, when it was read */
	struct heartbeat beat;
};

struct cluster_owner {
	void *arg;
	/* Fills what only others know: serving, in_sync, keyring_*, load, log_*, held, cursors. h
	 * is zero but for the name. */
	void (*fill)(void *arg, struct heartbeat *h);
	/* Members, liveness, the addresses held or is_in_sync have changed. */
	void (*changed)(void *arg);
};

struct cluster_settings {
	uint64_t origin;
	const char *name, *version;
	uint32_t roles;
	uint64_t heartbeat_ms, dead_after_ms, max_staleness_ms, max_clock_offset_ms;
	/* A node that has been alone for longer may have missed a key (keys.activation_lead). */
	uint64_t lead_ms;
	const char *state_path; /* file of the last assignment; NULL: none */
};

/* Copies all it is given. NULL with the reason. */
struct cluster *cluster_new(struct event_base *base, const struct cluster_settings *settings,
	const struct cluster_owner *owner, struct reason *why);
void cluster_free(struct cluster *c);

/* The functions of control/bus.h, or a test's. */
struct cluster_bus {
	struct bus *bus;
	int (*put)(struct bus *b, enum bus_table table, uint64_t version, const void *plain,
		size_t len);
	void (*forget)(struct bus *b, uint64_t origin);
	const struct bus_status *(*status)(const struct bus *b);
};

/* The bus to use from now on (copied); call before the loop runs. Without one this node is alone.
 */
void cluster_attach(struct cluster *c, const struct cluster_bus *bus);
/* After cluster_attach(): origins that the store knows, taken in as members when the state file
 * does not say who they are. Returns whether they were. */
bool cluster_remember(struct cluster *c, const uint64_t *origins, unsigned int n);
/* Service addresses of the whole set and settings of a reload (origin, name, state_path stay). */
void cluster_configure(struct cluster *c, const struct cluster_settings *settings,
	const struct ipc_address *addresses, unsigned int n);

/* From the bus: a record of BUS_NODES (0, -EBADMSG), one of BUS_KEYRINGS that was taken, the end
 * of the first reading. */
int cluster_record(
	struct cluster *c, uint64_t origin, uint64_t version, const void *plain, size_t len);
void cluster_keyring_read(struct cluster *c, uint64_t origin, uint64_t version);
void cluster_caught_up(struct cluster *c);

/* What fill() tells has changed, or the data plane has acknowledged the addresses of version. */
void cluster_wake(struct cluster *c);
void cluster_acknowledged(struct cluster *c, uint64_t version);

/* The addresses that the data plane shall answer for, at most IPC_ADDRESSES_MAX. *version grows
 * with every change of them. */
unsigned int cluster_addresses(
	const struct cluster *c, struct ipc_address *addresses, uint64_t *version);
/* R4: this node knows all that the others know, and its clock is right. */
bool cluster_is_in_sync(const struct cluster *c);

/* Reasons to hold no addresses (enum heartbeat_drain). That of the operator outlives a restart. */
void cluster_drain(struct cluster *c, enum heartbeat_drain reason);
void cluster_undrain(struct cluster *c, enum heartbeat_drain reason);

enum cluster_progress {
	CLUSTER_SERVES,	 /* it does not drain */
	CLUSTER_DRAINS,	 /* addresses are on their way */
	CLUSTER_DRAINED, /* nothing comes here any more */
	CLUSTER_STUCK,	 /* nobody can take the addresses: they stay */
};
enum cluster_progress cluster_progress(const struct cluster *c);

/* Of a data plane that is to end: nobody would miss it, or nobody could take its place. */
bool cluster_may_end(const struct cluster *c);

/* Takes a dead member out, here and, by and by, everywhere. 0, -ENOENT, -EBUSY (alive), -EINVAL
 * (this node). */
int cluster_forget(struct cluster *c, uint64_t origin);

/* Members in order of their origin, this node included; forgotten ones are not in it. Valid until
 * the event loop runs again. */
const struct cluster_member *cluster_members(const struct cluster *c, unsigned int *n);

struct cluster_status {
	bool is_alone;	 /* no bus */
	bool is_healthy; /* the bus works: the dead can be told from the living */
	bool is_caught_up;
	bool is_in_sync;  /* also of the keyring */
	bool is_behind;	  /* others know more */
	bool is_disputed; /* clocks differ, and nobody can say whose is right */
	uint32_t drain_reasons;
	uint64_t alone_ms; /* since the bus last worked */
	uint64_t moves;	   /* addresses taken or given up since the start */
};
const struct cluster_status *cluster_status(const struct cluster *c);

#endif
