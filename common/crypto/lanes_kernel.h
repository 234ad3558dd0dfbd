/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA-1, SHA-256 and HMAC in lockstep, for any vector width. A lanes_*.c file defines LANES, the
 * vector type vec (LANES x uint32_t), type quad (4 x uint32_t), and before it includes this: ROR(x,
 * n)                  rotate each lane right xor3, choose, majority     a^b^c; e?f:g; majority of
 * bits swap_octets(x)             each lane from or to big-endian gather(p, octet)           vec of
 * the 16 octets at p[0] + octet, p[4] + octet, ... scatter(p, octet, x)       its inverse low32,
 * high32, low64, high64  interleave within quads (punpck*) select_lanes(blocks, at, a, b)    per
 * lane: blocks[lane] > at ? a : b
 */
#include <string.h>

#include "common/crypto/lanes.h"

static const uint32_t sha1_iv[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t sha256_iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t sha256_k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define UNROLL16 _Pragma("GCC unroll 16")
#define INLINE	 static inline __attribute__((always_inline))

INLINE vec splat(uint32_t x)
{
	return (vec){0} + x;
}

/* Rows of lanes to columns of words; its own inverse. */
INLINE void transpose(vec x[4])
{
	vec a = low32(x[0], x[1]), b = high32(x[0], x[1]);
	vec c = low32(x[2], x[3]), d = high32(x[2], x[3]);

	x[0] = low64(a, c);
	x[1] = high64(a, c);
	x[2] = low64(b, d);
	x[3] = high64(b, d);
}

/* Words word to word+3 of each lane's buffer. */
INLINE void load4(vec x[4], const uint8_t *const p[LANES], unsigned int word)
{
	x[0] = gather(p, 4 * word);
	x[1] = gather(p + 1, 4 * word);
	x[2] = gather(p + 2, 4 * word);
	x[3] = gather(p + 3, 4 * word);
	transpose(x);
}

INLINE void store4(uint8_t *const p[LANES], unsigned int word, vec x[4])
{
	transpose(x);
	scatter(p, 4 * word, x[0]);
	scatter(p + 1, 4 * word, x[1]);
	scatter(p + 2, 4 * word, x[2]);
	scatter(p + 3, 4 * word, x[3]);
}

INLINE void load_block(vec w[16], const uint8_t *const p[LANES])
{
	unsigned int i;

	UNROLL16
	for (i = 0; i < 16; i += 4)
		load4(w + i, p, i);
	UNROLL16
	for (i = 0; i < 16; i++)
		w[i] = swap_octets(w[i]);
}

/*
 * Sums are ordered so that what depends on the round before comes last. The next word of the
 * schedule is made next to the round that used the old one: it fills what the round's chain leaves
 * idle.
 */
#define SHA256_ROUND(a, b, c, d, e, f, g, h, i)                                            \
	do {                                                                               \
		vec t1_ = h + (sha256_k[t + i] + w[i]) + choose(e, f, g) +                 \
			  xor3(ROR(e, 6), ROR(e, 11), ROR(e, 25));                         \
		vec t2_ = xor3(ROR(a, 2), ROR(a, 13), ROR(a, 22)) + majority(a, b, c);     \
                                                                                           \
		d += t1_;                                                                  \
		h = t2_ + t1_;                                                             \
		if (t < 48) {                                                              \
			vec x_ = w[(i + 1) % 16], y_ = w[(i + 14) % 16];                   \
                                                                                           \
			w[i] += xor3(ROR(x_, 7), ROR(x_, 18), x_ >> 3) + w[(i + 9) % 16] + \
				xor3(ROR(y_, 17), ROR(y_, 19), y_ >> 10);                  \
		}                                                                          \
	} while (0)

#define SHA256_EIGHT(i)                                      \
	do {                                                 \
		SHA256_ROUND(a, b, c, d, e, f, g, h, i);     \
		SHA256_ROUND(h, a, b, c, d, e, f, g, i + 1); \
		SHA256_ROUND(g, h, a, b, c, d, e, f, i + 2); \
		SHA256_ROUND(f, g, h, a, b, c, d, e, i + 3); \
		SHA256_ROUND(e, f, g, h, a, b, c, d, i + 4); \
		SHA256_ROUND(d, e, f, g, h, a, b, c, i + 5); \
		SHA256_ROUND(c, d, e, f, g, h, a, b, i + 6); \
		SHA256_ROUND(b, c, d, e, f, g, h, a, i + 7); \
	} while (0)

/* s: state, updated. w: the block, used up. */
INLINE void sha256_compress(vec s[8], vec w[16])
{
	vec a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
	unsigned int t;

	for (t = 0; t < 48; t += 16) {
		SHA256_EIGHT(0);
		SHA256_EIGHT(8);
	}
	SHA256_EIGHT(0);
	SHA256_EIGHT(8);
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

#define SHA1_ROUND(a, b, c, d, e, f, k, i)                             \
	do {                                                           \
		e += ROR(a, 27) + (f) + (w[(i) % 16] + (uint32_t)(k)); \
		b = ROR(b, 2);                                         \
	} while (0)

#define SHA1_MIX(i)                                                                              \
	do {                                                                                     \
		vec m_ = xor3(w[(i + 13) % 16], w[(i + 8) % 16], w[(i + 2) % 16]) ^ w[(i) % 16]; \
		w[(i) % 16] = ROR(m_, 31);                                                       \
	} while (0)

#define SHA1_FIVE(F, k, MIX, i)                                  \
	do {                                                     \
		MIX(i);                                          \
		SHA1_ROUND(a, b, c, d, e, F(b, c, d), k, i);     \
		MIX(i + 1);                                      \
		SHA1_ROUND(e, a, b, c, d, F(a, b, c), k, i + 1); \
		MIX(i + 2);                                      \
		SHA1_ROUND(d, e, a, b, c, F(e, a, b), k, i + 2); \
		MIX(i + 3);                                      \
		SHA1_ROUND(c, d, e, a, b, F(d, e, a), k, i + 3); \
		MIX(i + 4);                                      \
		SHA1_ROUND(b, c, d, e, a, F(c, d, e), k, i + 4); \
	} while (0)

#define NO_MIX(i) ((void)0)

INLINE void sha1_compress(vec s[8], vec w[16])
{
	vec a = s[0], b = s[1], c = s[2], d = s[3], e = s[4];

	SHA1_FIVE(choose, 0x5a827999, NO_MIX, 0);
	SHA1_FIVE(choose, 0x5a827999, NO_MIX, 5);
	SHA1_FIVE(choose, 0x5a827999, NO_MIX, 10);
	SHA1_ROUND(a, b, c, d, e, choose(b, c, d), 0x5a827999, 15);
	SHA1_MIX(16);
	SHA1_ROUND(e, a, b, c, d, choose(a, b, c), 0x5a827999, 16);
	SHA1_MIX(17);
	SHA1_ROUND(d, e, a, b, c, choose(e, a, b), 0x5a827999, 17);
	SHA1_MIX(18);
	SHA1_ROUND(c, d, e, a, b, choose(d, e, a), 0x5a827999, 18);
	SHA1_MIX(19);
	SHA1_ROUND(b, c, d, e, a, choose(c, d, e), 0x5a827999, 19);
	SHA1_FIVE(xor3, 0x6ed9eba1, SHA1_MIX, 20);
	SHA1_FIVE(xor3, 0x6ed9eba1, SHA1_MIX, 25);
	SHA1_FIVE(xor3, 0x6ed9eba1, SHA1_MIX, 30);
	SHA1_FIVE(xor3, 0x6ed9eba1, SHA1_MIX, 35);
	SHA1_FIVE(majority, 0x8f1bbcdc, SHA1_MIX, 40);
	SHA1_FIVE(majority, 0x8f1bbcdc, SHA1_MIX, 45);
	SHA1_FIVE(majority, 0x8f1bbcdc, SHA1_MIX, 50);
	SHA1_FIVE(majority, 0x8f1bbcdc, SHA1_MIX, 55);
	SHA1_FIVE(xor3, 0xca62c1d6, SHA1_MIX, 60);
	SHA1_FIVE(xor3, 0xca62c1d6, SHA1_MIX, 65);
	SHA1_FIVE(xor3, 0xca62c1d6, SHA1_MIX, 70);
	SHA1_FIVE(xor3, 0xca62c1d6, SHA1_MIX, 75);
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
}

INLINE void compress(enum crypto_hash hash, vec s[8], vec w[16])
{
	if (hash == CRYPTO_SHA1)
		sha1_compress(s, w);
	else
		sha256_compress(s, w);
}

/* Where each lane is in its message. */
struct position {
	const uint8_t *data[LANES];
	const struct lanes_run *run[LANES];
	uint32_t left[LANES];	/* blocks of the run, this one included */
	uint32_t blocks[LANES]; /* of the message */
};

INLINE uint32_t start(struct position *at, const struct lanes_hmac *msgs)
{
	uint32_t most = 0;
	unsigned int i;

	for (i = 0; i < LANES; i++) {
		at->run[i] = msgs[i].runs;
		at->data[i] = msgs[i].runs->data;
		at->left[i] = msgs[i].runs->blocks;
		at->blocks[i] = msgs[i].blocks;
		most = at->blocks[i] > most ? at->blocks[i] : most;
	}
	return most;
}

/* A lane whose message has ended stays where it is. */
INLINE void advance(struct position *at, uint32_t done)
{
	unsigned int i;

	for (i = 0; i < LANES; i++) {
		if (done >= at->blocks[i])
			continue;
		at->data[i] += LANES_BLOCK;
		if (--at->left[i] == 0) {
			at->run[i]++;
			at->data[i] = at->run[i]->data;
			at->left[i] = at->run[i]->blocks;
		}
	}
}

INLINE void load_state(
	enum crypto_hash hash, vec s[8], const struct lanes_hmac *msgs, size_t offset)
{
	const uint8_t *p[LANES];
	unsigned int i;

	for (i = 0; i < LANES; i++)
		p[i] = (const uint8_t *)msgs[i].state + offset;
	load4(s, p, 0);
	load4(s + 4, p, 4);
	(void)hash;
}

INLINE void store_digest(enum crypto_hash hash, const struct lanes_hmac *msgs, vec s[8])
{
	uint8_t *p[LANES];
	unsigned int i;

	for (i = 0; i < 8; i++)
		s[i] = swap_octets(s[i]);
	for (i = 0; i < LANES; i++)
		p[i] = msgs[i].out;
	store4(p, 0, s);
	if (hash == CRYPTO_SHA256) {
		store4(p, 4, s + 4);
		return;
	}
	for (i = 0; i < LANES; i++) {
		uint32_t word = s[4][i];

		memcpy(p[i] + 16, &word, sizeof(word));
	}
}

/* The inner digest is the outer message: it never leaves the registers. */
INLINE void outer_block(enum crypto_hash hash, vec w[16], const vec s[8])
{
	const unsigned int words = hash == CRYPTO_SHA1 ? 5 : 8;
	unsigned int i;

	for (i = 0; i < words; i++)
		w[i] = s[i];
	w[words] = splat(UINT32_C(0x80000000));
	for (i = words + 1; i < 15; i++)
		w[i] = splat(0);
	w[15] = splat((LANES_BLOCK + 4 * words) * 8);
}

INLINE void hmac(enum crypto_hash hash, const struct lanes_hmac *msgs)
{
	struct position at;
	vec s[8], before[8], w[16];
	uint32_t done, most = start(&at, msgs);
	unsigned int i;

	load_state(hash, s, msgs, offsetof(struct crypto_hmac_state, inner));
	for (done = 0;;) {
		load_block(w, at.data);
		for (i = 0; i < 8; i++)
			before[i] = s[i];
		compress(hash, s, w);
		for (i = 0; i < 8; i++)
			s[i] = select_lanes(at.blocks, done, s[i], before[i]);
		if (++done == most)
			break;
		advance(&at, done);
	}
	outer_block(hash, w, s);
	load_state(hash, s, msgs, offsetof(struct crypto_hmac_state, outer));
	compress(hash, s, w);
	store_digest(hash, msgs, s);
}

INLINE void load_iv(enum crypto_hash hash, vec s[8])
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		s[i] = splat(hash == CRYPTO_SHA256 ? sha256_iv[i] : i < 5 ? sha1_iv[i] : 0);
}

INLINE void keys(enum crypto_hash hash, const struct lanes_key *list)
{
	const uint8_t *block[LANES];
	uint8_t *inner[LANES], *outer[LANES];
	vec s[8], w[16], key[16];
	unsigned int i;

	for (i = 0; i < LANES; i++) {
		block[i] = list[i].block;
		inner[i] = (uint8_t *)list[i].out->inner;
		outer[i] = (uint8_t *)list[i].out->outer;
	}
	load_block(key, block);
	for (i = 0; i < 16; i++)
		w[i] = key[i] ^ UINT32_C(0x36363636);
	load_iv(hash, s);
	compress(hash, s, w);
	store4(inner, 0, s);
	store4(inner, 4, s + 4);
	for (i = 0; i < 16; i++)
		w[i] = key[i] ^ UINT32_C(0x5c5c5c5c);
	load_iv(hash, s);
	compress(hash, s, w);
	store4(outer, 0, s);
	store4(outer, 4, s + 4);
}

static void hmac_sha1(const struct lanes_hmac *msgs)
{
	hmac(CRYPTO_SHA1, msgs);
}

static void hmac_sha256(const struct lanes_hmac *msgs)
{
	hmac(CRYPTO_SHA256, msgs);
}

static void keys_sha1(const struct lanes_key *list)
{
	keys(CRYPTO_SHA1, list);
}

static void keys_sha256(const struct lanes_key *list)
{
	keys(CRYPTO_SHA256, list);
}
