/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may be the data plane. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/clock.h"
#include "control/link_private.h"
#include "control/log.h"
#include "control/unix_socket.h"

/* A new data plane replaces one that has gone or is silent; a living one keeps its place. */
static bool may_replace(struct link *l)
{
	char probe;

	if (l->sock < 0)
		return true;
	if (recv(l->sock, &probe, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		link_disconnect(l, LINK_PEER_GONE, "closed");
	else if (clock_mono_ms() - l->heard_ms > LINK_SILENCE_MS / 3)
		link_disconnect(l, LINK_PEER_LIVES, "silent, and another one has come");
	return l->sock < 0;
}

static void adopt(struct link *l, int sock)
{
	struct event *r = event_new(l->base, sock, EV_READ | EV_PERSIST, link_on_readable, l);
	struct event *w = event_new(l->base, sock, EV_WRITE, link_on_pump, l);

	if (!r || !w || event_add(r, NULL) < 0) {
		log_event(LOG_ERROR, "out of memory for a data plane");
		if (r)
			event_free(r);
		if (w)
			event_free(w);
		close(sock);
		return;
	}
	l->ev_read = r;
	l->ev_write = w;
	l->sock = sock;
	l->seq = 0;
	l->connected_ms = l->heard_ms = clock_mono_ms();
}

/* What it is told need not arrive: it would learn as much from the log. */
static void refuse(int sock)
{
	struct ipc_header h = {
		.magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_REFUSED, .status = EBUSY};

	(void)ipc_send(sock, &h, NULL, 0, -1);
}

static void on_connection(evutil_socket_t listener, short events, void *arg)
{
	struct link *l = arg;
	int sock = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), err;

	(void)events;
	if (sock < 0)
		return; /* the peer has gone again, or we are out of descriptors: it will come again
			 */
	err = ipc_check_peer(sock);
	if (!err && !may_replace(l))
		err = -EBUSY;
	if (err) {
		log_event(LOG_WARNING, "connection to the data plane's socket refused",
			F_TEXT("reason", err == -EBUSY ? "there is a data plane" : strerror(-err)));
		if (err == -EBUSY)
			refuse(sock);
		close(sock);
		return;
	}
	adopt(l, sock);
}

int link_listen(struct link *l, const char *path, struct reason *why)
{
	l->listener = unix_socket_listen(path, SOCK_SEQPACKET, why);
	if (l->listener < 0)
		return l->listener;
	l->path = strdup(path);
	l->ev_accept = event_new(l->base, l->listener, EV_READ | EV_PERSIST, on_connection, l);
	if (!l->path || !l->ev_accept || event_add(l->ev_accept, NULL) < 0)
		return reason_set(why, -ENOMEM, "out of memory");
	return 0;
}
