/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node of a replica set decides, step by step: who is alive, whether it is in sync, whether
 * it wants addresses, which it holds. Pure: the caller brings clocks, heartbeats and the state of
 * the bus, and says what the data plane has acknowledged.
 */
#ifndef TKMS_CONTROL_REPLICA_H
#define TKMS_CONTROL_REPLICA_H

#include "control/assignment.h"
#include "control/membership.h"

enum {
	REPLICA_SETTLE_MS = 2000,	/* fit for so long: may be given addresses of others */
	REPLICA_FALLS_MS = 300000,	/* who fell more than once in this time waits longer */
	REPLICA_PATIENCE_MS = 500,	/* behind in the changes of subscribers for so long */
	REPLICA_NO_PROGRESS_MS = 10000, /* behind without getting any nearer: drains */
};

struct replica_settings {
	struct membership_settings membership;
	uint64_t max_staleness_ms, lead_ms;
};

struct replica {
	struct replica_settings settings;
	struct membership membership;
	unsigned int n_addresses;
	struct ipc_address addresses[IPC_ADDRESSES_MAX]; /* of the whole set */
	struct holdings holdings;
	uint64_t version;      /* of the holdings */
	uint64_t acknowledged; /* the newest that the data plane has; 0: none */
	uint64_t moves;
	uint32_t asked; /* drain reasons of others: operator, ending */
	bool is_alone;	/* there is no bus */
	bool is_caught_up, is_in_sync, was_in_sync, is_behind;
	uint64_t caught_up_ms;
	uint64_t before_ms; /* alone before the start, until the bus works */
	uint64_t fit_since_ms, fell_ms;
	bool is_fit;
	unsigned int falls;
	uint64_t behind_ms, progress, progress_ms;
	unsigned int n_forgotten;
	struct heartbeat_forgotten forgotten[HEARTBEAT_FORGOTTEN_MAX];
};

int replica_init(struct replica *r, uint64_t origin, const struct replica_settings *settings,
	uint64_t now_ms);
void replica_clear(struct replica *r);
void replica_set_addresses(
	struct replica *r, const struct ipc_address *addresses, unsigned int n_addresses);

/* What membership_record() says; what the sender forgot is forgotten here too. */
int replica_record(struct replica *r, uint64_t origin, uint64_t counter,
	const struct heartbeat *beat, uint64_t now_ms, int64_t wall_ms);
void replica_caught_up(struct replica *r, uint64_t now_ms);
int replica_forget(struct replica *r, uint64_t origin);

enum replica_change {
	REPLICA_MEMBERS = 1 << 0,   /* who is there, who is alive */
	REPLICA_HEALTH = 1 << 1,    /* the bus works, or no longer does */
	REPLICA_ADDRESSES = 1 << 2, /* version has grown */
	REPLICA_SYNC = 1 << 3,	    /* is_in_sync */
	REPLICA_SAYS = 1 << 4,	    /* the own heartbeat says something that others wait for */
};

/*
 * Looks at everything. said: what fill() says, with name, version and roles; is_in_sync: as far as
 * others of this node know. Leaves the own
 * heartbeat, all but its time, in the own member. bus: NULL when there is none. Bits.
 */
int replica_step(struct replica *r, const struct heartbeat *said, const struct bus_status *bus,
	uint64_t now_ms);

/* Is there a member that is fitter than we are to take our addresses, and can it be told. */
bool replica_has_heir(const struct replica *r);
enum cluster_progress replica_progress(const struct replica *r);
/* Of a data plane that is to end: nobody would miss it, or nobody could take its place. */
bool replica_may_end(const struct replica *r);
uint64_t replica_alone_ms(const struct replica *r, uint64_t now_ms);

#endif
