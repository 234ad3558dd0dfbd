/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/relay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/http/due.h"

struct relay {
	struct relay_config config;
	struct relay_output out;
	struct health health;
	struct pairs *pairs;
	struct due due;
	uint64_t rng;
	struct relay_counters count;
};

struct relay *relay_new(const struct relay_config *config, const struct relay_output *output)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->config = *config;
	r->out = *output;
	r->rng = config->seed | 1;
	health_init(&r->health, config->addresses, &config->wait);
	r->pairs = pairs_new(config->pairs_max, &config->rest, config->seed);
	r->due.heap = calloc(config->in_flight_max, sizeof(struct relay_request *));
	if (!r->pairs || !r->due.heap) {
		relay_free(r);
		return NULL;
	}
	return r;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	pairs_free(r->pairs);
	free(r->due.heap);
	free(r);
}

/* xorshift64: spreads retransmissions, nothing else. */
static uint64_t draw(struct relay *r)
{
	r->rng ^= r->rng << 13;
	r->rng ^= r->rng >> 7;
	r->rng ^= r->rng << 17;
	return r->rng;
}

/* A quarter to both sides; every round through all addresses doubles it. */
static uint64_t wait_us(struct relay *r, const struct relay_request *q)
{
	uint64_t wait = (uint64_t)health_wait_us(&r->health, q->last) << q->round;

	if (wait > r->config.wait.longest_us)
		wait = r->config.wait.longest_us;
	return wait - wait / 4 + draw(r) % (wait / 2 + 1);
}

static void schedule(struct relay *r, struct relay_request *q, uint64_t next_us)
{
	q->next_us = next_us;
	q->due_us = next_us < q->end_us ? next_us : q->end_us;
	due_set(&r->due, q);
}

static void finish(struct relay *r, struct relay_request *q, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us)
{
	for (uint64_t legs = q->legged; legs; legs &= legs - 1)
		pairs_release(r->pairs, &q->leg[__builtin_ctzll(legs)], now_us);
	q->legged = 0;
	due_remove(&r->due, q);
	r->out.done(r->out.arg, q, outcome, octets, len, now_us);
}

static void relay_held(struct relay *r, struct relay_request *q, uint64_t now_us)
{
	finish(r, q, RELAY_ANSWERED, q->held, q->held_len, now_us);
}

static enum pairs_claim claim(struct relay *r, struct relay_request *q, unsigned int address)
{
	struct leg *leg = &q->leg[address];
	enum pairs_claim c = PAIRS_TAKEN;

	*leg = (struct leg){.request = q, .address = (uint8_t)address};
	for (unsigned int i = 0; c == PAIRS_TAKEN && i < RELAY_PORTS_TRIED && i < r->config.ports;
		i++) {
		unsigned int port = (unsigned int)((q->client + i) % r->config.ports);

		c = pairs_claim(r->pairs, (uint16_t)(address * r->config.ports + port),
			q->head.csb_id, q->digest, q->head.type, leg);
	}
	if (c == PAIRS_CLAIMED)
		q->legged |= UINT64_C(1) << address;
	return c;
}

static enum pairs_claim send_to(
	struct relay *r, struct relay_request *q, unsigned int address, uint64_t now_us)
{
	struct leg *leg = &q->leg[address];

	q->tried |= UINT64_C(1) << address;
	if (!(q->legged >> address & 1)) {
		enum pairs_claim c = claim(r, q, address);

		if (c != PAIRS_CLAIMED)
			return c;
	}
	leg->sent_us = now_us;
	leg->sent++;
	leg->hinted = false;
	q->sent++;
	r->count.sent++;
	leg->pair->open++;
	r->out.send(r->out.arg, leg->pair->socket, q->message, q->len);
	return PAIRS_CLAIMED;
}

/* To the next address, in a new round when all have been asked. */
static enum pairs_claim send_next(struct relay *r, struct relay_request *q, uint64_t now_us)
{
	int a = health_pick(&r->health, q->tried);
	enum pairs_claim c;

	if (a < 0) {
		q->tried = 0;
		if (q->round < RELAY_ROUNDS_MAX)
			q->round++;
		a = health_pick(&r->health, 0);
	}
	q->last = (uint8_t)a;
	c = send_to(r, q, q->last, now_us);
	if (q->heap_at || c == PAIRS_CLAIMED)
		schedule(r, q, now_us + wait_us(r, q));
	return c;
}

enum relay_submit relay_submit(struct relay *r, struct relay_request *q, uint64_t now_us)
{
	enum pairs_claim c;
	int probe;

	if (r->due.n >= r->config.in_flight_max)
		return RELAY_FULL;
	q->heap_at = 0;
	q->round = q->held_len = 0;
	q->sent = 0;
	q->tried = q->legged = 0;
	q->begun_us = now_us;
	q->end_us = now_us + r->config.limit_us;
	c = send_next(r, q, now_us);
	if (c != PAIRS_CLAIMED)
		return c == PAIRS_FULL ? RELAY_FULL : RELAY_REPEAT;
	/* A copy for an address that was silent: its return is noticed, and nobody waits for it. */
	probe = health_probe(&r->health, q->tried, now_us);
	if (probe >= 0 && send_to(r, q, (unsigned int)probe, now_us) == PAIRS_CLAIMED)
		r->count.probes++;
	return RELAY_ACCEPTED;
}

