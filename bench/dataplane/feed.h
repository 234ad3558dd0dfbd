/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least of a control process: gives a data plane that connects the keyring, policy, subscribers
 * and address of a workload. One thread.
 */
#ifndef TKMS_BENCH_DATAPLANE_FEED_H
#define TKMS_BENCH_DATAPLANE_FEED_H

#include <stdint.h>

#include "bench/engine/workload.h"

struct feed {
	const struct workload *workload;
	int listener;
	int sock; /* -1: not connected */
	uint64_t seq;
	uint64_t epoch;
	uint8_t address[4]; /* IPv4 */
	uint16_t port;
};

/* Listens at path. 0 or -errno. */
int feed_open(struct feed *f, const struct workload *w, const char *path, const uint8_t address[4],
	uint16_t port);
void feed_close(struct feed *f);

/* Waits for the data plane to connect. 0 or -errno (-ETIMEDOUT: not yet). */
int feed_accept(struct feed *f, unsigned int timeout_ms);

/* Gives it everything, and waits until it serves it. 0 or -errno (-ETIMEDOUT). */
int feed_serve(struct feed *f, unsigned int timeout_ms);

/* A new sealing key becomes active; the workload's stays good for resolving. Does not wait. 0 or
 * -errno. */
int feed_rotate(struct feed *f);

/* Reads what the data plane says, so that it can go on talking. 0 or -errno: also of what it
 * refused. */
int feed_drain(struct feed *f);

#endif
