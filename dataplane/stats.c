/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stats.h"

#include <stdio.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

static_assert(
	VERDICT_COUNT + 9 <= IPC_COUNTERS_MAX, "every verdict and the ports' counters must fit");

static uint64_t read_counter(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_counter(struct ipc_stats *r, const char *name, uint64_t value)
{
	struct ipc_counter *c = &r->counters[r->n_counters++];

	snprintf(c->name, sizeof(c->name), "%s", name);
	c->value = value;
}

static void collect_verdicts(struct ipc_stats *r, struct worker *const *workers, unsigned int n)
{
	for (unsigned int v = VERDICT_PENDING + 1; v < VERDICT_COUNT; v++) {
		uint64_t sum = 0;

		for (unsigned int i = 0; i < n; i++)
			sum += read_counter(&workers[i]->stats.verdicts[v]);
		add_counter(r, verdict_info((enum verdict)v)->name, sum);
	}
}

static void collect_ports(struct ipc_stats *r, struct worker *const *workers, unsigned int n)
{
	struct rte_eth_stats sum = {0};
	uint64_t announcements = 0;

	for (unsigned int p = 0; p < workers[0]->n_ports; p++) {
		struct rte_eth_stats one;

		if (rte_eth_stats_get(workers[0]->ports[p].id, &one) < 0)
			continue; /* the port keeps none */
		sum.ipackets += one.ipackets;
		sum.opackets += one.opackets;
		sum.imissed += one.imissed;
		sum.ierrors += one.ierrors;
		sum.oerrors += one.oerrors;
		sum.rx_nombuf += one.rx_nombuf;
	}
	for (unsigned int i = 0; i < n; i++)
		announcements += read_counter(&workers[i]->stats.announcements);
	add_counter(r, "port_rx_frames", sum.ipackets);
	add_counter(r, "port_tx_frames", sum.opackets);
	add_counter(r, "port_rx_missed", sum.imissed);
	add_counter(r, "port_rx_errors", sum.ierrors);
	add_counter(r, "port_rx_no_buffer", sum.rx_nombuf);
	add_counter(r, "port_tx_errors", sum.oerrors);
	add_counter(r, "announcements_sent", announcements);
}

static void collect_worker(
	struct stats *s, struct ipc_worker *out, const struct worker *w, uint64_t passed)
{
	uint64_t busy = read_counter(&w->stats.busy_cycles);
	uint64_t since = busy - s->busy_cycles[w->index];

	s->busy_cycles[w->index] = busy;
	*out = (struct ipc_worker){
		.cpu = w->cpu,
		.epoch = read_counter(&w->stats.epoch),
		.bursts = read_counter(&w->stats.bursts),
		.messages = read_counter(&w->stats.messages),
		.busy_permille =
			passed ? (uint32_t)(since >= passed ? 1000 : since * 1000 / passed) : 0,
	};
}

/* Once may be a machine that is too busy. */
static void collect_stuck(struct stats *s, struct worker *const *workers, unsigned int n)
{
	unsigned int stuck = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t turns = read_counter(&workers[i]->stats.turns);

		s->still[i] = turns == s->turns[i] ? s->still[i] + 1 : 0;
		s->turns[i] = turns;
		stuck += s->still[i] >= STATS_STILL;
	}
	add_counter(&s->report, IPC_WORKERS_STUCK, stuck);
}

static struct key_counters_list counters_of(struct worker *const *workers, unsigned int n,
	const struct key_counters *list[OPTIONS_WORKERS_MAX])
{
	for (unsigned int i = 0; i < n; i++)
		list[i] = &workers[i]->keys;
	return (struct key_counters_list){list, n};
}

void stats_assign_keys(struct stats *s, struct worker *const *workers, unsigned int n_workers,
	struct keyring *ring)
{
	const struct key_counters *list[OPTIONS_WORKERS_MAX];
	const struct key_counters_list counters = counters_of(workers, n_workers, list);

	key_counts_assign(&s->keys, ring, &counters);
}

void stats_collect(struct stats *s, struct worker *const *workers, unsigned int n_workers,
	const struct shared *shared)
{
	const struct key_counters *list[OPTIONS_WORKERS_MAX];
	const struct key_counters_list counters = counters_of(workers, n_workers, list);
	struct ipc_stats *r = &s->report;
	uint64_t now = rte_rdtsc();
	uint64_t passed = s->collected_at ? now - s->collected_at : 0;

	s->collected_at = now;
	r->epoch = shared->snapshot ? shared->snapshot->epoch : 0;
	r->subscribers = shared->subscribers ? subscriber_table_count(shared->subscribers) : 0;
	r->n_counters = 0;
	collect_verdicts(r, workers, n_workers);
	collect_ports(r, workers, n_workers);
	collect_stuck(s, workers, n_workers);
	add_counter(r, IPC_CUT_OFF, s->is_cut_off);
	key_counts_report(&s->keys, &counters, r);
	r->n_workers = n_workers;
	for (unsigned int i = 0; i < n_workers; i++)
		collect_worker(s, &r->workers[i], workers[i], passed);
}
