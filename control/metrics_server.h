/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP endpoint for Prometheus: one GET /metrics a connection and nothing else, on an address
 * of the configuration (metrics.listen). It is our own and not libevent's HTTP server, because that
 * bounds neither how many connections there are nor how long one may take, and this process has
 * better things to do with its descriptors.
 *
 * Serving subscribers never depends on it: when the address cannot be had it is tried again. One
 * thread, the event loop's.
 */
#ifndef TKMS_CONTROL_METRICS_SERVER_H
#define TKMS_CONTROL_METRICS_SERVER_H

#include "control/reason.h"

struct control;
struct metrics_server;

/* Is text an ADDRESS:PORT to listen on: 0 or -EINVAL. */
int metrics_listen_check(const char *text);

/* NULL with *why when there is no memory. Reads c while it runs. */
struct metrics_server *metrics_server_new(
	struct control *c, const char *listen, struct reason *why);
void metrics_server_free(struct metrics_server *m);

#endif
