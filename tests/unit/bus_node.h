/* SPDX-License-Identifier: BSD-3-Clause */
/* A bus whose owner remembers what it was told, for unit tests. */
#ifndef TKMS_TESTS_BUS_NODE_H
#define TKMS_TESTS_BUS_NODE_H

#include "control/bus.h"

enum { BUS_NODE_TEXT = 64 };

struct bus_node {
	struct sealer *sealer;
	struct bus *bus;
	bool is_reachable;
	unsigned int caught_up, records, refused[BUS_REFUSALS];
	/* of the last record */
	enum bus_table table;
	uint64_t origin, version;
	char text[BUS_NODE_TEXT];
	/* waiting for */
	uint64_t want_version;
	unsigned int want_count;
	enum bus_refusal want_refusal;
};

struct bus_node_settings {
	const char *sentinels[4];
	unsigned int n_sentinels;
	const char *user, *password_file; /* NULL: none */
	uint64_t poll_ms;
	uint8_t kek; /* which one */
};

void bus_node_open(struct bus_node *n, struct event_base *base, uint64_t origin,
	const struct bus_node_settings *settings);
void bus_node_close(struct bus_node *n);

/* Conditions; arg is the node. */
bool bus_node_is_reachable(void *arg);
bool bus_node_is_lost(void *arg);
bool bus_node_is_caught_up(void *arg);
bool bus_node_has_version(void *arg);	/* want_version */
bool bus_node_has_refused(void *arg);	/* want_count of want_refusal, as the status counts */
bool bus_node_has_rewritten(void *arg); /* want_count */

#endif
