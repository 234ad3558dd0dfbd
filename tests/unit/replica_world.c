/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/replica_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCH_MS = 1000000, WALL_MS = 40000000 };

uint64_t world_origin(unsigned int node)
{
	return 1000 * (node + 1) + node;
}

struct world *world_new(unsigned int n, unsigned int n4, unsigned int n6)
{
	struct world *w = calloc(1, sizeof(*w));

	cr_assert(w);
	w->now_ms = EPOCH_MS;
	w->n = n;
	w->n_addresses = n4 + n6;
	for (unsigned int a = 0; a < w->n_addresses; a++) {
		w->addresses[a] = (struct ipc_address){.family = a < n4 ? 4 : 6, .port = 2269};
		w->addresses[a].octets[0] = a < n4 ? 10 : 0xfd;
		w->addresses[a].octets[a < n4 ? 3 : 15] = (uint8_t)(a + 1);
	}
	return w;
}

void world_free(struct world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		replica_clear(&w->node[i].r);
	free(w);
}

static uint64_t mono(const struct world *w, const struct world_node *node)
{
	return w->now_ms + node->mono_offset_ms;
}

void world_start(struct world *w, unsigned int i)
{
	static const struct replica_settings settings = {
		.membership = {WORLD_HEARTBEAT_MS, WORLD_DEAD_MS, 30000},
		.max_staleness_ms = WORLD_STALE_MS,
		.lead_ms = WORLD_LEAD_MS};
	struct world_node *node = &w->node[i];
	uint64_t counter = node->counter;
	int64_t wall = node->wall_offset_ms;
	bool cut_off = node->is_cut_off;

	replica_clear(&node->r);
	*node = (struct world_node){.is_running = true,
		.is_dataplane_up = true,
		.is_cut_off = cut_off,
		.dataplane_delay_ms = 30,
		.counter = counter,
		.wall_offset_ms = wall,
		.mono_offset_ms = 7919 * i};
	snprintf(node->said.name, sizeof(node->said.name), "node%u", i + 1);
	node->said.is_in_sync = true;
	node->said.roles = ROLE_REQUEST | ROLE_RESOLVE;
	cr_assert_eq(replica_init(&node->r, world_origin(i), &settings, mono(w, node)), 0);
	replica_set_addresses(&node->r, w->addresses, w->n_addresses);
}

void world_kill(struct world *w, unsigned int i)
{
	w->node[i].is_running = false;
}

static void read_store(struct world *w, unsigned int i)
{
	struct world_node *node = &w->node[i];

	for (unsigned int j = 0; j < w->n; j++) {
		if (j == i || !w->record[j].is_there || node->read[j] == w->record[j].counter)
			continue;
		node->read[j] = w->record[j].counter;
		node->must_say |=
			replica_record(&node->r, world_origin(j), w->record[j].counter,
				&w->record[j].beat, mono(w, node),
				(int64_t)(WALL_MS + w->now_ms) + node->wall_offset_ms) != 0;
	}
	node->bus.read_ms[BUS_NODES] = mono(w, node);
	replica_caught_up(&node->r, mono(w, node));
}

static void write_store(struct world *w, unsigned int i)
{
	struct world_node *node = &w->node[i];
	struct heartbeat *beat = &membership_self(&node->r.membership)->beat;

	node->sent_ms = w->now_ms;
	if (!node->bus.is_reachable)
		return;
	beat->time_ms = (int64_t)(WALL_MS + w->now_ms) + node->wall_offset_ms;
	w->record[i].is_there = true;
	w->record[i].counter = ++node->counter;
	w->record[i].beat = *beat;
	node->bus.written_ms[BUS_NODES] = mono(w, node);
}

