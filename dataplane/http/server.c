/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/engine/siphash.h"
#include "dataplane/http/conns.h"
#include "dataplane/http/exchange.h"
#include "dataplane/http/sources.h"

enum {
	DAEMONS_MAX = 8,
	SPARE_CONNECTIONS = 64, /* beyond the limit, while idle ones are being closed */
	STOP_IDLE_US = 1000000, /* for a client to begin its last request */
};

struct server {
	struct server_config config;
	struct exchanges *exchanges;
	struct sources *sources; /* that have connections */
	struct sources *askers;	 /* that have requests in flight */
	struct conns conns;
	struct relay *relay;
	unsigned int n;
	struct MHD_Daemon *daemon[DAEMONS_MAX];
	bool ready[DAEMONS_MAX]; /* has something to do */
	uint64_t now_us;
	uint64_t stopping_us; /* 0: not stopping */
};

static uint64_t hash_source(const struct server *s, const struct source *source)
{
	const struct siphash_key key = {s->config.key[0], s->config.key[1]};

	return siphash13(&key, source->octets, sizeof(source->octets));
}

static bool is_trusted(const struct http_config *c, const struct sockaddr *sa)
{
	for (unsigned int i = 0; i < c->trusted_proxies.n; i++) {
		if (range_has(&c->proxy[i], sa))
			return true;
	}
	return false;
}

static uint8_t daemon_of(const struct server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *d =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
	uint8_t i = 0;

	while (i + 1U < s->n && d && s->daemon[i] != d->daemon)
		i++;
	return i;
}

static struct conn *open_conn(struct server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(
					       connection, MHD_CONNECTION_INFO_CONNECTION_FD),
				       *sa = MHD_get_connection_info(
					       connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct conn *c = fd && sa ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->fd = fd->connect_fd;
	c->daemon = daemon_of(s, connection);
	c->source = source_of(sa->client_addr);
	c->hash = hash_source(s, &c->source);
	c->trusted = is_trusted(s->config.settings, sa->client_addr);
	if (!c->trusted && sources_add(s->sources, &c->source, c->hash) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

static void close_conn(struct server *s, struct conn *c)
{
	if (!c->trusted)
		sources_remove(s->sources, &c->source, c->hash);
	free(c);
}

static void notify_connection(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;
	struct conn *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (!c)
			return;
		conns_remove(&s->conns, c);
		close_conn(s, c);
		*context = NULL;
		return;
	}
	metrics_add(&s->config.metrics->connections_opened, 1);
	c = open_conn(s, connection);
	/* Room for the new one, if its source may have it: the one that has been idle longest goes.
	 * When none is idle, it goes itself. */
	if (c && s->conns.n >= s->config.settings->connections &&
		!conns_end_oldest_idle(&s->conns)) {
		close_conn(s, c);
		c = NULL;
	}
	*context = c;
	if (c) {
		conns_add(&s->conns, c, s->now_us);
		return;
	}
	metrics_add(&s->config.metrics->connections_refused, 1);
	shutdown(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
		SHUT_RDWR);
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static void *request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct server *s = cls;

	return exchange_begin(s->exchanges, connection, conn_of(connection), uri);
}

/* 200: the relay has it. */
static enum status give(struct server *s, struct exchange *x)
{
	const struct siphash_key key = {s->config.key[1], s->config.key[0]};
	enum relay_submit r;
	int err = sources_add(s->askers, &x->source, x->relay.client);

	if (err)
		return err == -EAGAIN ? STATUS_429 : STATUS_503;
	x->relay.digest = siphash13(&key, x->body, x->len);
	r = relay_submit(s->relay, &x->relay, s->now_us);
	if (r == RELAY_ACCEPTED)
		return STATUS_200;
	sources_remove(s->askers, &x->source, x->relay.client);
	return r == RELAY_FULL ? STATUS_503 : STATUS_429;
}

/* The relay takes the message, or the exchange gets its status. */
static enum MHD_Result submit(struct server *s, struct exchange *x)
{
	if (exchange_whole(s->exchanges, x)) {
		x->status = give(s, x);
		if (x->status == STATUS_200) {
			x->state = EXCHANGE_RELAYING;
			conns_wait(&s->conns, x->conn, CONN_NONE, s->now_us);
			MHD_suspend_connection(x->connection);
			return MHD_YES;
		}
	}
	return exchange_answer(s->exchanges, x, s->stopping_us != 0);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **context)
{
	struct server *s = cls;
	struct exchange *x = *context;

	(void)connection;
	(void)url;
	if (!x || !x->conn)
		return MHD_NO;
	switch (x->state) {
	case EXCHANGE_HEAD:
		conns_wait(&s->conns, x->conn, CONN_REQUEST, s->now_us);
		if (exchange_head(s->exchanges, x, method, version))
			return MHD_YES;
		return exchange_answer(s->exchanges, x, s->stopping_us != 0);
	case EXCHANGE_BODY:
		if (*upload_len) {
			if (exchange_body(s->exchanges, x, upload, *upload_len) < 0)
				return MHD_NO;
			*upload_len = 0;
			return MHD_YES;
		}
		return submit(s, x);
	case EXCHANGE_ANSWERED:
		return exchange_answer(s->exchanges, x, s->stopping_us != 0);
	case EXCHANGE_RELAYING:
	default:
		return MHD_YES;
	}
}

static void completed(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct server *s = cls;
	struct exchange *x = *context;

	(void)connection;
	(void)code;
	if (!x)
		return;
	*context = NULL;
	if (x->conn)
		conns_wait(&s->conns, x->conn, CONN_IDLE, s->now_us);
	exchange_end(s->exchanges, x, s->now_us);
}

void server_done(struct server *s, struct relay_request *r, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct exchange *x = exchange_of(r);

	sources_remove(s->askers, &x->source, r->client);
	exchange_answered(s->exchanges, x, outcome, octets, len);
	metrics_answered(s->config.metrics, now_us - r->begun_us);
	/* From now on the client has to take it. */
	conns_wait(&s->conns, x->conn, CONN_REQUEST, now_us);
	s->ready[x->conn->daemon] = true;
	MHD_resume_connection(x->connection);
}

/* Not "strict": what that adds to the checks of head.h is answered with its header twice (0.9.75).
 */
static struct MHD_Daemon *start_daemon(struct server *s, int fd)
{
	const struct http_config *c = s->config.settings;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)(c->connections + SPARE_CONNECTIONS),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)c->header_max,
		MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_URI_LOG_CALLBACK, request_line, s,
		MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_NOTIFY_CONNECTION,
		notify_connection, s, MHD_OPTION_END);
}

