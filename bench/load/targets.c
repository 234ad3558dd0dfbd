/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/client/http.h"
#include "bench/load/http.h"

/* Room for bursts of answers while the client verifies. */
static const int buffer_octets = 8 << 20;

struct prefix {
	int family; /* AF_UNSPEC: none */
	unsigned int len;
	uint8_t octets[16];
};

static int parse_prefix(struct prefix *p, const char *text)
{
	char address[64];
	const char *slash = text ? strchr(text, '/') : NULL;
	char *end;
	unsigned int bits;

	p->family = AF_UNSPEC;
	if (!text)
		return 0;
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return -1;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	p->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	bits = p->family == AF_INET ? 32 : 128;
	p->len = (unsigned int)strtoul(slash + 1, &end, 10);
	if (end == slash + 1 || *end || p->len > bits ||
		inet_pton(p->family, address, p->octets) != 1)
		return -1;
	return 0;
}

/* The i-th address of the prefix, from its given address on, wrapping within the host part (at most
 * 2^24 of them). */
static void nth_address(
	const struct prefix *p, unsigned int i, struct sockaddr_storage *out, socklen_t *len)
{
	unsigned int bits = p->family == AF_INET ? 32 : 128, host = bits - p->len;
	uint32_t mask = host >= 24 ? 0xffffff : (1U << host) - 1;
	uint8_t octets[16];
	uint32_t low;

	memcpy(octets, p->octets, sizeof(octets));
	uint8_t *tail = octets + bits / 8 - 4;
	low = (uint32_t)tail[0] << 24 | (uint32_t)tail[1] << 16 | (uint32_t)tail[2] << 8 | tail[3];
	low = (low & ~mask) | ((low + i) & mask);
	for (int k = 0; k < 4; k++)
		tail[k] = (uint8_t)(low >> (24 - 8 * k));
	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)p->family;
	if (p->family == AF_INET) {
		memcpy(&((struct sockaddr_in *)out)->sin_addr, octets, 4);
		*len = sizeof(struct sockaddr_in);
	} else {
		memcpy(&((struct sockaddr_in6 *)out)->sin6_addr, octets, 16);
		*len = sizeof(struct sockaddr_in6);
	}
}

/* ADDR, ADDR:PORT (one colon), [ADDR] or [ADDR]:PORT. */
static int parse_target(struct target *t, const char *text)
{
	char host[80], port[8];
	const char *colon = strrchr(text, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
	size_t len = strlen(text);

	snprintf(port, sizeof(port), "%d", LOAD_PORT);
	if (len == 0 || len >= sizeof(host))
		return -1;
	snprintf(t->name, sizeof(t->name), "%s", text);
	snprintf(host, sizeof(host), "%s", text);
	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (!close || (close[1] && close[1] != ':'))
			return -1;
		snprintf(host, sizeof(host), "%.*s", (int)(close - text - 1), text + 1);
		if (close[1])
			snprintf(port, sizeof(port), "%s", close + 2);
	} else if (colon && strchr(text, ':') == colon) {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
		snprintf(port, sizeof(port), "%s", colon + 1);
	}
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	memcpy(&t->addr, found->ai_addr, found->ai_addrlen);
	t->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int parse_targets(struct targets *t, const char *list)
{
	char *copy = strdup(list), *rest = copy, *item;
	int r = 0;

	if (!copy)
		return -1;
	while (r == 0 && (item = strsep(&rest, ",")) != NULL) {
		if (t->n == LOAD_ADDRESSES_MAX) {
			fprintf(stderr, "tkms-bench: --kms: more than %d addresses\n",
				LOAD_ADDRESSES_MAX);
			r = -1;
		} else if (parse_target(&t->target[t->n], item) < 0) {
			fprintf(stderr, "tkms-bench: --kms: \"%s\" is not an address\n", item);
			r = -1;
		} else {
			t->n++;
		}
	}
	free(copy);
	return r;
}

static int open_socket(
	const struct target *target, const struct prefix *prefix, unsigned int source)
{
	int one = 1,
	    fd = socket(target->addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	socklen_t own_len;

	if (fd < 0) {
		fprintf(stderr, "tkms-bench: socket: %s\n", strerror(errno));
		return -1;
	}
	/* Without privileges the second call gives as much as the system's limit allows. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_octets, sizeof(buffer_octets)) < 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_octets, sizeof(buffer_octets)) < 0)
		goto fail;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) < 0)
		goto fail;
	if (prefix->family == target->addr.ss_family) {
		nth_address(prefix, source, &own, &own_len);
		if (bind(fd, (struct sockaddr *)&own, own_len) < 0) {
			fprintf(stderr, "tkms-bench: --bind: source %u: %s\n", source,
				strerror(errno));
			close(fd);
			return -1;
		}
	}
	if (connect(fd, (const struct sockaddr *)&target->addr, target->addr_len) == 0)
		return fd;
fail:
	fprintf(stderr, "tkms-bench: socket to %s: %s\n", target->name, strerror(errno));
	close(fd);
	return -1;
}

/* One target, one source: the connections are the gateway's. */
static int open_http(struct targets *t, const char *url, unsigned int connections)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 0};

	snprintf(t->target[0].name, sizeof(t->target[0].name), "%s", url);
	t->n = t->sources = 1;
	t->fd = malloc(sizeof(*t->fd));
	if (!t->fd) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(ENOMEM));
		return -1;
	}
	t->fd[0] = -1;
	t->http = http_gateway_open(url, connections, &t->fd[0]);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->http && epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->fd[0], &event) == 0)
		return 0;
	targets_close(t);
	return -1;
}

int targets_open(struct targets *t, const char *list, unsigned int sources, const char *bind_prefix)
{
	struct prefix prefix;

	memset(t, 0, sizeof(*t));
	t->epoll = -1;
	t->sources = sources;
	if (client_is_url(list))
		return open_http(t, list, sources);
	if (parse_prefix(&prefix, bind_prefix) < 0) {
		fprintf(stderr, "tkms-bench: --bind %s: need ADDRESS/LENGTH\n", bind_prefix);
		return -1;
	}
	if (parse_targets(t, list) < 0)
		return -1;
	t->fd = malloc(sizeof(*t->fd) * t->n * sources);
	if (!t->fd) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(ENOMEM));
		return -1;
	}
	for (unsigned int i = 0; i < t->n * sources; i++)
		t->fd[i] = -1;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < t->n * sources; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		t->fd[i] = open_socket(&t->target[targets_of(t, i)], &prefix, i % sources);
		if (t->fd[i] < 0)
			break;
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->fd[i], &event) < 0) {
			fprintf(stderr, "tkms-bench: epoll: %s\n", strerror(errno));
			close(t->fd[i]);
			t->fd[i] = -1;
			break;
		}
		if (i + 1 == t->n * sources)
			return 0;
	}
	targets_close(t);
	return -1;
}

void targets_close(struct targets *t)
{
	http_gateway_close(t->http);
	t->http = NULL;
	for (unsigned int i = 0; t->fd && i < t->n * t->sources; i++) {
		if (t->fd[i] >= 0)
			close(t->fd[i]);
	}
	if (t->epoll >= 0)
		close(t->epoll);
	free(t->fd);
	t->fd = NULL;
	t->epoll = -1;
}
