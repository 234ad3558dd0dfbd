/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues the key derivations of RFC 6043 (5.1.1, 5.1.2, 6.10, A.2) for a message; see kdf.h for the
 * labels. */
#ifndef TKMS_ENGINE_DERIVE_H
#define TKMS_ENGINE_DERIVE_H

#include "dataplane/engine/slot.h"

/* 5.1.2: auth_key of the message from the sender's key. */
void derive_message_auth(struct engine *e, const struct slot *s, const struct crypto_key *psk,
	uint8_t *out, enum kdf_phase phase);

/* 5.1.2: all keys of the response. */
void derive_response(struct engine *e, struct slot *s);

/* A.2.1: all keys of a ticket, with the hash of its PRF. Without a MAC algorithm of its own: that
 * of the PRF. */
struct ticket_algorithms {
	uint8_t prf_hash;
	uint8_t encr_len; /* octets of encr_key */
	uint8_t mac_hash;
};
void derive_ticket(struct engine *e, struct slot *s, const struct crypto_key *tpk,
	struct ticket_algorithms alg, struct kdf_rand rand);

/* A.2.2: MPKi and MPKr from MPK, as long as it is. */
void derive_mpk(struct engine *e, enum kdf_mpk which, uint8_t prf_hash, const uint8_t *mpk,
	uint16_t len, struct kdf_rand rand, uint8_t *out);

/* 6.10: auth_key of Vr, with the ticket's PRF, for a MAC algorithm. */
void derive_initiator_data(struct engine *e, uint8_t prf_hash, uint8_t mac_hash,
	const uint8_t *mpkr, uint16_t len, uint8_t *out);

/* 5.1.1: a forked key, as long as it is. */
void derive_forked(struct engine *e, uint8_t prf_hash, struct crypto_segment label,
	const uint8_t *key, uint16_t len, uint8_t *out);
struct crypto_segment derive_fork_label(
	struct engine *e, enum kdf_fork which, struct identity id, struct kdf_rand randr_kms);

#endif
