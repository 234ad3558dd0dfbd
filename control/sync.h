/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Subscribers between the nodes of a replica set. Every node tells the others its own changes, as a
 * log of sealed chunks with dense numbers (control/store.h keeps it, so that it can be told again):
 *
 *   hash PREFIX:log:ORIGIN, field SEQUENCE (decimal), value: the chunk, sealed
 *   table BUS_LOGS: which chunks there are (u8 format 1, u64 first, u64 last; little-endian)
 *   notice "want ORIGIN SEQUENCE": somebody misses that chunk, its origin writes it again
 *
 * A node reads every other log from where it has got to (its cursor, stored in the transaction of
 * the changes themselves) and applies each change unless it has a newer one of that PSK id: in
 * whatever order and however often changes arrive, all nodes end with the same. A chunk that is
 * missing or does not open stops the cursor, not the reading; it is asked for until it comes.
 *
 * A log that is much larger than what lives in it, or that does not have all (a store from before
 * there was one), is written anew behind its end, and what was before goes.
 *
 * One thread, the event loop's; work is done in slices of some milliseconds.
 */
#ifndef TKMS_CONTROL_SYNC_H
#define TKMS_CONTROL_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/bus.h"
#include "control/heartbeat.h"
#include "control/store.h"

struct event_base;
struct sync;

struct sync_owner {
	void *arg;
	void (*changed)(void *arg); /* committed: the store has newer subscribers */
	void (*reached)(void *arg); /* more of the own log is in Redis */
};

struct sync_settings {
	uint64_t max_skew_ms; /* how far a stamp may draw this node's clock ahead */
};

/* The bus, the store and the sealer stay the caller's, and end after sync_free(), but for the bus:
 * free that first. From now on the store keeps its log. NULL: ENOMEM. */
struct sync *sync_new(struct event_base *base, struct store *store, struct sealer *sealer,
	struct bus *bus, const struct sync_settings *settings, const struct sync_owner *owner);
void sync_free(struct sync *s);

/* What the hub is told: a record of BUS_LOGS, the bus' state, the end of the first
 * reading, a notice. */
int sync_record(struct sync *s, uint64_t origin, uint64_t version, const void *plain, size_t len);
void sync_reachable(struct sync *s, bool is_reachable);
void sync_caught_up(struct sync *s);
void sync_notice(struct sync *s, const char *text, size_t len);
void sync_configure(struct sync *s, const struct sync_settings *settings);
/* The KEK has changed: chunks under previous (NULL: none) are still opened. */
void sync_set_sealers(struct sync *s, struct sealer *sealer, struct sealer *previous);

/* The chunks of the own log have been sealed anew: all go to Redis again. */
void sync_tell_again(struct sync *s);

/* Something was committed here. */
void sync_push(struct sync *s);
/* Has the own log up to there reached Redis. */
bool sync_has_reached(const struct sync *s, uint64_t sequence);

/* Takes over what an origin that is no more (node forget) has told, now or as soon as the store
 * allows it; the log of that origin goes once all is in this node's. */
void sync_adopt(struct sync *s, uint64_t origin);

/* Fills log_first, log_last and cursors. */
void sync_fill(const struct sync *s, struct heartbeat *h);

struct sync_peer_status {
	uint64_t origin, first, last; /* what it says there is */
	uint64_t cursor;
	uint64_t gap; /* a chunk that is missed, 0: none */
};

struct sync_status {
	uint64_t log_first, log_last;
	uint64_t reached; /* of the own log, in Redis */
	bool is_rewriting;
	uint64_t applied, older,
		contested;     /* changes of others: taken, known already; UIDs in dispute */
	uint64_t gaps, forged; /* chunks that were missing, that did not open */
	uint64_t repaired;     /* own chunks that were written again */
	char error[256];       /* why changes do not get on, "": they do */
	unsigned int n_peers;
	struct sync_peer_status peers[BUS_ORIGINS_MAX];
};
const struct sync_status *sync_status(struct sync *s);

#endif
