/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as settings and headers write them. Pure; any thread. */
#ifndef TKMS_HTTP_ADDRESS_H
#define TKMS_HTTP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_MAX = 56 };

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
	char text[ADDRESS_TEXT_MAX + 8]; /* "192.0.2.1:2269", "[2001:db8::1]:2269" */
};

/* IP, IP:port, v6, [v6] or [v6]:port. port 0: a port must be given. 0 or -EINVAL. */
int address_parse(struct address *a, const char *text, uint16_t port);

/* Who is counted and limited as one: an IPv4 address (as ::ffff:a.b.c.d) or an IPv6 /64. */
struct source {
	uint8_t octets[16];
};

/* An IPv4-mapped IPv6 address counts as IPv4. Others than IPv4 and IPv6: all zero. */
struct source source_of(const struct sockaddr *sa);
/* From an address without port, len octets of text. */
bool source_parse(struct source *s, const char *text, size_t len);
/* The address without port; text of at least INET6_ADDRSTRLEN octets. */
void source_text(const struct source *s, char *text);

/* Ranges of addresses: "192.0.2.0/24", "2001:db8::/32", or one address. */
struct range {
	uint8_t octets[16];
	uint8_t bits;
};

int range_parse(struct range *r, const char *text);
bool range_has(const struct range *r, const struct sockaddr *sa);

#endif
