/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP fragments: what one may look like (RFC 791 3.2, RFC 8200 4.5), and how a datagram of ours is
 * cut. Only UDP comes or goes in fragments. Pure.
 */
#ifndef TKMS_NET_FRAGMENT_H
#define TKMS_NET_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/engine/policy.h"
#include "dataplane/engine/verdict.h"

struct net_flow;

enum {
	/* Longest UDP datagram, header included, that is taken in fragments. */
	FRAGMENT_DATAGRAM_MAX = POLICY_MESSAGE_MAX + 8,
	/* No link has packets so small that a fragment with another behind it carries less: who
	   sends such wants to hide the UDP header or to use up places. */
	FRAGMENT_PAYLOAD_MIN = 256,
	/* Places that a datagram needs at most: as many of the shortest as fit, and the last. */
	FRAGMENT_PIECES_MAX = FRAGMENT_DATAGRAM_MAX / FRAGMENT_PAYLOAD_MIN + 1,
	FRAGMENT_HEADER_LEN = 8, /* of IPv6 */
};

/* What an IP header says about the piece of a UDP datagram behind it. */
struct net_fragment {
	uint32_t id;
	uint16_t offset; /* octets */
	uint16_t len;
	bool more;
};

/* VERDICT_PENDING, or why no datagram can have that fragment. */
enum verdict fragment_check(const struct net_fragment *f);

/* How many packets of at most mtu octets (at least 576) a UDP datagram of len octets takes. */
unsigned int fragment_count(uint8_t family, uint32_t len, uint32_t mtu);

/*
 * Writes packet i of fragment_count() with Ethernet and IP headers; out has room for NET_ETH_LEN +
 * mtu. datagram: UDP header (net_udp_header()) and payload. id: the same in all packets of the
 * datagram. Returns the length.
 */
size_t fragment_frame(const struct net_flow *flow, const uint8_t *datagram, uint32_t len,
	uint32_t mtu, uint32_t id, unsigned int i, uint8_t *out);

#endif
