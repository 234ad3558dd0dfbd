/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HMAC of four messages at a time with the SHA extensions, which compute several rounds of one
 * message per instruction; four hide each other's latency. Included by a file for each set of
 * registers.
 */
#include <immintrin.h>
#include <string.h>

#include "common/crypto/lanes.h"

enum { WIDTH = 4 };

#define INLINE	 static inline __attribute__((always_inline))
#define UNROLL16 _Pragma("GCC unroll 16")

static const uint32_t sha1_iv[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t sha256_iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t sha256_k[64] __attribute__((aligned(16))) = {0x428a2f98, 0x71374491,
	0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
	0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc,
	0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
	0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f,
	0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* Two registers of state, in the order of words that the instructions want. */
struct pair {
	__m128i x, y;
};

/* SHA-256: ABEF and CDGH. SHA-1: ABCD, and E in the highest word. */
INLINE struct pair to_pair(enum crypto_hash hash, const uint32_t s[8])
{
	__m128i lo = _mm_loadu_si128((const __m128i_u *)s);
	__m128i hi = _mm_loadu_si128((const __m128i_u *)(s + 4));
	struct pair p;

	if (hash == CRYPTO_SHA1) {
		p.x = _mm_shuffle_epi32(lo, 0x1b);
		p.y = _mm_slli_si128(hi, 12);
		return p;
	}
	lo = _mm_shuffle_epi32(lo, 0xb1); /* B A D C, from the lowest word */
	hi = _mm_shuffle_epi32(hi, 0x1b); /* H G F E */
	p.x = _mm_alignr_epi8(lo, hi, 8);
	p.y = _mm_blend_epi16(hi, lo, 0xf0);
	return p;
}

INLINE void from_pair(enum crypto_hash hash, struct pair p, __m128i *lo, __m128i *hi)
{
	__m128i a, b;

	if (hash == CRYPTO_SHA1) {
		*lo = _mm_shuffle_epi32(p.x, 0x1b);
		*hi = _mm_srli_si128(p.y, 12);
		return;
	}
	a = _mm_shuffle_epi32(p.x, 0x1b); /* A B E F, from the lowest word */
	b = _mm_shuffle_epi32(p.y, 0xb1); /* G H C D */
	*lo = _mm_blend_epi16(a, b, 0xf0);
	*hi = _mm_alignr_epi8(b, a, 8);
}

INLINE __m128i swap_words(__m128i x)
{
	return _mm_shuffle_epi8(x, _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

/* Words of a message as the instructions want them: SHA-1's from the highest word down. */
INLINE __m128i to_order(enum crypto_hash hash, __m128i words)
{
	return hash == CRYPTO_SHA1 ? _mm_shuffle_epi32(words, 0x1b) : words;
}

INLINE void load_block(enum crypto_hash hash, __m128i w[4], const uint8_t *data)
{
	unsigned int i;

	UNROLL16
	for (i = 0; i < 4; i++)
		w[i] = to_order(
			hash, swap_words(_mm_loadu_si128((const __m128i_u *)(data + 16 * i))));
}

INLINE void sha256_compress(struct pair s[], __m128i w[][4], unsigned int n)
{
	struct pair before[WIDTH];
	unsigned int t, l;

	UNROLL16
	for (l = 0; l < n; l++)
		before[l] = s[l];
	UNROLL16
	for (t = 0; t < 16; t++) {
		UNROLL16
		for (l = 0; l < n; l++) {
			__m128i *m = w[l];
			__m128i wk = _mm_add_epi32(m[t % 4],
				_mm_load_si128((const __m128i *)(sha256_k + (size_t)4 * t)));

			s[l].y = _mm_sha256rnds2_epu32(s[l].y, s[l].x, wk);
			s[l].x = _mm_sha256rnds2_epu32(s[l].x, s[l].y, _mm_shuffle_epi32(wk, 0x0e));
			if (t < 12) {
				__m128i next = _mm_sha256msg1_epu32(m[t % 4], m[(t + 1) % 4]);

				next = _mm_add_epi32(
					next, _mm_alignr_epi8(m[(t + 3) % 4], m[(t + 2) % 4], 4));
				m[t % 4] = _mm_sha256msg2_epu32(next, m[(t + 3) % 4]);
			}
		}
	}
	UNROLL16
	for (l = 0; l < n; l++) {
		s[l].x = _mm_add_epi32(s[l].x, before[l].x);
		s[l].y = _mm_add_epi32(s[l].y, before[l].y);
	}
}

/* Four rounds; f is an immediate of the instruction. */
#define SHA1_FOUR(t, f)                                                                         \
	for (l = 0; l < n; l++) {                                                               \
		__m128i *m = w[l];                                                              \
		__m128i e = (t) == 0 ? _mm_add_epi32(s[l].y, m[0])                              \
				     : _mm_sha1nexte_epu32(s[l].y, m[(t) % 4]);                 \
                                                                                                \
		s[l].y = s[l].x;                                                                \
		s[l].x = _mm_sha1rnds4_epu32(s[l].x, e, f);                                     \
		if ((t) < 16)                                                                   \
			m[(t) % 4] = _mm_sha1msg2_epu32(                                        \
				_mm_xor_si128(_mm_sha1msg1_epu32(m[(t) % 4], m[((t) + 1) % 4]), \
					m[((t) + 2) % 4]),                                      \
				m[((t) + 3) % 4]);                                              \
	}

INLINE void sha1_compress(struct pair s[], __m128i w[][4], unsigned int n)
{
	struct pair before[WIDTH];
	unsigned int t, l;

	UNROLL16
	for (l = 0; l < n; l++)
		before[l] = s[l];
	UNROLL16
	for (t = 0; t < 5; t++)
		SHA1_FOUR(t, 0)
	UNROLL16
	for (t = 5; t < 10; t++)
		SHA1_FOUR(t, 1)
	UNROLL16
	for (t = 10; t < 15; t++)
		SHA1_FOUR(t, 2)
	UNROLL16
	for (t = 15; t < 20; t++)
		SHA1_FOUR(t, 3)
	UNROLL16
	for (l = 0; l < n; l++) {
		s[l].y = _mm_sha1nexte_epu32(s[l].y, before[l].y);
		s[l].x = _mm_add_epi32(s[l].x, before[l].x);
	}
}

INLINE void compress(enum crypto_hash hash, struct pair s[], __m128i w[][4], unsigned int n)
{
	if (hash == CRYPTO_SHA1)
		sha1_compress(s, w, n);
	else
		sha256_compress(s, w, n);
}

struct position {
	const uint8_t *data;
	const struct lanes_run *run;
	uint32_t left;
};

/* To where there are blocks left. */
INLINE void enter_run(struct position *at)
{
	if (at->left)
		return;
	at->run++;
	at->data = at->run->data;
	at->left = at->run->blocks;
}

INLINE const uint8_t *next_block(struct position *at)
{
	const uint8_t *block;

	enter_run(at);
	block = at->data;
	at->data += LANES_BLOCK;
	at->left--;
	return block;
}

/* blocks more blocks of each of the first n messages. */
INLINE void compress_blocks(enum crypto_hash hash, struct pair s[], struct position at[],
	uint32_t blocks, unsigned int n)
{
	__m128i w[WIDTH][4];
	unsigned int l;

	for (; blocks; blocks--) {
		UNROLL16
		for (l = 0; l < n; l++)
			load_block(hash, w[l], next_block(&at[l]));
		compress(hash, s, w, n);
	}
}

/* The outer message: digest, end mark, length. */
INLINE void outer_block(enum crypto_hash hash, __m128i w[4], struct pair s)
{
	const int bits = hash == CRYPTO_SHA1 ? (64 + 20) * 8 : (64 + 32) * 8;
	const int mark = (int)0x80000000;
	__m128i lo, hi;

	from_pair(hash, s, &lo, &hi);
	w[0] = to_order(hash, lo);
	if (hash == CRYPTO_SHA1) {
		w[1] = to_order(hash, _mm_insert_epi32(hi, mark, 1));
		w[2] = _mm_setzero_si128();
	} else {
		w[1] = hi;
		w[2] = _mm_set_epi32(0, 0, 0, mark);
	}
	w[3] = to_order(hash, _mm_set_epi32(bits, 0, 0, 0));
}

INLINE void store_digest(enum crypto_hash hash, uint8_t *out, struct pair s)
{
	__m128i lo, hi;

	from_pair(hash, s, &lo, &hi);
	lo = swap_words(lo);
	hi = swap_words(hi);
	_mm_storeu_si128((__m128i_u *)out, lo);
	if (hash == CRYPTO_SHA1) {
		uint32_t word = (uint32_t)_mm_cvtsi128_si32(hi);

		memcpy(out + 16, &word, sizeof(word));
	} else {
		_mm_storeu_si128((__m128i_u *)(out + 16), hi);
	}
}

INLINE void compress_outer(
	enum crypto_hash hash, const struct lanes_hmac *msgs, struct pair s[], unsigned int n)
{
	__m128i w[WIDTH][4];
	unsigned int l;

	for (l = 0; l < n; l++) {
		outer_block(hash, w[l], s[l]);
		s[l] = to_pair(hash, msgs[l].state->outer);
	}
	compress(hash, s, w, n);
	UNROLL16
	for (l = 0; l < n; l++)
		store_digest(hash, msgs[l].out, s[l]);
}

/* All of one length, and each in one run: what PRFs are made of. */
INLINE bool alike(const struct lanes_hmac *msgs, unsigned int n)
{
	uint32_t differ = 0;
	unsigned int l;

	UNROLL16
	for (l = 0; l < n; l++)
		differ |=
			(msgs[l].blocks ^ msgs[0].blocks) | (msgs[l].runs->blocks ^ msgs[0].blocks);
	return differ == 0;
}

/* Without the bookkeeping of compress_blocks(), which costs a one-block message a tenth. */
INLINE void hmac_alike(enum crypto_hash hash, const struct lanes_hmac *msgs)
{
	struct pair s[WIDTH];
	__m128i w[WIDTH][4];
	const uint8_t *data[WIDTH];
	uint32_t blocks = msgs[0].blocks;
	unsigned int l;

	UNROLL16
	for (l = 0; l < WIDTH; l++) {
		data[l] = msgs[l].runs->data;
		s[l] = to_pair(hash, msgs[l].state->inner);
	}
	do {
		UNROLL16
		for (l = 0; l < WIDTH; l++) {
			load_block(hash, w[l], data[l]);
			data[l] += LANES_BLOCK;
		}
		compress(hash, s, w, WIDTH);
	} while (--blocks);
	compress_outer(hash, msgs, s, WIDTH);
}

INLINE void start(
	enum crypto_hash hash, const struct lanes_hmac *msgs, struct pair s[], struct position at[])
{
	unsigned int l;

	for (l = 0; l < WIDTH; l++) {
		at[l] = (struct position){msgs[l].runs->data, msgs[l].runs, msgs[l].runs->blocks};
		s[l] = to_pair(hash, msgs[l].state->inner);
	}
}

/* Messages come longest first: as many as still have blocks go on together. */
INLINE void hmac(enum crypto_hash hash, const struct lanes_hmac *msgs)
{
	struct position at[WIDTH];
	struct pair s[WIDTH];
	unsigned int n = WIDTH;

	if (msgs[0].blocks > 0 && alike(msgs, WIDTH)) {
		hmac_alike(hash, msgs);
		return;
	}
	start(hash, msgs, s, at);
	compress_blocks(hash, s, at, msgs[3].blocks, 4);
	compress_blocks(hash, s, at, msgs[2].blocks - msgs[3].blocks, 3);
	compress_blocks(hash, s, at, msgs[1].blocks - msgs[2].blocks, 2);
	compress_blocks(hash, s, at, msgs[0].blocks - msgs[1].blocks, 1);
	while (msgs[n - 1].blocks == 0)
		n--;
	if (n > 2)
		compress_outer(hash, msgs, s, 4);
	else if (n == 2)
		compress_outer(hash, msgs, s, 2);
	else
		compress_outer(hash, msgs, s, 1);
}

INLINE void store_state(enum crypto_hash hash, uint32_t out[8], struct pair s)
{
	__m128i lo, hi;

	from_pair(hash, s, &lo, &hi);
	_mm_storeu_si128((__m128i_u *)out, lo);
	_mm_storeu_si128((__m128i_u *)(out + 4), hi);
}

INLINE void key_state(enum crypto_hash hash, const struct lanes_key *keys, int pad, unsigned int n)
{
	struct pair s[WIDTH];
	__m128i w[WIDTH][4];
	unsigned int i, l;

	for (l = 0; l < n; l++) {
		load_block(hash, w[l], keys[l].block);
		for (i = 0; i < 4; i++)
			w[l][i] = _mm_xor_si128(w[l][i], _mm_set1_epi32(pad));
		s[l] = to_pair(hash, hash == CRYPTO_SHA1 ? sha1_iv : sha256_iv);
	}
	compress(hash, s, w, n);
	for (l = 0; l < n; l++)
		store_state(
			hash, pad == 0x36363636 ? keys[l].out->inner : keys[l].out->outer, s[l]);
}
