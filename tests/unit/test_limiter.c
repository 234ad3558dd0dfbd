/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/net/limiter.h"

static const uint64_t secret[2] = {0x0123456789abcdef, 0xfedcba9876543210};
static const uint8_t a4[4] = {198, 51, 100, 1}, b4[4] = {198, 51, 100, 2};

static unsigned int taken(struct limiter *l, const struct limiter_rates *r, uint8_t family,
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
	struct limiter_rates r = {.source_rate = 100, .source_burst = 500};

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
	struct limiter_rates r = {.source_rate = 1, .source_burst = 10};

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
	struct limiter_rates r = {.source_rate = 1, .source_burst = 10};

	cr_expect_eq(taken(l, &r, 6, host1, 1000, 6), 6u);
	cr_expect_eq(taken(l, &r, 6, host2, 1000, 6), 4u);
	cr_expect_eq(taken(l, &r, 6, other, 1000, 20), 10u);
	limiter_free(l);
}

Test(limiter, zero_means_no_limit)
{
	struct limiter *l = limiter_new(secret);
	struct limiter_rates none = {0}, source_only = {.source_rate = 1, .source_burst = 1};

	cr_expect_eq(taken(l, &none, 4, a4, 1000, 100000), 100000u);
	cr_expect_eq(taken(l, &source_only, 4, a4, 1000, 10), 1u);
	limiter_free(l);
}

Test(limiter, zero_burst_still_lets_the_rate_through)
{
	struct limiter *l = limiter_new(secret);
	struct limiter_rates r = {.source_rate = 10};

	cr_expect_eq(taken(l, &r, 4, a4, 1000, 10), 1u);
	cr_expect_eq(taken(l, &r, 4, a4, 1100, 10), 1u);
	limiter_free(l);
}

Test(limiter, worker_limit_holds_for_any_number_of_sources)
{
	struct limiter *l = limiter_new(secret);
	struct limiter_rates r = {.source_rate = 100, .source_burst = 500, .worker_rate = 10000};
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
	struct limiter_rates r = {.source_rate = 100, .source_burst = 5};

	cr_expect_eq(taken(l, &r, 4, a4, 50000, 10), 5u);
	cr_expect_eq(taken(l, &r, 4, a4, 10, 10), 0u);
	cr_expect_eq(taken(l, &r, 4, a4, 50000, 10), 0u);
	cr_expect_eq(taken(l, &r, 4, a4, UINT64_MAX, 10), 5u);
	limiter_free(l);
}

Test(limiter, extreme_rates_do_not_overflow)
{
	struct limiter *l = limiter_new(secret);
	struct limiter_rates r = {
		.source_rate = UINT32_MAX, .source_burst = UINT32_MAX, .worker_rate = UINT32_MAX};

	cr_expect_eq(taken(l, &r, 4, a4, 1, 1000), 1000u);
	cr_expect_eq(taken(l, &r, 4, a4, UINT64_MAX, 1000), 1000u);
	limiter_free(l);
}

/* Old sources make room for new ones; those that are active stay limited. */
Test(limiter, busy_source_stays_limited_while_others_come_and_go)
{
	struct limiter *l = limiter_new(secret);
	struct limiter_rates r = {.source_rate = 1, .source_burst = 3};
	unsigned int n = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		uint8_t address[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		limiter_take(l, &r, 4, address, 1000 + i / 20);
		n += limiter_take(l, &r, 4, a4, 1000 + i / 20) == VERDICT_PENDING;
	}
	cr_expect_leq(n, 4u);
	limiter_free(l);
}
