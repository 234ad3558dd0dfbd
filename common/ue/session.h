/* SPDX-License-Identifier: BSD-3-Clause */
/* Session keys that both sides of a Ticket Transfer end up with (RFC 6043 5.1.3). Secret. */
#ifndef TKMS_UE_SESSION_H
#define TKMS_UE_SESSION_H

#include <stdint.h>

#include "common/mikey/message.h"
#include "common/ue/keyset.h"
#include "common/ue/map.h"
#include "common/ue/sp.h"
#include "common/ue/ue.h"

struct ue_session {
	uint8_t cs_id;
	uint8_t key_type; /* enum mikey_key_type of the key it comes from */
	uint8_t spi_len;
	uint8_t tek_len;
	uint8_t salt_len; /* 0: the key was a TEK without salt */
	uint8_t has_roc;
	uint16_t seq;
	uint32_t roc;
	uint32_t ssrc;
	struct ue_srtp srtp;
	uint8_t spi[UE_SPI_MAX];
	uint8_t tek[CRYPTO_INKEY_MAX];
	uint8_t salt[CRYPTO_INKEY_MAX];
};

struct ue_sessions {
	unsigned int n;
	struct ue_session s[UE_CS_MAX];
};

void ue_sessions_clear(struct ue_sessions *s);

/* What session keys are made of. */
struct ue_session_source {
	const struct mikey_message *init; /* TRANSFER_INIT */
	const struct mikey_message *resp; /* TRANSFER_RESP, NULL if there is none (flag F) */
	uint16_t flags;			  /* of the ticket */
	const struct ue_keyset
		*keys[3]; /* ticket (forked), KEMAC of init, KEMAC of resp; NULL: none */
};

/* Wipes out on failure. */
enum ue_result ue_sessions_derive(
	struct crypto *ctx, const struct ue_session_source *src, struct ue_sessions *out);

#endif
