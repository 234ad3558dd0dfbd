/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network layer: what is a received frame, and what is to be done with it. Pure functions over
 * flat octets.
 *
 * net_classify() looks at a frame and decides: drop it (with a verdict), answer it here (ARP,
 * neighbour discovery, echo: net_answer() builds the whole frame), or hand its UDP payload to the
 * engine (net_message_headers() then frames the response). Answers go to the MAC, address and port
 * that asked and come from those that were asked: nothing is ever resolved.
 */
#ifndef TKMS_NET_PACKET_H
#define TKMS_NET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/engine/verdict.h"
#include "dataplane/net/address.h"
#include "dataplane/net/fragment.h"

enum {
	NET_MAC_LEN = 6,
	NET_ETH_LEN = 14,
	NET_VLAN_LEN = 4, /* of a tag */
	NET_VLANS = 4096,
	NET_ETH_MIN = 60, /* shortest frame, without FCS */
	NET_IPV4_LEN = 20,
	NET_IPV6_LEN = 40,
	NET_UDP_LEN = 8,
	NET_HEADERS_MAX = NET_ETH_LEN + NET_IPV6_LEN + NET_UDP_LEN,
	NET_HOP_LIMIT = 64,
};

enum net_protocol { NET_ICMP = 1, NET_UDP = 17, NET_IPV6_FRAGMENT = 44, NET_ICMPV6 = 58 };
enum net_ethertype {
	NET_TYPE_IPV4 = 0x0800,
	NET_TYPE_ARP = 0x0806,
	NET_TYPE_VLAN = 0x8100,
	NET_TYPE_IPV6 = 0x86dd,
};

/* VLAN ids that are served; 0 stands for frames without a tag, and for those with a tag that has
 * a priority only. */
struct net_vlans {
	uint64_t bits[NET_VLANS / 64];
};

static inline bool net_vlans_has(const struct net_vlans *set, uint16_t id)
{
	return set->bits[id / 64] >> id % 64 & 1;
}

/* id < NET_VLANS. */
static inline void net_vlans_add(struct net_vlans *set, uint16_t id)
{
	set->bits[id / 64] |= UINT64_C(1) << id % 64;
}

/* Who the frames of one port are for. */
struct net_host {
	uint8_t mac[NET_MAC_LEN];
	bool mac_shared; /* the other end of the port has the same MAC address (TAP) */
	const struct net_addresses *addresses;
	const struct net_vlans *vlans; /* NULL: frames without a tag only */
};

enum net_hint {
	NET_HINT_VLAN = 1 << 0,	       /* the port took a VLAN tag off: net_frame.tci */
	NET_HINT_UDP_CHECKED = 1 << 1, /* the port found the UDP checksum right */
};

struct net_frame {
	const uint8_t *data;
	uint32_t len;
	uint32_t hints; /* enum net_hint */
	uint16_t tci;	/* of the tag that the port took off */
};

/* Both ends, in wire order but for the ports. IPv4 addresses take the first four octets. */
struct net_flow {
	uint8_t family; /* 4 or 6 */
	bool tagged;	/* frames carry a VLAN tag (IEEE 802.1Q) */
	uint16_t tci;	/* priority and VLAN id of that tag */
	uint8_t their_mac[NET_MAC_LEN];
	uint8_t our_mac[NET_MAC_LEN];
	uint8_t theirs[NET_IPV6_OCTETS];
	uint8_t ours[NET_IPV6_OCTETS];
	uint16_t their_port;
	uint16_t our_port;
};

enum net_action {
	NET_DROP,
	NET_ANSWER,   /* net_answer() */
	NET_MESSAGE,  /* payload is a datagram for the engine */
	NET_FRAGMENT, /* payload is a fragment for reassembly_take() */
};

struct net_packet {
	uint16_t verdict; /* enum verdict; VERDICT_PENDING for NET_MESSAGE and NET_FRAGMENT */
	uint8_t action;	  /* enum net_action */
	struct net_flow flow;
	const uint8_t *payload; /* into the frame: of UDP, ICMP(v6) or ARP */
	uint16_t payload_len;
	struct net_fragment fragment; /* for NET_FRAGMENT */
};

void net_classify(
	const struct net_host *host, const struct net_frame *frame, struct net_packet *out);

/* What a NET_FRAGMENT packet becomes once its datagram (UDP header first) is whole: NET_MESSAGE or
 * NET_DROP. */
void net_reassembled(const struct net_host *host, const uint8_t *datagram, uint32_t len,
	struct net_packet *packet);

static inline uint16_t net_vlan_id(const struct net_flow *flow)
{
	return flow->tagged ? flow->tci % NET_VLANS : 0;
}

/* Puts the flow's tag into a frame that begins at frame + NET_VLAN_LEN: it begins at frame then. */
void net_tag(const struct net_flow *flow, uint8_t *frame);

/* Builds the answer to a NET_ANSWER packet whose frame is still there. Length, or 0 when cap is too
 * small. */
size_t net_answer(const struct net_packet *packet, uint8_t *out, size_t cap);

/* Octets in front of a UDP payload. */
static inline size_t net_headers_len(uint8_t family)
{
	return NET_ETH_LEN + (family == 4 ? NET_IPV4_LEN : NET_IPV6_LEN) + NET_UDP_LEN;
}

enum net_udp_checksum {
	NET_CHECKSUM_FULL,   /* computed here */
	NET_CHECKSUM_PSEUDO, /* the port computes: the field gets the pseudo-header's sum, as ports
				expect it */
};

/*
 * Writes Ethernet, IP and UDP headers in front of a payload that lies at frame + net_headers_len();
 * payload_len <= 65487. ip_id: identification of an IPv4 datagram (routers on the way may fragment:
 * DF is not set).
 */
void net_message_headers(const struct net_flow *flow, uint8_t *frame, uint16_t payload_len,
	uint16_t ip_id, enum net_udp_checksum checksum);

/* Writes the UDP header of a datagram whose payload lies behind it. */
void net_udp_header(const struct net_flow *flow, uint8_t *datagram, uint16_t payload_len,
	enum net_udp_checksum checksum);

/* Fills up to the shortest frame that Ethernet allows (cap >= NET_ETH_MIN); returns the length. */
size_t net_pad(uint8_t *frame, size_t len);

#endif
