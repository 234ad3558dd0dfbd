/* SPDX-License-Identifier: BSD-3-Clause */
/* Flags of tickets (RFC 6043 6.10): which contradict each other, which are granted. Pure. */
#ifndef TKMS_ENGINE_FLAGS_H
#define TKMS_ENGINE_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/engine/policy.h"

/* tgk: a TGK is encoded in the ticket. */
bool flags_contradict(uint16_t flags, bool tgk);

/* The same for flags asked for: D is what the KMS sets, K is to be ignored. */
bool flags_asked_contradict(uint16_t flags, bool tgk);

/* What is granted, without K. responder_key: the ticket can be sealed for its responder (mode 2).
 */
uint16_t flags_granted(const struct policy *p, uint16_t asked, bool tgk, bool responder_key);

/* Would a ticket with these flags have been granted to its initiator, but for D, K and L. */
bool flags_of_initiator_allowed(const struct policy *p, uint16_t flags);

#endif
