/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of tkms-bench dataplane, for people and machines. */
#ifndef TKMS_BENCH_DATAPLANE_REPORT_H
#define TKMS_BENCH_DATAPLANE_REPORT_H

#include <stdint.h>

#include "bench/dataplane/search.h"

struct report {
	const char *op, *suite, *poll;
	size_t subscribers;
	unsigned int request_octets;
	int worker_cpu, generator_cpu;
	unsigned int rotate_ms; /* 0: without */
	uint64_t snapshots;
	const struct search_result *result;
};

void report_human(const struct report *r);
/* 0, or -1: not written. */
int report_json(const struct report *r);

#endif
