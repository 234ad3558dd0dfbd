/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/nd.h"

#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum {
	ND_SOLICITATION_LEN = 24,
	ND_ADVERTISEMENT = 136,
	ND_ADVERTISEMENT_LEN = 32, /* with the target's link-layer address */
	ND_HOP_LIMIT = 255,
	ND_TARGET = 8,
	ND_OPTION_SOURCE_MAC = 1,
	ND_OPTION_TARGET_MAC = 2,
};

enum nd_flag { ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };

static const uint8_t all_nodes[NET_IPV6_OCTETS] = {0xff, 0x02, [15] = 0x01};
static const uint8_t all_nodes_mac[NET_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t unspecified[NET_IPV6_OCTETS];

/* Options have lengths in units of 8 octets, never zero, and fill the message. */
static bool options_are_valid(const uint8_t *options, uint32_t len, bool source_mac_allowed)
{
	while (len > 0) {
		uint32_t option_len;

		if (len < 8)
			return false;
		option_len = options[1] * 8u;
		if (option_len == 0 || option_len > len)
			return false;
		if (options[0] == ND_OPTION_SOURCE_MAC && !source_mac_allowed)
			return false;
		options += option_len;
		len -= option_len;
	}
	return true;
}

/* The checks of RFC 4861 7.1.1; the checksum is known to be right. */
static bool solicitation_is_valid(const struct net_layer *in, const uint8_t *nd, uint32_t len)
{
	const uint8_t *src = in->data + 8;
	const uint8_t *dst = in->data + 24;
	bool probe = memcmp(src, unspecified, sizeof(unspecified)) == 0;

	if (in->data[7] != ND_HOP_LIMIT || nd[1] != 0 || len < ND_SOLICITATION_LEN ||
		nd[ND_TARGET] == 0xff)
		return false;
	if (probe && dst[0] != 0xff)
		return false;
	return options_are_valid(nd + ND_SOLICITATION_LEN, len - ND_SOLICITATION_LEN, !probe);
}

void net_nd_input(const struct net_layer *in, struct net_packet *p)
{
	const uint8_t *nd = p->payload;
	const uint8_t *dst = in->data + 24;

	if (!solicitation_is_valid(in, nd, p->payload_len))
		return net_drop(p, VERDICT_DROP_ND_MALFORMED);
	if (!net_addresses_holds(in->host->addresses, 6, nd + ND_TARGET))
		return net_drop(p, VERDICT_DROP_ND_TARGET);
	if (dst[0] == 0xff && !net_solicited_node(dst, nd + ND_TARGET))
		return net_drop(p, VERDICT_DROP_ND_MALFORMED);
	memcpy(p->flow.ours, nd + ND_TARGET, NET_IPV6_OCTETS);
	p->action = NET_ANSWER;
	p->verdict = VERDICT_ND_ANSWERED;
}

static size_t advertisement_build(uint8_t *out, const uint8_t *mac, const uint8_t *target,
	const uint8_t *dst, const uint8_t *dst_mac, uint8_t flags)
{
	uint8_t *nd = out + NET_ETH_LEN + NET_IPV6_LEN;
	uint64_t sum;

	net_eth_header(out, dst_mac, mac, NET_TYPE_IPV6);
	net_ipv6_header(
		out + NET_ETH_LEN, target, dst, NET_ICMPV6, ND_ADVERTISEMENT_LEN, ND_HOP_LIMIT);
	memset(nd, 0, ND_ADVERTISEMENT_LEN);
	nd[0] = ND_ADVERTISEMENT;
	nd[4] = flags;
	memcpy(nd + ND_TARGET, target, NET_IPV6_OCTETS);
	nd[24] = ND_OPTION_TARGET_MAC;
	nd[25] = 1;
	memcpy(nd + 26, mac, NET_MAC_LEN);
	sum = net_sum_pseudo(6, target, dst, NET_ICMPV6, ND_ADVERTISEMENT_LEN);
	net_store_checksum(nd + 2, net_sum(sum, nd, ND_ADVERTISEMENT_LEN));
	return NET_ETH_LEN + NET_IPV6_LEN + ND_ADVERTISEMENT_LEN;
}

size_t net_nd_answer(const struct net_packet *p, uint8_t *out)
{
	const struct net_flow *flow = &p->flow;

	/* Who probes an address has none to be answered at (7.2.4). */
	if (memcmp(flow->theirs, unspecified, sizeof(unspecified)) == 0)
		return advertisement_build(
			out, flow->our_mac, flow->ours, all_nodes, all_nodes_mac, ND_OVERRIDE);
	return advertisement_build(out, flow->our_mac, flow->ours, flow->theirs, flow->their_mac,
		ND_SOLICITED | ND_OVERRIDE);
}

size_t net_nd_announce(const uint8_t *mac, const uint8_t *address, uint8_t *out)
{
	return advertisement_build(out, mac, address, all_nodes, all_nodes_mac, ND_OVERRIDE);
}
