/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a Ticket Transfer, the Responder's side (RFC 6043 4.2.2.3, 5.1.3). */
#ifndef TKMS_UE_ANSWER_H
#define TKMS_UE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/ue/resolve.h"
#include "common/ue/session.h"
#include "common/ue/ue.h"

/*
 * Builds TRANSFER_RESP to a TRANSFER_INIT whose ticket is resolved, and derives the session keys.
 * Per crypto session the first acceptable policy is chosen; a missing SSRC is drawn, a missing SPI
 * is that of the next of the Responder's keys (of the ticket's if there are none). keys: the
 * Responder's own session keys (flag M, section 8), or NULL. Wipes sessions on failure.
 */
enum ue_result ue_answer_build(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, const struct ue_keyset *keys,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len, struct ue_sessions *sessions);

/* Session keys when the ticket has no flag F: no TRANSFER_RESP is sent. */
enum ue_result ue_answer_one_way(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, uint64_t ntp_now,
	struct ue_sessions *sessions);

#endif
