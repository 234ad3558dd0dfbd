/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/net/limiter.h"

static const uint64_t secret[2] = {0x0123456789abcdef, 0xfedcba9876543210};
static const uint8_t a4[4] = {198, 51, 100, 1}, b4[4] = {198, 51, 100, 2};

static struct net_flow flow_of(uint8_t family, const uint8_t *address, uint16_t port)
{
	struct net_flow flow = {.family = family, .their_port = port};

	memcpy(flow.theirs, address, family == 4 ? 4 : 16);
	return flow;
}

static enum verdict limiter_take(struct limiter *l, const struct limits *r, uint8_t family,
	const uint8_t *address, uint64_t now_ms)
{
	struct net_flow flow = flow_of(family, address, 40000);

	return limiter_error(l, r, &flow, now_ms);
}

static unsigned int taken(struct limiter *l, const struct limits *r, uint8_t family,
	const uint8_t *address, uint64_t now_ms, unsigned int tries)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < tries; i++)
		n += limiter_take(l, r, family, address, now_ms) == VERDICT_PENDING;
	return n;
}

Test(limiter, source_gets_its_burst_then_its_rate)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {100, 500}};

	cr_assert(l);
	cr_expect_eq(taken(l, &r, 4, a4, 5000, 1000), 500u);
	cr_expect_eq(limiter_take(l, &r, 4, a4, 5000), VERDICT_DROP_ERROR_SOURCE_LIMIT);
	cr_expect_eq(taken(l, &r, 4, a4, 6000, 1000), 100u);
	cr_expect_eq(taken(l, &r, 4, a4, 6009, 10), 0u);
	cr_expect_eq(taken(l, &r, 4, a4, 6010, 10), 1u);
	cr_expect_eq(taken(l, &r, 4, a4, 3600000, 1000), 500u, "never more than the burst");
	limiter_free(l);
}

Test(limiter, sources_do_not_share)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {1, 10}};

	cr_expect_eq(taken(l, &r, 4, a4, 1000, 20), 10u);
	cr_expect_eq(taken(l, &r, 4, b4, 1000, 20), 10u);
	limiter_free(l);
}

Test(limiter, ipv6_sources_are_prefixes_of_64_bits)
{
	static const uint8_t host1[16] = {0x20, 1, 0xd, 0xb8, [15] = 1},
			     host2[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	static const uint8_t other[16] = {0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 1};
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {1, 10}};

	cr_expect_eq(taken(l, &r, 6, host1, 1000, 6), 6u);
	cr_expect_eq(taken(l, &r, 6, host2, 1000, 6), 4u);
	cr_expect_eq(taken(l, &r, 6, other, 1000, 20), 10u);
	limiter_free(l);
}

Test(limiter, zero_means_no_limit)
{
	struct limiter *l = limiter_new(secret);
	struct limits none = {0}, source_only = {.errors_source = {1, 1}};

	cr_expect_eq(taken(l, &none, 4, a4, 1000, 100000), 100000u);
	cr_expect_eq(taken(l, &source_only, 4, a4, 1000, 10), 1u);
	limiter_free(l);
}

Test(limiter, zero_burst_still_lets_the_rate_through)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {10, 0}};

	cr_expect_eq(taken(l, &r, 4, a4, 1000, 10), 1u);
	cr_expect_eq(taken(l, &r, 4, a4, 1100, 10), 1u);
	limiter_free(l);
}

Test(limiter, worker_limit_holds_for_any_number_of_sources)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {100, 500}, .errors_worker = 10000};
	unsigned int n = 0;
	enum verdict last = VERDICT_PENDING;

	/* 100,000 sources, more than the table holds, over one second */
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t address[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		enum verdict v = limiter_take(l, &r, 4, address, 10000 + i / 100);

		n += v == VERDICT_PENDING;
		last = v;
	}
	cr_expect_geq(n, 10000u);
	cr_expect_leq(n, 11000u);
	cr_expect_eq(last, VERDICT_DROP_ERROR_WORKER_LIMIT);
	limiter_free(l);
}

Test(limiter, clock_that_stands_or_steps_back_gives_nothing_away)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {100, 5}};

	cr_expect_eq(taken(l, &r, 4, a4, 50000, 10), 5u);
	cr_expect_eq(taken(l, &r, 4, a4, 10, 10), 0u);
	cr_expect_eq(taken(l, &r, 4, a4, 50000, 10), 0u);
	cr_expect_eq(taken(l, &r, 4, a4, UINT64_MAX, 10), 5u);
	limiter_free(l);
}

