/* SPDX-License-Identifier: BSD-3-Clause */
/* The running control process: one event loop that owns configuration, store, keyring, link and
 * admin socket. */
#ifndef TKMS_CONTROL_CONTROL_H
#define TKMS_CONTROL_CONTROL_H

#include <event2/event.h>

#include "control/config.h"
#include "control/keys.h"
#include "control/link.h"
#include "control/store.h"

struct admin;
struct metrics_server;
struct cluster;
struct hub;
struct kek_change;
struct keyring_sync;
struct sync;

struct control {
	struct event_base *base;
	const char *config_path;
	struct config *boot; /* as it was at the start: settings that need a restart */
	struct config *live; /* the rest; may be boot */
	struct sealer *sealer;
	struct store *store;
	struct keys *keys,
		*next_keys; /* next: scratch, so that nothing is in force that is not stored */
	struct link *link;
	struct cluster *cluster;
	struct keyring_sync *keyring;
	struct kek_change *kek;
	uint64_t pushed_addresses; /* version of the addresses that was sent last, and with it: */
	bool pushed_in_sync;
	uint64_t end_by_ms; /* it drains and ends, at this time at the latest; 0: it does not */
	struct admin *admin;
	struct metrics_server *metrics; /* NULL: not wanted */
	struct hub *hub;		/* NULL: a single node; and: */
	struct sync *sync;
	struct event *ev_tick, *ev_term, *ev_int, *ev_hup;
	int64_t started_at;
	uint64_t retry_keys_at_ms; /* after a step that failed, 0: at once */
	uint64_t warned_ms;	   /* monotonic: that a rotation is late */
	uint64_t blocked_since_ms; /* a step of the keyring waits for an import, 0: none */
	int lock_run, lock_state;
};

/* Opens everything; READY is told. 0, or -errno with the reason (nothing is left open then). */
int control_open(
	struct control *c, const char *config_path, struct config *config, struct reason *why);
/* Until SIGTERM or SIGINT. */
int control_run(struct control *c);
void control_close(struct control *c);

/* Reads the configuration again. 0: in force. Otherwise the last good one stays; all is logged. */
int control_reload(struct control *c);

/* Does what is due with the keys, stores it and sends it on. */
void control_step_keys(struct control *c);
/*
 * Puts c->next_keys, which the caller has changed, into force: stored, then sent to the data plane.
 * 0 or -errno (then nothing has changed). Begin with control_edit_keys(), which makes next_keys a
 * copy.
 */
struct keys *control_edit_keys(struct control *c);
int control_commit_keys(struct control *c);
/* What a step of the keys may rely on now; valid until the event loop runs again. */
struct keys_situation control_situation(struct control *c);
/* Does what is due with next_keys. What keys_step() says. */
int control_step_next_keys(struct control *c);

/* The replica set (control/control_cluster.c): the part of it that a single node has too, and the
 * bus, if Sentinels are configured, with the modules that use it. 0, or -errno with the reason. */
int control_join(struct control *c, struct reason *why);
/* Part of control_join(): changes of subscribers (control/control_sync.c). 0 or -errno. */
int control_open_sync(struct control *c);
/* Subscribers were changed here: for the data plane and for the others. */
void control_push_subscribers(struct control *c);
int control_open_cluster(struct control *c, struct reason *why);
/* After a reload. */
void control_configure_cluster(struct control *c);
/* The link's status has changed. */
void control_wake_cluster(struct control *c);
/* Lets end what waits for the addresses to go: the data plane, this process. Call it often. */
void control_end_drained(struct control *c);
/* Drains, then ends the loop; called again: ends it at once. */
void control_begin_end(struct control *c);

/* For the link: arg is the struct control. */
void control_fill_snapshot(void *arg, struct ipc_snapshot *out);

struct keys_schedule control_schedule(const struct control *c);

#endif
