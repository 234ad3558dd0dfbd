/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/conns.h"

#include <linux/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

static void append(struct conns *c, struct conn *conn, enum conn_wait wait, uint64_t now_us)
{
	struct conn_list *l = &c->list[wait];

	conn->wait = wait;
	conn->until_us = now_us + c->limit_us[wait];
	conn->prev = l->last;
	conn->next = NULL;
	*(l->last ? &l->last->next : &l->first) = conn;
	l->last = conn;
}

static void unlink_conn(struct conns *c, struct conn *conn)
{
	struct conn_list *l;

	if (conn->wait == CONN_NONE)
		return;
	l = &c->list[conn->wait];
	*(conn->prev ? &conn->prev->next : &l->first) = conn->next;
	*(conn->next ? &conn->next->prev : &l->last) = conn->prev;
	conn->wait = CONN_NONE;
}

void conns_add(struct conns *c, struct conn *conn, uint64_t now_us)
{
	conn->fresh = true;
	append(c, conn, CONN_REQUEST, now_us);
	c->n++;
}

void conns_remove(struct conns *c, struct conn *conn)
{
	unlink_conn(c, conn);
	c->n--;
}

void conns_wait(struct conns *c, struct conn *conn, enum conn_wait wait, uint64_t now_us)
{
	unlink_conn(c, conn);
	conn->fresh = false;
	if (wait != CONN_NONE)
		append(c, conn, wait, now_us);
}

static void end(struct conns *c, struct conn *conn)
{
	unlink_conn(c, conn);
	/* Fails only when the peer was faster. */
	(void)shutdown(conn->fd, SHUT_RDWR);
}

/* Only the kernel knows: libmicrohttpd says nothing before a request line is complete. */
static bool has_sent_nothing(const struct conn *conn)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       len > offsetof(struct tcp_info, tcpi_bytes_received) &&
	       info.tcpi_bytes_received == 0;
}

unsigned int conns_expire(struct conns *c, uint64_t now_us)
{
	unsigned int n = 0;

	for (unsigned int w = 0; w < CONN_NONE; w++) {
		while (c->list[w].first && c->list[w].first->until_us <= now_us) {
			struct conn *conn = c->list[w].first;

			if (conn->fresh && w == CONN_REQUEST && has_sent_nothing(conn)) {
				unlink_conn(c, conn);
				append(c, conn, CONN_IDLE, now_us);
				continue;
			}
			end(c, conn);
			n++;
		}
	}
	return n;
}

void conns_end_idle(struct conns *c, uint64_t before_us)
{
	struct conn_list *l = &c->list[CONN_IDLE];

	while (l->first && l->first->until_us - c->limit_us[CONN_IDLE] < before_us)
		end(c, l->first);
}

bool conns_end_oldest_idle(struct conns *c)
{
	if (!c->list[CONN_IDLE].first)
		return false;
	end(c, c->list[CONN_IDLE].first);
	return true;
}

uint64_t conns_due_us(const struct conns *c)
{
	uint64_t due = UINT64_MAX;

	for (unsigned int w = 0; w < CONN_NONE; w++) {
		if (c->list[w].first && c->list[w].first->until_us < due)
			due = c->list[w].first->until_us;
	}
	return due;
}
