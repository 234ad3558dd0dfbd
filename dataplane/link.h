/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection to tkms-control: connects, says HELLO, hands on what comes, acknowledges it,
 * reports statistics. It reconnects for ever; what is served does not depend on it. Main thread;
 * blocks for a moment at most.
 */
#ifndef TKMS_DATAPLANE_LINK_H
#define TKMS_DATAPLANE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/ipc.h"

/* What is done with messages. Buffers are wiped after the call. Return 0 or -errno: the status of
 * the acknowledgement. */
struct link_handlers {
	void *arg;
	int (*snapshot)(void *arg, const uint8_t *buf, size_t len);
	int (*subscribers)(void *arg, const uint8_t *buf, size_t len, uint32_t flags);
	void (*hello)(void *arg, struct ipc_hello *hello); /* fills it */
	void (*contact)(void *arg, uint32_t valid_ms);	   /* IPC_CONTACT */
	void (*lost)(void *arg);			   /* the connection is gone */
	void (*released)(void *arg); /* what link_ask_to_end() asked for is granted */
};

struct link {
	const char *path;
	const struct link_handlers *handlers;
	int sock; /* -1: not connected */
	uint64_t seq;
	uint64_t retry_at_ms;
	uint32_t backoff_ms;
	int last_error;		   /* of connecting; logged when it changes */
	uint64_t refused_since_ms; /* control has another data plane; 0: it has not said so */
	bool is_wanted;		   /* control has given us something to serve */
};

void link_init(struct link *l, const char *path, const struct link_handlers *handlers);
void link_close(struct link *l);

/* Connects when it is time to. now_ms: a monotonic clock. Returns the milliseconds until it wants
 * to be called again, -1: never. */
int link_connect(struct link *l, uint64_t now_ms);

/* Has control had another data plane for so long that we, who have never served, are one too many.
 */
bool link_is_superfluous(const struct link *l, uint64_t now_ms);

/* Handles one message; call when l->sock is readable. */
void link_receive(struct link *l, uint64_t now_ms);

/* Asks control to move the addresses away. 0, or -errno: nobody can be asked. */
int link_ask_to_end(struct link *l);

/* Sends statistics; left out when the peer is slow. */
void link_report(struct link *l, const struct ipc_stats *stats, uint64_t now_ms);

#endif
