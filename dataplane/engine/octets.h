/* SPDX-License-Identifier: BSD-3-Clause */
/* Big-endian integers in octet strings of any alignment. */
#ifndef TKMS_ENGINE_OCTETS_H
#define TKMS_ENGINE_OCTETS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void octets_put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void octets_put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void octets_put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint32_t octets_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t octets_get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

#endif
