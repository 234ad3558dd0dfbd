/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ticket and the keys that belong to it, as an Initiator keeps it: granted by the KMS (modes 1,
 * 2) or made by itself (modes 3, 4). Secret.
 */
#ifndef TKMS_UE_TICKET_H
#define TKMS_UE_TICKET_H

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "common/ue/keyset.h"
#include "common/ue/policy.h"
#include "common/ue/ue.h"

enum { UE_TICKET_MAX = 6144 };

struct ue_ticket {
	uint16_t type;
	uint8_t subtype;
	uint8_t version;
	uint8_t prf;
	uint8_t reserved;
	uint8_t used; /* a TRANSFER_INIT was built with it */
	uint16_t flags;
	uint16_t body_len;
	struct mikey_span tp_data; /* of body */
	struct mikey_span ticket_data;
	struct ue_keyset keys;	     /* MPKi, MPKr if forked, session keys (not forked) */
	uint8_t body[UE_TICKET_MAX]; /* Ticket Type .. Ticket Data; no Initiator Data */
};

void ue_ticket_clear(struct ue_ticket *t);

/* Fills t from body (as in struct ue_ticket) and key data as stored by the caller; checks both.
 * Wipes t on failure. */
enum ue_result ue_ticket_load(struct ue_ticket *t, const uint8_t *body, size_t body_len,
	const uint8_t *keys, size_t keys_len);

/* Takes policy and Ticket Data of a parsed TICKET without Initiator Data; the keys are left alone.
 */
enum ue_result ue_ticket_adopt(struct ue_ticket *t, const struct mikey_message *m);

/* Writes the TICKET but for Initiator Data, which must follow. */
void ue_ticket_write(struct mikey_writer *w, const struct ue_ticket *t);

/* Policy of the ticket. Spans are of t->body. */
enum ue_result ue_ticket_policy(const struct ue_ticket *t, struct mikey_tp_data *tp);

#endif
