/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket Resolve, the Responder's side (RFC 6043 4.2.3), and resolving without the KMS (modes 2,
 * 4). */
#ifndef TKMS_UE_RESOLVE_H
#define TKMS_UE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/ue/keyset.h"
#include "common/ue/ticket.h"
#include "common/ue/tpk.h"
#include "common/ue/ue.h"

/* What the Responder knows of a ticket. Secret. */
struct ue_resolved {
	struct ue_keyset keys; /* MPKi, MPKr' if forked, session keys (forked) */
	uint8_t forked;
	uint8_t id_type; /* of id */
	uint8_t id_len;	 /* the modifier, if forked: IDRr and RANDRkms */
	uint8_t rand_len;
	uint8_t id[IDENTITY_MAX];
	uint8_t rand[IDENTITY_MAX];
	uint16_t body_len; /* the ticket without Initiator Data */
	uint8_t body[UE_TICKET_MAX];
};

void ue_resolved_clear(struct ue_resolved *r);

/* Checks the TRANSFER_INIT (accept.h) and builds RESOLVE_INIT_PSK for its ticket. */
enum ue_result ue_resolve_build(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len);

/*
 * Judges an answer to init (as built above): MAC, time, keys, modifier; then the TRANSFER_INIT
 * under the MPKi received. out is wiped on failure. Failures are final if info->verified.
 */
enum ue_result ue_resolve_process(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	const uint8_t *init, size_t init_len, const uint8_t *resp, size_t resp_len,
	uint64_t ntp_now, struct ue_resolved *out, struct ue_info *info);

/* Resolves with a key of one's own: the PSK shared with the KMS (mode 2) or a key shared with the
 * Initiator (mode 4). */
enum ue_result ue_resolve_local(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	const struct ue_tpk *tpk, uint64_t ntp_now, struct ue_resolved *out);

/* Takes another TRANSFER_INIT with a ticket that is resolved already (flag J, 5.3): same modifier,
 * same keys. */
enum ue_result ue_resolved_reuse(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, uint64_t ntp_now);

#endif
