/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/client/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEAD_FIRST_US = 1000000, DEAD_DOUBLINGS = 5 };

static int parse_port(const char *s, uint16_t *port)
{
	char *end;
	if (*s < '0' || *s > '9') {
		return -EINVAL;
	}
	const unsigned long v = strtoul(s, &end, 10);
	if (*end != '\0' || v == 0 || v > 65535) {
		return -EINVAL;
	}
	*port = (uint16_t)v;
	return 0;
}

static int set_v4(struct client_address *a, const char *ip, uint16_t port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&a->sa;
	if (inet_pton(AF_INET, ip, &sin->sin_addr) != 1) {
		return -EINVAL;
	}
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	a->sa_len = sizeof(*sin);
	(void)snprintf(a->text, sizeof(a->text), "%s:%u", ip, port);
	return 0;
}

static int set_v6(struct client_address *a, const char *ip, uint16_t port)
{
	struct sockaddr_in6 *sin = (struct sockaddr_in6 *)&a->sa;
	char text[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET6, ip, &sin->sin6_addr) != 1 ||
		inet_ntop(AF_INET6, &sin->sin6_addr, text, sizeof(text)) == NULL) {
		return -EINVAL;
	}
	sin->sin6_family = AF_INET6;
	sin->sin6_port = htons(port);
	a->sa_len = sizeof(*sin);
	(void)snprintf(a->text, sizeof(a->text), "[%s]:%u", text, port);
	return 0;
}

static int parse_one(struct client_address *a, char *s)
{
	uint16_t port = CLIENT_PORT;
	memset(a, 0, sizeof(*a));
	if (*s == '[') {
		char *end = strchr(s, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':') ||
			(end[1] == ':' && parse_port(end + 2, &port) != 0)) {
			return -EINVAL;
		}
		*end = '\0';
		return set_v6(a, s + 1, port);
	}
	char *colon = strchr(s, ':');
	if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		return set_v6(a, s, port);
	}
	if (colon != NULL) {
		*colon = '\0';
		if (parse_port(colon + 1, &port) != 0) {
			return -EINVAL;
		}
	}
	return set_v4(a, s, port);
}

int client_pool_parse(struct client_pool *pool, const char *list, const char **bad, size_t *bad_len)
{
	pool->n = 0;
	for (const char *s = list;; s += *bad_len + 1) {
		char part[CLIENT_ADDRESS_TEXT];
		*bad = s;
		*bad_len = strcspn(s, ",");
		if (pool->n == CLIENT_ADDRESSES_MAX) {
			return -E2BIG;
		}
		if (*bad_len >= sizeof(part)) {
			return -EINVAL;
		}
		memcpy(part, s, *bad_len);
		part[*bad_len] = '\0';
		if (parse_one(&pool->address[pool->n], part) != 0) {
			return -EINVAL;
		}
		pool->n++;
		if (s[*bad_len] == '\0') {
			return 0;
		}
	}
}

void client_address_silent(struct client_address *a, uint64_t sent_us, uint64_t now_us)
{
	if (a->alive_us > sent_us || (a->silences != 0 && a->marked_us > sent_us)) {
		return;
	}
	const unsigned int doublings = a->silences < DEAD_DOUBLINGS ? a->silences : DEAD_DOUBLINGS;
	a->silences++;
	a->marked_us = now_us;
	a->dead_until_us = now_us + ((uint64_t)DEAD_FIRST_US << doublings);
}

void client_address_alive(struct client_address *a, uint64_t now_us)
{
	a->alive_us = now_us;
	a->silences = 0;
	a->dead_until_us = 0;
}
