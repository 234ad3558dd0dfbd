/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every PRF label of RFC 6043 (5.1.1, 5.1.2, 5.1.3, 6.10, A.2) in one place. Functions write a
 * label and return its length in octets; they never fail and never read beyond what they are given.
 * The label buffer has CRYPTO_LABEL_MAX octets. Pure.
 */
#ifndef TKMS_KDF_KDF_H
#define TKMS_KDF_KDF_H

#include <stddef.h>
#include <stdint.h>

/* What a derived key is for (RFC 3830 4.1.3 and 4.1.4; RFC 6043 tables 5.1 and A.1). */
enum kdf_key {
	KDF_ENCR,
	KDF_SALT,
	KDF_AUTH,
};

/* Protects which message (RFC 6043 5.1.2). */
enum kdf_phase {
	KDF_INIT = 1,
	KDF_RESP = 2,
};

/* RAND field without payload header; len 0 means omitted (readings N19). */
struct kdf_rand {
	const uint8_t *data;
	uint8_t len;
};

/* 5.1.2: keys of REQUEST_*, RESOLVE_*, TRANSFER_* from PSK, envelope key, MPKi or MPKr'. */
size_t kdf_label_message(uint8_t *label, enum kdf_key key, enum kdf_phase phase, uint32_t csb_id,
	struct kdf_rand randr_i, struct kdf_rand randr_r);

/* 6.10: keys of Vr in Initiator Data from MPKr (not forked). */
size_t kdf_label_initiator_data(uint8_t *label, enum kdf_key key);

/* A.2.1: keys of the ticket from the TPK. */
size_t kdf_label_ticket(uint8_t *label, enum kdf_key key, struct kdf_rand rand);

/* A.2.2: MPKi and MPKr from MPK. */
enum kdf_mpk { KDF_MPKI, KDF_MPKR };
size_t kdf_label_mpk(uint8_t *label, enum kdf_mpk which, struct kdf_rand rand);

/* 5.1.1: forked MPKr' and TGK'. id: ID Data of the IDRr returned, at most 255 octets. */
enum kdf_fork { KDF_FORK_MPKR, KDF_FORK_TGK };
size_t kdf_label_fork(uint8_t *label, enum kdf_fork which, const uint8_t *id, uint16_t id_len,
	struct kdf_rand randr_kms);

/* 5.1.3: TEK and the session keys of a crypto session from TGK, TGK' or GTGK. */
enum kdf_session { KDF_SESSION_TEK, KDF_SESSION_SALT, KDF_SESSION_AUTH, KDF_SESSION_ENCR };
size_t kdf_label_session(uint8_t *label, enum kdf_session key, uint8_t cs_id,
	struct kdf_rand randr_i, struct kdf_rand randr_r);

#endif
