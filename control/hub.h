/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This node's part in a replica set: one bus, and the modules that read and write its tables
 * (cluster, keyring, subscribers). A single node has none. One thread, the event loop's.
 */
#ifndef TKMS_CONTROL_HUB_H
#define TKMS_CONTROL_HUB_H

#include <jansson.h>

#include "control/bus.h"

struct control;
struct hub;

enum { HUB_MODULES_MAX = 8 };

/*
 * What a module wants to be told: the calls of struct bus_owner, NULL for those it does not care
 * for. Modules are told in the order in which they were attached. A record is told to every module
 * whose bit 1 << table is set; one that says -EBADMSG makes it a forged one.
 */
struct hub_module {
	void *arg;
	unsigned int tables;
	int (*record)(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
		const void *plain, size_t len);
	void (*refused)(void *arg, enum bus_table table, uint64_t origin, enum bus_refusal why);
	void (*reachable)(void *arg, bool is_reachable);
	void (*caught_up)(void *arg);
	void (*notice)(void *arg, const char *text, size_t len);
};

/*
 * With settings that name Sentinels: begins to look for the primary; nothing is told before the
 * event loop runs. Without: 0 and *out NULL. 0, or -errno and the reason.
 */
int hub_open(struct control *c, struct hub **out, struct reason *why);
/* Copies the module, before the event loop runs. 0, -ENOSPC. */
int hub_attach(struct hub *h, const struct hub_module *module);
/* The bus is gone after this: close modules afterwards, they must not use it any more. */
void hub_close(struct hub *h);

/* NULL for a single node (h NULL). */
struct bus *hub_bus(struct hub *h);

/* "sync" of the status. */
json_t *hub_status(struct hub *h, uint64_t origin);

#endif
