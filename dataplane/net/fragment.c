/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/fragment.h"

#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum { UNIT = 8, IPV4_MORE_FRAGMENTS = 0x2000 };

enum verdict fragment_check(const struct net_fragment *f)
{
	if (f->len == 0 || (f->more && f->len % UNIT != 0))
		return VERDICT_DROP_FRAGMENT_MALFORMED;
	if ((uint32_t)f->offset + f->len > FRAGMENT_DATAGRAM_MAX)
		return VERDICT_DROP_FRAGMENT_SIZE;
	if (f->more && f->len < FRAGMENT_PAYLOAD_MIN)
		return VERDICT_DROP_FRAGMENT_TINY;
	return VERDICT_PENDING;
}

/* Octets of the datagram in every packet but the last. */
static uint32_t piece_of(uint8_t family, uint32_t mtu)
{
	uint32_t headers = family == 4 ? NET_IPV4_LEN : NET_IPV6_LEN + FRAGMENT_HEADER_LEN;

	return (mtu - headers) / UNIT * UNIT;
}

unsigned int fragment_count(uint8_t family, uint32_t len, uint32_t mtu)
{
	uint32_t whole = mtu - (family == 4 ? NET_IPV4_LEN : NET_IPV6_LEN);
	uint32_t piece = piece_of(family, mtu);

	return len <= whole ? 1 : (len + piece - 1) / piece;
}

static uint8_t *ipv4_headers(const struct net_flow *flow, const struct net_fragment *f, uint8_t *ip)
{
	net_ipv4_header(ip, flow, NET_UDP, f->len, (uint16_t)f->id);
	put16(ip + 6, (uint16_t)(f->offset / UNIT | (f->more ? IPV4_MORE_FRAGMENTS : 0)));
	put16(ip + 10, 0);
	net_store_checksum(ip + 10, net_sum(0, ip, NET_IPV4_LEN));
	return ip + NET_IPV4_LEN;
}

static uint8_t *ipv6_headers(const struct net_flow *flow, const struct net_fragment *f, uint8_t *ip)
{
	uint8_t *extension = ip + NET_IPV6_LEN;

	net_ipv6_header(ip, flow->ours, flow->theirs, NET_IPV6_FRAGMENT,
		(uint16_t)(FRAGMENT_HEADER_LEN + f->len), NET_HOP_LIMIT);
	extension[0] = NET_UDP;
	extension[1] = 0;
	/* The offset counts in units and lies three bits up: the same number. */
	put16(extension + 2, (uint16_t)(f->offset | (f->more ? 1 : 0)));
	put32(extension + 4, f->id);
	return extension + FRAGMENT_HEADER_LEN;
}

size_t fragment_frame(const struct net_flow *flow, const uint8_t *datagram, uint32_t len,
	uint32_t mtu, uint32_t id, unsigned int i, uint8_t *out)
{
	uint32_t piece = piece_of(flow->family, mtu), offset = i * piece;
	bool more = len - offset > piece;
	const struct net_fragment f = {.id = id,
		.offset = (uint16_t)offset,
		.len = (uint16_t)(more ? piece : len - offset),
		.more = more};
	uint8_t *at = out + NET_ETH_LEN;

	net_eth_header(out, flow->their_mac, flow->our_mac,
		flow->family == 4 ? NET_TYPE_IPV4 : NET_TYPE_IPV6);
	at = flow->family == 4 ? ipv4_headers(flow, &f, at) : ipv6_headers(flow, &f, at);
	memcpy(at, datagram + offset, f.len);
	return (size_t)(at - out) + f.len;
}
