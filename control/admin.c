/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/admin.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc/ipc.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/unix_socket.h"

static void client_free(struct admin_client *client)
{
	struct admin_client **p = &client->admin->clients;

	while (*p != client)
		p = &(*p)->next;
	*p = client->next;
	admin_import_drop(client, NULL);
	json_decref(client->waiting);
	bufferevent_free(client->bev);
	free(client);
}

/* Takes the reference. */
static void respond(struct admin_client *client, json_t *response)
{
	char *text = response ? json_dumps(response, JSON_COMPACT) : NULL;
	json_free_t free_text;

	json_decref(response);
	if (!text) {
		log_event(LOG_ERROR, "out of memory for a response");
		client_free(client);
		return;
	}
	bufferevent_write(client->bev, text, strlen(text));
	bufferevent_write(client->bev, "\n", 1);
	json_get_alloc_funcs(NULL, &free_text);
	free_text(text);
}

static void respond_result(struct admin_client *client, json_t *result)
{
	respond(client, json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_null()));
}

static void respond_error(struct admin_client *client, const char *error)
{
	respond(client, json_pack("{s:b, s:s}", "ok", 0, "error", error));
}

int admin_wait(struct admin_client *client, json_t *result)
{
	const struct control *c = client->admin->control;

	client->waiting = result;
	client->progress = admin_progress_acknowledged;
	client->wait_version = store_version(c->store);
	client->wait_epoch = c->keys->epoch;
	client->wait_until_ms = clock_mono_ms() + ADMIN_WAIT_MS;
	return ADMIN_DEFERRED;
}

int admin_progress_acknowledged(
	struct admin_client *client, const char **outcome, struct reason *why)
{
	const struct link_status *s = link_status(client->admin->control->link);

	(void)why;
	if (!s->is_connected)
		*outcome = "not connected";
	else if (s->is_loaded && s->version_acknowledged >= client->wait_version &&
		 s->epoch_acknowledged >= client->wait_epoch)
		*outcome = "acknowledged";
	else if (clock_mono_ms() >= client->wait_until_ms)
		*outcome = "not acknowledged yet";
	else
		return 0;
	return 1;
}

static void process(struct admin_client *client, const char *line, size_t len)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error), *result = NULL;
	const char *name = json_string_value(json_object_get(request, "command"));
	admin_command_fn fn = name ? admin_find_command(name) : NULL;
	struct reason why = {"unknown command"};
	int err = fn ? fn(client, request, &result, &why) : -EINVAL;

	json_decref(request);
	if (err < 0)
		respond_error(client, why.text);
	else if (err == 0)
		respond_result(client, result);
}

static bool is_alive(const struct admin *a, const struct admin_client *client)
{
	const struct admin_client *c = a->clients;

	while (c && c != client)
		c = c->next;
	return c != NULL;
}

/* Requests are taken one at a time: a response that waits holds up the next one. */
static void on_read(struct bufferevent *bev, void *arg)
{
	struct admin_client *client = arg;
	struct admin *admin = client->admin;
	struct evbuffer *in = bufferevent_get_input(bev);

	while (!client->waiting) {
		struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
		const unsigned char *line = end.pos < 0 ? NULL : evbuffer_pullup(in, end.pos);

		if (end.pos < 0 && evbuffer_get_length(in) >= ADMIN_LINE_MAX) {
			log_event(LOG_WARNING,
				"operator's connection closed: its request is too long");
			client_free(client);
			return;
		}
		if (end.pos < 0)
			break;
		process(client, (const char *)line, (size_t)end.pos);
		/* a response that could not be made has ended the client */
		if (!is_alive(admin, client))
			return;
		evbuffer_drain(in, (size_t)end.pos + 1);
	}
	admin_wake(admin);
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
	(void)bev;
	(void)events;
	client_free(arg);
}

