/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071). Sums are partial and may be added to each other as long as
 * every part but the last has an even number of octets. Pure.
 */
#ifndef TKMS_NET_CHECKSUM_H
#define TKMS_NET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds len octets to a partial sum; len < 2^31. */
uint64_t net_sum(uint64_t sum, const void *data, size_t len);

/* Pseudo-header of IPv4 (family 4: addresses of 4 octets) or IPv6 (16 octets). */
uint64_t net_sum_pseudo(
	uint8_t family, const uint8_t *src, const uint8_t *dst, uint8_t protocol, uint32_t len);

/* Folds to 16 bits in memory order, not complemented. */
uint16_t net_fold(uint64_t sum);

/* Stores the complement at p: the checksum field of what was summed with that field zero. */
void net_store_checksum(uint8_t *p, uint64_t sum);

/* Does a sum that included its checksum field say "intact". */
static inline int net_sum_intact(uint64_t sum)
{
	return net_fold(sum) == 0xffff;
}

#endif
