/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open connections: whose they are, and until when each has to have done its next step.
 * libmicrohttpd's own timeout starts anew with every octet, so a client that sends one now and then
 * would stay for ever; ours are for whole steps. One thread.
 */
#ifndef TKMS_HTTP_CONNS_H
#define TKMS_HTTP_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/http/address.h"

enum conn_wait {
	CONN_REQUEST, /* a request that has begun, or an answer to be taken */
	CONN_IDLE,    /* a request */
	CONN_NONE,    /* our own answer: no limit here */
};

struct conn {
	struct conn *prev, *next;
	uint64_t until_us;
	uint64_t hash; /* keyed, of the source */
	struct source source;
	int fd;
	enum conn_wait wait;
	uint8_t daemon; /* which of the server's it belongs to */
	bool fresh;	/* had no request yet */
	bool trusted;	/* a front proxy: says for whom it asks */
};

struct conn_list {
	struct conn *first, *last; /* in order of until_us */
};

struct conns {
	struct conn_list list[CONN_NONE];
	uint64_t limit_us[CONN_NONE];
	uint32_t n;
};

void conns_add(struct conns *c, struct conn *conn, uint64_t now_us);
void conns_remove(struct conns *c, struct conn *conn);
/* What the connection is waited for from now on. */
void conns_wait(struct conns *c, struct conn *conn, enum conn_wait wait, uint64_t now_us);

/* Ends connections that are late; the server sees the end and removes them. Returns how many. */
unsigned int conns_expire(struct conns *c, uint64_t now_us);
/* Ends connections that wait for a next request since before. */
void conns_end_idle(struct conns *c, uint64_t before_us);
/* Ends the one that has been idle longest. false: none is. */
bool conns_end_oldest_idle(struct conns *c);
/* Time of the next end; UINT64_MAX: none. */
uint64_t conns_due_us(const struct conns *c);

#endif
