/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/client/plan.h"

static uint64_t draw(struct client_plan *p)
{
	/* xorshift64: spreads retransmissions, nothing else. */
	p->rng ^= p->rng << 13;
	p->rng ^= p->rng >> 7;
	p->rng ^= p->rng << 17;
	return p->rng;
}

void client_plan_begin(struct client_plan *p, const struct client_timing *timing, uint64_t now_us,
	unsigned int first, uint64_t seed)
{
	*p = (struct client_plan){
		.timing = *timing,
		.end_us = now_us + timing->limit_us,
		.next_us = now_us,
		.rng = seed != 0 ? seed : 1,
		.first = first,
	};
}

static int untried(const struct client_plan *p, const struct client_pool *pool, uint64_t now_us)
{
	int dead = -1;
	for (unsigned int i = 0; i < pool->n; i++) {
		const unsigned int a = (p->first + i) % pool->n;
		if (p->tried >> a & 1) {
			continue;
		}
		if (pool->address[a].dead_until_us <= now_us) {
			return (int)a;
		}
		if (dead < 0) {
			dead = (int)a;
		}
	}
	return dead;
}

static uint64_t wait_us(struct client_plan *p)
{
	uint64_t w = p->timing.longest_us;
	if (p->round < 32 && (uint64_t)p->timing.first_us << p->round < w) {
		w = (uint64_t)p->timing.first_us << p->round;
	}
	const uint64_t spread = w * p->timing.jitter_permille / 1000;
	return w - spread + (spread != 0 ? draw(p) % (2 * spread + 1) : 0);
}

unsigned int client_plan_send(struct client_plan *p, struct client_pool *pool, uint64_t now_us)
{
	if (p->waiting) {
		client_address_silent(&pool->address[p->last], p->sent_us, now_us);
	}
	int a = untried(p, pool, now_us);
	if (a < 0) {
		p->tried = 0;
		p->round++;
		a = untried(p, pool, now_us);
	}
	p->last = (unsigned int)a;
	p->tried |= UINT64_C(1) << p->last;
	p->sent++;
	p->sent_us = now_us;
	p->waiting = 1;
	p->next_us = now_us + wait_us(p);
	return p->last;
}

static void move_on(struct client_plan *p, const struct client_pool *pool, unsigned int address,
	uint64_t now_us)
{
	if (address != p->last || !p->waiting) {
		return;
	}
	p->waiting = 0;
	/* When all have been asked the schedule goes on: a forged Error must not speed up a flood.
	 */
	if (untried(p, pool, now_us) >= 0) {
		p->next_us = now_us;
	}
}

void client_plan_hint(
	struct client_plan *p, struct client_pool *pool, unsigned int address, uint64_t now_us)
{
	move_on(p, pool, address, now_us);
}

void client_plan_silent(
	struct client_plan *p, struct client_pool *pool, unsigned int address, uint64_t now_us)
{
	if (address == p->last && p->waiting) {
		client_address_silent(&pool->address[address], p->sent_us, now_us);
	}
	move_on(p, pool, address, now_us);
}

void client_plan_answered(struct client_pool *pool, unsigned int address, uint64_t now_us)
{
	client_address_alive(&pool->address[address], now_us);
}
