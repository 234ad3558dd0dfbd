/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/address.h"

#include <errno.h>
#include <string.h>

bool net_unicast(uint8_t family, const uint8_t *octets)
{
	static const uint8_t loopback[NET_IPV6_OCTETS] = {[15] = 1};
	static const uint8_t unspecified[NET_IPV6_OCTETS];

	if (family == 4)
		return octets[0] != 0 && octets[0] != 127 && octets[0] < 224;
	return octets[0] != 0xff && memcmp(octets, loopback, sizeof(loopback)) != 0 &&
	       memcmp(octets, unspecified, sizeof(unspecified)) != 0;
}

int net_addresses_add(
	struct net_addresses *set, uint8_t family, const uint8_t *octets, uint16_t port)
{
	if ((family != 4 && family != 6) || port == 0 || !net_unicast(family, octets))
		return -EINVAL;
	if (family == 4) {
		if (set->n4 == NET_ADDRESSES_MAX)
			return -ENOSPC;
		memcpy(set->v4[set->n4], octets, NET_IPV4_OCTETS);
		set->port4[set->n4++] = port;
		return 0;
	}
	if (set->n6 == NET_ADDRESSES_MAX)
		return -ENOSPC;
	memcpy(set->v6[set->n6], octets, NET_IPV6_OCTETS);
	set->port6[set->n6++] = port;
	return 0;
}

bool net_addresses_has(const struct net_addresses *set, uint8_t family, const uint8_t *octets)
{
	if (family == 4) {
		for (unsigned int i = 0; i < set->n4; i++)
			if (memcmp(set->v4[i], octets, NET_IPV4_OCTETS) == 0)
				return true;
		return false;
	}
	for (unsigned int i = 0; i < set->n6; i++)
		if (memcmp(set->v6[i], octets, NET_IPV6_OCTETS) == 0)
			return true;
	return false;
}

void net_addresses_linger(struct net_addresses *set, uint8_t family, const uint8_t *octets)
{
	if (family == 4) {
		for (unsigned int i = 0; i < set->n4; i++)
			set->lingers4[i] |= memcmp(set->v4[i], octets, NET_IPV4_OCTETS) == 0;
		return;
	}
	for (unsigned int i = 0; i < set->n6; i++)
		set->lingers6[i] |= memcmp(set->v6[i], octets, NET_IPV6_OCTETS) == 0;
}

bool net_addresses_holds(const struct net_addresses *set, uint8_t family, const uint8_t *octets)
{
	if (family == 4) {
		for (unsigned int i = 0; i < set->n4; i++)
			if (memcmp(set->v4[i], octets, NET_IPV4_OCTETS) == 0)
				return !set->lingers4[i];
		return false;
	}
	for (unsigned int i = 0; i < set->n6; i++)
		if (memcmp(set->v6[i], octets, NET_IPV6_OCTETS) == 0)
			return !set->lingers6[i];
	return false;
}

bool net_addresses_has_port(
	const struct net_addresses *set, uint8_t family, const uint8_t *octets, uint16_t port)
{
	if (family == 4) {
		for (unsigned int i = 0; i < set->n4; i++)
			if (set->port4[i] == port &&
				memcmp(set->v4[i], octets, NET_IPV4_OCTETS) == 0)
				return true;
		return false;
	}
	for (unsigned int i = 0; i < set->n6; i++)
		if (set->port6[i] == port && memcmp(set->v6[i], octets, NET_IPV6_OCTETS) == 0)
			return true;
	return false;
}

bool net_solicited_node(const uint8_t *group, const uint8_t *address)
{
	static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	return memcmp(group, prefix, sizeof(prefix)) == 0 &&
	       memcmp(group + 13, address + 13, 3) == 0;
}
