/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static int parse_number(const char *s, unsigned long most, unsigned long *out)
{
	char *end;

	if (*s < '0' || *s > '9' || strlen(s) > 5)
		return -EINVAL;
	*out = strtoul(s, &end, 10);
	return *end || *out > most ? -EINVAL : 0;
}

static int set(struct address *a, int family, const char *ip, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		a->len = sizeof(a->v4);
		if (inet_pton(AF_INET, ip, &a->v4.sin_addr) != 1)
			return -EINVAL;
		snprintf(a->text, sizeof(a->text), "%s:%u", ip, port);
		return 0;
	}
	a->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	a->len = sizeof(a->v6);
	if (inet_pton(AF_INET6, ip, &a->v6.sin6_addr) != 1 ||
		!inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text)))
		return -EINVAL;
	snprintf(a->text, sizeof(a->text), "[%s]:%u", text, port);
	return 0;
}

int address_parse(struct address *a, const char *text, uint16_t port)
{
	char ip[ADDRESS_TEXT_MAX];
	const char *colon = strrchr(text, ':'), *number = NULL;
	unsigned long n = port;
	int family = AF_INET;

	if (strlen(text) >= sizeof(ip))
		return -EINVAL;
	snprintf(ip, sizeof(ip), "%s", text);
	if (*text == '[') {
		char *end = strchr(ip, ']');

		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		number = end[1] ? text + (end - ip) + 2 : NULL;
		*end = '\0';
		memmove(ip, ip + 1, strlen(ip));
		family = AF_INET6;
	} else if (colon && strchr(text, ':') != colon) {
		family = AF_INET6;
	} else if (colon) {
		ip[colon - text] = '\0';
		number = colon + 1;
	}
	if (number && (parse_number(number, 65535, &n) < 0 || n == 0))
		return -EINVAL;
	return n == 0 ? -EINVAL : set(a, family, ip, (uint16_t)n);
}

static void octets_of(const struct sockaddr *sa, uint8_t out[16])
{
	memset(out, 0, 16);
	if (sa->sa_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	}
}

static void widen(uint8_t octets[16])
{
	if (memcmp(octets, mapped, sizeof(mapped)) != 0)
		memset(octets + 8, 0, 8);
}

struct source source_of(const struct sockaddr *sa)
{
	struct source s;

	octets_of(sa, s.octets);
	widen(s.octets);
	return s;
}

static bool parse_octets(const char *text, uint8_t octets[16])
{
	memcpy(octets, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, octets + 12) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}

bool source_parse(struct source *s, const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!parse_octets(copy, s->octets))
		return false;
	widen(s->octets);
	return true;
}

void source_text(const struct source *s, char *text)
{
	bool v4 = memcmp(s->octets, mapped, sizeof(mapped)) == 0;

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, s->octets + (v4 ? 12 : 0), text, INET6_ADDRSTRLEN))
		text[0] = '\0';
}

int range_parse(struct range *r, const char *text)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits, most;

	if (len == 0 || len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (!parse_octets(ip, r->octets))
		return -EINVAL;
	most = strchr(ip, ':') ? 128 : 32;
	bits = most;
	if (slash && parse_number(slash + 1, most, &bits) < 0)
		return -EINVAL;
	r->bits = (uint8_t)(bits + 128 - most);
	return 0;
}

bool range_has(const struct range *r, const struct sockaddr *sa)
{
	uint8_t octets[16];
	unsigned int whole = r->bits / 8, rest = r->bits % 8;

	octets_of(sa, octets);
	return memcmp(octets, r->octets, whole) == 0 &&
	       (rest == 0 || (octets[whole] ^ r->octets[whole]) >> (8 - rest) == 0);
}
