/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/limiter.h"

#include <stddef.h>

struct limiter_rate limiter_rate(uint32_t a_second, uint32_t burst)
{
	uint64_t gap = a_second ? 1000000000 / a_second : 0;

	return (struct limiter_rate){gap, gap * burst};
}

/* Relaxed throughout: slots stand alone, and when two workers give one slot to two sources at once
 * the loser is counted with the winner for a moment. */
static struct limiter_slot *slot_of(struct limiter *l, uint64_t tag)
{
	struct limiter_slot *set = l->slot[tag % LIMITER_SETS], *quiet = NULL;
	uint64_t quiet_until = UINT64_MAX;

	for (unsigned int i = 0; i < LIMITER_WAYS; i++) {
		uint64_t until;

		if (atomic_load_explicit(&set[i].tag, memory_order_relaxed) == tag)
			return &set[i];
		until = atomic_load_explicit(&set[i].until_ns, memory_order_relaxed);
		if (until < quiet_until) {
			quiet_until = until;
			quiet = &set[i];
		}
	}
	if (!quiet)
		quiet = set;
	atomic_store_explicit(&quiet->tag, tag, memory_order_relaxed);
	atomic_store_explicit(&quiet->until_ns, 0, memory_order_relaxed);
	return quiet;
}

bool limiter_take(
	struct limiter *l, const struct limiter_rate *rate, uint64_t source, uint64_t now_ns)
{
	struct limiter_slot *slot;
	uint64_t until, next;

	if (rate->gap_ns == 0)
		return true;
	slot = slot_of(l, source | 1);
	until = atomic_load_explicit(&slot->until_ns, memory_order_relaxed);
	do {
		next = (until > now_ns ? until : now_ns) + rate->gap_ns;
		if (next - now_ns > rate->burst_ns)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&slot->until_ns, &until, next, memory_order_relaxed, memory_order_relaxed));
	return true;
}
