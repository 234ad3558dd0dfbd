/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/arp.h"

#include <string.h>

#include "dataplane/net/layers.h"
#include "dataplane/net/octets.h"

enum {
	ARP_LEN = 28,
	ARP_ETHERNET = 1,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	/* offsets */
	ARP_OPERATION = 6,
	ARP_SENDER_MAC = 8,
	ARP_SENDER_IP = 14,
	ARP_TARGET_IP = 24,
};

void net_arp_input(const struct net_layer *in, struct net_packet *p)
{
	static const uint8_t head[] = {0, ARP_ETHERNET, 0x08, 0x00, NET_MAC_LEN, NET_IPV4_OCTETS};
	const uint8_t *arp = in->data;

	if (in->len < ARP_LEN || memcmp(arp, head, sizeof(head)) != 0 || (arp[ARP_SENDER_MAC] & 1))
		return net_drop(p, VERDICT_DROP_ARP_MALFORMED);
	/* Sender and target alike: somebody announces the address, and asks nobody. */
	if (get16(arp + ARP_OPERATION) != ARP_REQUEST ||
		memcmp(arp + ARP_SENDER_IP, arp + ARP_TARGET_IP, NET_IPV4_OCTETS) == 0)
		return net_drop(p, VERDICT_DROP_ARP_NOT_REQUEST);
	if (!net_addresses_holds(in->host->addresses, 4, arp + ARP_TARGET_IP))
		return net_drop(p, VERDICT_DROP_ARP_TARGET);
	p->flow.family = 4;
	memcpy(p->flow.theirs, arp + ARP_SENDER_IP, NET_IPV4_OCTETS);
	memcpy(p->flow.ours, arp + ARP_TARGET_IP, NET_IPV4_OCTETS);
	p->payload = arp;
	p->payload_len = ARP_LEN;
	p->action = NET_ANSWER;
	p->verdict = VERDICT_ARP_ANSWERED;
}

static size_t arp_build(uint8_t *out, uint16_t operation, const uint8_t *sender_mac,
	const uint8_t *sender_ip, const uint8_t *target_mac, const uint8_t *target_ip)
{
	uint8_t *p = out + NET_ETH_LEN;

	put16(p, ARP_ETHERNET);
	put16(p + 2, NET_TYPE_IPV4);
	p[4] = NET_MAC_LEN;
	p[5] = NET_IPV4_OCTETS;
	put16(p + ARP_OPERATION, operation);
	memcpy(p + ARP_SENDER_MAC, sender_mac, NET_MAC_LEN);
	memcpy(p + ARP_SENDER_IP, sender_ip, NET_IPV4_OCTETS);
	memcpy(p + ARP_SENDER_IP + NET_IPV4_OCTETS, target_mac, NET_MAC_LEN);
	memcpy(p + ARP_TARGET_IP, target_ip, NET_IPV4_OCTETS);
	return NET_ETH_LEN + ARP_LEN;
}

size_t net_arp_answer(const struct net_packet *p, uint8_t *out)
{
	net_eth_header(out, p->flow.their_mac, p->flow.our_mac, NET_TYPE_ARP);
	return arp_build(out, ARP_REPLY, p->flow.our_mac, p->flow.ours, p->payload + ARP_SENDER_MAC,
		p->flow.theirs);
}

size_t net_arp_announce(const uint8_t *mac, const uint8_t *address, uint8_t *out)
{
	static const uint8_t nobody[NET_MAC_LEN];

	net_eth_header(out, net_mac_broadcast, mac, NET_TYPE_ARP);
	return net_pad(out, arp_build(out, ARP_REQUEST, mac, address, nobody, address));
}
