/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of the KMS's addresses, by their answers: alive or silent, and how long to wait for
 * one. Pure: times are microseconds of the caller's monotonic clock. One thread.
 *
 * An address is silent when a message went unanswered for its whole wait and nothing else came from
 * there since it was sent: one lost datagram among many says nothing. A silent address is not asked
 * first; it gets copies of live requests (probes), rarer each time, until it answers one.
 */
#ifndef TKMS_HTTP_HEALTH_H
#define TKMS_HTTP_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HEALTH_ADDRESSES_MAX = 64,
	HEALTH_PROBE_FIRST_US = 250000,
	HEALTH_PROBE_LONGEST_US = 8000000,
};

struct health_timing {
	uint32_t first_us;    /* wait for an address that was never measured */
	uint32_t shortest_us; /* limits of the wait that follows from measured round trips */
	uint32_t longest_us;
};

struct health_address {
	bool silent;
	bool measured;
	uint64_t answered_us; /* last answer, 0: none yet */
	uint64_t probe_us;    /* silent: time of the next probe */
	uint32_t probe_gap_us;
	uint32_t srtt_us, rttvar_us; /* as RFC 6298 */
};

struct health {
	unsigned int n;
	unsigned int next; /* the address to begin with */
	struct health_timing timing;
	struct health_address address[HEALTH_ADDRESSES_MAX];
};

void health_init(struct health *h, unsigned int n, const struct health_timing *timing);

/*
 * The address to ask: one that is not silent and not in tried, in turn; else the silent one that is
 * due first; -1: all are in tried.
 */
int health_pick(struct health *h, uint64_t tried);
/* An address that is not silent and not in tried; -1: none. */
int health_pick_alive(const struct health *h, uint64_t tried);
/* A silent address that is due for a probe, which is thereby taken as sent; -1: none. */
int health_probe(struct health *h, uint64_t tried, uint64_t now_us);

/* How long to wait for an answer. */
uint32_t health_wait_us(const struct health *h, unsigned int address);

/* rtt_us 0: not measured (the message was sent more than once). Returns whether it was silent. */
bool health_answered(struct health *h, unsigned int address, uint64_t now_us, uint32_t rtt_us);
/* A message sent at sent_us was not answered in its wait. Returns whether that is news. */
bool health_unanswered(struct health *h, unsigned int address, uint64_t sent_us, uint64_t now_us);

#endif
