/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources of packets as numbers: an IPv4 address or an IPv6 /64, which one host may use as it
 * likes. Pure. */
#ifndef TKMS_NET_SOURCE_H
#define TKMS_NET_SOURCE_H

#include <stdint.h>
#include <string.h>

/* Never 0. IPv4 addresses take the place of IPv6 multicast prefixes, which are no sources. */
static inline uint64_t source_number(uint8_t family, const uint8_t *address)
{
	static const uint8_t mark[4] = {0xff, 0xff, 0xff, 0xff};
	uint8_t octets[8];
	uint64_t number;

	if (family == 4) {
		memcpy(octets, mark, sizeof(mark));
		memcpy(octets + 4, address, 4);
	} else {
		memcpy(octets, address, sizeof(octets));
	}
	memcpy(&number, octets, sizeof(number));
	return number ? number : UINT64_MAX;
}

/* Spreads numbers over a table in a way that nobody can foresee without the secret. */
static inline uint64_t source_hash(uint64_t number, const uint64_t secret[2])
{
	uint64_t h = (number ^ secret[0]) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32 ^ secret[1]) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

#endif
