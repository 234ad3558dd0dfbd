/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a Ticket Transfer, the Initiator's side (RFC 6043 4.2.2.4, 5.1.3). */
#ifndef TKMS_UE_FINISH_H
#define TKMS_UE_FINISH_H

#include <stddef.h>
#include <stdint.h>

#include "common/ue/session.h"
#include "common/ue/ticket.h"
#include "common/ue/ue.h"

/*
 * Judges a TRANSFER_RESP to init, and derives the session keys. Failures are final if
 * info->verified. The responder's identity, if known by an IDRr of the response, is copied to peer
 * (IDENTITY_MAX octets), *peer_len receives its length (0: none); both may be NULL.
 */
enum ue_result ue_transfer_process(const struct ue *ue, const struct ue_ticket *ticket,
	const uint8_t *init, size_t init_len, const uint8_t *resp, size_t resp_len,
	uint64_t ntp_now, struct ue_sessions *sessions, uint8_t *peer, uint8_t *peer_len,
	struct ue_info *info);

/* Session keys when the ticket has no flag F: there is no TRANSFER_RESP. */
enum ue_result ue_transfer_one_way(const struct ue *ue, const struct ue_ticket *ticket,
	const uint8_t *init, size_t init_len, struct ue_sessions *sessions);

#endif
