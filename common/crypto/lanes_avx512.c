/* SPDX-License-Identifier: BSD-3-Clause */
/* 16 lanes; compiled for AVX-512 F and BW, run only where the CPU has them. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 16 };
typedef uint32_t vec __attribute__((vector_size(64)));

#define ROR(x, n) ((vec)_mm512_ror_epi32((__m512i)(x), n))

static inline vec xor3(vec a, vec b, vec c)
{
	return (vec)_mm512_ternarylogic_epi32((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}

static inline vec choose(vec e, vec f, vec g)
{
	return (vec)_mm512_ternarylogic_epi32((__m512i)e, (__m512i)f, (__m512i)g, 0xca);
}

static inline vec majority(vec a, vec b, vec c)
{
	return (vec)_mm512_ternarylogic_epi32((__m512i)a, (__m512i)b, (__m512i)c, 0xe8);
}

static inline vec swap_octets(vec x)
{
	const __m512i order = _mm512_broadcast_i32x4(
		_mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));

	return (vec)_mm512_shuffle_epi8((__m512i)x, order);
}

static inline vec gather(const uint8_t *const *p, size_t octet)
{
	__m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i_u *)(p[0] + octet)));

	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i_u *)(p[4] + octet)), 1);
	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i_u *)(p[8] + octet)), 2);
	return (vec)_mm512_inserti32x4(x, _mm_loadu_si128((const __m128i_u *)(p[12] + octet)), 3);
}

static inline void scatter(uint8_t *const *p, size_t octet, vec x)
{
	_mm_storeu_si128((__m128i_u *)(p[0] + octet), _mm512_extracti32x4_epi32((__m512i)x, 0));
	_mm_storeu_si128((__m128i_u *)(p[4] + octet), _mm512_extracti32x4_epi32((__m512i)x, 1));
	_mm_storeu_si128((__m128i_u *)(p[8] + octet), _mm512_extracti32x4_epi32((__m512i)x, 2));
	_mm_storeu_si128((__m128i_u *)(p[12] + octet), _mm512_extracti32x4_epi32((__m512i)x, 3));
}

static inline vec low32(vec a, vec b)
{
	return (vec)_mm512_unpacklo_epi32((__m512i)a, (__m512i)b);
}

static inline vec high32(vec a, vec b)
{
	return (vec)_mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
}

static inline vec low64(vec a, vec b)
{
	return (vec)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b);
}

static inline vec high64(vec a, vec b)
{
	return (vec)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b);
}

static inline vec select_lanes(const uint32_t *blocks, uint32_t at, vec a, vec b)
{
	__mmask16 more =
		_mm512_cmpgt_epu32_mask(_mm512_loadu_si512(blocks), _mm512_set1_epi32((int)at));

	return (vec)_mm512_mask_mov_epi32((__m512i)b, more, (__m512i)a);
}

#include "common/crypto/lanes_kernel.h"

const struct lanes_kernel lanes_avx512 = {
	"avx512", LANES, LANES, {hmac_sha1, hmac_sha256}, {keys_sha1, keys_sha256}};
