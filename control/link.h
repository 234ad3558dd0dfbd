/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link to the data plane: listens on a SEQPACKET socket, takes one data plane at a time, gives
 * it the snapshot and all subscribers, then what changes, and keeps track of what it has
 * acknowledged. After a restart of either side everything is sent again; the data plane serves on
 * meanwhile.
 */
#ifndef TKMS_CONTROL_LINK_H
#define TKMS_CONTROL_LINK_H

#include "common/ipc/ipc.h"
#include "control/reason.h"
#include "control/store.h"

struct event_base;
struct link;

struct link_owner {
	void *arg;
	/* Fills what the data plane shall serve; what it points to stays until the next call. */
	void (*snapshot)(void *arg, struct ipc_snapshot *out);
	/* Something in the status has changed (not: statistics). May push, must not free the link.
	 */
	void (*changed)(void *arg);
};

struct link_status {
	bool is_connected; /* and has said HELLO */
	struct ipc_hello hello;
	uint64_t snapshots_acknowledged; /* on this connection */
	uint64_t epoch_acknowledged;	 /* keyring's, on this connection */
	uint64_t addresses_acknowledged; /* addresses_version of the snapshot, likewise */
	uint64_t version_acknowledged; /* subscribers', on this connection; 0 until a full load has
					  ended */
	bool is_loaded;		       /* a full load has been acknowledged on this connection */
	bool is_ending;		       /* it has asked whether it may end */
	bool is_silent;		       /* no sign of life for longer than a report may take */
	/* By its last report: workers whose loops stand still; no port has a link. */
	bool is_stuck, is_cut_off;
	bool has_stats;
	struct ipc_stats stats; /* the last that came, also of a data plane that has gone */
};

/* owner is copied. NULL with errno ENOMEM. link_free() closes all. */
struct link *link_new(struct event_base *base, struct store *store, const struct link_owner *owner);
/* Binds path (mode 0600, an old socket is replaced) and listens. 0 or -errno. */
int link_listen(struct link *l, const char *path, struct reason *why);
void link_free(struct link *l);

/* The snapshot has changed / the store has newer subscribers: send it. */
void link_push_snapshot(struct link *l);
void link_push_subscribers(struct link *l);

/* Lets a data plane end that has asked; nothing happens otherwise. */
void link_release(struct link *l);

/* The node is in contact with its replica set, for valid_ms from now; left out when the data plane
 * is slow. */
void link_say_contact(struct link *l, uint32_t valid_ms);

const struct link_status *link_status(const struct link *l);

/* Is there a data plane that has all it needs and answers, as far as we can know. */
bool link_is_serving(const struct link *l);

#endif
