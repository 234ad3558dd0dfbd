/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of a run share. Internal to bench/load. */
#ifndef TKMS_BENCH_LOAD_INTERNAL_H
#define TKMS_BENCH_LOAD_INTERNAL_H

#include <sys/uio.h>

#include "bench/load/run.h"

enum { RUN_AHEAD_MAX = 32 };

struct receiver {
	struct mmsghdr header[EXCHANGE_BATCH_MAX];
	struct iovec iov[EXCHANGE_BATCH_MAX];
	uint8_t control[EXCHANGE_BATCH_MAX][128];
	uint8_t octets[EXCHANGE_BATCH_MAX][EXCHANGE_ANSWER_MAX];
	struct exchange_answer answer[EXCHANGE_BATCH_MAX];
	struct flight *flight[EXCHANGE_BATCH_MAX];
	uint64_t arrival[EXCHANGE_BATCH_MAX]; /* monotonic ns */
	uint16_t target[EXCHANGE_BATCH_MAX];
};

struct run {
	const struct run_spec *spec;
	struct exchanger *exchanger;
	const struct targets *targets;
	struct client_pool pool; /* what is known of the targets, by their index */
	struct stats *stats;
	struct flights flights;
	struct flight *prepared[RUN_AHEAD_MAX]; /* built, not sent; in order of their time */
	unsigned int n_prepared;
	unsigned int ahead; /* how many to keep prepared */
	uint64_t number;    /* of the next exchange to prepare */
	uint64_t total;
	uint64_t end;	 /* of the schedule, ns */
	double interval; /* ns; 0: no schedule */
	unsigned int next_target, next_source;
	unsigned int busy_turns; /* in a row that brought answers */
	bool over;		 /* nothing new is sent any more */
	struct receiver receiver;
};

/* Sends again, where its plan says. */
void run_resend(struct run *run, struct flight *fl, uint64_t now);
/* Counts and releases. */
void run_fail(struct run *run, struct flight *fl);

/*
 * Takes what has arrived, waiting at most wait_ns for something; judges it. 0: nothing had, more
 * than 0: something, and there may be more. -errno.
 */
int run_receive(struct run *run, uint64_t wait_ns);

#endif
