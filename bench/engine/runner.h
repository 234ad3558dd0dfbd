/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a workload through an engine of its own. One thread. */
#ifndef TKMS_BENCH_ENGINE_RUNNER_H
#define TKMS_BENCH_ENGINE_RUNNER_H

#include "bench/engine/workload.h"

enum {
	RUNNER_RESPONSE_MAX = 4096,
	/* As with packet buffers, responses do not all begin at the same place of a page: they
	   would share a few cache sets. */
	RUNNER_RESPONSE_STRIDE = RUNNER_RESPONSE_MAX + 5 * 64,
};

struct runner {
	const struct workload *workload;
	struct crypto *crypto;
	struct engine *engine;
	unsigned int batch;
	size_t next;
	uint64_t surprises; /* messages whose verdict was not the expected one */
	uint8_t *responses;
};

/* 0 or -errno. */
int runner_open(
	struct runner *r, const struct workload *w, const char *backend, unsigned int batch);
void runner_close(struct runner *r);

/* Processes whole batches, going round the workload, until ns of CPU time are over. Returns
 * messages; *spent receives the CPU time. */
uint64_t runner_slice(struct runner *r, uint64_t ns, uint64_t *spent);

#endif
