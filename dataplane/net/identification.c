/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/identification.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "dataplane/net/source.h"

int identification_init(struct identification *ids)
{
	return secret_random(ids, sizeof(*ids));
}

uint32_t identification_next(struct identification *ids, const struct net_flow *flow)
{
	uint64_t ours, theirs, number;

	/* The last octets differ; those of an IPv4 address are all there are. */
	memcpy(&ours, flow->family == 4 ? flow->ours : flow->ours + 8, sizeof(ours));
	memcpy(&theirs, flow->family == 4 ? flow->theirs : flow->theirs + 8, sizeof(theirs));
	number = theirs + ours * UINT64_C(0x9e3779b97f4a7c15) +
		 source_number(flow->family, flow->theirs);
	return ids->next[source_hash(number, ids->secret) % IDENTIFICATION_COUNTERS]++;
}
