/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SHA extensions with the 32 registers of AVX-512 VL, in which four messages and their states
 * fit. Two groups of four take turns, so that one can begin while the other waits for its last
 * rounds.
 */
#include "common/crypto/lanes_shani_kernel.h"

enum { EIGHT = 2 * WIDTH };

/* SHA-256 of so many blocks (at least 1) of four messages each (lanes_shani_x4.S). */
void lanes_shani_sha256_x4(struct pair s[WIDTH], const uint8_t *const data[WIDTH], uint32_t blocks);

/* What follows a digest in the outer message. */
INLINE void put_outer_end(uint8_t block[LANES_BLOCK])
{
	const __m128i mark = _mm_set_epi32(0, 0, 0, 0x80);
	const __m128i bits = _mm_set_epi32(__builtin_bswap32((64 + 32) * 8), 0, 0, 0);

	_mm_store_si128((__m128i *)(block + 32), mark);
	_mm_store_si128((__m128i *)(block + 48), bits);
}

/* From the inner states in s to HMACs. n: 4 or 8. */
INLINE void outer_x4(const struct lanes_hmac *msgs, struct pair s[], unsigned int n)
{
	_Alignas(64) uint8_t block[EIGHT][LANES_BLOCK];
	const uint8_t *data[EIGHT];
	unsigned int l;

	UNROLL16
	for (l = 0; l < n; l++) {
		store_digest(CRYPTO_SHA256, block[l], s[l]);
		put_outer_end(block[l]);
		data[l] = block[l];
		s[l] = to_pair(CRYPTO_SHA256, msgs[l].state->outer);
	}
	for (l = 0; l < n; l += WIDTH)
		lanes_shani_sha256_x4(s + l, data + l, 1);
	UNROLL16
	for (l = 0; l < n; l++)
		store_digest(CRYPTO_SHA256, msgs[l].out, s[l]);
}

INLINE void eight_alike(const struct lanes_hmac *msgs)
{
	const uint8_t *data[EIGHT];
	struct pair s[EIGHT];
	unsigned int l;

	UNROLL16
	for (l = 0; l < EIGHT; l++) {
		data[l] = msgs[l].runs->data;
		s[l] = to_pair(CRYPTO_SHA256, msgs[l].state->inner);
	}
	for (l = 0; l < EIGHT; l += WIDTH)
		lanes_shani_sha256_x4(s + l, data + l, msgs->blocks);
	outer_x4(msgs, s, EIGHT);
}

/* blocks more blocks of four messages, as many at a time as all have next to each other. */
INLINE void compress_runs(struct pair s[], struct position at[], uint32_t blocks)
{
	const uint8_t *data[WIDTH];
	uint32_t part;
	unsigned int l;

	for (; blocks; blocks -= part) {
		part = blocks;
		for (l = 0; l < WIDTH; l++) {
			enter_run(&at[l]);
			data[l] = at[l].data;
			part = at[l].left < part ? at[l].left : part;
		}
		lanes_shani_sha256_x4(s, data, part);
		for (l = 0; l < WIDTH; l++) {
			at[l].data += (size_t)part * LANES_BLOCK;
			at[l].left -= part;
		}
	}
}

/* Messages come longest first. */
INLINE void four(const struct lanes_hmac *msgs)
{
	struct position at[WIDTH];
	struct pair s[WIDTH];

	if (msgs[2].blocks == 0) {
		hmac(CRYPTO_SHA256, msgs);
		return;
	}
	start(CRYPTO_SHA256, msgs, s, at);
	compress_runs(s, at, msgs[3].blocks);
	compress_blocks(CRYPTO_SHA256, s, at, msgs[2].blocks - msgs[3].blocks, 3);
	compress_blocks(CRYPTO_SHA256, s, at, msgs[1].blocks - msgs[2].blocks, 2);
	compress_blocks(CRYPTO_SHA256, s, at, msgs[0].blocks - msgs[1].blocks, 1);
	outer_x4(msgs, s, WIDTH);
}

static void hmac_sha1(const struct lanes_hmac *msgs)
{
	hmac(CRYPTO_SHA1, msgs);
	if (msgs[WIDTH].blocks)
		hmac(CRYPTO_SHA1, msgs + WIDTH);
}

static void hmac_sha256(const struct lanes_hmac *msgs)
{
	if (msgs->blocks && alike(msgs, EIGHT)) {
		eight_alike(msgs);
		return;
	}
	four(msgs);
	if (msgs[WIDTH].blocks)
		four(msgs + WIDTH);
}

/* Keys at work: the first four, or all eight. */
INLINE unsigned int busy(const struct lanes_key *keys)
{
	return keys[WIDTH].out == keys[EIGHT - 1].out ? WIDTH : EIGHT;
}

static void keys_sha1(const struct lanes_key *keys)
{
	const unsigned int n = busy(keys);
	unsigned int l;

	for (l = 0; l < n; l += WIDTH) {
		key_state(CRYPTO_SHA1, keys + l, 0x36363636, WIDTH);
		key_state(CRYPTO_SHA1, keys + l, 0x5c5c5c5c, WIDTH);
	}
}

/* A key's block, and where to put it: key^ipad, then key^opad. */
INLINE void key_block(uint8_t *to, const uint8_t *key, int pad)
{
	unsigned int i;

	UNROLL16
	for (i = 0; i < LANES_BLOCK; i += 16)
		_mm_store_si128((__m128i *)(to + i),
			_mm_xor_si128(_mm_loadu_si128((const __m128i_u *)(key + i)),
				_mm_set1_epi32(pad)));
}

/* One state of each of four keys. */
INLINE void key_states(const struct lanes_key *keys, int pad)
{
	_Alignas(64) uint8_t block[WIDTH][LANES_BLOCK];
	const uint8_t *data[WIDTH];
	struct pair s[WIDTH];
	unsigned int l;

	UNROLL16
	for (l = 0; l < WIDTH; l++) {
		key_block(block[l], keys[l].block, pad);
		data[l] = block[l];
		s[l] = to_pair(CRYPTO_SHA256, sha256_iv);
	}
	lanes_shani_sha256_x4(s, data, 1);
	for (l = 0; l < WIDTH; l++)
		store_state(CRYPTO_SHA256,
			pad == 0x36363636 ? keys[l].out->inner : keys[l].out->outer, s[l]);
}

static void keys_sha256(const struct lanes_key *keys)
{
	const unsigned int n = busy(keys);
	unsigned int l;

	for (l = 0; l < n; l += WIDTH) {
		key_states(keys + l, 0x36363636);
		key_states(keys + l, 0x5c5c5c5c);
	}
}

const struct lanes_kernel lanes_shani_vl = {
	"sha-ni-vl", EIGHT, WIDTH, {hmac_sha1, hmac_sha256}, {keys_sha1, keys_sha256}};