struct server *server_new(const struct server_config *config)
{
	const struct http_config *c = config->settings;
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	s->conns.limit_us[CONN_REQUEST] = c->request_timeout * UINT64_C(1000);
	s->conns.limit_us[CONN_IDLE] = c->keepalive_timeout * UINT64_C(1000);
	s->exchanges = exchanges_new(&s->config);
	s->sources = sources_new(c->connections_per_source, c->connections);
	s->askers = sources_new(c->in_flight_per_source, c->in_flight);
	while (s->exchanges && s->sources && s->askers && s->n < c->listen.n) {
		s->daemon[s->n] = start_daemon(s, config->listen_fds[s->n]);
		if (!s->daemon[s->n])
			break;
		s->ready[s->n++] = true;
	}
	if (s->n < c->listen.n) {
		server_free(s);
		return NULL;
	}
	return s;
}

void server_free(struct server *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		MHD_stop_daemon(s->daemon[i]);
	exchanges_free(s->exchanges);
	sources_free(s->sources);
	sources_free(s->askers);
	free(s);
}

void server_use(struct server *s, struct relay *relay)
{
	s->relay = relay;
}

unsigned int server_fds(const struct server *s, int *fds, unsigned int cap)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n && n < cap; i++)
		fds[n++] = MHD_get_daemon_info(s->daemon[i], MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return n;
}

void server_ready(struct server *s, unsigned int i)
{
	s->ready[i] = true;
}

int server_run(struct server *s, uint64_t now_us)
{
	MHD_UNSIGNED_LONG_LONG wait;
	unsigned int late;
	int more = 0;

	s->now_us = now_us;
	late = conns_expire(&s->conns, now_us);
	if (late)
		metrics_add(&s->config.metrics->connections_timed_out, late);
	if (s->stopping_us && now_us >= s->stopping_us + STOP_IDLE_US)
		conns_end_idle(&s->conns, UINT64_MAX);
	for (unsigned int i = 0; i < s->n; i++) {
		if (!s->ready[i])
			continue;
		MHD_run(s->daemon[i]);
		s->ready[i] = MHD_get_timeout(s->daemon[i], &wait) == MHD_YES && wait == 0;
		more |= s->ready[i];
	}
	metrics_set(&s->config.metrics->connections, s->conns.n);
	return more;
}

uint64_t server_due_us(const struct server *s)
{
	uint64_t due = conns_due_us(&s->conns), stop = s->stopping_us + STOP_IDLE_US;

	return s->stopping_us && s->now_us < stop && stop < due ? stop : due;
}

void server_quiesce(struct server *s, uint64_t now_us)
{
	for (unsigned int i = 0; i < s->n; i++) {
		int fd = MHD_quiesce_daemon(s->daemon[i]);

		if (fd >= 0)
			close(fd);
	}
	s->stopping_us = now_us;
}

uint32_t server_connections(const struct server *s)
{
	return s->conns.n;
}
