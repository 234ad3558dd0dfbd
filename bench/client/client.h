/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One question to a KMS with many addresses, over the kernel's UDP sockets: blocks until a verified
 * answer comes from any address, or the time is over. One thread per struct client_pool.
 *
 * Sockets are connected and fresh per call: answers from other addresses, and late ones to earlier
 * calls, do not get in. Whether an answer counts is for the caller's judge to say; nothing
 * unverified ends a call.
 */
#ifndef TKMS_CLIENT_CLIENT_H
#define TKMS_CLIENT_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "bench/client/address.h"
#include "bench/client/plan.h"

enum client_verdict {
	CLIENT_IGNORE, /* not an answer to this question, or not to be trusted: wait on */
	CLIENT_HINT,   /* an Error that nobody vouches for: ask another address */
	CLIENT_FINAL,  /* verified, welcome or not: done */
};

/* address: index in the pool. */
typedef enum client_verdict (*client_judge_fn)(
	void *arg, unsigned int address, const uint8_t *octets, size_t len);

struct client_outcome {
	unsigned int address;	  /* who gave the final answer */
	unsigned int sent;	  /* messages sent */
	unsigned int received;	  /* datagrams received */
	unsigned int hints;	  /* unauthenticated Errors among them */
	int send_errno;		  /* of the last address that could not be reached, 0: none */
	unsigned int http_status; /* over HTTP: the last one, 0: none */
	uint64_t rtt_us;	  /* final answer - last message to that address */
	uint64_t total_us;
};

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t client_clock_us(void);

/* CLOCK_REALTIME as 64-bit NTP time. */
uint64_t client_clock_ntp(void);

/* 0: judge said CLIENT_FINAL. -ETIMEDOUT, or -errno (no socket could be opened). outcome is filled
 * in any case. */
int client_call(struct client_pool *pool, const struct client_timing *timing,
	const uint8_t *message, size_t len, client_judge_fn judge, void *arg,
	struct client_outcome *outcome);

#endif
