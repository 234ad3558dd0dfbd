/* SPDX-License-Identifier: BSD-3-Clause */
/* Tickets that an Initiator makes itself (modes 3 and 4; RFC 6043 A). */
#ifndef TKMS_UE_MAKE_H
#define TKMS_UE_MAKE_H

#include <stdint.h>

#include "common/ue/policy.h"
#include "common/ue/ticket.h"
#include "common/ue/tpk.h"
#include "common/ue/ue.h"

/*
 * Makes a ticket with the keys of policy (UE_KEYS_DEFAULT: one TGK of the suite's strength); flag D
 * has to be 0. Mode 3: tpk is the own PSK and its id; mode 4: shared with the responder. Wipes t on
 * failure.
 */
enum ue_result ue_ticket_make(const struct ue *ue, const struct ue_policy *policy,
	const struct ue_tpk *tpk, uint64_t ntp_now, struct ue_ticket *t);

#endif
