/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker process: an event loop over HTTP connections and UDP sockets. */
#ifndef TKMS_HTTP_WORKER_H
#define TKMS_HTTP_WORKER_H

#include <signal.h>

#include "dataplane/http/config.h"
#include "dataplane/http/limiter.h"
#include "dataplane/http/metrics.h"

struct worker_config {
	const struct http_config *settings;
	unsigned int number;   /* 0.. */
	const int *listen_fds; /* one per listening address */
	struct limiter *limiter;
	struct metrics *metrics;
	uint64_t key[2]; /* random, the same for all workers: they share the limits */
};

/*
 * Serves until SIGTERM or SIGINT (which are blocked when this is called) and what was in flight is
 * answered. Returns the exit status of the process.
 */
int worker_run(const struct worker_config *config);

#endif