Test(limiter, extreme_rates_do_not_overflow)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {UINT32_MAX, UINT32_MAX}, .errors_worker = UINT32_MAX};

	cr_expect_eq(taken(l, &r, 4, a4, 1, 1000), 1000u);
	cr_expect_eq(taken(l, &r, 4, a4, UINT64_MAX, 1000), 1000u);
	limiter_free(l);
}

/* Old sources make room for new ones; those that are active stay limited. */
Test(limiter, busy_source_stays_limited_while_others_come_and_go)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.errors_source = {1, 3}};
	unsigned int n = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		uint8_t address[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		limiter_take(l, &r, 4, address, 1000 + i / 20);
		n += limiter_take(l, &r, 4, a4, 1000 + i / 20) == VERDICT_PENDING;
	}
	cr_expect_leq(n, 4u);
	limiter_free(l);
}

static unsigned int frames(struct limiter *l, const struct limits *r, const struct net_flow *flow,
	uint64_t now_ms, unsigned int tries)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < tries; i++) {
		enum verdict v = limiter_frame(l, r, flow, now_ms);

		cr_assert(v == VERDICT_PENDING || v == VERDICT_DROP_SOURCE_LIMIT);
		n += v == VERDICT_PENDING;
	}
	return n;
}

Test(limiter, frames_of_a_source_are_limited_whatever_their_port)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.source = {100, 50}};
	struct net_flow a = flow_of(4, a4, 1), a2 = flow_of(4, a4, 2), b = flow_of(4, b4, 1);

	cr_expect_eq(frames(l, &r, &a, 1000, 40), 40u);
	cr_expect_eq(frames(l, &r, &a2, 1000, 40), 10u);
	cr_expect_eq(frames(l, &r, &b, 1000, 60), 50u);
	cr_expect_eq(frames(l, &r, &a, 1100, 60), 10u);
	r.source.rate = 0;
	cr_expect_eq(frames(l, &r, &a, 1100, 100000), 100000u, "0 is no limit");
	limiter_free(l);
}

/* An edge says by the port for whom it asks. */
Test(limiter, ports_of_a_trusted_edge_are_sources_of_their_own)
{
	static const uint8_t e6[16] = {0x20, 1, 0xd, 0xb8, [15] = 0x80},
			     n6[16] = {0x20, 1, 0xd, 0xb8, [15] = 0x81};
	static const uint8_t edge4[4] = {10, 1, 7, 9}, beside4[4] = {10, 1, 8, 9};
	struct limiter *l = limiter_new(secret);
	struct limits r = {.source = {1, 10},
		.errors_source = {1, 10},
		.n_edges = 2,
		.edges = {{4, 21, {10, 1, 0, 0}}, {6, 128, {0x20, 1, 0xd, 0xb8, [15] = 0x80}}}};
	unsigned int n = 0;

	for (uint16_t port = 1; port <= 1000; port++) {
		struct net_flow edge = flow_of(4, edge4, port), edge6 = flow_of(6, e6, port);

		cr_expect_eq(frames(l, &r, &edge, 1000, 20), 10u, "port %u", port);
		cr_expect_eq(frames(l, &r, &edge6, 1000, 20), 10u, "port %u", port);
		n += limiter_error(l, &r, &edge, 1000) == VERDICT_PENDING;
	}
	cr_expect_eq(n, 1000u, "Errors too");
	for (uint16_t port = 1; port <= 20; port++) {
		struct net_flow beside = flow_of(4, beside4, port), near = flow_of(6, n6, port);

		cr_expect_eq(frames(l, &r, &beside, 1000, 1), port <= 10 ? 1u : 0u);
		cr_expect_eq(frames(l, &r, &near, 1000, 1), port <= 10 ? 1u : 0u);
	}
	limiter_free(l);
}

