/* SPDX-License-Identifier: BSD-3-Clause */
/* 4 lanes, for the baseline: runs everywhere. */
#include <stddef.h>
#include <stdint.h>
#include <tmmintrin.h>

enum { LANES = 4 };
typedef uint32_t vec __attribute__((vector_size(16)));

#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))

static inline vec xor3(vec a, vec b, vec c)
{
	return a ^ b ^ c;
}

static inline vec choose(vec e, vec f, vec g)
{
	return ((f ^ g) & e) ^ g;
}

static inline vec majority(vec a, vec b, vec c)
{
	return (a & b) | ((a | b) & c);
}

static inline vec swap_octets(vec x)
{
	const __m128i order = _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);

	return (vec)_mm_shuffle_epi8((__m128i)x, order);
}

static inline vec gather(const uint8_t *const *p, size_t octet)
{
	return (vec)_mm_loadu_si128((const __m128i_u *)(p[0] + octet));
}

static inline void scatter(uint8_t *const *p, size_t octet, vec x)
{
	_mm_storeu_si128((__m128i_u *)(p[0] + octet), (__m128i)x);
}

static inline vec low32(vec a, vec b)
{
	return (vec)_mm_unpacklo_epi32((__m128i)a, (__m128i)b);
}

static inline vec high32(vec a, vec b)
{
	return (vec)_mm_unpackhi_epi32((__m128i)a, (__m128i)b);
}

static inline vec low64(vec a, vec b)
{
	return (vec)_mm_unpacklo_epi64((__m128i)a, (__m128i)b);
}

static inline vec high64(vec a, vec b)
{
	return (vec)_mm_unpackhi_epi64((__m128i)a, (__m128i)b);
}

static inline vec select_lanes(const uint32_t *blocks, uint32_t at, vec a, vec b)
{
	vec more = (vec)((vec)_mm_loadu_si128((const __m128i_u *)blocks) > at);

	return (a & more) | (b & ~more);
}

#include "common/crypto/lanes_kernel.h"

const struct lanes_kernel lanes_sse = {
	"sse", LANES, LANES, {hmac_sha1, hmac_sha256}, {keys_sha1, keys_sha256}};
