/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum { MORE_FRAGMENTS = 0x2000, FRAGMENT_OFFSET = 0x1fff };

static void fragment_input(const uint8_t *ip, const struct net_layer *piece, struct net_packet *p)
{
	uint16_t flags = get16(ip + 6);
	/* The longest offset is 65528, and no piece is longer than its packet. */
	const struct net_fragment f = {.id = get16(ip + 4),
		.offset = (uint16_t)((flags & FRAGMENT_OFFSET) * 8),
		.len = (uint16_t)piece->len,
		.more = (flags & MORE_FRAGMENTS) != 0};

	net_fragment_input(p, ip[9], &f, piece->data);
}

void net_ipv4_input(const struct net_layer *in, struct net_packet *p)
{
	const uint8_t *ip = in->data;
	const struct net_addresses *ours = in->host->addresses;
	struct net_layer above = *in;
	uint32_t header_len, total_len;

	if (in->len < NET_IPV4_LEN || ip[0] >> 4 != 4)
		return net_drop(p, VERDICT_DROP_IPV4_HEADER);
	header_len = (ip[0] & 0x0f) * 4u;
	if (header_len < NET_IPV4_LEN || header_len > in->len)
		return net_drop(p, VERDICT_DROP_IPV4_HEADER);
	total_len = get16(ip + 2);
	if (total_len < header_len || total_len > in->len)
		return net_drop(p, VERDICT_DROP_IPV4_LENGTH);
	if (!net_sum_intact(net_sum(0, ip, header_len)))
		return net_drop(p, VERDICT_DROP_IPV4_CHECKSUM);
	if (!net_addresses_has(ours, 4, ip + 16))
		return net_drop(p, VERDICT_DROP_IPV4_DESTINATION);
	/* One of our own as source would make two workers talk to each other. */
	if (!net_unicast(4, ip + 12) || net_addresses_has(ours, 4, ip + 12))
		return net_drop(p, VERDICT_DROP_IPV4_SOURCE);

	p->flow.family = 4;
	memcpy(p->flow.theirs, ip + 12, NET_IPV4_OCTETS);
	memcpy(p->flow.ours, ip + 16, NET_IPV4_OCTETS);
	above.data = ip + header_len;
	above.len = total_len - header_len;
	if (get16(ip + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET))
		fragment_input(ip, &above, p);
	else if (ip[9] == NET_UDP)
		net_udp_input(&above, p);
	else if (ip[9] == NET_ICMP)
		net_icmp_input(&above, p);
	else
		net_drop(p, VERDICT_DROP_IPV4_PROTOCOL);
}

void net_ipv4_header(uint8_t *out, const struct net_flow *flow, uint8_t protocol,
	uint16_t payload_len, uint16_t id)
{
	memset(out, 0, NET_IPV4_LEN);
	out[0] = 0x45;
	put16(out + 2, (uint16_t)(NET_IPV4_LEN + payload_len));
	put16(out + 4, id);
	out[8] = NET_HOP_LIMIT;
	out[9] = protocol;
	memcpy(out + 12, flow->ours, NET_IPV4_OCTETS);
	memcpy(out + 16, flow->theirs, NET_IPV4_OCTETS);
	net_store_checksum(out + 10, net_sum(0, out, NET_IPV4_LEN));
}
