/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bus: sealed records in Redis, through which the nodes of a replica set tell each other what
 * they know. Redis may deny service; it can neither read, forge nor exchange records, and what is
 * older than what was seen before is refused.
 *
 * A node is known by its origin: a random number that its store got when it was made, never reused
 * (a node that is set up again under its old name is another origin). A record of a table has one
 * writer, the origin whose number is its name, so there is nothing to lock and nothing to be lost
 * when Redis forgets a write: the writer sees that its record is gone or old and writes it again.
 *
 *   hash PREFIX:TABLE, field ORIGIN (16 hex digits), value: u64 version (big-endian) | record
 *   record: sealed (control/seal.h) with type "bus TABLE", name ORIGIN, version
 *
 * A notice (PUBLISH PREFIX:notice "TABLE ORIGIN") follows every write; tables are polled as well.
 * One thread, the event loop's; nothing blocks. What is told to an owner may use the bus, but not
 * free it.
 */
#ifndef TKMS_CONTROL_BUS_H
#define TKMS_CONTROL_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/reason.h"
#include "control/seal.h"

struct event_base;
struct bus;
struct primary;

enum bus_table {
	BUS_NODES,    /* heartbeats: control/heartbeat.h */
	BUS_KEYRINGS, /* each node's keyring document: control/keys.h */
	BUS_LOGS,     /* which chunks of a node's log there are: control/sync.h */
	BUS_TABLES,
};

enum { BUS_KEY_MAX = 160, BUS_ORIGIN_TEXT = 17 };
enum { BUS_RECORD_MAX = 256 * 1024, BUS_ORIGINS_MAX = 256, BUS_SLOW_POLLS = 4 };

struct bus_settings {
	const char *const *sentinels; /* HOST:PORT; 0 of them: no bus */
	unsigned int n_sentinels;
	const char *primary;	   /* its name as the Sentinels know it */
	const char *user;	   /* ACL user, "": the default user */
	const char *password_file; /* "": none */
	const char *prefix;
	uint64_t poll_ms; /* of BUS_NODES; the other tables are read every BUS_SLOW_POLLS-th time */
};

enum bus_refusal {
	BUS_FORGED,	 /* cannot be opened: tampered, exchanged, truncated */
	BUS_ROLLED_BACK, /* older than what was seen of this origin */
	BUS_OTHER_KEK,	 /* sealed under a KEK that this node does not have */
	BUS_REFUSALS,
};

struct bus_owner {
	void *arg;
	/*
	 * A record of another origin that is newer than the last one that was told. It is opened
	 * and its version was checked; plain is wiped after the call. Returns 0, or -EBADMSG when
	 * it cannot be decoded (counted as forged).
	 */
	int (*record)(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
		const void *plain, size_t len);
	/* Something was refused (told once per table, origin and kind until it is right again). */
	void (*refused)(void *arg, enum bus_table table, uint64_t origin, enum bus_refusal why);
	/* The primary was reached or lost. */
	void (*reachable)(void *arg, bool is_reachable);
	/* The first complete reading of all tables since the primary was reached has ended. */
	void (*caught_up)(void *arg);
	/* A notice that names no table (anybody may have sent it); a text of len octets. */
	void (*notice)(void *arg, const char *text, size_t len);
};

/* Copies all it is given (the password file is read at each connect). The sealer stays the
 * caller's. NULL with the reason. */
struct bus *bus_new(struct event_base *base, struct sealer *sealer, uint64_t origin,
	const struct bus_settings *settings, const struct bus_owner *owner, struct reason *why);
void bus_free(struct bus *b);

/*
 * Sets this node's record of a table: kept in secret memory, written now if the primary can be
 * reached and as often as it is needed from then on. version must be larger than the last. 0,
 * -EINVAL, -ENOMEM.
 */
int bus_put(struct bus *b, enum bus_table table, uint64_t version, const void *plain, size_t len);
/* Takes away the record of an origin that is no more (node forget). */
void bus_forget(struct bus *b, uint64_t origin);
/* Nothing of this origin that is older than version is taken from now on (what a store knows from
 * before a restart). */
void bus_set_floor(struct bus *b, enum bus_table table, uint64_t origin, uint64_t version);
/* For what is no table: commands of one's own, and the name PREFIX:a[:b] (b may be NULL). */
struct primary *bus_primary(struct bus *b);
void bus_key(const struct bus *b, const char *first, const char *second, char out[BUS_KEY_MAX]);
/* Publishes a notice, as far as the primary can be reached. */
void bus_publish(struct bus *b, const char *text);

/* The KEK has changed: own records are sealed again under the new sealer; records under previous
 * (NULL: none) are still opened. */
void bus_set_sealers(struct bus *b, struct sealer *sealer, struct sealer *previous);

struct bus_status {
	bool is_configured;
	bool is_reachable; /* connected to a server that says it is the primary */
	char primary[64];  /* ADDRESS:PORT, "": none */
	char error[320];   /* why it is not reachable or does not take writes, "": all is well */
	unsigned int sentinels;	      /* that answer */
	uint64_t since_ms;	      /* monotonic: when is_reachable last changed */
	uint64_t polled_ms;	      /* monotonic: last complete reading of all tables */
	uint64_t read_ms[BUS_TABLES]; /* monotonic: of each */
	/* monotonic: when the primary last confirmed a write of the own record */
	uint64_t written_ms[BUS_TABLES];
	/* Newest version of the own record that was ever found there: larger than the last put
	 * means that this node has gone back (its store is a backup). */
	uint64_t own_seen[BUS_TABLES];
	uint64_t reconnects, writes, rewrites, timeouts;
	uint64_t refused[BUS_REFUSALS];
};
const struct bus_status *bus_status(const struct bus *b);

const char *bus_table_name(enum bus_table table);
const char *bus_refusal_name(enum bus_refusal why);
void bus_origin_text(uint64_t origin, char text[BUS_ORIGIN_TEXT]);
/* 16 lower-case hex digits. 0, -EINVAL. */
int bus_origin_parse(const char *text, size_t len, uint64_t *origin);

#endif
