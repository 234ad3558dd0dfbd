/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one thread on one CPU with a queue of its own on every port. It owns all it touches;
 * what others read or write is said at the field.
 */
#ifndef TKMS_DATAPLANE_WORKER_H
#define TKMS_DATAPLANE_WORKER_H

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/net/limiter.h"
#include "dataplane/options.h"
#include "dataplane/port.h"
#include "dataplane/snapshot.h"

enum { WORKER_BURST = ENGINE_BATCH_MAX };

/* Counters. Written by the worker, read by the main thread at any time (relaxed). */
struct worker_stats {
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t bursts;	/* polls that brought frames */
	uint64_t messages;	/* handed to the engine */
	uint64_t announcements; /* frames sent to announce addresses */
	uint64_t busy_cycles;	/* time spent on bursts, TSC */
	uint64_t epoch;		/* of the snapshot in use */
} __rte_cache_aligned;

struct worker {
	/* Set by the main thread before the start, only read then. */
	unsigned int index; /* queue number */
	unsigned int lcore;
	uint16_t cpu;
	enum options_poll poll;
	unsigned int n_ports;
	const struct port *ports;
	const struct shared *shared;
	const unsigned int *stop; /* main thread sets it */
	struct engine *engine;
	struct crypto *crypto;
	struct limiter *limiter;
	struct rte_mempool *pool;
	struct rte_ring *announcements; /* mbufs, their port an index of ports; main thread puts */
	uint64_t cycles_per_ms;

	/* The worker's own. */
	struct {
		struct rte_mbuf *rx[WORKER_BURST];
		struct rte_mbuf *tx[WORKER_BURST];
		struct rte_mbuf *responses[WORKER_BURST];
		struct net_flow flows[WORKER_BURST];
		struct engine_msg messages[WORKER_BURST];
		unsigned int n_tx;
		unsigned int n_messages;
		uint16_t ip_id;
	} burst __rte_cache_aligned;

	struct worker_stats stats;
} __rte_cache_aligned;

struct worker_settings {
	unsigned int index;
	uint16_t cpu;
	enum options_poll poll;
	const char *crypto;
	uint16_t queue_size;
	unsigned int n_ports; /* that the buffers have to suffice for */
	uint32_t buffer_size; /* packet octets of one buffer */
	const struct shared *shared;
	const unsigned int *stop;
};

/* Makes a worker with all it needs. Main thread. NULL when something is missing, logged. */
struct worker *worker_new(const struct worker_settings *settings);
/* The worker has ended, or never ran. */
void worker_free(struct worker *w);

/* The thread's function (of type lcore_function_t): runs until *stop. */
int worker_run(void *worker);

/* Handles what a poll of one port brought: n <= WORKER_BURST frames in w->burst.rx, which it frees.
 */
void worker_burst(struct worker *w, const struct port *port, unsigned int n);

/* Sends w->burst.tx on the port and frees what does not go. */
void worker_transmit(struct worker *w, const struct port *port);

static inline void worker_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

#endif
