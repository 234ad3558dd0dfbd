/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Histogram of latencies: log-linear, 128 buckets per power of two of nanoseconds, so that a
 * quantile is off by at most 1 %. Exact from 1 us to 60 s; shorter and longer values count in the
 * outermost buckets, the maximum is kept exactly. Pure; one thread at a time. Histograms of several
 * threads are merged.
 */
#ifndef TKMS_BENCH_HIST_H
#define TKMS_BENCH_HIST_H

#include <stdint.h>

enum {
	HIST_SUB_BITS = 7,
	HIST_LOW_BITS = 9,   /* values below 2^9 ns share the first bucket */
	HIST_HIGH_BITS = 36, /* values from 2^36 ns (68 s) on share the last one */
	HIST_BUCKETS = (HIST_HIGH_BITS - HIST_LOW_BITS) << HIST_SUB_BITS,
};

struct hist {
	uint64_t count;
	uint64_t max; /* ns */
	uint64_t sum; /* ns */
	uint64_t buckets[HIST_BUCKETS];
};

void hist_clear(struct hist *h);
void hist_record(struct hist *h, uint64_t ns);
void hist_merge(struct hist *into, const struct hist *from);

/* Value in ns that the share q (0..1) of all values does not exceed; 0 when there are none. */
uint64_t hist_quantile(const struct hist *h, double q);

#endif
