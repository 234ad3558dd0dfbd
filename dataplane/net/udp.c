/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

static bool checksum_is_valid(
	const struct net_layer *in, const struct net_flow *flow, uint16_t udp_len)
{
	/* Zero means "none": allowed over IPv4 (RFC 768), not over IPv6 (RFC 8200 8.1). */
	if (get16(in->data + 6) == 0)
		return flow->family == 4;
	if (in->hints & NET_HINT_UDP_CHECKED)
		return true;
	return net_sum_intact(
		net_sum(net_sum_pseudo(flow->family, flow->theirs, flow->ours, NET_UDP, udp_len),
			in->data, udp_len));
}

void net_udp_input(const struct net_layer *in, struct net_packet *p)
{
	const uint8_t *udp = in->data;
	uint16_t udp_len;

	if (in->len < NET_UDP_LEN)
		return net_drop(p, VERDICT_DROP_UDP_LENGTH);
	udp_len = get16(udp + 4);
	/* Octets between the end of UDP and the end of IP are allowed and ignored (RFC 9868). */
	if (udp_len < NET_UDP_LEN || udp_len > in->len)
		return net_drop(p, VERDICT_DROP_UDP_LENGTH);
	if (!net_addresses_has_port(
		    in->host->addresses, p->flow.family, p->flow.ours, get16(udp + 2)))
		return net_drop(p, VERDICT_DROP_UDP_PORT);
	if (get16(udp) == 0)
		return net_drop(p, VERDICT_DROP_UDP_SOURCE_PORT);
	if (!checksum_is_valid(in, &p->flow, udp_len))
		return net_drop(p, VERDICT_DROP_UDP_CHECKSUM);
	p->flow.their_port = get16(udp);
	p->flow.our_port = get16(udp + 2);
	p->payload = udp + NET_UDP_LEN;
	p->payload_len = (uint16_t)(udp_len - NET_UDP_LEN);
	p->action = NET_MESSAGE;
	p->verdict = VERDICT_PENDING;
}
