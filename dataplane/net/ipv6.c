/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum ipv6_next_header {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_ESP = 50,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140,
};

/* Groups are for neighbour discovery, and their MAC address follows from the address (RFC 2464 7).
 */
static bool destination_is_valid(const struct net_layer *in, const uint8_t *dst)
{
	if (dst[0] == 0xff)
		return in->data[6] == NET_ICMPV6;
	return net_addresses_has(in->host->addresses, 6, dst);
}

static bool mac_is_valid(const struct net_layer *in, const uint8_t *dst)
{
	const uint8_t *mac = in->eth_destination;

	if (net_mac_equal(mac, in->host->mac))
		return true;
	return dst[0] == 0xff && memcmp(mac + 2, dst + 12, 4) == 0;
}

static bool source_is_valid(const struct net_layer *in, const uint8_t *src)
{
	static const uint8_t unspecified[NET_IPV6_OCTETS];

	/* Who probes an address has none yet (RFC 4862 5.4.2); neighbour discovery checks the rest.
	 */
	if (in->data[6] == NET_ICMPV6 && memcmp(src, unspecified, sizeof(unspecified)) == 0)
		return true;
	return net_unicast(6, src) && !net_addresses_has(in->host->addresses, 6, src);
}

static void next_header_drop(struct net_packet *p, uint8_t next)
{
	switch (next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_ESP:
	case NEXT_AUTHENTICATION:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return net_drop(p, VERDICT_DROP_IPV6_EXTENSION);
	default:
		return net_drop(p, VERDICT_DROP_IPV6_PROTOCOL);
	}
}

static void fragment_input(struct net_layer *piece, struct net_packet *p)
{
	const uint8_t *header = piece->data;
	struct net_fragment f;

	if (piece->len < FRAGMENT_HEADER_LEN)
		return net_drop(p, VERDICT_DROP_FRAGMENT_MALFORMED);
	piece->data += FRAGMENT_HEADER_LEN;
	piece->len -= FRAGMENT_HEADER_LEN;
	f = (struct net_fragment){.id = get32(header + 4),
		.offset = get16(header + 2) & 0xfff8,
		.len = (uint16_t)piece->len,
		.more = (header[3] & 1) != 0};
	/* All of a datagram in one fragment has nothing to do with others (RFC 6946). */
	if (f.offset == 0 && !f.more && header[0] == NET_UDP)
		return net_udp_input(piece, p);
	net_fragment_input(p, header[0], &f, piece->data);
}

void net_ipv6_input(const struct net_layer *in, struct net_packet *p)
{
	const uint8_t *ip = in->data;
	struct net_layer above = *in;
	uint32_t payload_len;

	if (in->len < NET_IPV6_LEN || ip[0] >> 4 != 6)
		return net_drop(p, VERDICT_DROP_IPV6_HEADER);
	payload_len = get16(ip + 4);
	if (payload_len == 0 || payload_len > in->len - NET_IPV6_LEN)
		return net_drop(p, VERDICT_DROP_IPV6_LENGTH);
	if (!destination_is_valid(in, ip + 24))
		return net_drop(p, VERDICT_DROP_IPV6_DESTINATION);
	if (!mac_is_valid(in, ip + 24))
		return net_drop(p, VERDICT_DROP_ETH_DESTINATION);
	if (!source_is_valid(in, ip + 8))
		return net_drop(p, VERDICT_DROP_IPV6_SOURCE);

	p->flow.family = 6;
	memcpy(p->flow.theirs, ip + 8, NET_IPV6_OCTETS);
	memcpy(p->flow.ours, ip + 24, NET_IPV6_OCTETS);
	if (ip[6] == NET_UDP) {
		above.data = ip + NET_IPV6_LEN;
		above.len = payload_len;
		net_udp_input(&above, p);
	} else if (ip[6] == NET_IPV6_FRAGMENT) {
		above.data = ip + NET_IPV6_LEN;
		above.len = payload_len;
		fragment_input(&above, p);
	} else if (ip[6] == NET_ICMPV6) {
		above.len = NET_IPV6_LEN + payload_len;
		net_icmpv6_input(&above, p);
	} else {
		next_header_drop(p, ip[6]);
	}
}

void net_ipv6_header(uint8_t *out, const uint8_t *src, const uint8_t *dst, uint8_t protocol,
	uint16_t payload_len, uint8_t hop_limit)
{
	memset(out, 0, NET_IPV6_LEN);
	out[0] = 0x60;
	put16(out + 4, payload_len);
	out[6] = protocol;
	out[7] = hop_limit;
	memcpy(out + 8, src, NET_IPV6_OCTETS);
	memcpy(out + 24, dst, NET_IPV6_OCTETS);
}
