/* SPDX-License-Identifier: BSD-3-Clause */
/* 8 lanes; compiled for AVX2, run only where the CPU has it. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 8 };
typedef uint32_t vec __attribute__((vector_size(32)));

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
	const __m256i order = _mm256_broadcastsi128_si256(
		_mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));

	return (vec)_mm256_shuffle_epi8((__m256i)x, order);
}

static inline vec gather(const uint8_t *const *p, size_t octet)
{
	__m256i x = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i_u *)(p[0] + octet)));

	return (vec)_mm256_inserti128_si256(
		x, _mm_loadu_si128((const __m128i_u *)(p[4] + octet)), 1);
}

static inline void scatter(uint8_t *const *p, size_t octet, vec x)
{
	_mm_storeu_si128((__m128i_u *)(p[0] + octet), _mm256_extracti128_si256((__m256i)x, 0));
	_mm_storeu_si128((__m128i_u *)(p[4] + octet), _mm256_extracti128_si256((__m256i)x, 1));
}

static inline vec low32(vec a, vec b)
{
	return (vec)_mm256_unpacklo_epi32((__m256i)a, (__m256i)b);
}

static inline vec high32(vec a, vec b)
{
	return (vec)_mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
}

static inline vec low64(vec a, vec b)
{
	return (vec)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
}

static inline vec high64(vec a, vec b)
{
	return (vec)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
}

static inline vec select_lanes(const uint32_t *blocks, uint32_t at, vec a, vec b)
{
	vec more = (vec)((vec)_mm256_loadu_si256((const __m256i_u *)blocks) > at);

	return (a & more) | (b & ~more);
}

#include "common/crypto/lanes_kernel.h"

const struct lanes_kernel lanes_avx2 = {
	"avx2", LANES, LANES, {hmac_sha1, hmac_sha256}, {keys_sha1, keys_sha256}};