Test(limiter, prefix_of_an_edge_ends_within_an_octet)
{
	static const uint8_t in[4] = {10, 1, 7, 255}, out[4] = {10, 1, 8, 0};
	struct limiter *l = limiter_new(secret);
	struct limits r = {.source = {1, 1}, .n_edges = 1, .edges = {{4, 21, {10, 1, 0, 0}}}};
	struct limits all = {.source = {1, 1}, .n_edges = 1, .edges = {{4, 0, {0}}}};
	unsigned int n_in = 0, n_out = 0, n_all = 0;

	for (uint16_t port = 1; port <= 5; port++) {
		struct net_flow a = flow_of(4, in, port), b = flow_of(4, out, port),
				c = flow_of(4, a4, port);

		n_in += frames(l, &r, &a, 1000, 1);
		n_out += frames(l, &r, &b, 1000, 1);
		n_all += frames(l, &all, &c, 1000, 1);
	}
	cr_expect_eq(n_in, 5u);
	cr_expect_eq(n_out, 1u);
	cr_expect_eq(n_all, 5u);
	limiter_free(l);
}

static unsigned int messages(struct limiter *l, const struct limits *r, uint64_t subscriber,
	uint64_t first_mac, unsigned int n, uint64_t now_ms, unsigned int count[VERDICT_COUNT])
{
	memset(count, 0, VERDICT_COUNT * sizeof(count[0]));
	for (unsigned int i = 0; i < n; i++) {
		/* first_mac 0: the same message each time */
		uint64_t mac = first_mac ? first_mac + i : 1;
		struct limiter_message m = {.subscriber = subscriber, .mac = (const uint8_t *)&mac};

		count[limiter_message(l, r, &m, now_ms)]++;
	}
	return count[VERDICT_PENDING];
}

Test(limiter, repeats_of_a_message_are_limited_and_not_charged_to_its_sender)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.repeat = {10, 100}, .subscriber = {200, 150}};
	unsigned int count[VERDICT_COUNT];

	cr_expect_eq(messages(l, &r, 7, 0, 5000, 1000, count), 100u);
	cr_expect_eq(count[VERDICT_LIMIT_REPEAT], 4900u);
	cr_expect_eq(messages(l, &r, 7, 1000, 200, 1000, count), 149u, "the message counted once");
	cr_expect_eq(count[VERDICT_LIMIT_SUBSCRIBER], 51u);
	cr_expect_eq(messages(l, &r, 7, 0, 5000, 2000, count), 10u);
	limiter_free(l);
}

/* Else every message would pass when it is sent twice. */
Test(limiter, message_that_was_refused_is_a_new_one_when_it_comes_again)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.repeat = {10, 100}, .subscriber = {10, 5}};
	unsigned int count[VERDICT_COUNT];

	cr_expect_eq(messages(l, &r, 7, 1000, 5, 1000, count), 5u);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(messages(l, &r, 7, 2000, 50, 1000, count), 0u);
	cr_expect_eq(messages(l, &r, 7, 1000, 5, 1000, count), 5u, "those were answered");
	cr_expect_eq(messages(l, &r, 7, 2000, 50, 1200, count), 2u);
	limiter_free(l);
}

/* A subscriber's caught messages, each repeated as often as is granted, leave him his share. */
Test(limiter, replays_of_many_messages_do_not_hold_up_their_sender)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.repeat = {10, 100}, .subscriber = {20, 200}};
	unsigned int count[VERDICT_COUNT], answered = 0;

	cr_expect_eq(messages(l, &r, 7, 1000, 100, 1000, count), 100u);
	for (uint64_t ms = 2000; ms < 12000; ms += 100) {
		messages(l, &r, 7, 1000, 100, ms, count);
		cr_expect_eq(count[VERDICT_LIMIT_SUBSCRIBER], 0u);
		answered += messages(l, &r, 7, 10000 + ms, 2, ms, count);
	}
	cr_expect_eq(answered, 200u);
	limiter_free(l);
}

Test(limiter, subscribers_do_not_share_and_functions_get_more)
{
	struct limiter *l = limiter_new(secret);
	struct limits r = {.subscriber = {20, 30}, .function = {1000, 2000}};
	unsigned int count[VERDICT_COUNT], n = 0;
	uint64_t mac = 5;

	cr_expect_eq(messages(l, &r, 1, 1000, 100, 1000, count), 30u);
	cr_expect_eq(messages(l, &r, 2, 2000, 100, 1000, count), 30u);
	cr_expect_eq(messages(l, &r, 1, 3000, 100, 1500, count), 10u);
	for (unsigned int i = 0; i < 3000; i++, mac++) {
		struct limiter_message m = {
			.subscriber = 3, .is_function = true, .mac = (const uint8_t *)&mac};

		n += limiter_message(l, &r, &m, 1000) == VERDICT_PENDING;
	}
	cr_expect_eq(n, 2000u);
	limiter_free(l);
}
