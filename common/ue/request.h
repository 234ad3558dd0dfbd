/* SPDX-License-Identifier: BSD-3-Clause */
/* Ticket Request, the Initiator's side (RFC 6043 4.2.1). */
#ifndef TKMS_UE_REQUEST_H
#define TKMS_UE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/ue/policy.h"
#include "common/ue/ticket.h"
#include "common/ue/ue.h"

/* Builds REQUEST_INIT_PSK into buf; *len receives its length. */
enum ue_result ue_request_build(const struct ue *ue, const struct ue_policy *policy,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len);

/*
 * Judges an answer to init (as built above) and takes ticket and keys from it. UE_OK: MAC, time,
 * keys and granted policy are all right. ticket is wiped on failure. Failures are final if
 * info->verified, else the answer may be a forgery: wait on.
 */
enum ue_result ue_request_process(const struct ue *ue, enum ue_changes changes, const uint8_t *init,
	size_t init_len, const uint8_t *resp, size_t resp_len, uint64_t ntp_now,
	struct ue_ticket *ticket, struct ue_info *info);

#endif
