/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/checksum.h"

#include <string.h>

#include "dataplane/net/octets.h"

/* One's complement addition is the same in either byte order, so octets are added as they lie in
 * memory. */
uint64_t net_sum(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i = 0;

	for (; i + 4 <= len; i += 4) {
		uint32_t word;

		memcpy(&word, p + i, sizeof(word));
		sum += word;
	}
	if (i < len) {
		uint8_t tail[4] = {0};
		uint32_t word;

		memcpy(tail, p + i, len - i);
		memcpy(&word, tail, sizeof(word));
		sum += word;
	}
	return sum;
}

uint64_t net_sum_pseudo(
	uint8_t family, const uint8_t *src, const uint8_t *dst, uint8_t protocol, uint32_t len)
{
	size_t address_len = family == 4 ? 4 : 16;
	uint8_t rest[8] = {0};
	uint64_t sum;

	put32(rest, len);
	rest[7] = protocol;
	sum = net_sum(0, src, address_len);
	sum = net_sum(sum, dst, address_len);
	return net_sum(sum, rest, sizeof(rest));
}

uint16_t net_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void net_store_checksum(uint8_t *p, uint64_t sum)
{
	uint16_t folded = (uint16_t)~net_fold(sum);

	memcpy(p, &folded, sizeof(folded));
}
