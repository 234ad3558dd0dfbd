/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/link*.c. */
#ifndef TKMS_CONTROL_LINK_PRIVATE_H
#define TKMS_CONTROL_LINK_PRIVATE_H

#include <event2/event.h>

#include "control/link.h"

enum {
	LINK_CHUNK =
		1 << 20, /* octets of subscribers in a message: some 50 ms of the loop's time */
	LINK_WINDOW = 3, /* messages that may be unacknowledged */
	LINK_SNAPSHOT_MAX = 256 * 1024,
	LINK_HELLO_MS = 10000,	 /* a peer that does not say HELLO is no data plane */
	LINK_SILENT_MS = 2000,	 /* a data plane reports every second: it does not serve any more */
	LINK_SILENCE_MS = 15000, /* then it is given up, when it owes an acknowledgement */
	LINK_LOOK_MS = 250,
	LINK_RETRY_MIN_MS = 1000,
	LINK_RETRY_MAX_MS = 60000,
};

enum link_kind { LINK_SNAPSHOT, LINK_FULL, LINK_DELTA };

/* A message on its way: ours until it is acknowledged. */
struct link_message {
	enum link_kind kind;
	struct ipc_header header;
	int fd; /* -1: none */
	void *map;
	size_t len;
	/* of the subscribers once it is applied, 0 within a full load; of a snapshot's addresses */
	uint64_t version;
};

struct link {
	struct event_base *base;
	struct store *store;
	struct link_owner owner;
	struct link_status status;
	int listener, sock; /* -1: none */
	struct event *ev_accept, *ev_read, *ev_write, *ev_pump, *ev_timer;
	char *path;

	/* of the connection */
	uint64_t seq, connected_ms, heard_ms;
	struct link_message flight[LINK_WINDOW];
	unsigned int n_flight;
	bool must_send_snapshot;
	bool is_released; /* was told that it may end */
	enum { LOAD_WANTED, LOAD_RUNNING, LOAD_DONE } load;
	bool load_is_first;
	uint64_t load_version; /* of the store when the full load began */
	uint64_t sent_version;
	uint8_t cursor[IDENTITY_MAX];
	uint16_t cursor_len;
	uint64_t retry_at_ms, retry_ms;

	uint8_t *buffer; /* LINK_CHUNK octets of secret memory */
	struct store_record *record;
	struct ipc_snapshot snapshot; /* pointers only, no secrets */
};

/* Make the next message of each kind. 1: made, 0: nothing to send, -errno (logged). */
int link_make_snapshot(struct link *l, struct link_message *m);
int link_make_full(struct link *l, struct link_message *m);
int link_make_delta(struct link *l, struct link_message *m);
/* The state before a full load. */
void link_reset_load(struct link *l);

/* What becomes of messages that were not acknowledged. */
enum link_closing {
	LINK_PEER_GONE,	 /* nobody reads them any more: wiped */
	LINK_PEER_LIVES, /* it may still be reading: a wipe would give it zeros for keys */
};

void link_disconnect(struct link *l, enum link_closing closing, const char *why);

/* Event callbacks of the connection; arg is the link. */
void link_on_readable(evutil_socket_t sock, short events, void *arg);
void link_on_pump(evutil_socket_t sock, short events, void *arg);

#endif
