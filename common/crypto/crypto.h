/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batch cryptography: the PRFs, MACs and the stream cipher of MIKEY over arrays of operations.
 *
 * All functions are pure but for the context they are given. A context belongs to one thread.
 * Nothing allocates after crypto_open() (the openssl backend: what OpenSSL does inside). No input
 * length is an error: what the protocol forbids is refused by callers before it comes here;
 * breaking the limits below ends the process.
 *
 * Two backends give identical results: "ipsec-mb" (many messages at once, the KMS's hot path) and
 * "openssl" (one at a time, the reference).
 */
#ifndef TKMS_CRYPTO_CRYPTO_H
#define TKMS_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CRYPTO_SHA1_LEN = 20,
	CRYPTO_SHA256_LEN = 32,
	CRYPTO_MAC_MAX = 32,	   /* longest MAC, octets */
	CRYPTO_PRF_BLOCKS_MAX = 4, /* 256-bit blocks of an inkey */
	CRYPTO_INKEY_MAX = 128,	   /* octets; keys in the protocol have 16 to 64 (RFC 3830 PRF) */
	CRYPTO_PRF_OUT_MAX = 128,  /* octets */
	CRYPTO_LABEL_MAX =
		540, /* octets: TGK' label with a 255-octet identity and RAND, rounded up */
	CRYPTO_SEGMENTS_MAX = 4,
	CRYPTO_MAC_KEY_MAX = 64,      /* octets of a raw MAC key: one block of either hash */
	CRYPTO_PREPARED_KEY_MAX = 32, /* octets of a key that crypto_key_prepare() takes */
	CRYPTO_IV_LEN = 16,
};

/* Hash under a PRF or MAC. Values are our own. */
enum crypto_hash {
	CRYPTO_SHA1,
	CRYPTO_SHA256,
};

/* HMAC state after key^ipad and key^opad: as secret as the key itself. */
struct crypto_hmac_state {
	uint32_t inner[8]; /* SHA-1 uses the first five words; host byte order */
	uint32_t outer[8];
};

/*
 * A long-lived key (PSK, TPK) prepared for both PRFs. Keys of at most 32 octets only (one PRF
 * block): PSKs have 16 to 32 octets, sealing keys 32.
 */
struct crypto_key {
	struct crypto_hmac_state sha1;
	struct crypto_hmac_state sha256;
};

/*
 * PRF of RFC 3830 4.1.2 (hash = CRYPTO_SHA1, "MIKEY-1") or RFC 6043 6.1 (CRYPTO_SHA256,
 * "PRF-HMAC-SHA-256"). inkey is split into 256-bit blocks for both (readings N21).
 * Exactly one of key and inkey is set. out may not overlap label or inkey of any operation of the
 * same call. Neighbours with the same inkey pointer, length and hash share the work of preparing
 * it.
 */
struct crypto_prf_op {
	const struct crypto_key *key; /* prepared key, or NULL */
	const uint8_t *inkey;	      /* raw key, 1..CRYPTO_INKEY_MAX octets, or NULL */
	const uint8_t *label;	      /* 1..CRYPTO_LABEL_MAX octets */
	uint8_t *out;
	uint16_t inkey_len;
	uint16_t label_len;
	uint16_t out_len; /* octets, 1..CRYPTO_PRF_OUT_MAX */
	uint8_t hash;	  /* enum crypto_hash */
};

struct crypto_segment {
	const uint8_t *data;
	uint32_t len;
};

/*
 * HMAC over the concatenation of n_segments segments. Exactly one of state and key is set.
 * out receives 20 (SHA-1) or 32 (SHA-256) octets; it may not overlap what any operation of the same
 * call reads.
 */
struct crypto_mac_op {
	const struct crypto_hmac_state *state; /* prepared key, or NULL */
	const uint8_t *key;		       /* raw key, 1..CRYPTO_MAC_KEY_MAX octets, or NULL */
	struct crypto_segment seg[CRYPTO_SEGMENTS_MAX];
	uint8_t *out;
	uint16_t key_len;
	uint8_t n_segments;
	uint8_t hash; /* enum crypto_hash */
};

/*
 * AES in counter mode as RFC 3830 4.2.3 uses it (AES-CM-128, AES-CM-256 of RFC 6043 6.2):
 * encryption and decryption are the same. dst == src is allowed, partial overlap is not.
 *
 * iv is the first counter block, a big-endian number. Its low 32 bits may not overflow within len:
 * IVs of the protocol (crypto_cm_iv()) end in 16 zero bits, which is enough for any len.
 */
struct crypto_cm_op {
	const uint8_t *key; /* 16 or 32 octets */
	const uint8_t *src;
	uint8_t *dst;
	uint8_t iv[CRYPTO_IV_LEN];
	uint16_t len;	 /* octets, may be 0 */
	uint8_t key_len; /* 16 or 32 */
};

struct crypto; /* context of one thread */

/*
 * Opens a context. name: "ipsec-mb", "openssl", or NULL for the default (ipsec-mb).
 * Returns NULL with errno set: ENOENT (no such backend), ENOTSUP (the CPU lacks what the backend
 * needs: SSE4.2 and AES-NI), ENOMEM. crypto_close() wipes the context.
 */
struct crypto *crypto_open(const char *name);
void crypto_close(struct crypto *ctx);
const char *crypto_name(const struct crypto *ctx);

/* Largest n of the calls below that still fills one pass; larger n is allowed and is split. */
enum { CRYPTO_BATCH_MAX = 256 };

void crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n);
void crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n);
void crypto_cm(struct crypto *ctx, const struct crypto_cm_op *ops, unsigned int n);

/* Prepares a long-lived key of 1..32 octets for both hashes. */
void crypto_key_prepare(struct crypto *ctx, const uint8_t *key, size_t len, struct crypto_key *out);

/* Wipes what intermediate results the last operations left in the context (call when idle). */
void crypto_wipe_scratch(struct crypto *ctx);

/*
 * AES Key Wrap with a caller's 64-bit IV (RFC 3830 4.2.3, AES-KW-128; RFC 3394). Cold path,
 * OpenSSL. len: plaintext octets, a multiple of 8, at least 16; out of wrap has len + 8 octets.
 * Return 0, -EINVAL (length), -EBADMSG (unwrap: integrity check failed) or -ENOMEM; out is wiped on
 * failure but -EINVAL. in and out may not overlap.
 */
int crypto_kw_wrap(
	const uint8_t key[16], const uint8_t iv[8], const uint8_t *in, size_t len, uint8_t *out);
int crypto_kw_unwrap(
	const uint8_t key[16], const uint8_t iv[8], const uint8_t *in, size_t len, uint8_t *out);

/*
 * IV of AES-CM (RFC 3830 4.2.3): (salt XOR (0x0000 || CSB ID || T)) || 0x0000.
 * salt: 14 octets. t64: timestamp padded to 64 bits (readings N29), big-endian.
 */
void crypto_cm_iv(
	uint8_t iv[CRYPTO_IV_LEN], const uint8_t salt[14], uint32_t csb_id, const uint8_t t64[8]);

/*
 * Refuses keys that the PRF treats badly: under 16 or over 64 octets, or longer than 32 octets with
 * two equal zero-padded 256-bit blocks (they cancel in the XOR of RFC 3830 4.1.2). Constant time in
 * the key's value. Return: key may be used.
 */
bool crypto_key_acceptable(const uint8_t *key, size_t len);

#endif
