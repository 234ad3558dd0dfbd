/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/crypto/backend.h"
#include "common/crypto/batch.h"
#include "common/crypto/secret.h"

enum { INKEY_BLOCK = 32 };

static unsigned int inkey_blocks(const struct crypto_prf_op *op)
{
	return op->key ? 1 : (op->inkey_len + INKEY_BLOCK - 1u) / INKEY_BLOCK;
}

/* m of RFC 3830 4.1.2 */
static unsigned int count_levels(const struct crypto_prf_op *op)
{
	return op->hash == CRYPTO_SHA1 ? (op->out_len + CRYPTO_SHA1_LEN - 1u) / CRYPTO_SHA1_LEN
				       : (op->out_len + CRYPTO_SHA256_LEN - 1u) / CRYPTO_SHA256_LEN;
}

static uint32_t blocks_of(size_t len)
{
	return (uint32_t)((len + 8) / LANES_BLOCK + 1);
}

/* The last 8 octets of a message of so many blocks: its length in bits, the key's block included.
 */
static void put_length(uint8_t *message, uint32_t blocks, size_t len)
{
	const uint64_t bits = __builtin_bswap64((len + LANES_BLOCK) * 8);

	memcpy(message + (size_t)blocks * LANES_BLOCK - 8, &bits, 8);
}

static void add_label(struct batch_strand *s, const struct crypto_prf_op *op, size_t hash_len)
{
	const size_t len = op->label_len;
	uint8_t *label = s->both + hash_len;

	memcpy(label, op->label, len);
	label[len] = 0x80;
	memset(label + len + 1, 0, BATCH_ZEROES);
	s->runs[0] = (struct lanes_run){label, blocks_of(len)};
	s->runs[1] = (struct lanes_run){s->both, blocks_of(hash_len + len)};
	put_length(label, s->runs[0].blocks, len);
	if (s->levels > 1)
		s->runs[2] = (struct lanes_run){s->only, lanes_pad(s->only, hash_len, hash_len)};
}

/* From the padding of HMAC(s, label) to that of HMAC(s, A_i || label). */
static void move_length(struct batch_strand *s, size_t hash_len)
{
	memset(s->both + hash_len + (size_t)s->runs[0].blocks * LANES_BLOCK - 8, 0, 8);
	put_length(s->both, s->runs[1].blocks, hash_len + s->op->label_len);
}

/* Keys that neighbours share, as the keys of one message do, are prepared once. */
static bool same_key(const struct crypto_prf_op *a, const struct crypto_prf_op *b)
{
	return a->inkey == b->inkey && a->inkey_len == b->inkey_len && a->hash == b->hash;
}

/* Strands of op from s on; before: the operation whose strands end at s, or NULL. Returns keys to
 * prepare. */
static unsigned int add_strands(struct batch_strand *s, const struct crypto_prf_op *op,
	const struct crypto_prf_op *before, struct lanes_key *keys)
{
	const size_t hash_len = crypto_hash_len(op->hash);
	const unsigned int blocks = inkey_blocks(op);
	const bool shared = !op->key && before && same_key(op, before);
	unsigned int i, n_keys = 0;

	for (i = 0; i < blocks; i++, s++) {
		s->op = op;
		s->levels = count_levels(op);
		s->first = i == 0;
		add_label(s, op, hash_len);
		if (op->key) {
			s->state = op->hash == CRYPTO_SHA1 ? &op->key->sha1 : &op->key->sha256;
		} else if (shared) {
			s->state = (s - blocks)->state;
		} else {
			size_t at = (size_t)i * INKEY_BLOCK;
			size_t len =
				op->inkey_len - at < INKEY_BLOCK ? op->inkey_len - at : INKEY_BLOCK;

			memcpy(s->key, op->inkey + at, len);
			memset(s->key + len, 0, sizeof(s->key) - len);
			s->state = &s->own;
			keys[n_keys++] = (struct lanes_key){s->key, &s->own};
		}
	}
	return n_keys;
}

/* A_1 of every strand goes to where A_1 || label and A_1 are hashed next. */
static void first_level(struct batch *b, enum crypto_hash hash, unsigned int n)
{
	const size_t hash_len = crypto_hash_len(hash);
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct batch_strand *s = &b->strands[i];

		b->hmac[i] = (struct lanes_hmac){s->state, &s->runs[0], s->both, s->runs[0].blocks};
	}
	lanes_hmac(&b->lanes, hash, b->hmac, n);
	for (i = 0; i < n; i++) {
		struct batch_strand *s = &b->strands[i];

		move_length(s, hash_len);
		if (s->levels > 1)
			memcpy(s->only, s->both, hash_len);
	}
}

