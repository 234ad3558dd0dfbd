/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Service addresses: the (address, UDP port) pairs that the data plane answers for. Immutable once
 * published in a snapshot. Pure.
 */
#ifndef TKMS_NET_ADDRESS_H
#define TKMS_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { NET_ADDRESSES_MAX = 64, NET_IPV4_OCTETS = 4, NET_IPV6_OCTETS = 16 };

struct net_addresses {
	unsigned int n4, n6;
	uint8_t v4[NET_ADDRESSES_MAX][NET_IPV4_OCTETS];
	uint8_t v6[NET_ADDRESSES_MAX][NET_IPV6_OCTETS];
	uint16_t port4[NET_ADDRESSES_MAX]; /* host byte order */
	uint16_t port6[NET_ADDRESSES_MAX];
	bool lingers4[NET_ADDRESSES_MAX], lingers6[NET_ADDRESSES_MAX];
};

/* Adds a pair. family: 4 or 6. 0, -EINVAL (an address or port nobody can serve on), -ENOSPC. */
int net_addresses_add(
	struct net_addresses *set, uint8_t family, const uint8_t *octets, uint16_t port);

/* Is the address served on any port. */
bool net_addresses_has(const struct net_addresses *set, uint8_t family, const uint8_t *octets);

/* An address that another node holds by now, on all its ports: still served to those who send here,
 * but neither announced nor resolved any more. */
void net_addresses_linger(struct net_addresses *set, uint8_t family, const uint8_t *octets);
/* Is the address served, and does it not linger. */
bool net_addresses_holds(const struct net_addresses *set, uint8_t family, const uint8_t *octets);

bool net_addresses_has_port(
	const struct net_addresses *set, uint8_t family, const uint8_t *octets, uint16_t port);

/* Is group the solicited-node multicast address (RFC 4291 2.7.1) of address. Both IPv6. */
bool net_solicited_node(const uint8_t *group, const uint8_t *address);

/* Can the address be one end of a unicast conversation across a network. */
bool net_unicast(uint8_t family, const uint8_t *octets);

#endif
