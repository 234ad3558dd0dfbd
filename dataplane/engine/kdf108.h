/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * KDF in counter mode (NIST SP 800-108, 4.1) with HMAC-SHA-256:
 * K(i) = HMAC(key, [i] || label || 00 || context || [L]), [i] and [L] 32 bits big-endian, L in
 * bits.
 *
 * The engine's stages batch many of these; this header gives them the two ends around the context,
 * so that the context itself is never copied.
 */
#ifndef TKMS_ENGINE_KDF108_H
#define TKMS_ENGINE_KDF108_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"

enum {
	KDF108_BLOCK = CRYPTO_SHA256_LEN,
	KDF108_HEAD_MAX = 64, /* octets of [i] || label || 00 */
	KDF108_TAIL_LEN = 4,  /* octets of [L] */
};

/* Own labels. A new format of what goes into a context needs a new version in its label. */
#define KDF108_LABEL_GENERATION_KEY "tkms generation key v1"
#define KDF108_LABEL_DECISION	    "tkms request decision v1"
#define KDF108_LABEL_OUTPUT	    "tkms request output v1"
#define KDF108_LABEL_RANDR_KMS	    "tkms RANDRkms v1"
#define KDF108_LABEL_RESPONSE_T	    "tkms response T v1"

/* Writes [block] || label || 00, block counts from 1. Returns its length, at most KDF108_HEAD_MAX.
 */
size_t kdf108_head(uint8_t head[KDF108_HEAD_MAX], uint32_t block, const char *label);

/* Writes [L] for an output of out_len octets. */
void kdf108_tail(uint8_t tail[KDF108_TAIL_LEN], size_t out_len);

/* GK = KDF(sealing key, versioned label, id of the key), 256 bits in both suites. */
void kdf108_generation_key(struct crypto *ctx, const uint8_t *key, size_t len, struct identity id,
	uint8_t gk[CRYPTO_SHA256_LEN]);

#endif
