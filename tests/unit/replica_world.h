/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A replica set in one process with simulated time: nodes of control/replica.h, a store that keeps
 * one heartbeat of each, data planes that acknowledge after a while. Nothing in it is random but
 * what a test makes so.
 */
#ifndef TKMS_TESTS_REPLICA_WORLD_H
#define TKMS_TESTS_REPLICA_WORLD_H

#include "control/replica.h"

enum {
	WORLD_NODES_MAX = 8,
	WORLD_TICK_MS = 10,
	WORLD_STEP_MS = 60, /* between two looks of a node */
	WORLD_HEARTBEAT_MS = 250,
	WORLD_DEAD_MS = 1000,
	WORLD_LEAD_MS = 3000,
	WORLD_STALE_MS = 60000,
};

struct world_node {
	bool is_running, is_frozen, is_cut_off; /* from the store */
	bool is_dataplane_up;
	uint64_t dataplane_delay_ms; /* until it acknowledges */
	int64_t wall_offset_ms;
	uint64_t mono_offset_ms;
	struct replica r;
	struct heartbeat said;
	struct bus_status bus;
	uint64_t counter, read[WORLD_NODES_MAX], stepped_ms, sent_ms, acked_at_ms, acking;
	bool must_say;
};

struct world {
	uint64_t now_ms;
	unsigned int n;
	struct world_node node[WORLD_NODES_MAX];
	bool is_store_down;
	struct {
		bool is_there;
		uint64_t counter;
		struct heartbeat beat;
	} record[WORLD_NODES_MAX];
	unsigned int n_addresses;
	struct ipc_address addresses[IPC_ADDRESSES_MAX];
	/* Watched all the time: for how long an address had nobody who answers ARP for it, most. */
	uint64_t orphan_ms[IPC_ADDRESSES_MAX], longest_orphan_ms;
	/* The same for packets to its last holder, as of a client that has not heard of a move. */
	bool is_watching;
	uint64_t moves; /* of addresses from one holder to another */
	int holder[IPC_ADDRESSES_MAX];
};

/* n nodes, n4 and n6 addresses; nothing runs yet. Node i has origin 1000 * (i + 1) + i. */
struct world *world_new(unsigned int n, unsigned int n4, unsigned int n6);
void world_free(struct world *w);
uint64_t world_origin(unsigned int node);

/* A node with a serving data plane and an empty memory of the set. */
void world_start(struct world *w, unsigned int node);
/* Both of its processes end at once. */
void world_kill(struct world *w, unsigned int node);
void world_run(struct world *w, uint64_t ms);

/* Does its data plane answer ARP for the address; packets to it. */
bool world_holds(const struct world *w, unsigned int node, unsigned int address);
bool world_answers(const struct world *w, unsigned int node, unsigned int address);
unsigned int world_count(const struct world *w, unsigned int node);
/* The one node that holds it, -1: none, -2: several. */
int world_holder(const struct world *w, unsigned int address);
/* Every address has one holder. */
bool world_is_settled(const struct world *w);
/* From now on count moves and the longest time without a holder. */
void world_watch(struct world *w);

#endif
