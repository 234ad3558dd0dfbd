/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket Transfer, the Initiator's side: TRANSFER_INIT (RFC 6043 4.2.2.1). The end is in finish.h.
 */
#ifndef TKMS_UE_TRANSFER_H
#define TKMS_UE_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/ue/session.h"
#include "common/ue/ticket.h"
#include "common/ue/ue.h"

/* What a TRANSFER_INIT proposes. */
struct ue_offer {
	struct ue_map map;
	unsigned int n_sp;
	struct ue_sp sp[UE_SP_MAX];
	struct identity idr_r; /* whom it is for, may be a name of a group; always under the MAC */
	uint8_t omit_idr_r;    /* leave the payload out: the responder has that one identity */
	const struct ue_keyset *keys; /* the Initiator's own session keys (flag L, RFC 6043 section
					 8); NULL: none */
};

/*
 * The usual offer: one SRTP session per session key of the ticket and of keys, CS IDs from 1, one
 * policy, SSRCs drawn. Without any key: one session whose SSRC and SPI are left to the responder
 * (pre-encrypted content of its own).
 */
enum ue_result ue_offer_srtp(const struct ue *ue, const struct ue_ticket *ticket,
	struct identity idr_r, const struct ue_keyset *keys, struct ue_offer *offer);

/*
 * Builds TRANSFER_INIT; suite of ue: the ticket's. Refuses tickets that are not valid now, and a
 * second use without flag J; marks the ticket as used.
 */
enum ue_result ue_transfer_build(const struct ue *ue, struct ue_ticket *ticket,
	const struct ue_offer *offer, uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len);

#endif