static void wake(struct admin_client *client)
{
	const char *outcome = NULL;
	struct reason why;
	int got = client->progress(client, &outcome, &why);
	json_t *result = client->waiting; /* which that may have replaced */

	if (got == 0)
		return;
	client->waiting = NULL;
	if (got > 0) {
		json_object_set_new(result, "dataplane", json_string(outcome));
		respond_result(client, result);
	} else {
		json_decref(result);
		respond_error(client, why.text);
	}
}

void admin_wake(struct admin *a)
{
	struct admin_client *next;

	for (struct admin_client *client = a->clients; client; client = next) {
		next = client->next;
		if (client->waiting)
			wake(client);
	}
}

static void on_timer(evutil_socket_t sock, short events, void *arg)
{
	struct admin *a = arg;
	uint64_t now = clock_mono_ms();

	(void)sock;
	(void)events;
	admin_wake(a);
	for (struct admin_client *client = a->clients; client; client = client->next) {
		if (client->import && now - client->import->heard_ms > ADMIN_IMPORT_IDLE_MS)
			admin_import_drop(client, "given up: nothing came for 30 s");
		/* requests that came while a response waited */
		if (!client->waiting && evbuffer_get_length(bufferevent_get_input(client->bev)))
			bufferevent_trigger(client->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
	}
}

void admin_abort_import(struct admin *a, const char *why)
{
	for (struct admin_client *client = a->clients; client; client = client->next)
		admin_import_drop(client, why);
}

static unsigned int count_clients(const struct admin *a)
{
	unsigned int n = 0;

	for (const struct admin_client *client = a->clients; client; client = client->next)
		n++;
	return n;
}

static void on_connection(evutil_socket_t listener, short events, void *arg)
{
	struct admin *a = arg;
	int sock = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct admin_client *client;

	(void)events;
	if (sock < 0)
		return; /* the peer has gone again, or we are out of descriptors */
	if (ipc_check_peer(sock) < 0) {
		log_event(LOG_WARNING,
			"connection to the operator's socket refused: neither root nor our user");
		close(sock);
		return;
	}
	if (count_clients(a) >= ADMIN_CLIENTS_MAX) {
		log_event(LOG_WARNING, "connection to the operator's socket refused: too many");
		close(sock);
		return;
	}
	client = calloc(1, sizeof(*client));
	if (client) {
		client->admin = a;
		client->bev = bufferevent_socket_new(
			a->control->base, sock, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	}
	if (!client || !client->bev) {
		log_event(LOG_ERROR, "out of memory for a connection");
		free(client);
		close(sock);
		return;
	}
	client->next = a->clients;
	a->clients = client;
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_setwatermark(client->bev, EV_READ, 0, ADMIN_LINE_MAX);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

int admin_open(struct control *c, const char *path, struct admin **out, struct reason *why)
{
	static const struct timeval second = {1, 0};
	struct admin *a = calloc(1, sizeof(*a));

	*out = a;
	if (!a)
		return reason_set(why, -ENOMEM, "out of memory");
	a->control = c;
	a->listener = unix_socket_listen(path, SOCK_STREAM, why);
	if (a->listener < 0)
		return a->listener;
	a->path = strdup(path);
	a->ev_accept = event_new(c->base, a->listener, EV_READ | EV_PERSIST, on_connection, a);
	a->ev_timer = event_new(c->base, -1, EV_PERSIST, on_timer, a);
	if (!a->path || !a->ev_accept || !a->ev_timer || event_add(a->ev_accept, NULL) < 0 ||
		event_add(a->ev_timer, &second) < 0)
		return reason_set(why, -ENOMEM, "out of memory");
	return 0;
}

void admin_close(struct admin *a)
{
	if (!a)
		return;
	while (a->clients)
		client_free(a->clients);
	if (a->ev_accept)
		event_free(a->ev_accept);
	if (a->ev_timer)
		event_free(a->ev_timer);
	if (a->listener >= 0)
		close(a->listener);
	if (a->path)
		unlink(a->path);
	free(a->path);
	free(a);
}
