/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/packet.h"

#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum { TYPE_SERVICE_VLAN = 0x88a8, ETH_MULTICAST = 0x01 };

const uint8_t net_mac_broadcast[NET_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

bool net_mac_equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, NET_MAC_LEN) == 0;
}

static bool source_is_valid(const struct net_host *host, const uint8_t *mac)
{
	static const uint8_t zero[NET_MAC_LEN];

	if ((mac[0] & ETH_MULTICAST) || net_mac_equal(mac, zero))
		return false;
	/* Ours: a frame that the kernel behind the port sent, or a loop. */
	return host->mac_shared || !net_mac_equal(mac, host->mac);
}

/* Takes the tag off; false: not a VLAN of ours, or a tag in a tag. */
static bool take_tag(const struct net_host *host, const struct net_frame *frame,
	struct net_layer *in, uint16_t *type, struct net_packet *out)
{
	struct net_flow *flow = &out->flow;

	if (frame->hints & NET_HINT_VLAN) {
		flow->tagged = true;
		flow->tci = frame->tci;
	} else if (*type == NET_TYPE_VLAN) {
		if (in->len < NET_VLAN_LEN)
			return false;
		flow->tagged = true;
		flow->tci = get16(in->data);
		*type = get16(in->data + 2);
		in->data += NET_VLAN_LEN;
		in->len -= NET_VLAN_LEN;
	}
	if (*type == NET_TYPE_VLAN || *type == TYPE_SERVICE_VLAN)
		return false;
	return host->vlans ? net_vlans_has(host->vlans, net_vlan_id(flow)) : !flow->tagged;
}

/* Only what ARP and neighbour discovery need may come to a group. */
static bool destination_is_valid(const struct net_host *host, const uint8_t *mac, uint16_t type)
{
	if (net_mac_equal(mac, host->mac))
		return true;
	if (type == NET_TYPE_ARP)
		return net_mac_equal(mac, net_mac_broadcast);
	return type == NET_TYPE_IPV6 && mac[0] == 0x33 && mac[1] == 0x33;
}

void net_classify(
	const struct net_host *host, const struct net_frame *frame, struct net_packet *out)
{
	const uint8_t *data = frame->data;
	struct net_layer in;
	uint16_t type;

	memset(out, 0, sizeof(*out));
	if (frame->len < NET_ETH_LEN)
		return net_drop(out, VERDICT_DROP_ETH_SHORT);
	type = get16(data + 12);
	if (!source_is_valid(host, data + NET_MAC_LEN))
		return net_drop(out, VERDICT_DROP_ETH_SOURCE);
	in = (struct net_layer){
		.host = host,
		.data = data + NET_ETH_LEN,
		.len = frame->len - NET_ETH_LEN,
		.hints = frame->hints,
		.eth_destination = data,
	};
	if (!take_tag(host, frame, &in, &type, out))
		return net_drop(out, VERDICT_DROP_ETH_VLAN);
	if (type != NET_TYPE_ARP && type != NET_TYPE_IPV4 && type != NET_TYPE_IPV6)
		return net_drop(out, VERDICT_DROP_ETH_TYPE);
	if (!destination_is_valid(host, data, type))
		return net_drop(out, VERDICT_DROP_ETH_DESTINATION);

	memcpy(out->flow.their_mac, data + NET_MAC_LEN, NET_MAC_LEN);
	memcpy(out->flow.our_mac, host->mac, NET_MAC_LEN);
	if (type == NET_TYPE_ARP)
		net_arp_input(&in, out);
	else if (type == NET_TYPE_IPV4)
		net_ipv4_input(&in, out);
	else
		net_ipv6_input(&in, out);
}

void net_reassembled(const struct net_host *host, const uint8_t *datagram, uint32_t len,
	struct net_packet *packet)
{
	/* Ports check no sums of fragments. */
	const struct net_layer in = {.host = host, .data = datagram, .len = len};

	net_udp_input(&in, packet);
}

void net_tag(const struct net_flow *flow, uint8_t *frame)
{
	memmove(frame, frame + NET_VLAN_LEN, 2 * (size_t)NET_MAC_LEN);
	put16(frame + 2 * NET_MAC_LEN, NET_TYPE_VLAN);
	put16(frame + 2 * NET_MAC_LEN + 2, flow->tci);
}

void net_eth_header(uint8_t *out, const uint8_t *dst, const uint8_t *src, enum net_ethertype type)
{
	memcpy(out, dst, NET_MAC_LEN);
	memcpy(out + NET_MAC_LEN, src, NET_MAC_LEN);
	put16(out + 12, (uint16_t)type);
}

size_t net_pad(uint8_t *frame, size_t len)
{
	if (len >= NET_ETH_MIN)
		return len;
	memset(frame + len, 0, NET_ETH_MIN - len);
	return NET_ETH_MIN;
}

size_t net_answer(const struct net_packet *packet, uint8_t *out, size_t cap)
{
	size_t needed = NET_ETH_LEN + NET_IPV6_LEN + (size_t)packet->payload_len;

	/* A neighbour advertisement is longer than a solicitation without options. */
	if (cap < needed + 8 || cap < NET_ETH_MIN)
		return 0;
	switch (packet->verdict) {
	case VERDICT_ARP_ANSWERED:
		return net_pad(out, net_arp_answer(packet, out));
	case VERDICT_ND_ANSWERED:
		return net_pad(out, net_nd_answer(packet, out));
	case VERDICT_ECHO_ANSWERED:
		return net_pad(out, net_echo_answer(packet, out));
	default:
		return 0;
	}
}

void net_message_headers(const struct net_flow *flow, uint8_t *frame, uint16_t payload_len,
	uint16_t ip_id, enum net_udp_checksum checksum)
{
	uint16_t udp_len = (uint16_t)(NET_UDP_LEN + payload_len);

	if (flow->family == 4) {
		net_eth_header(frame, flow->their_mac, flow->our_mac, NET_TYPE_IPV4);
		net_ipv4_header(frame + NET_ETH_LEN, flow, NET_UDP, udp_len, ip_id);
	} else {
		net_eth_header(frame, flow->their_mac, flow->our_mac, NET_TYPE_IPV6);
		net_ipv6_header(frame + NET_ETH_LEN, flow->ours, flow->theirs, NET_UDP, udp_len,
			NET_HOP_LIMIT);
	}
	net_udp_header(
		flow, frame + net_headers_len(flow->family) - NET_UDP_LEN, payload_len, checksum);
}

void net_udp_header(const struct net_flow *flow, uint8_t *udp, uint16_t payload_len,
	enum net_udp_checksum checksum)
{
	uint16_t udp_len = (uint16_t)(NET_UDP_LEN + payload_len);
	uint64_t sum = net_sum_pseudo(flow->family, flow->ours, flow->theirs, NET_UDP, udp_len);

	put16(udp, flow->our_port);
	put16(udp + 2, flow->their_port);
	put16(udp + 4, udp_len);
	put16(udp + 6, 0);
	if (checksum == NET_CHECKSUM_PSEUDO) {
		uint16_t folded = net_fold(sum);

		memcpy(udp + 6, &folded, sizeof(folded));
		return;
	}
	net_store_checksum(udp + 6, net_sum(sum, udp, udp_len));
	/* Zero would say "no checksum" (RFC 768). */
	if (get16(udp + 6) == 0)
		put16(udp + 6, 0xffff);
}