static void heard(struct relay *r, unsigned int address, uint64_t rtt_us, uint64_t now_us)
{
	if (health_answered(&r->health, address, now_us, (uint32_t)rtt_us))
		r->out.health(r->out.arg, address);
}

static uint64_t round_trip(const struct leg *leg, uint64_t now_us)
{
	uint64_t rtt = now_us > leg->sent_us ? now_us - leg->sent_us : 1;

	/* Karn: which of several copies was answered cannot be known. */
	return leg->sent == 1 && rtt <= UINT32_MAX && leg->pair->open <= 0 ? rtt : 0;
}

/* An address that was asked and did not answer with an Error yet, best the last one; -1: none. */
static int awaited(const struct relay_request *q)
{
	if ((q->legged >> q->last & 1) && !q->leg[q->last].hinted)
		return q->last;
	for (uint64_t legs = q->legged; legs; legs &= legs - 1) {
		int a = __builtin_ctzll(legs);

		if (!q->leg[a].hinted)
			return a;
	}
	return -1;
}

/* Another node is asked, or one that was asked before is waited for. false: there is none. */
static bool second_opinion(
	struct relay *r, struct relay_request *q, uint64_t asked, uint64_t now_us)
{
	int other = health_pick_alive(&r->health, q->tried | asked);

	if (other >= 0 && send_to(r, q, (unsigned int)other, now_us) == PAIRS_CLAIMED) {
		r->count.unvouched++;
	} else {
		other = awaited(q);
		if (other < 0)
			return false;
		/* Its wait is running. */
		if (other == q->last)
			return true;
	}
	q->last = (uint8_t)other;
	schedule(r, q, now_us + wait_us(r, q));
	return true;
}

/* An Error that nobody vouches for: one other node has its say before it is believed. */
static void unvouched(
	struct relay *r, struct leg *leg, const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct relay_request *q = leg->request;

	leg->hinted = true;
	if (q->held_len || !second_opinion(r, q, UINT64_C(1) << leg->address, now_us)) {
		finish(r, q, RELAY_ANSWERED, octets, len, now_us);
		return;
	}
	memcpy(q->held, octets, len);
	q->held_len = (uint8_t)len;
}

void relay_datagram(
	struct relay *r, unsigned int socket, const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct wire_head head;
	enum wire_answer kind = wire_answer(octets, len, &head);
	struct pair *pair;
	struct leg *leg;

	/* No node says so much without a MAC: what cannot be held back is not believed at all. */
	if (kind == WIRE_NOT_AN_ANSWER || (kind == WIRE_UNVOUCHED && len >= RELAY_HELD_MAX)) {
		r->count.malformed++;
		return;
	}
	pair = pairs_find(r->pairs, (uint16_t)socket, head.csb_id);
	if (!pair || !wire_answers(head.type, pair->type)) {
		r->count.stray++;
		return;
	}
	if (pair->open > 0)
		pair->open--;
	leg = pair->first;
	/* A second Error from there says nothing new; the real answer behind a forged one does. */
	while (leg && leg->hinted && kind == WIRE_UNVOUCHED)
		leg = leg->next;
	if (!leg) {
		/* Too late for its request, or the answer to a probe: whoever sent it is there. */
		heard(r, socket / r->config.ports, 0, now_us);
		r->count.stray++;
		return;
	}
	heard(r, leg->address, round_trip(leg, now_us), now_us);
	if (kind == WIRE_UNVOUCHED)
		unvouched(r, leg, octets, len, now_us);
	else
		finish(r, leg->request, RELAY_ANSWERED, octets, len, now_us);
}

void relay_unreachable(struct relay *r, unsigned int socket, uint64_t now_us)
{
	unsigned int address = socket / r->config.ports;

	if (health_unanswered(&r->health, address, now_us, now_us))
		r->out.health(r->out.arg, address);
}

static void wait_over(struct relay *r, struct relay_request *q, uint64_t now_us)
{
	const struct leg *leg = &q->leg[q->last];

	if ((q->legged >> q->last & 1) && !leg->hinted &&
		health_unanswered(&r->health, q->last, leg->sent_us, now_us))
		r->out.health(r->out.arg, q->last);
	if (q->held_len) {
		relay_held(r, q, now_us);
		return;
	}
	if (now_us >= q->end_us) {
		finish(r, q, RELAY_TIMEOUT, NULL, 0, now_us);
		return;
	}
	r->count.retried++;
	/* A pair that another message has is passed over: the schedule goes on. */
	(void)send_next(r, q, now_us);
}

void relay_tick(struct relay *r, uint64_t now_us)
{
	pairs_expire(r->pairs, now_us);
	while (r->due.n && r->due.heap[0]->due_us <= now_us)
		wait_over(r, r->due.heap[0], now_us);
}

uint64_t relay_due_us(const struct relay *r)
{
	return r->due.n ? r->due.heap[0]->due_us : UINT64_MAX;
}

uint32_t relay_in_flight(const struct relay *r)
{
	return r->due.n;
}

uint64_t relay_evicted(const struct relay *r)
{
	return pairs_evicted(r->pairs);
}

uint32_t relay_pairs(const struct relay *r)
{
	return pairs_used(r->pairs);
}

const struct relay_counters *relay_counters(const struct relay *r)
{
	return &r->count;
}

const struct health *relay_health(const struct relay *r)
{
	return &r->health;
}
