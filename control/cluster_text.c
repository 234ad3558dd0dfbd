/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cluster_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void cluster_address_text(uint8_t family, const uint8_t *octets, char *text)
{
	/* cannot fail: both families are known, the text is long enough */
	if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, octets, text, INET6_ADDRSTRLEN))
		text[0] = '\0';
}

const char *cluster_drain_name(uint32_t reason)
{
	switch (reason) {
	case DRAIN_OPERATOR:
		return "operator";
	case DRAIN_ENDING:
		return "ending";
	case DRAIN_CLOCK:
		return "clock";
	case DRAIN_BEHIND:
		return "behind";
	case DRAIN_STALE:
		return "stale";
	default:
		return NULL;
	}
}

void cluster_drain_text(uint32_t reasons, char *text, size_t cap)
{
	text[0] = '\0';
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = reasons & bit ? cluster_drain_name(bit) : NULL;
		size_t len = strlen(text);

		if (reasons & bit)
			snprintf(text + len, cap - len, "%s%s", len ? "," : "",
				name ? name : "other");
	}
}

const char *cluster_member_state(const struct cluster_member *member)
{
	const struct heartbeat *beat = &member->beat;

	if (!member->is_alive)
		return "dead";
	if (beat->is_drained)
		return "drained";
	if (beat->is_draining)
		return "draining";
	return beat->is_serving ? "serving" : "starting";
}
