/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <urcu-qsbr.h>

#include "common/crypto/secret.h"
#include "dataplane/log.h"

enum {
	POOL_CACHE = 256,
	ANNOUNCEMENTS = 1024,
	/* Idle: so many empty polls in a row with a pause each, then sleeps that double. */
	IDLE_SPINS = 64,
	IDLE_SLEEP_MIN_NS = 20000,
	IDLE_SLEEP_MAX_NS = 500000,
	IDLE_STEPS = IDLE_SPINS + 8, /* longest sleep from here on */
	TIMER_SLACK_NS = 5000,
};

static struct rte_mempool *pool_new(const struct worker_settings *s, unsigned int lcore)
{
	/* Descriptors of every port in both directions, what is at work, and what caches may hold
	 * back. */
	unsigned int n =
		s->n_ports * 2u * s->queue_size + 4 * WORKER_BURST + ANNOUNCEMENTS + 2 * POOL_CACHE;
	char name[32];

	snprintf(name, sizeof(name), "worker-%u", s->index);
	return rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0,
		(uint16_t)(s->buffer_size + RTE_PKTMBUF_HEADROOM),
		(int)rte_lcore_to_socket_id(lcore));
}

static int equip_network(struct worker *w)
{
	uint64_t secret[2];
	int err = secret_random(secret, sizeof(secret));

	if (err)
		return err;
	w->limiter = limiter_new(secret);
	w->reassembly = reassembly_new(secret);
	w->ids = calloc(1, sizeof(*w->ids));
	w->responses = aligned_alloc(RTE_CACHE_LINE_SIZE, WORKER_BURST * WORKER_RESPONSE_STRIDE);
	if (!w->limiter || !w->reassembly || !w->ids || !w->responses)
		return -ENOMEM;
	return identification_init(w->ids);
}

static int equip(struct worker *w, const struct worker_settings *s)
{
	char name[32];
	int err;

	w->crypto = crypto_open(s->crypto);
	if (!w->crypto)
		return -errno;
	w->engine = engine_new(w->crypto);
	if (!w->engine)
		return -errno;
	engine_set_admission(w->engine, worker_admit, w);
	err = equip_network(w);
	if (err)
		return err;
	w->pool = pool_new(s, w->lcore);
	if (!w->pool)
		return -rte_errno;
	snprintf(name, sizeof(name), "announce-%u", s->index);
	w->announcements = rte_ring_create(name, ANNOUNCEMENTS,
		(int)rte_lcore_to_socket_id(w->lcore), RING_F_SP_ENQ | RING_F_SC_DEQ);
	return w->announcements ? 0 : -rte_errno;
}

struct worker *worker_new(const struct worker_settings *s)
{
	unsigned int lcore = s->index + 1;
	struct worker *w = rte_zmalloc_socket(
		"worker", sizeof(*w), RTE_CACHE_LINE_SIZE, (int)rte_lcore_to_socket_id(lcore));
	int err;

	if (!w) {
		log_line(LOG_ERROR, "no memory for a worker",
			"worker=%u fix=\"more memory: EAL argument -m MIB\"", s->index);
		return NULL;
	}
	w->index = s->index;
	w->lcore = lcore;
	w->cpu = s->cpu;
	w->poll = s->poll;
	w->packet_max = s->buffer_size - NET_ETH_LEN - NET_VLAN_LEN;
	w->shared = s->shared;
	w->stop = s->stop;
	w->cycles_per_ms = rte_get_tsc_hz() / 1000;
	err = equip(w, s);
	if (err) {
		log_line(LOG_ERROR, "worker cannot be made",
			"worker=%u error=\"%s\" fix=\"more memory: EAL argument -m MIB, or ulimit "
			"-l unlimited\"",
			s->index, strerror(-err));
		worker_free(w);
		return NULL;
	}
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	rte_ring_free(w->announcements);
	rte_mempool_free(w->pool);
	limiter_free(w->limiter);
	reassembly_free(w->reassembly);
	free(w->ids);
	free(w->responses);
	if (w->engine)
		engine_free(w->engine);
	if (w->crypto)
		crypto_close(w->crypto);
	rte_free(w);
}

static void announce(struct worker *w)
{
	void *m;

	while (rte_ring_dequeue(w->announcements, &m) == 0) {
		const struct port *port = &w->ports[((struct rte_mbuf *)m)->port];

		w->burst.tx[0] = m;
		w->burst.n_tx = 1;
		worker_count(&w->stats.announcements, 1);
		worker_transmit(w, port);
	}
}

/* A sleeping reader must not hold up a grace period. */
static void idle_sleep(uint64_t ns)
{
	struct timespec pause = {.tv_nsec = (long)ns};

	rcu_thread_offline();
	nanosleep(&pause, NULL);
	rcu_thread_online();
}

/* empty: polls in a row that brought nothing, at most IDLE_STEPS. */
static void idle(struct worker *w, unsigned int empty)
{
	uint64_t ns;

	if (w->poll == OPTIONS_POLL_BUSY || empty < IDLE_SPINS)
		return rte_pause();
	if (empty == IDLE_SPINS)
		crypto_wipe_scratch(w->crypto);
	ns = (uint64_t)IDLE_SLEEP_MIN_NS << (empty - IDLE_SPINS);
	idle_sleep(ns < IDLE_SLEEP_MAX_NS ? ns : IDLE_SLEEP_MAX_NS);
}

/* Polls every port once. Returns the number of frames. */
static unsigned int turn(struct worker *w)
{
	unsigned int total = 0;

	for (unsigned int p = 0; p < w->n_ports; p++) {
		const struct port *port = &w->ports[p];
		uint64_t begin = rte_rdtsc();
		unsigned int n =
			rte_eth_rx_burst(port->id, (uint16_t)w->index, w->burst.rx, WORKER_BURST);

		if (n == 0)
			continue;
		worker_burst(w, port, n);
		worker_count(&w->stats.busy_cycles, rte_rdtsc() - begin);
		total += n;
	}
	return total;
}

/* Also without traffic: operators see that a snapshot has arrived everywhere. */
static void note_epoch(struct worker *w)
{
	const struct snapshot *s = rcu_dereference(w->shared->snapshot);
	uint64_t epoch = s ? s->epoch : 0;

	if (epoch != w->stats.epoch)
		__atomic_store_n(&w->stats.epoch, epoch, __ATOMIC_RELAXED);
}

int worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned int empty = 0;

	/* Otherwise the kernel rounds short sleeps up to 50 us more. */
	if (prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS) < 0)
		log_line(LOG_WARNING, "timer slack stays as it is", "worker=%u error=\"%s\"",
			w->index, strerror(errno));
	rcu_register_thread();
	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
		if (turn(w) > 0) {
			empty = 0;
		} else {
			empty += empty < IDLE_STEPS;
			idle(w, empty);
		}
		if (reassembly_busy(w->reassembly))
			worker_settle(w, worker_now_ms(w));
		if (!rte_ring_empty(w->announcements))
			announce(w);
		note_epoch(w);
		worker_count(&w->stats.turns, 1);
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	crypto_wipe_scratch(w->crypto);
	return 0;
}
