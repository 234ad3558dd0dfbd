/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/bus*.c. */
#ifndef TKMS_CONTROL_BUS_PRIVATE_H
#define TKMS_CONTROL_BUS_PRIVATE_H

#include <event2/event.h>

#include "control/bus.h"
#include "control/primary.h"

enum {
	BUS_VALUE_MAX = 8 + BUS_RECORD_MAX + SEAL_OVERHEAD,
	BUS_BATCH = 16, /* records asked for at once: what REDIS_REPLY_MAX allows */
};

/* What was last taken of another origin. */
struct bus_seen {
	uint64_t origin, version; /* older ones are refused */
	uint8_t *value;		  /* as it stood in Redis, NULL: none yet (version is a floor) */
	size_t len;
	bool is_told_refused[BUS_REFUSALS];
};

/* This node's record. */
struct bus_own {
	bool is_set;
	uint8_t *plain; /* secret memory of size octets */
	size_t size, len;
	uint64_t version;
	uint8_t *value; /* as it was last written */
	size_t value_len;
	bool is_writing, is_due;
};

struct bus_table_state {
	struct bus *bus;
	enum bus_table table;
	char key[BUS_KEY_MAX];
	struct bus_own own;
	struct bus_seen seen[BUS_ORIGINS_MAX];
	unsigned int n_seen;
	bool is_polling;
	uint64_t poll[BUS_ORIGINS_MAX]; /* origins of the poll under way */
	unsigned int n_poll, polled;
	bool is_read;			  /* completely, since the primary was reached */
	uint64_t wanted[BUS_ORIGINS_MAX]; /* that a notice has named */
	unsigned int n_wanted;
	bool is_fetching;
};

struct bus {
	struct sealer *sealer, *previous;
	uint64_t origin;
	char origin_text[BUS_ORIGIN_TEXT];
	char prefix[64], channel[BUS_KEY_MAX];
	struct bus_owner owner;
	struct primary *primary;
	struct event *tick;
	struct bus_status status;
	char write_error[256], read_error[256]; /* what Redis says to writing and reading */
	struct bus_table_state tables[BUS_TABLES];
	uint64_t forgotten[BUS_ORIGINS_MAX];
	unsigned int n_forgotten;
	unsigned int ticks;
	uint64_t taken_ms[BUS_TABLES];
	bool is_caught_up;
	uint8_t *plain; /* scratch, BUS_RECORD_MAX octets of secret memory */
};

struct seal_name bus_seal_name(
	const struct bus_table_state *t, const char *origin, uint64_t version, char type[32]);

void bus_refresh_status(struct bus *b);

/* Reading (control/bus_read.c). */
void bus_poll(struct bus_table_state *t);
void bus_fetch_wanted(struct bus_table_state *t);
void bus_want(struct bus_table_state *t, uint64_t origin);
void bus_seen_free(struct bus_table_state *t);
bool bus_is_forgotten(const struct bus *b, uint64_t origin);
struct bus_seen *bus_find(struct bus_table_state *t, uint64_t origin);
struct bus_seen *bus_add(struct bus_table_state *t, uint64_t origin); /* NULL: too many */

/* Writing (control/bus_write.c). */
void bus_write(struct bus_table_state *t);
/* What stands in Redis as the own record (NIL: nothing). */
void bus_check_own(struct bus_table_state *t, const struct redis_value *v);

#endif
