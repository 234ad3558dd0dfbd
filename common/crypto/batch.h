/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches of PRFs and MACs as HMACs in lockstep (lanes.h). Private to common/crypto. */
#ifndef TKMS_CRYPTO_BATCH_H
#define TKMS_CRYPTO_BATCH_H

#include "common/crypto/lanes.h"

enum {
	/* (operation, 256-bit block of its inkey) in one pass of the PRF: whole groups of 8 and 16
	   lanes that stay in the first-level cache. */
	BATCH_STRANDS = 48,
	BATCH_MACS = CRYPTO_BATCH_MAX,
};

enum {
	/* Zeroes after a label and its end mark, in one go: no padding is longer. */
	BATCH_ZEROES = LANES_BLOCK + 16,
};

/*
 * P(s, label, m) of one block s of an inkey. The label is there once: HMAC(s, label) and HMAC(s,
 * A_i || label) read it in the same place, and only the length at the end of the padding is
 * rewritten between them.
 */
struct batch_strand {
	_Alignas(64) uint8_t key[LANES_BLOCK];
	struct crypto_hmac_state own; /* of a raw key */
	const struct crypto_hmac_state *state;
	const struct crypto_prf_op *op;
	unsigned int levels;	  /* m of RFC 3830 4.1.2 */
	bool first;		  /* of the blocks of its inkey */
	struct lanes_run runs[3]; /* label, A_i || label, A_i */
	uint8_t p[CRYPTO_MAC_MAX];
	uint8_t only[LANES_BLOCK]; /* A_i, padded */
	uint8_t both[CRYPTO_MAC_MAX + CRYPTO_LABEL_MAX + 1 +
		     BATCH_ZEROES]; /* A_i || label, padded */
};

/* Whole blocks are hashed where they are; only blocks across segments, and the last, are put
 * together. */
struct batch_mac {
	_Alignas(64) uint8_t joined[(CRYPTO_SEGMENTS_MAX + 2) * LANES_BLOCK];
	uint8_t key[LANES_BLOCK];
	struct crypto_hmac_state own;
	struct lanes_run runs[2 * CRYPTO_SEGMENTS_MAX + 2];
};

struct batch {
	struct lanes lanes;
	struct lanes_hmac hmac[LANES_JOBS_MAX];
	struct lanes_key keys[LANES_JOBS_MAX];
	union {
		struct batch_strand strands[BATCH_STRANDS];
		struct batch_mac macs[BATCH_MACS];
	};
};

_Static_assert(2 * (int)BATCH_STRANDS <= (int)LANES_JOBS_MAX, "A and P of a level are one call");
_Static_assert((int)BATCH_MACS <= (int)LANES_JOBS_MAX, "one call");

/* n <= CRYPTO_BATCH_MAX. */
void batch_prf(struct batch *b, const struct crypto_prf_op *ops, unsigned int n);
void batch_mac(struct batch *b, const struct crypto_mac_op *ops, unsigned int n);
void batch_key_prepare(struct batch *b, const uint8_t *key, size_t len, struct crypto_key *out);
/* Wipes all but the choice of lanes. */
void batch_wipe(struct batch *b);

#endif