/* Can the lanes write the level's part of P() into out: whole, and nothing is there to be XORed. */
static bool goes_straight_out(const struct batch_strand *s, unsigned int level, size_t hash_len)
{
	return s->first && s->op->out_len >= (level + 1) * hash_len;
}

/* The level's part of P() goes into out: the first block of an inkey sets it, the others are XORed
 * to it. */
static void fold(const struct batch_strand *s, unsigned int level, size_t hash_len)
{
	const size_t at = level * hash_len;
	const size_t rest = s->op->out_len - at;
	const size_t len = rest < hash_len ? rest : hash_len;
	uint8_t *out = s->op->out + at;
	size_t i;

	if (goes_straight_out(s, level, hash_len))
		return;
	if (s->first) {
		memcpy(out, s->p, len);
		return;
	}
	for (i = 0; i < len; i++)
		out[i] ^= s->p[i];
}

/* HMAC(s, A_level || label) and, for those who need it, the next A. Returns whether there were any.
 */
static bool next_level(struct batch *b, enum crypto_hash hash, unsigned int n, unsigned int level)
{
	const size_t hash_len = crypto_hash_len(hash);
	unsigned int i, jobs = 0;

	for (i = 0; i < n; i++) {
		struct batch_strand *s = &b->strands[i];

		if (s->levels > level)
			b->hmac[jobs++] = (struct lanes_hmac){s->state, &s->runs[1],
				goes_straight_out(s, level, hash_len)
					? s->op->out + level * hash_len
					: s->p,
				s->runs[1].blocks};
		if (s->levels > level + 1)
			b->hmac[jobs++] = (struct lanes_hmac){
				s->state, &s->runs[2], s->only, s->runs[2].blocks};
	}
	if (jobs == 0)
		return false;
	lanes_hmac(&b->lanes, hash, b->hmac, jobs);
	for (i = 0; i < n; i++) {
		struct batch_strand *s = &b->strands[i];

		if (s->levels > level)
			fold(s, level, hash_len);
		if (s->levels > level + 1)
			memcpy(s->both, s->only, hash_len);
	}
	return true;
}

static void run(struct batch *b, enum crypto_hash hash, unsigned int n, unsigned int n_keys)
{
	unsigned int level = 0;

	lanes_keys(&b->lanes, hash, b->keys, n_keys);
	first_level(b, hash, n);
	while (next_level(b, hash, n, level))
		level++;
}

static void prf_of_hash(
	struct batch *b, enum crypto_hash hash, const struct crypto_prf_op *ops, unsigned int n)
{
	const struct crypto_prf_op *op, *before = NULL;
	unsigned int strands = 0, n_keys = 0;

	for (op = ops; op < ops + n; op++) {
		if (op->hash != hash)
			continue;
		if (strands + inkey_blocks(op) > BATCH_STRANDS) {
			run(b, hash, strands, n_keys);
			strands = 0;
			n_keys = 0;
			before = NULL;
		}
		n_keys += add_strands(&b->strands[strands], op, before, &b->keys[n_keys]);
		strands += inkey_blocks(op);
		before = op;
	}
	if (strands)
		run(b, hash, strands, n_keys);
}

void batch_prf(struct batch *b, const struct crypto_prf_op *ops, unsigned int n)
{
	prf_of_hash(b, CRYPTO_SHA1, ops, n);
	prf_of_hash(b, CRYPTO_SHA256, ops, n);
}

void batch_key_prepare(struct batch *b, const uint8_t *key, size_t len, struct crypto_key *out)
{
	uint8_t block[LANES_BLOCK] = {0};
	struct lanes_key sha1 = {block, &out->sha1}, sha256 = {block, &out->sha256};

	memcpy(block, key, len);
	lanes_keys(&b->lanes, CRYPTO_SHA1, &sha1, 1);
	lanes_keys(&b->lanes, CRYPTO_SHA256, &sha256, 1);
	secret_wipe(block, sizeof(block));
}

/* Registers that the kernels spilled. */
static __attribute__((noinline)) void wipe_stack(void)
{
	uint8_t below[16384];

	secret_wipe(below, sizeof(below));
}

void batch_wipe(struct batch *b)
{
	const size_t start = offsetof(struct batch, hmac);

	secret_wipe((uint8_t *)b + start, sizeof(*b) - start);
	wipe_stack();
}
