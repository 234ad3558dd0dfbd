/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of the workload's frames at a rate, on a schedule fixed in advance; latency counts from
 * the scheduled time. A frame that finds the ring full at its time is lost, as at a NIC. One
 * thread.
 */
#ifndef TKMS_BENCH_DATAPLANE_TRIAL_H
#define TKMS_BENCH_DATAPLANE_TRIAL_H

#include "bench/dataplane/frames.h"
#include "bench/dataplane/memif.h"
#include "bench/hist.h"

struct trial {
	/* what is used */
	const struct workload *workload;
	const struct frames *frames;
	struct memif *memif;
	struct exchanger *verifier;
	/* private */
	size_t next;	    /* message */
	uint32_t *given_up; /* per message: frames lost or late; an answer may still come */
	uint64_t *due;	    /* per message: when its frame was due, 0: nothing outstanding */
	uint8_t (*kept)[EXCHANGE_ANSWER_MAX]; /* per sample: its latest answer */
	uint16_t *kept_len;
};

struct trial_result {
	double seconds;
	uint64_t sent;	   /* due in the schedule */
	uint64_t answered; /* right data type and CSB ID */
	uint64_t lost;
	uint64_t refused;    /* of lost: no room in the ring */
	uint64_t wrong;	     /* other frames than answers expected */
	uint64_t verified;   /* answers verified in full, as a UE does */
	uint64_t unverified; /* of those, not right */
	uint64_t held_up_ns; /* that the generator did not have its CPU */
	uint64_t untimed;    /* answers that came meanwhile */
	struct hist latency;
};

/* 0 or -ENOMEM. The fields above "private" are set. */
int trial_init(struct trial *t);
void trial_clear(struct trial *t);

/* rate 0: as fast as answers come, window outstanding. */
void trial_run(
	struct trial *t, double rate, double seconds, unsigned int window, struct trial_result *r);

#endif
