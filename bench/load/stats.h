/* SPDX-License-Identifier: BSD-3-Clause */
/* What a load run counted, and how it is shown. One thread. */
#ifndef TKMS_BENCH_LOAD_STATS_H
#define TKMS_BENCH_LOAD_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/load/config.h"
#include "bench/load/targets.h"

/* The longest time without a verified answer, the schedule's begin and end included. */
struct gap {
	uint64_t last; /* ns */
	uint64_t longest;
};

struct stats {
	uint64_t begin, end; /* of the schedule, monotonic ns; end is set when it is over */
	uint64_t sent, answered, failed, lost;
	uint64_t retried;	  /* exchanges sent more than once */
	uint64_t retransmissions; /* all additional transmissions */
	uint64_t late;		  /* sent more than STATS_LATE_NS after their time */
	uint64_t max_late;	  /* ns */
	uint64_t duplicates;	  /* answers to what was answered */
	uint64_t strays;	  /* datagrams that belong to no exchange */
	uint64_t send_errors;
	uint64_t results[EXCHANGE_RESULTS]; /* judged answers */
	uint64_t errors[256];		    /* Error messages by number */
	struct hist latency;
	struct gap gap;
	uint64_t target_answered[LOAD_ADDRESSES_MAX];
	struct gap target_gap[LOAD_ADDRESSES_MAX];
};

enum { STATS_LATE_NS = 2000000 };

void stats_begin(struct stats *s, uint64_t now);
void stats_end(struct stats *s, uint64_t now);

/* A verified answer that came at ns from a target. */
void stats_answer(struct stats *s, unsigned int target, uint64_t due, uint64_t ns);

/* More than 1 % of the schedule was kept late: the client, not the KMS, is what was measured. */
bool stats_saturated(const struct stats *s);

void stats_print(const struct stats *s, const struct load_config *c, const struct targets *t);
/* 0 or -ENOMEM. */
int stats_print_json(const struct stats *s, const struct load_config *c, const struct targets *t);

/* One line to stderr. */
void stats_progress(const struct stats *s, const struct stats *before, uint32_t in_flight);

#endif
