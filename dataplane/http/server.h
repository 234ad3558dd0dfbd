/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.1 with libmicrohttpd, for one worker: takes requests, checks them, gives their messages to
 * the relay, suspends the connection until the relay has an answer. One thread; nothing blocks.
 */
#ifndef TKMS_HTTP_SERVER_H
#define TKMS_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/http/config.h"
#include "dataplane/http/limiter.h"
#include "dataplane/http/log.h"
#include "dataplane/http/metrics.h"
#include "dataplane/http/relay.h"

struct server;

struct server_config {
	const struct http_config *settings;
	const int *listen_fds; /* one per listening address; closed by server_quiesce() */
	struct limiter *limiter;
	struct metrics *metrics;
	struct access_buffer *access;
	uint64_t key[2]; /* of the hashes of sources and messages; random */
};

/* NULL: no memory, or libmicrohttpd refused. */
struct server *server_new(const struct server_config *config);
/* Ends all connections. Nothing may be in flight in the relay. */
void server_free(struct server *s);
/* The relay that requests go to. */
void server_use(struct server *s, struct relay *relay);

/* File descriptors (epoll) that become readable when there is work. */
unsigned int server_fds(const struct server *s, int *fds, unsigned int cap);
/* The i-th of them is readable. */
void server_ready(struct server *s, unsigned int i);
/* Does what can be done now. Returns whether more is waiting, so that the caller must not sleep. */
int server_run(struct server *s, uint64_t now_us);
/* When server_run() is to be called at the latest; UINT64_MAX: never. */
uint64_t server_due_us(const struct server *s);

/* The relay is done with a request. */
void server_done(struct server *s, struct relay_request *r, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us);

/* Accepts no more connections, and closes each after its next answer. */
void server_quiesce(struct server *s, uint64_t now_us);
uint32_t server_connections(const struct server *s);

#endif
