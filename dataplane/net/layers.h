/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the network layer: one input function per protocol, which gets the octets from its own
 * header on and sets verdict and action; builders write one header each.
 */
#ifndef TKMS_NET_LAYERS_H
#define TKMS_NET_LAYERS_H

#include <stdbool.h>

#include "dataplane/net/packet.h"

/* The datagram as the layer above sees it. */
struct net_layer {
	const struct net_host *host;
	const uint8_t *data;
	uint32_t len;
	uint32_t hints;
	const uint8_t *eth_destination;
};

static inline void net_drop(struct net_packet *p, enum verdict verdict)
{
	p->action = NET_DROP;
	p->verdict = verdict;
}

/* A piece of a UDP datagram; protocol: what is said to be in it. */
static inline void net_fragment_input(struct net_packet *p, uint8_t protocol,
	const struct net_fragment *fragment, const uint8_t *data)
{
	enum verdict verdict =
		protocol == NET_UDP ? fragment_check(fragment) : VERDICT_DROP_FRAGMENT_PROTOCOL;

	if (verdict != VERDICT_PENDING)
		return net_drop(p, verdict);
	p->fragment = *fragment;
	p->payload = data;
	p->payload_len = fragment->len;
	p->action = NET_FRAGMENT;
}

void net_arp_input(const struct net_layer *in, struct net_packet *p);
void net_ipv4_input(const struct net_layer *in, struct net_packet *p);
void net_ipv6_input(const struct net_layer *in, struct net_packet *p);
void net_icmp_input(const struct net_layer *in, struct net_packet *p);
/* ICMPv6 sees the whole IPv6 packet: neighbour discovery depends on hop limit and destination. */
void net_icmpv6_input(const struct net_layer *in, struct net_packet *p);
void net_nd_input(const struct net_layer *in, struct net_packet *p);
void net_udp_input(const struct net_layer *in, struct net_packet *p);

/* The packet's answer frame; cap is at least what the functions below return. */
size_t net_arp_answer(const struct net_packet *p, uint8_t *out);
size_t net_nd_answer(const struct net_packet *p, uint8_t *out);
size_t net_echo_answer(const struct net_packet *p, uint8_t *out);

void net_eth_header(uint8_t *out, const uint8_t *dst, const uint8_t *src, enum net_ethertype type);
void net_ipv4_header(uint8_t *out, const struct net_flow *flow, uint8_t protocol,
	uint16_t payload_len, uint16_t id);
void net_ipv6_header(uint8_t *out, const uint8_t *src, const uint8_t *dst, uint8_t protocol,
	uint16_t payload_len, uint8_t hop_limit);

bool net_mac_equal(const uint8_t *a, const uint8_t *b);
extern const uint8_t net_mac_broadcast[NET_MAC_LEN];

#endif