static void run_dataplane(struct world *w, struct world_node *node)
{
	if (node->is_dataplane_up && node->acking != node->r.version) {
		node->acking = node->r.version;
		node->acked_at_ms = w->now_ms + node->dataplane_delay_ms;
	}
	if (!node->is_dataplane_up)
		node->r.acknowledged = 0;
	else if (w->now_ms >= node->acked_at_ms && node->r.acknowledged != node->acking)
		node->r.acknowledged = node->acking;
	node->said.is_serving = node->is_dataplane_up && node->r.acknowledged;
}

static void run_node(struct world *w, unsigned int i)
{
	struct world_node *node = &w->node[i];
	int change;

	node->bus.is_reachable = !w->is_store_down && !node->is_cut_off;
	if (node->bus.is_reachable)
		read_store(w, i);
	run_dataplane(w, node);
	if (w->now_ms - node->stepped_ms < WORLD_STEP_MS && !node->must_say)
		return;
	node->stepped_ms = w->now_ms;
	node->must_say = false;
	change = replica_step(&node->r, &node->said, &node->bus, mono(w, node));
	if ((change & REPLICA_SAYS) || w->now_ms - node->sent_ms >= WORLD_HEARTBEAT_MS)
		write_store(w, i);
}

static const struct holding *find(const struct world_node *node, const struct ipc_address *address)
{
	for (unsigned int i = 0; i < node->r.holdings.n; i++) {
		const struct holding *h = &node->r.holdings.holding[i];

		if (h->address.family == address->family &&
			memcmp(h->address.octets, address->octets, sizeof(address->octets)) == 0)
			return h;
	}
	return NULL;
}

static bool is_up(const struct world_node *node)
{
	return node->is_running && !node->is_frozen && node->is_dataplane_up;
}

bool world_holds(const struct world *w, unsigned int i, unsigned int a)
{
	const struct world_node *node = &w->node[i];
	const struct holding *h = find(node, &w->addresses[a]);

	return is_up(node) && h && h->state == HOLDING_CLAIMED && h->since &&
	       node->r.acknowledged >= h->since;
}

bool world_answers(const struct world *w, unsigned int i, unsigned int a)
{
	const struct world_node *node = &w->node[i];

	return is_up(node) && find(node, &w->addresses[a]);
}

unsigned int world_count(const struct world *w, unsigned int i)
{
	unsigned int n = 0;

	for (unsigned int a = 0; a < w->n_addresses; a++)
		n += world_holds(w, i, a);
	return n;
}

int world_holder(const struct world *w, unsigned int a)
{
	int holder = -1;

	for (unsigned int i = 0; i < w->n; i++) {
		if (world_holds(w, i, a))
			holder = holder == -1 ? (int)i : -2;
	}
	return holder;
}

bool world_is_settled(const struct world *w)
{
	for (unsigned int a = 0; a < w->n_addresses; a++) {
		if (world_holder(w, a) < 0)
			return false;
	}
	return true;
}

void world_watch(struct world *w)
{
	w->is_watching = true;
	w->moves = w->longest_orphan_ms = 0;
	for (unsigned int a = 0; a < w->n_addresses; a++) {
		w->holder[a] = world_holder(w, a);
		w->orphan_ms[a] = 0;
	}
}

static void watch(struct world *w)
{
	for (unsigned int a = 0; w->is_watching && a < w->n_addresses; a++) {
		int holder = world_holder(w, a);

		w->orphan_ms[a] = holder == -1 ? w->orphan_ms[a] + WORLD_TICK_MS : 0;
		if (w->orphan_ms[a] > w->longest_orphan_ms)
			w->longest_orphan_ms = w->orphan_ms[a];
		if (holder < 0)
			continue;
		w->moves += holder != w->holder[a];
		w->holder[a] = holder;
	}
}

void world_run(struct world *w, uint64_t ms)
{
	for (uint64_t end = w->now_ms + ms; w->now_ms < end;) {
		w->now_ms += WORLD_TICK_MS;
		for (unsigned int i = 0; i < w->n; i++) {
			/* not all at the same time */
			if (w->node[i].is_running && !w->node[i].is_frozen)
				run_node(w, i);
		}
		watch(w);
	}
}
