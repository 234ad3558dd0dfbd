/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "dataplane/log.h"

/* Time for an earlier data plane of ours to end, or to be found silent. */
enum { REFUSED_PATIENCE_MS = 8000 };
enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 2000, ACK_PATIENCE_MS = 5000, BODY_MAX = 65536 };

void link_init(struct link *l, const char *path, const struct link_handlers *handlers)
{
	*l = (struct link){
		.path = path, .handlers = handlers, .sock = -1, .backoff_ms = BACKOFF_MIN_MS};
}

void link_close(struct link *l)
{
	if (l->sock >= 0)
		close(l->sock);
	l->sock = -1;
}

/* Half of the pause is random: many data planes do not come back in step. */
static void retry_later(struct link *l, uint64_t now_ms)
{
	uint32_t random = 0;

	(void)secret_random(
		&random, sizeof(random)); /* without, the pause is just the shorter one */
	l->retry_at_ms = now_ms + l->backoff_ms / 2 + random % (l->backoff_ms / 2);
	l->backoff_ms = l->backoff_ms * 2 < BACKOFF_MAX_MS ? l->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void drop(struct link *l, int err, uint64_t now_ms)
{
	log_line(LOG_WARNING, "connection to tkms-control lost; serving on",
		"socket=%s error=\"%s\"", l->path, err == -ECONNRESET ? "closed" : strerror(-err));
	link_close(l);
	l->handlers->lost(l->handlers->arg);
	retry_later(l, now_ms);
}

static int send_inline(struct link *l, struct ipc_header *h, const void *body, size_t len)
{
	h->magic = IPC_MAGIC;
	h->version = IPC_VERSION;
	h->length = (uint32_t)len;
	return ipc_send(l->sock, h, body, len, -1);
}

static int say_hello(struct link *l)
{
	struct ipc_header h = {.type = IPC_HELLO, .seq = ++l->seq};
	struct ipc_hello hello = {0};
	uint8_t body[256];
	size_t len;

	l->handlers->hello(l->handlers->arg, &hello);
	h.epoch = hello.epoch;
	len = ipc_hello_encode(&hello, body, sizeof(body));
	return len ? send_inline(l, &h, body, len) : -EMSGSIZE;
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	err = connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0
		      ? -errno
		      : ipc_check_peer(sock);
	if (err) {
		close(sock);
		return err;
	}
	return sock;
}

int link_connect(struct link *l, uint64_t now_ms)
{
	int err;

	if (l->sock >= 0)
		return -1;
	if (now_ms < l->retry_at_ms)
		return (int)(l->retry_at_ms - now_ms);
	err = open_socket(l->path);
	if (err >= 0) {
		l->sock = err;
		l->seq = 0;
		err = say_hello(l);
		if (err)
			link_close(l);
	}
	if (err < 0) {
		if (err != l->last_error)
			log_line(LOG_WARNING, "tkms-control does not answer; trying on",
				"socket=%s error=\"%s\"", l->path, strerror(-err));
		l->last_error = err;
		retry_later(l, now_ms);
		return (int)(l->retry_at_ms - now_ms);
	}
	l->last_error = 0;
	log_line(LOG_INFO, "connected to tkms-control", "socket=%s", l->path);
	return -1;
}

/* Control cannot go on without it, so wait for room. */
static int acknowledge(struct link *l, const struct ipc_header *of, int status)
{
	struct ipc_header h = {.type = IPC_ACK, .seq = of->seq, .status = (uint32_t)-status};
	struct ipc_hello now = {0};
	struct pollfd room = {.fd = l->sock, .events = POLLOUT};
	int err;

	l->handlers->hello(l->handlers->arg, &now);
	h.epoch = now.epoch;
	err = send_inline(l, &h, NULL, 0);
	if (err != -EAGAIN)
		return err;
	if (poll(&room, 1, ACK_PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	return send_inline(l, &h, NULL, 0);
}

static int dispatch(struct link *l, const struct ipc_header *h, int fd)
{
	void *map = NULL;
	int status, err;

	if (h->type == IPC_DRAIN) {
		if (fd >= 0)
			close(fd);
		l->handlers->released(l->handlers->arg);
		return 0;
	}
	if (h->type == IPC_CONTACT) {
		if (fd >= 0)
			close(fd);
		l->handlers->contact(l->handlers->arg, h->status);
		return 0;
	}
	if (h->type != IPC_SNAPSHOT && h->type != IPC_SUBSCRIBERS) {
		/* A newer control may say more than we know. */
		log_line(LOG_WARNING, "unknown message from tkms-control", "type=%u", h->type);
		if (fd >= 0)
			close(fd);
		return acknowledge(l, h, -EOPNOTSUPP);
	}
	err = ipc_memfd_map(fd, h->length, &map);
	if (err) {
		log_line(LOG_ERROR, "message from tkms-control cannot be mapped",
			"octets=%u error=\"%s\" fix=\"raise RLIMIT_MEMLOCK (ulimit -l, "
			"LimitMEMLOCK=)\"",
			h->length, strerror(-err));
		if (fd >= 0)
			close(fd);
		return acknowledge(l, h, err);
	}
	if (h->type == IPC_SNAPSHOT)
		status = l->handlers->snapshot(l->handlers->arg, map, h->length);
	else
		status = l->handlers->subscribers(l->handlers->arg, map, h->length, h->flags);
	ipc_memfd_close(fd, map, h->length);
	return acknowledge(l, h, status);
}

static void note_refusal(struct link *l, uint64_t now_ms)
{
	if (l->refused_since_ms)
		return;
	log_line(LOG_ERROR, "tkms-control serves another data plane already",
		"socket=%s fix=\"end the other one, or give this one a control process of its "
		"own\"",
		l->path);
	l->refused_since_ms = now_ms ? now_ms : 1;
}

bool link_is_superfluous(const struct link *l, uint64_t now_ms)
{
	return l->refused_since_ms && !l->is_wanted &&
	       now_ms - l->refused_since_ms >= REFUSED_PATIENCE_MS;
}

void link_receive(struct link *l, uint64_t now_ms)
{
	uint8_t body[1024];
	struct ipc_header h;
	int fd = -1;
	int n = ipc_receive(l->sock, &h, body, sizeof(body), &fd);

	if (n == -EAGAIN)
		return;
	/* Secrets travel in memfds only; octets in the datagram are those of a message we do not
	 * know. */
	if (n > 0 && (h.type == IPC_SNAPSHOT || h.type == IPC_SUBSCRIBERS))
		n = -EBADMSG;
	if (n >= 0 && h.type == IPC_REFUSED) {
		note_refusal(l, now_ms);
		if (fd >= 0)
			close(fd);
		n = -EBUSY;
	}
	if (n >= 0) {
		/* Only now: a control that has a data plane already accepts and hangs up. */
		l->backoff_ms = BACKOFF_MIN_MS;
		l->refused_since_ms = 0;
		l->is_wanted = true;
		n = dispatch(l, &h, fd);
	}
	if (n < 0)
		drop(l, n, now_ms);
}

int link_ask_to_end(struct link *l)
{
	struct ipc_header h = {.type = IPC_DRAIN, .seq = ++l->seq};

	return l->sock < 0 ? -ENOTCONN : send_inline(l, &h, NULL, 0);
}

void link_report(struct link *l, const struct ipc_stats *stats, uint64_t now_ms)
{
	uint8_t body[BODY_MAX];
	struct ipc_header h = {.type = IPC_STATS, .seq = ++l->seq, .epoch = stats->epoch};
	size_t len;
	int err;

	if (l->sock < 0)
		return;
	len = ipc_stats_encode(stats, body, sizeof(body));
	err = len ? send_inline(l, &h, body, len) : -EMSGSIZE;
	if (err && err != -EAGAIN)
		drop(l, err, now_ms);
}
