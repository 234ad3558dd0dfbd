/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Ticket Request and Ticket Resolve have in common: an initial message under the PSK, and the
 * KMS's response. Internal to the library.
 */
#ifndef TKMS_UE_KMS_H
#define TKMS_UE_KMS_H

#include "common/ue/exchange.h"
#include "common/ue/keyset.h"
#include "common/ue/protect.h"

/* An initial message being written. */
struct ue_kms_init {
	struct mikey_writer w;
	uint8_t data_type; /* MIKEY_REQUEST_INIT_PSK or MIKEY_RESOLVE_INIT_PSK */
	uint8_t rand_len;
	uint8_t rand[CRYPTO_INKEY_MAX];
	uint32_t csb_id;
};

/* Writes HDR, T, RANDR, IDRi or IDRr, IDRkms. */
enum ue_result ue_kms_open(const struct ue *ue, uint8_t data_type, uint64_t ntp_now, uint8_t *buf,
	size_t cap, struct ue_kms_init *x);

/* Writes IDRpsk and V. */
enum ue_result ue_kms_seal(const struct ue *ue, struct ue_kms_init *x, size_t *len);

/* Opens a pair and judges Errors; UE_OK: p and k (for the response) are ready. info is reset and
 * filled. */
enum ue_result ue_kms_answer(const struct ue *ue, struct ue_octets init, uint8_t init_type,
	struct ue_octets resp, uint8_t resp_type, uint64_t ntp_now, struct ue_pair *p,
	struct ue_keying *k, struct ue_info *info);

/* MAC, time, IDRkms; then the keys of the KEMAC: n_mpk MPKs (1, forked: 2) and session keys with
 * SPIs. */
enum ue_result ue_kms_take(const struct ue *ue, const struct ue_pair *p, const struct ue_keying *k,
	uint64_t ntp_now, unsigned int n_mpk, struct ue_keyset *keys, struct ue_info *info);

#endif
