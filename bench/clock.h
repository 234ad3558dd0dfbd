/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TKMS_BENCH_CLOCK_H
#define TKMS_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_mono(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_real(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* CPU time of the calling thread: what other programs take in the meantime does not count. */
static inline uint64_t clock_thread(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

#endif
