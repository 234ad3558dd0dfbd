/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum {
	ICMP_HEADER_LEN = 8,
	ICMP_ECHO_REPLY = 0,
	ICMP_ECHO_REQUEST = 8,
	ICMPV6_HEADER_LEN = 4,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_SOLICITATION = 135,
};

static void echo_accept(struct net_packet *p)
{
	p->action = NET_ANSWER;
	p->verdict = VERDICT_ECHO_ANSWERED;
}

void net_icmp_input(const struct net_layer *in, struct net_packet *p)
{
	if (in->len < ICMP_HEADER_LEN || !net_sum_intact(net_sum(0, in->data, in->len)))
		return net_drop(p, VERDICT_DROP_ICMP_MALFORMED);
	if (in->data[0] != ICMP_ECHO_REQUEST || in->data[1] != 0)
		return net_drop(p, VERDICT_DROP_ICMP_TYPE);
	p->payload = in->data;
	p->payload_len = (uint16_t)in->len;
	echo_accept(p);
}

void net_icmpv6_input(const struct net_layer *in, struct net_packet *p)
{
	const uint8_t *ip = in->data;
	const uint8_t *icmp = ip + NET_IPV6_LEN;
	uint32_t len = in->len - NET_IPV6_LEN;
	uint64_t sum = net_sum_pseudo(6, ip + 8, ip + 24, NET_ICMPV6, len);

	if (len < ICMPV6_HEADER_LEN || !net_sum_intact(net_sum(sum, icmp, len)))
		return net_drop(p, VERDICT_DROP_ICMPV6_MALFORMED);
	p->payload = icmp;
	p->payload_len = (uint16_t)len;
	if (icmp[0] == ICMPV6_SOLICITATION)
		return net_nd_input(in, p);
	/* Believed only as far as to be counted: anybody can say so. */
	if (icmp[0] == ICMPV6_TOO_BIG)
		return net_drop(p, VERDICT_DROP_ICMPV6_TOO_BIG);
	/* An echo to a group is not ours to answer, one from nowhere cannot be. */
	if (icmp[0] != ICMPV6_ECHO_REQUEST || icmp[1] != 0 || ip[24] == 0xff)
		return net_drop(p, VERDICT_DROP_ICMPV6_TYPE);
	if (len < ICMP_HEADER_LEN)
		return net_drop(p, VERDICT_DROP_ICMPV6_MALFORMED);
	if (!net_unicast(6, ip + 8))
		return net_drop(p, VERDICT_DROP_IPV6_SOURCE);
	echo_accept(p);
}

size_t net_echo_answer(const struct net_packet *p, uint8_t *out)
{
	const struct net_flow *flow = &p->flow;
	uint8_t *ip = out + NET_ETH_LEN;
	uint8_t *icmp;
	uint64_t sum = 0;

	if (flow->family == 4) {
		icmp = ip + NET_IPV4_LEN;
		net_eth_header(out, flow->their_mac, flow->our_mac, NET_TYPE_IPV4);
		net_ipv4_header(ip, flow, NET_ICMP, p->payload_len, get16(p->payload + 6));
		memcpy(icmp, p->payload, p->payload_len);
		icmp[0] = ICMP_ECHO_REPLY;
	} else {
		icmp = ip + NET_IPV6_LEN;
		net_eth_header(out, flow->their_mac, flow->our_mac, NET_TYPE_IPV6);
		net_ipv6_header(
			ip, flow->ours, flow->theirs, NET_ICMPV6, p->payload_len, NET_HOP_LIMIT);
		memcpy(icmp, p->payload, p->payload_len);
		icmp[0] = ICMPV6_ECHO_REPLY;
		sum = net_sum_pseudo(6, flow->ours, flow->theirs, NET_ICMPV6, p->payload_len);
	}
	put16(icmp + 2, 0);
	net_store_checksum(icmp + 2, net_sum(sum, icmp, p->payload_len));
	return (size_t)(icmp - out) + p->payload_len;
}
