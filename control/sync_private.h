/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/sync*.c. */
#ifndef TKMS_CONTROL_SYNC_PRIVATE_H
#define TKMS_CONTROL_SYNC_PRIVATE_H

#include <event2/event.h>

#include "control/primary.h"
#include "control/sync.h"

enum {
	SYNC_TICK_MS = 250,
	SYNC_BATCH = 16,  /* chunks asked for at once */
	SYNC_QUEUE = 64,  /* chunks that are here and not yet applied, or on their way */
	SYNC_WINDOW = 16, /* chunks written and not yet confirmed */
	SYNC_TRANSACTION_MS = 1000,
	SYNC_RETRY_MS = 1000,  /* after Redis or the store refused */
	SYNC_BUSY_MS = 20,     /* somebody else changes the store */
	SYNC_AUDIT_MS = 30000, /* between looks at what Redis has of the own log */
	SYNC_CLEAN_MS = 2000,  /* from a log that was written anew to the removal of the old one */
	SYNC_REPAIRS = 64,     /* chunks that are written again on request, a second */
	SYNC_RELOG_RECORDS = 2000,
	SYNC_KEY_TEXT = 21,
};

/* Another origin's log. */
struct sync_peer {
	struct sync *sync;
	uint64_t origin, first, last;
	uint64_t contiguous; /* all up to here is applied, perhaps not committed */
	uint64_t read_to;    /* asked for up to here */
	unsigned int fetching;
	uint64_t gap; /* the first chunk that is missed, 0: none */
	uint64_t gap_asked_ms;
	bool gap_is_told;
};

struct sync_chunk {
	struct sync_chunk *next;
	struct sync_peer *peer;
	uint64_t sequence;
	size_t len;
	uint8_t sealed[];
};

struct sync_writer {
	bool is_audited; /* what Redis has is known */
	bool is_auditing;
	uint64_t audit_ms; /* when the next one is due */
	uint8_t *present;  /* a bit for each chunk from base on, of those that Redis had */
	uint64_t base, n_present;
	uint64_t next; /* to look at */
	uint64_t reached;
	unsigned int in_flight;
	uint64_t retry_ms;  /* not before; 0: at once */
	uint64_t published; /* version of the head, 0: none yet; and what it says: */
	uint64_t head_first, head_last;
	uint64_t repairs_ms;
	unsigned int repairs; /* in that second */
};

struct sync {
	struct event_base *base;
	struct store *store;
	struct sealer *sealer, *previous;
	struct bus *bus;
	struct sync_owner owner;
	struct sync_settings settings;
	struct event *tick, *work;
	bool is_reachable;
	bool is_caught_up; /* what this node told before its start is known */
	struct sync_writer writer;
	struct sync_status status;

	unsigned int n_peers;
	struct sync_peer *peers[BUS_ORIGINS_MAX];
	struct sync_chunk *first, **last; /* the queue */
	unsigned int n_queue;
	bool is_open; /* a transaction of ours */
	uint64_t opened_ms, work_at_ms;
	int told; /* the error that the log has, 0: none */

	bool is_relogging;
	unsigned int n_adopting; /* origins whose records wait to be taken over */
	uint64_t adopting[BUS_ORIGINS_MAX];
	unsigned int n_leaving; /* origins whose logs go once the own one has their records */
	uint64_t leaving[BUS_ORIGINS_MAX];
	uint8_t *plain;	 /* STORE_CHUNK_MAX octets of secret memory */
	uint8_t *sealed; /* STORE_LOG_SEALED_MAX octets */
};

void sync_log_key(const struct sync *s, uint64_t origin, char key[BUS_KEY_MAX]);
/* Work is to be done, in ms. */
void sync_schedule(struct sync *s, unsigned int ms);
/* The status' error, logged when it is another one; NULL: all is well. */
void sync_note(struct sync *s, const char *what, const char *why);

/* control/sync_write.c */
void sync_write(struct sync *s);
void sync_audit(struct sync *s);
void sync_repair(struct sync *s, uint64_t sequence);
void sync_write_reset(struct sync *s);

/* control/sync_read.c */
void sync_fetch(struct sync *s);
struct sync_peer *sync_find(struct sync *s, uint64_t origin);
void sync_gap(struct sync_peer *peer, uint64_t sequence);
void sync_read_reset(struct sync *s);

/* control/sync_apply.c: applies some of the queue. */
void sync_apply_some(struct sync *s);
void sync_drop_queue(struct sync *s);

#endif
