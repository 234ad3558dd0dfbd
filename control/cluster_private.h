/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/cluster*.c. */
#ifndef TKMS_CONTROL_CLUSTER_PRIVATE_H
#define TKMS_CONTROL_CLUSTER_PRIVATE_H

#include "control/cluster.h"
#include "control/cluster_state.h"
#include "control/replica.h"

struct event;

/* What was said of a member last. */
struct logged_member {
	uint64_t origin;
	bool is_alive, is_draining, is_clock_off;
	char name[HEARTBEAT_NAME_MAX + 1];
};

struct cluster {
	struct cluster_owner owner;
	struct cluster_bus bus; /* put NULL: alone */
	struct replica replica;
	struct cluster_status status;
	char name[HEARTBEAT_NAME_MAX + 1];
	char program_version[HEARTBEAT_VERSION_MAX + 1];
	uint32_t roles;
	uint64_t heartbeat_ms;
	struct event *ev_tick, *ev_wake;
	uint64_t counter, sent_ms, saved_ms;
	bool must_say, must_save, has_changed;
	int save_error, send_error; /* logged when they change */
	char *state_path;
	struct cluster_state state;
	struct heartbeat said, heard; /* scratch */
	uint8_t *buffer;
	struct {
		struct cluster_status status;
		uint64_t version; /* of the addresses */
		unsigned int n;
		struct logged_member *members;
	} logged;
};

/* Says what has changed since it was called last. */
void cluster_log(struct cluster *c);
void cluster_log_clear(struct cluster *c);

#endif
