/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protection of messages and tickets: derived keys, MACs, KEMACs (RFC 6043 5.1.2, 5.5, A.2.1).
 * Internal to the library. Derived keys do not outlive a call.
 */
#ifndef TKMS_UE_PROTECT_H
#define TKMS_UE_PROTECT_H

#include "common/crypto/crypto.h"
#include "common/kdf/kdf.h"
#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "common/ue/keyset.h"
#include "common/ue/result.h"

enum ue_use {
	UE_USE_INIT,	       /* an initial message, and the Errors it meets */
	UE_USE_RESP,	       /* a response */
	UE_USE_TICKET,	       /* Ticket Data, from the TPK */
	UE_USE_INITIATOR_DATA, /* Vr, from MPKr */
};

/* What keys are derived from and for. */
struct ue_keying {
	const uint8_t *inkey;
	uint16_t inkey_len;
	uint8_t prf;		/* enum mikey_prf */
	uint8_t use;		/* enum ue_use */
	uint32_t csb_id;	/* 0xFFFFFFFF for a ticket */
	struct kdf_rand rand_i; /* of a ticket: RAND */
	struct kdf_rand rand_r;
};

/* The RANDR (or RAND) of a message; len 0 if it is not there. */
struct kdf_rand ue_rand(const uint8_t *octets, const struct mikey_randr *r);

/* enum crypto_hash of a PRF; -1: unknown. Of an authentication algorithm; -1: unknown or NULL. */
int ue_prf_hash(uint8_t prf);
int ue_auth_hash(uint8_t auth_alg);

/* UE_MIXED_SUITES if PRF and authentication algorithm are not of one suite, UE_PRF or UE_AUTH_ALG
 * if unknown. */
enum ue_result ue_check_algorithms(uint8_t prf, uint8_t auth_alg);

/* One derived key, as long as out_len says. prf known. */
void ue_derive(struct crypto *ctx, const struct ue_keying *k, enum kdf_key key, uint8_t *out,
	uint16_t out_len);

/* MAC over n segments (at most CRYPTO_SEGMENTS_MAX) into mac. Algorithms known (ue_auth_hash). */
void ue_mac(struct crypto *ctx, const struct ue_keying *k, uint8_t auth_alg,
	const struct crypto_segment *seg, unsigned int n, uint8_t *mac);

/* Does the MAC v of octets equal the one over the segments. Constant time. */
enum ue_result ue_mac_verify(struct crypto *ctx, const struct ue_keying *k, const uint8_t *octets,
	const struct mikey_v *v, const struct crypto_segment *seg, unsigned int n);

/* Decrypts and parses a KEMAC of octets. t64: T of the message (or of the ticket). */
enum ue_result ue_kemac_open(struct crypto *ctx, const struct ue_keying *k, const uint8_t *octets,
	const struct mikey_kemac *kemac, const uint8_t t64[8], struct ue_keyset *out);

/* Adds a KEMAC with the keys, encrypted with AES-CM (encr_alg). */
void ue_kemac_write(struct crypto *ctx, const struct ue_keying *k, struct mikey_writer *w,
	uint8_t encr_alg, const uint8_t t64[8], const struct ue_keyset *keys);

#endif
