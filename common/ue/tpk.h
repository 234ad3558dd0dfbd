/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket protection keys: what a ticket is sealed with and opened with (RFC 6043 A.1, A.2). */
#ifndef TKMS_UE_TPK_H
#define TKMS_UE_TPK_H

#include "common/mikey/message.h"
#include "common/ue/keyset.h"
#include "common/ue/protect.h"
#include "common/ue/ue.h"

/* The key that protects a ticket; its id goes into IDRpsk of the Ticket Data (len 0: omitted). */
struct ue_tpk {
	struct identity id;
	const uint8_t *key; /* 16..32 octets */
	size_t len;
};

/* Id of the key that protects the ticket (IDRpsk of the Ticket Data) in a message; len 0: not there
 * or not readable. */
struct identity ue_ticket_key_id(const struct mikey_message *m);

/*
 * Opens the ticket in a parsed message with its TPK: MAC, decryption, MPKi, MPKr; the keys are not
 * forked. Wipes keys on failure.
 */
enum ue_result ue_ticket_open(struct crypto *ctx, const struct mikey_message *m,
	const struct ue_tpk *tpk, struct ue_keyset *keys);

/* Keys of the ticket itself (A.2.1). */
struct ue_keying ue_tpk_keying(const struct ue_tpk *tpk, uint8_t prf, struct kdf_rand rand);

/* A.2.2: copies the keys of a ticket; MPKi, and MPKr if forked, take the place of MPK. */
enum ue_result ue_tpk_split(struct crypto *ctx, uint8_t prf, struct kdf_rand rand, int forked,
	const struct ue_keyset *in, struct ue_keyset *out);

#endif
