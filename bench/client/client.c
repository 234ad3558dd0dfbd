/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/client/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 65535, DATAGRAMS_A_TURN = 32 };

/* A call under way. */
struct call {
	struct client_pool *pool;
	struct client_plan plan;
	struct client_outcome *out;
	client_judge_fn judge;
	void *arg;
	struct pollfd fd[CLIENT_ADDRESSES_MAX]; /* by address; fd < 0: not open */
	uint64_t sent_us[CLIENT_ADDRESSES_MAX];
};

uint64_t client_clock_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t client_clock_ntp(void)
{
	const uint64_t unix_epoch = 2208988800; /* seconds from 1900 to 1970 */
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_sec + unix_epoch) << 32 | (((uint64_t)t.tv_nsec << 32) / 1000000000);
}

static int open_socket(const struct client_address *a)
{
	const int fd = socket(a->sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)&a->sa, a->sa_len) != 0) {
		const int e = -errno;
		(void)close(fd);
		return e;
	}
	return fd;
}

static void send_to(struct call *c, unsigned int address, const uint8_t *message, size_t len)
{
	struct pollfd *fd = &c->fd[address];
	int e = 0;
	if (fd->fd < 0) {
		const int s = open_socket(&c->pool->address[address]);
		if (s < 0) {
			e = -s;
		} else {
			fd->fd = s;
			fd->events = POLLIN;
		}
	}
	/* Before, not after: the answer may be there when send() returns. */
	c->sent_us[address] = client_clock_us();
	/* A connected UDP socket reports an earlier ICMP error once, instead of sending. */
	if (e == 0 && send(fd->fd, message, len, 0) < 0 &&
		(errno != ECONNREFUSED || send(fd->fd, message, len, 0) < 0)) {
		e = errno;
	}
	if (e != 0) {
		c->out->send_errno = e;
		client_plan_silent(&c->plan, c->pool, address, c->sent_us[address]);
		return;
	}
	c->out->sent++;
}

/* Reads what came from one address. Returns whether the call is done. */
static int receive_from(struct call *c, unsigned int address)
{
	static _Thread_local uint8_t buf[DATAGRAM_MAX];
	/* Bounded, so that a flood does not keep the clock from being looked at. */
	for (unsigned int k = 0; k < DATAGRAMS_A_TURN; k++) {
		const ssize_t n = recv(c->fd[address].fd, buf, sizeof(buf), 0);
		const uint64_t now = client_clock_us();
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK) {
				c->out->send_errno = errno;
				client_plan_silent(&c->plan, c->pool, address, now);
			}
			return 0;
		}
		c->out->received++;
		switch (c->judge(c->arg, address, buf, (size_t)n)) {
		case CLIENT_FINAL:
			c->out->address = address;
			c->out->rtt_us = now - c->sent_us[address];
			client_plan_answered(c->pool, address, now);
			return 1;
		case CLIENT_HINT:
			c->out->hints++;
			client_plan_hint(&c->plan, c->pool, address, now);
			break;
		case CLIENT_IGNORE:
		default:
			break;
		}
	}
	return 0;
}

static int wait_for_answers(struct call *c, uint64_t until_us)
{
	const uint64_t now = client_clock_us();
	if (now >= until_us) {
		return 0;
	}
	const struct timespec t = {
		.tv_sec = (time_t)((until_us - now) / 1000000),
		.tv_nsec = (long)((until_us - now) % 1000000 * 1000),
	};
	const int n = ppoll(c->fd, c->pool->n, &t, NULL);
	if (n < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	for (unsigned int i = 0; n > 0 && i < c->pool->n; i++) {
		if (c->fd[i].fd >= 0 && c->fd[i].revents != 0 && receive_from(c, i)) {
			return 1;
		}
	}
	return 0;
}

static int run(struct call *c, const uint8_t *message, size_t len)
{
	for (;;) {
		const uint64_t now = client_clock_us();
		if (now >= c->plan.end_us) {
			return -ETIMEDOUT;
		}
		if (now >= c->plan.next_us) {
			send_to(c, client_plan_send(&c->plan, c->pool, now), message, len);
			continue;
		}
		const uint64_t until =
			c->plan.next_us < c->plan.end_us ? c->plan.next_us : c->plan.end_us;
		const int r = wait_for_answers(c, until);
		if (r != 0) {
			return r < 0 ? r : 0;
		}
	}
}

int client_call(struct client_pool *pool, const struct client_timing *timing,
	const uint8_t *message, size_t len, client_judge_fn judge, void *arg,
	struct client_outcome *outcome)
{
	struct call c = {.pool = pool, .out = outcome, .judge = judge, .arg = arg};
	const uint64_t start = client_clock_us();
	uint64_t seed;
	*outcome = (struct client_outcome){0};
	if (pool->n == 0 || pool->n > CLIENT_ADDRESSES_MAX) {
		return -EINVAL;
	}
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		return -errno;
	}
	for (unsigned int i = 0; i < CLIENT_ADDRESSES_MAX; i++) {
		c.fd[i].fd = -1;
	}
	client_plan_begin(&c.plan, timing, start, 0, seed);
	const int r = run(&c, message, len);
	outcome->total_us = client_clock_us() - start;
	for (unsigned int i = 0; i < pool->n; i++) {
		if (c.fd[i].fd >= 0) {
			(void)close(c.fd[i].fd);
		}
	}
	return r;
}
