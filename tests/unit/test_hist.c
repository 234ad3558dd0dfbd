/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench/hist.h"

static struct hist h, other;

static void cr_near(uint64_t got, double want, double share)
{
	cr_assert((double)got >= want * (1 - share) && (double)got <= want * (1 + share),
		"%llu is not within %g of %g", (unsigned long long)got, share, want);
}

Test(hist, empty_has_zero_quantiles)
{
	hist_clear(&h);
	cr_assert_eq(hist_quantile(&h, 0.5), 0);
	cr_assert_eq(hist_quantile(&h, 1), 0);
}

Test(hist, one_value_is_every_quantile)
{
	hist_clear(&h);
	hist_record(&h, 12345678);
	for (double q = 0; q <= 1; q += 0.1)
		cr_near(hist_quantile(&h, q), 12345678, 0.01);
	cr_assert_eq(h.max, 12345678);
}

Test(hist, every_value_from_1us_to_60s_is_within_one_percent)
{
	for (double v = 1000; v <= 60e9; v *= 1.0037) {
		hist_clear(&h);
		hist_record(&h, (uint64_t)v);
		hist_record(&h, 1ULL << 40); /* keeps max out of the way */
		cr_near(hist_quantile(&h, 0.5), v, 0.01);
	}
}

Test(hist, quantiles_of_a_uniform_set)
{
	hist_clear(&h);
	for (uint64_t us = 1; us <= 100000; us++)
		hist_record(&h, us * 1000);
	cr_near(hist_quantile(&h, 0.5), 50000e3, 0.01);
	cr_near(hist_quantile(&h, 0.9), 90000e3, 0.01);
	cr_near(hist_quantile(&h, 0.99), 99000e3, 0.01);
	cr_near(hist_quantile(&h, 0.999), 99900e3, 0.01);
	cr_near(hist_quantile(&h, 1), 100000e3, 0.01);
	cr_assert_eq(h.sum, 100000ULL * 100001 / 2 * 1000);
}

Test(hist, rare_slow_answers_show_in_the_high_quantiles_only)
{
	hist_clear(&h);
	for (int i = 0; i < 9989; i++)
		hist_record(&h, 50000);
	for (int i = 0; i < 11; i++)
		hist_record(&h, 2000000000);
	cr_near(hist_quantile(&h, 0.99), 50000, 0.01);
	cr_near(hist_quantile(&h, 0.999), 2e9, 0.01);
}

Test(hist, values_out_of_range_count_and_never_leave_the_array)
{
	hist_clear(&h);
	hist_record(&h, 0);
	hist_record(&h, 1);
	hist_record(&h, UINT64_MAX / 4);
	cr_assert_eq(h.count, 3);
	cr_assert_eq(h.max, UINT64_MAX / 4);
	cr_assert_leq(hist_quantile(&h, 0.5), 1000);
	cr_assert_geq(hist_quantile(&h, 1), 60000000000ULL);
}

Test(hist, merged_equals_recorded_in_one)
{
	struct hist *all = calloc(1, sizeof(*all));

	cr_assert_not_null(all);
	hist_clear(&h);
	hist_clear(&other);
	srandom(7);
	for (int i = 0; i < 5000; i++) {
		uint64_t ns = 1000 + (uint64_t)random() % 100000000;

		hist_record(i % 3 ? &h : &other, ns);
		hist_record(all, ns);
	}
	hist_merge(&h, &other);
	cr_assert_arr_eq((const uint8_t *)&h, (const uint8_t *)all, sizeof(h));
	free(all);
}
