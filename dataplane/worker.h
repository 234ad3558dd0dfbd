/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one thread on one CPU with a queue of its own on every port. It owns all it touches;
 * what others read or write is said at the field.
 */
#ifndef TKMS_DATAPLANE_WORKER_H
#define TKMS_DATAPLANE_WORKER_H

#include <stdint.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/key_counts.h"
#include "dataplane/net/identification.h"
#include "dataplane/net/limiter.h"
#include "dataplane/net/reassembly.h"
#include "dataplane/options.h"
#include "dataplane/port.h"
#include "dataplane/snapshot.h"

enum {
	WORKER_BURST = ENGINE_BATCH_MAX,
	WORKER_TX = 2 * WORKER_BURST, /* frames that are sent at a time */
	/* The longest answer: what was asked, and a ticket's keys twice. */
	WORKER_RESPONSE_MAX = POLICY_MESSAGE_MAX + 8192,
	/* An odd number of cache lines: answers' beginnings spread over the cache. */
	WORKER_RESPONSE_STRIDE = WORKER_RESPONSE_MAX + 3 * RTE_CACHE_LINE_SIZE,
	WORKER_RESPONSE_OFFSET = RTE_CACHE_LINE_SIZE, /* in front of it: a UDP header */
	WORKER_FRAGMENTS_MAX = 64, /* packets of one answer: at least 576 octets each */
};

/* Counters. Written by the worker, read by the main thread at any time (relaxed). */
struct worker_stats {
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t bursts;	/* polls that brought frames */
	uint64_t messages;	/* handed to the engine */
	uint64_t announcements; /* frames sent to announce addresses */
	uint64_t busy_cycles;	/* time spent on bursts, TSC */
	uint64_t epoch;		/* of the snapshot in use */
	uint64_t turns;		/* of the loop: stands still when the worker does */
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
	struct reassembly *reassembly;
	struct identification *ids;
	uint8_t *responses; /* room for one to each message of a burst */
	struct rte_mempool *pool;
	uint32_t packet_max;		/* longest IP packet that a buffer holds */
	struct rte_ring *announcements; /* mbufs, their port an index of ports; main thread puts */
	uint64_t cycles_per_ms;

	/* The worker's own. */
	struct {
		struct rte_mbuf *rx[WORKER_BURST];
		struct rte_mbuf *tx[WORKER_TX];
		struct net_flow flows[WORKER_BURST];
		struct engine_msg messages[WORKER_BURST];
		unsigned int n_tx;
		unsigned int n_messages;
		uint64_t now_ms;
		const struct snapshot *snapshot;
	} burst __rte_cache_aligned;

	struct worker_stats stats;
	struct key_counters keys;
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

/* Work that has to be done without traffic too: gives up fragments that are too old. */
void worker_settle(struct worker *w, uint64_t now_ms);

/* Asked by the engine (engine_admit_fn); arg is the worker. */
enum verdict worker_admit(void *arg, const struct subscriber *sender, const uint8_t *mac);

/* Sends w->burst.tx on the port and frees what does not go. */
void worker_transmit(struct worker *w, const struct port *port);

static inline uint64_t worker_now_ms(const struct worker *w)
{
	return rte_rdtsc() / w->cycles_per_ms;
}

static inline void worker_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void worker_verdict(struct worker *w, unsigned int verdict)
{
	worker_count(&w->stats.verdicts[verdict], 1);
}

#endif
