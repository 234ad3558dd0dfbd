/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/health.h"

void health_init(struct health *h, unsigned int n, const struct health_timing *timing)
{
	*h = (struct health){.n = n, .timing = *timing};
}

int health_pick_alive(const struct health *h, uint64_t tried)
{
	for (unsigned int i = 0; i < h->n; i++) {
		unsigned int a = (h->next + i) % h->n;

		if (!(tried >> a & 1) && !h->address[a].silent)
			return (int)a;
	}
	return -1;
}

int health_pick(struct health *h, uint64_t tried)
{
	int found = health_pick_alive(h, tried);

	for (unsigned int a = 0; found < 0 && a < h->n; a++) {
		if (tried >> a & 1)
			continue;
		found = (int)a;
		for (unsigned int b = a + 1; b < h->n; b++) {
			if (!(tried >> b & 1) &&
				h->address[b].probe_us < h->address[found].probe_us)
				found = (int)b;
		}
	}
	if (found >= 0)
		h->next = ((unsigned int)found + 1) % h->n;
	return found;
}

int health_probe(struct health *h, uint64_t tried, uint64_t now_us)
{
	for (unsigned int i = 0; i < h->n; i++) {
		struct health_address *a = &h->address[i];

		if (!a->silent || tried >> i & 1 || now_us < a->probe_us)
			continue;
		a->probe_gap_us *= 2;
		if (a->probe_gap_us > HEALTH_PROBE_LONGEST_US)
			a->probe_gap_us = HEALTH_PROBE_LONGEST_US;
		a->probe_us = now_us + a->probe_gap_us;
		return (int)i;
	}
	return -1;
}

uint32_t health_wait_us(const struct health *h, unsigned int address)
{
	const struct health_address *a = &h->address[address];
	uint64_t wait = a->srtt_us + 4 * (uint64_t)a->rttvar_us;

	if (!a->measured)
		return h->timing.first_us;
	if (wait < h->timing.shortest_us)
		return h->timing.shortest_us;
	return wait > h->timing.longest_us ? h->timing.longest_us : (uint32_t)wait;
}

static void measure(struct health_address *a, uint32_t rtt_us)
{
	uint32_t off = rtt_us > a->srtt_us ? rtt_us - a->srtt_us : a->srtt_us - rtt_us;

	if (!a->measured) {
		a->measured = true;
		a->srtt_us = rtt_us;
		a->rttvar_us = rtt_us / 2;
		return;
	}
	a->rttvar_us = (uint32_t)((3 * (uint64_t)a->rttvar_us + off) / 4);
	a->srtt_us = (uint32_t)((7 * (uint64_t)a->srtt_us + rtt_us) / 8);
}

bool health_answered(struct health *h, unsigned int address, uint64_t now_us, uint32_t rtt_us)
{
	struct health_address *a = &h->address[address];
	bool was_silent = a->silent;

	a->answered_us = now_us;
	a->silent = false;
	a->probe_gap_us = 0;
	if (rtt_us)
		measure(a, rtt_us);
	return was_silent;
}

bool health_unanswered(struct health *h, unsigned int address, uint64_t sent_us, uint64_t now_us)
{
	struct health_address *a = &h->address[address];

	if (a->silent || (a->answered_us && a->answered_us >= sent_us))
		return false;
	a->silent = true;
	a->probe_gap_us = HEALTH_PROBE_FIRST_US;
	a->probe_us = now_us + a->probe_gap_us;
	return true;
}
