/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long other programs kept threads that should be alone on their CPUs from running: the
 * kernel's count of time that a thread was ready and had to wait.
 */
#ifndef TKMS_BENCH_DATAPLANE_DISTURBANCE_H
#define TKMS_BENCH_DATAPLANE_DISTURBANCE_H

#include <stdint.h>
#include <sys/types.h>

/* What the calling thread and the workers of data plane process pid (0: none) have waited so far,
 * ns. 0 where the kernel does not tell. */
uint64_t disturbance_ns(pid_t pid);

/* From now on the calling thread and all threads of pid run ahead of everything else (SCHED_FIFO).
 * 0 or -errno. */
int disturbance_prevent(pid_t pid);
/* The threads of pid are like all others again: its main thread cannot wait for others otherwise.
 */
void disturbance_allow(pid_t pid);
/* The calling thread, which sleeps nearly always, runs even ahead of them. 0 or -errno. */
int disturbance_precede(void);

#endif
