/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/hist.h"

#include <string.h>

static const unsigned int sub_count = 1U << HIST_SUB_BITS;

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int exponent;

	if (ns < 1ULL << HIST_LOW_BITS)
		return 0;
	if (ns >= 1ULL << HIST_HIGH_BITS)
		return HIST_BUCKETS - 1;
	exponent = 63U - (unsigned int)__builtin_clzll(ns);
	return ((exponent - HIST_LOW_BITS) << HIST_SUB_BITS) +
	       (unsigned int)((ns >> (exponent - HIST_SUB_BITS)) & (sub_count - 1));
}

/* Middle of a bucket: at most half a bucket, 0.4 %, from any value in it. */
static uint64_t value_of(unsigned int bucket)
{
	unsigned int exponent = (bucket >> HIST_SUB_BITS) + HIST_LOW_BITS;
	uint64_t width = 1ULL << (exponent - HIST_SUB_BITS);

	return (1ULL << exponent) + (bucket & (sub_count - 1)) * width + width / 2;
}

void hist_clear(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

void hist_record(struct hist *h, uint64_t ns)
{
	h->count++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
	h->buckets[bucket_of(ns)]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	uint64_t rank = (uint64_t)(q * (double)h->count);
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	if ((double)rank < q * (double)h->count)
		rank++;
	if (rank == 0)
		rank = 1;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return value_of(i) < h->max ? value_of(i) : h->max;
	}
	return h->max;
}
