/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TRANSFER_INIT as the Responder meets it: what can be refused before the KMS is asked (RFC
 * 6043 4.2.2.2), and what can be verified once MPKi is known (4.2.3.6).
 */
#ifndef TKMS_UE_ACCEPT_H
#define TKMS_UE_ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/message.h"
#include "common/ue/keyset.h"
#include "common/ue/ue.h"

/*
 * Parses and judges a TRANSFER_INIT without any key: algorithms, time, ticket type, flags,
 * validity, recipients (one of ours), Initiator Data with Vi = V if forked, KEMAC only if allowed,
 * map and security policies. Nothing that it says is authenticated yet.
 */
enum ue_result ue_transfer_check(
	const struct ue *ue, const uint8_t *octets, size_t len, uint64_t ntp_now);

/* As above, with what was parsed, for the other parts of the library. */
struct ue_incoming {
	struct mikey_message m;
	struct mikey_tp_data tp;
};
enum ue_result ue_incoming_open(struct ue_incoming *in, const struct ue *ue, const uint8_t *octets,
	size_t len, uint64_t ntp_now);

/* MAC of the TRANSFER_INIT under MPKi, then Vi against V in constant time. */
enum ue_result ue_incoming_verify(
	const struct ue *ue, const struct ue_incoming *in, const struct ue_keyset *keys);

#endif
