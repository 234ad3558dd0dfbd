/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/udp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PENDING_MAX = 256, RECEIVE_TURNS = 8, BUFFER_OCTETS = 1 << 20 };

struct pending {
	struct iovec message;
	uint16_t next; /* index + 1 of the next one of the socket */
};

struct queue {
	uint16_t first, last; /* index + 1 in pending; 0: nothing */
};

struct udp {
	unsigned int n;
	int *fd;
	struct queue *queue;
	unsigned int pending_n, dirty_n;
	struct pending pending[PENDING_MAX];
	uint16_t dirty[PENDING_MAX]; /* sockets with messages */
	struct mmsghdr out[UDP_BATCH];
	struct mmsghdr in[UDP_BATCH];
	struct iovec in_iov[UDP_BATCH];
	uint8_t buffer[UDP_BATCH][UDP_DATAGRAM_MAX];
};

static int open_one(const struct address *a, unsigned int port)
{
	const int octets = BUFFER_OCTETS;
	int fd = socket(a->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;
	struct address own = {.len = a->len};

	if (fd < 0)
		return -errno;
	own.any.sa_family = a->any.sa_family;
	if (a->any.sa_family == AF_INET)
		own.v4.sin_port = htons((uint16_t)port);
	else
		own.v6.sin6_port = htons((uint16_t)port);
	/* The kernel gives as much of it as its limit allows; less is no error. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets)) == 0 &&
		(port == 0 || bind(fd, &own.any, own.len) == 0) &&
		connect(fd, &a->any, a->len) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int udp_open(struct udp **out, const struct udp_config *config, const char **at)
{
	struct udp *u = calloc(1, sizeof(*u));
	unsigned int n = config->addresses * config->ports;

	*at = "";
	if (!u)
		return -ENOMEM;
	u->fd = calloc(n, sizeof(*u->fd));
	u->queue = calloc(n, sizeof(*u->queue));
	if (!u->fd || !u->queue) {
		udp_close(u);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct address *a = &config->address[i / config->ports];
		int fd = open_one(
			a, config->first_port ? config->first_port + i % config->ports : 0);

		if (fd < 0) {
			*at = a->text;
			udp_close(u);
			return fd;
		}
		u->fd[u->n++] = fd;
	}
	for (unsigned int i = 0; i < UDP_BATCH; i++) {
		u->in_iov[i] = (struct iovec){u->buffer[i], UDP_DATAGRAM_MAX};
		u->in[i].msg_hdr = (struct msghdr){.msg_iov = &u->in_iov[i], .msg_iovlen = 1};
	}
	*out = u;
	return 0;
}

void udp_close(struct udp *u)
{
	for (unsigned int i = 0; i < u->n; i++)
		close(u->fd[i]);
	free(u->fd);
	free(u->queue);
	free(u);
}

unsigned int udp_sockets(const struct udp *u)
{
	return u->n;
}

int udp_fd(const struct udp *u, unsigned int socket)
{
	return u->fd[socket];
}

void udp_send(struct udp *u, unsigned int socket, const uint8_t *message, size_t len,
	const struct udp_events *events)
{
	struct queue *q = &u->queue[socket];
	struct pending *p;

	if (u->pending_n == PENDING_MAX)
		udp_flush(u, events);
	p = &u->pending[u->pending_n++];
	*p = (struct pending){.message = {(void *)(uintptr_t)message, len}};
	if (q->last)
		u->pending[q->last - 1].next = (uint16_t)u->pending_n;
	else
		u->dirty[u->dirty_n++] = (uint16_t)socket;
	q->last = (uint16_t)u->pending_n;
	if (!q->first)
		q->first = q->last;
}

/* Returns how many messages could not be sent. */
static unsigned int send_batch(
	struct udp *u, unsigned int socket, unsigned int n, const struct udp_events *events)
{
	unsigned int done = 0;
	bool refused = false;

	while (done < n) {
		int sent = sendmmsg(u->fd[socket], u->out + done, n - done, 0);

		if (sent > 0) {
			done += (unsigned int)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		/* A connected socket reports an earlier ICMP error once, instead of sending. */
		if (errno == ECONNREFUSED && !refused) {
			refused = true;
			events->unreachable(events->arg, socket);
			continue;
		}
		break;
	}
	return n - done;
}

void udp_flush(struct udp *u, const struct udp_events *events)
{
	for (unsigned int d = 0; d < u->dirty_n; d++) {
		unsigned int socket = u->dirty[d], unsent = 0;
		struct queue *q = &u->queue[socket];
		uint16_t at = q->first;

		*q = (struct queue){0};
		while (at) {
			unsigned int n = 0;

			for (; at && n < UDP_BATCH; at = u->pending[at - 1].next)
				u->out[n++].msg_hdr = (struct msghdr){
					.msg_iov = &u->pending[at - 1].message, .msg_iovlen = 1};
			unsent += send_batch(u, socket, n, events);
		}
		if (unsent)
			events->unsent(events->arg, socket, unsent);
	}
	u->dirty_n = u->pending_n = 0;
}

void udp_receive(struct udp *u, unsigned int socket, const struct udp_events *events)
{
	/* Bounded, so that a flood on one socket does not starve the others. */
	for (unsigned int turn = 0; turn < RECEIVE_TURNS; turn++) {
		int n = recvmmsg(u->fd[socket], u->in, UDP_BATCH, MSG_DONTWAIT, NULL);

		if (n < 0) {
			if (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)
				events->unreachable(events->arg, socket);
			return;
		}
		for (int i = 0; i < n; i++) {
			/* A datagram that was cut has no chance to parse; 0 octets neither. */
			size_t len = u->in[i].msg_hdr.msg_flags & MSG_TRUNC ? 0 : u->in[i].msg_len;

			events->datagram(events->arg, socket, u->buffer[i], len);
		}
		if (n < UDP_BATCH)
			return;
	}
}
