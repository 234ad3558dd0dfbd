/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/log.h"
#include "control/metrics.h"

enum { CLIENTS_MAX = 8, REQUEST_MAX = 8192, LIFE_S = 10, RETRY_S = 10, BACKLOG = 16 };

struct client {
	struct metrics_server *server;
	struct bufferevent *bev; /* NULL: free */
	struct event *deadline;
	uint64_t number; /* in order of arrival */
};

struct metrics_server {
	struct control *control;
	const char *listen;
	struct evconnlistener *listener;
	struct event *retry;
	bool has_complained;
	uint64_t n_clients; /* ever */
	struct client client[CLIENTS_MAX];
};

static int parse(const char *text, struct sockaddr_storage *address, int *len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const char *port = strrchr(text, ':');

	*len = sizeof(*address);
	/* libevent would take "80x" for 80 */
	if (!port || port[1 + strspn(port + 1, "0123456789")])
		return -EINVAL;
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)address, len) < 0)
		return -EINVAL;
	return (address->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port) ? 0 : -EINVAL;
}

int metrics_listen_check(const char *text)
{
	struct sockaddr_storage address;
	int len;

	return parse(text, &address, &len);
}

static void client_close(struct client *c)
{
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->deadline)
		event_free(c->deadline);
	c->bev = NULL;
	c->deadline = NULL;
}

static int reply(struct client *c, const char *status, const char *text, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (evbuffer_add_printf(out,
		    "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		    status, len) < 0 ||
		evbuffer_add(out, text, len) < 0)
		return -ENOMEM;
	return 0;
}

static int reply_metrics(struct client *c)
{
	struct exposition e;
	int err = exposition_begin(&e);

	if (err)
		return err;
	metrics_write(c->server->control, &e);
	err = exposition_end(&e);
	if (!err)
		err = reply(c, "200 OK", e.text, e.len);
	free(e.text);
	return err;
}

/* begin: of the request, NUL-terminated. */
static int answer(struct client *c, const char *begin)
{
	static const char get[] = "GET ", path[] = "GET /metrics";
	static const char no_get[] = "GET only\n", no_path[] = "there is only /metrics\n";

	if (strncmp(begin, get, sizeof(get) - 1) != 0)
		return reply(c, "405 Method Not Allowed", no_get, sizeof(no_get) - 1);
	if (strncmp(begin, path, sizeof(path) - 1) != 0 ||
		(begin[sizeof(path) - 1] != ' ' && begin[sizeof(path) - 1] != '?'))
		return reply(c, "404 Not Found", no_path, sizeof(no_path) - 1);
	return reply_metrics(c);
}

/* All is sent. */
static void on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_close(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_close(arg);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char begin[32] = "";
	int err;

	if (end.pos < 0) {
		if (evbuffer_get_length(in) >= REQUEST_MAX)
			client_close(c);
		return;
	}
	err = evbuffer_copyout(in, begin, sizeof(begin) - 1) < 0 ? -EIO : answer(c, begin);
	if (err) {
		log_event(LOG_ERROR, "metrics cannot be written", F_TEXT("error", strerror(-err)));
		client_close(c);
		return;
	}
	bufferevent_setcb(bev, NULL, on_written, on_event, c);
	if (bufferevent_disable(bev, EV_READ) < 0)
		client_close(c);
}

static void on_deadline(evutil_socket_t sock, short events, void *arg)
{
	(void)sock;
	(void)events;
	client_close(arg);
}

/* A free place; when there is none, that of whoever has been there longest. */
static struct client *take_place(struct metrics_server *m)
{
	struct client *oldest = &m->client[0];

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (!m->client[i].bev)
			return &m->client[i];
		if (m->client[i].number < oldest->number)
			oldest = &m->client[i];
	}
	client_close(oldest);
	return oldest;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t sock,
	struct sockaddr *address, int len, void *arg)
{
	static const struct timeval life = {LIFE_S, 0};
	struct metrics_server *m = arg;
	struct client *c = take_place(m);

	(void)listener;
	(void)address;
	(void)len;
	*c = (struct client){.server = m, .number = ++m->n_clients};
	c->bev = bufferevent_socket_new(m->control->base, sock, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		close(sock);
		return;
	}
	c->deadline = evtimer_new(m->control->base, on_deadline, c);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, REQUEST_MAX);
	if (!c->deadline || event_add(c->deadline, &life) < 0 ||
		bufferevent_enable(c->bev, EV_READ | EV_WRITE) < 0)
		client_close(c);
}

static int try_listen(struct metrics_server *m)
{
	const unsigned int flags =
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
	struct sockaddr_storage address;
	int len, err = parse(m->listen, &address, &len);

	if (err)
		return err;
	m->listener = evconnlistener_new_bind(m->control->base, on_accept, m, flags, BACKLOG,
		(const struct sockaddr *)&address, len);
	if (m->listener)
		return 0;
	return errno ? -errno : -EIO;
}

static void on_retry(evutil_socket_t sock, short events, void *arg)
{
	static const struct timeval pause = {RETRY_S, 0};
	struct metrics_server *m = arg;
	int err = try_listen(m);

	(void)sock;
	(void)events;
	if (!err) {
		log_event(LOG_INFO, "metrics are served", F_TEXT("address", m->listen));
		return;
	}
	if (!m->has_complained)
		log_event(LOG_ERROR, "metrics cannot be served; tried again every 10 s",
			F_TEXT("address", m->listen), F_TEXT("error", strerror(-err)));
	m->has_complained = true;
	if (event_add(m->retry, &pause) < 0)
		log_event(LOG_ERROR, "metrics are given up: no timer");
}

struct metrics_server *metrics_server_new(struct control *c, const char *listen, struct reason *why)
{
	struct metrics_server *m = calloc(1, sizeof(*m));

	if (m) {
		m->control = c;
		m->listen = listen;
		m->retry = evtimer_new(c->base, on_retry, m);
	}
	if (!m || !m->retry) {
		(void)reason_set(why, -ENOMEM, "out of memory (metrics)");
		metrics_server_free(m);
		return NULL;
	}
	on_retry(-1, 0, m);
	return m;
}

void metrics_server_free(struct metrics_server *m)
{
	if (!m)
		return;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		client_close(&m->client[i]);
	if (m->listener)
		evconnlistener_free(m->listener);
	if (m->retry)
		event_free(m->retry);
	free(m);
}
