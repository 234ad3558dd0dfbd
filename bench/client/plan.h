/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When and where one message is sent again: the retransmission schedule, without sockets and clock,
 * so that a blocking call and a load generator with thousands of messages under way follow the same
 * rules.
 *
 *   client_plan_begin(&plan, &timing, now, first, seed);
 *   at plan.next_us:         address = client_plan_send(&plan, &pool, now); send there
 *   unauthenticated Error:   client_plan_hint(&plan, &pool, address, now)   (may make next_us now)
 *   cannot be reached:       client_plan_silent(&plan, &pool, address, now) (likewise)
 *   verified answer:         client_plan_answered(&pool, address, now)      (done)
 *   at plan.end_us:          give up
 */
#ifndef TKMS_CLIENT_PLAN_H
#define TKMS_CLIENT_PLAN_H

#include <stdint.h>

#include "bench/client/address.h"

struct client_timing {
	uint32_t first_us;	  /* wait after the first message: 100 ms */
	uint32_t longest_us;	  /* longest wait: 1 s */
	uint32_t limit_us;	  /* of everything: 5 s */
	uint32_t jitter_permille; /* waits vary by that much to both sides: 250 */
};

#define CLIENT_TIMING_DEFAULT ((struct client_timing){100000, 1000000, 5000000, 250})

struct client_plan {
	struct client_timing timing;
	uint64_t end_us;
	uint64_t next_us;
	uint64_t sent_us; /* time of the last message */
	uint64_t tried;	  /* addresses of this round, a bit each */
	uint64_t rng;
	unsigned int first; /* address to begin with */
	unsigned int last;  /* address of the last message */
	unsigned int sent;
	unsigned int round; /* every round through all addresses doubles the wait */
	uint8_t waiting;    /* the last address has neither answered nor failed */
};

void client_plan_begin(struct client_plan *p, const struct client_timing *timing, uint64_t now_us,
	unsigned int first, uint64_t seed);

/*
 * The address to send to now, and the time of the next message into next_us. Addresses that were
 * silent lately come last. The address before, if still silent, is remembered as such.
 */
unsigned int client_plan_send(struct client_plan *p, struct client_pool *pool, uint64_t now_us);

/* An Error that nobody vouches for came from address: another address of this round is asked at
 * once, nothing ends. */
void client_plan_hint(
	struct client_plan *p, struct client_pool *pool, unsigned int address, uint64_t now_us);

/* The address cannot be reached (send failed, ICMP): likewise, and remembered. */
void client_plan_silent(
	struct client_plan *p, struct client_pool *pool, unsigned int address, uint64_t now_us);

void client_plan_answered(struct client_pool *pool, unsigned int address, uint64_t now_us);

#endif
