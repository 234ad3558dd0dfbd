/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/ue/result.h"

static const char *const op_names[] = {"resolve", "request", "mix"};

static void gap_note(struct gap *g, uint64_t ns)
{
	if (ns <= g->last)
		return;
	if (ns - g->last > g->longest)
		g->longest = ns - g->last;
	g->last = ns;
}

void stats_begin(struct stats *s, uint64_t now)
{
	memset(s, 0, sizeof(*s));
	hist_clear(&s->latency);
	s->begin = s->gap.last = now;
	for (unsigned int i = 0; i < LOAD_ADDRESSES_MAX; i++)
		s->target_gap[i].last = now;
}

void stats_end(struct stats *s, uint64_t now)
{
	s->end = now;
	gap_note(&s->gap, now);
	for (unsigned int i = 0; i < LOAD_ADDRESSES_MAX; i++)
		gap_note(&s->target_gap[i], now);
}

void stats_answer(struct stats *s, unsigned int target, uint64_t due, uint64_t ns)
{
	s->answered++;
	s->target_answered[target]++;
	hist_record(&s->latency, ns > due ? ns - due : 0);
	if (s->end == 0 || ns < s->end) {
		gap_note(&s->gap, ns);
		gap_note(&s->target_gap[target], ns);
	}
}

bool stats_saturated(const struct stats *s)
{
	return s->late * 100 > s->sent;
}

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static double schedule_seconds(const struct stats *s)
{
	return (double)(s->end - s->begin) / 1e9;
}

static void print_trouble(const struct stats *s)
{
	for (unsigned int r = EXCHANGE_ERROR_HINT + 1; r < EXCHANGE_RESULTS; r++) {
		if (s->results[r])
			printf("  refused answers   %10" PRIu64 "  %s\n", s->results[r],
				exchange_result_text(r));
	}
	for (unsigned int i = 0; i < 256; i++) {
		if (s->errors[i])
			printf("  Error %-3u         %10" PRIu64 "  %s\n", i, s->errors[i],
				ue_error_text((int)i));
	}
	if (s->send_errors)
		printf("  send errors       %10" PRIu64 "\n", s->send_errors);
	if (s->strays)
		printf("  stray datagrams   %10" PRIu64 "\n", s->strays);
}

void stats_print(const struct stats *s, const struct load_config *c, const struct targets *t)
{
	const struct hist *h = &s->latency;

	printf("%s, suite %s, %.1f s: %.1f answered a second\n", op_names[c->op],
		c->suite == EXCHANGE_SUITE_A ? "A" : "B", schedule_seconds(s),
		(double)s->answered / schedule_seconds(s));
	printf("  sent              %10" PRIu64 "\n  answered          %10" PRIu64 "  verified\n",
		s->sent, s->answered);
	printf("  failed            %10" PRIu64 "  of them lost (silence) %" PRIu64 "\n", s->failed,
		s->lost);
	printf("  retried           %10" PRIu64 "  in %" PRIu64 " retransmissions\n", s->retried,
		s->retransmissions);
	print_trouble(s);
	printf("  latency, us       p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n",
		us(hist_quantile(h, 0.5)), us(hist_quantile(h, 0.9)), us(hist_quantile(h, 0.99)),
		us(hist_quantile(h, 0.999)), us(h->max));
	printf("  longest gap       %10.1f  ms without a verified answer\n", ms(s->gap.longest));
	for (unsigned int i = 0; i < t->n; i++)
		printf("  %-24s %10" PRIu64 " answered, longest gap %.1f ms\n", t->target[i].name,
			s->target_answered[i], ms(s->target_gap[i].longest));
	if (stats_saturated(s))
		printf("  WARNING: client saturated: %" PRIu64
		       " sent more than %d ms late (up to %.1f ms); latencies are the client's\n",
			s->late, STATS_LATE_NS / 1000000, ms(s->max_late));
}

static json_t *error_counts(const struct stats *s)
{
	json_t *errors = json_object();

	for (unsigned int i = 0; i < 256; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%u", i);
		if (s->errors[i])
			json_object_set_new(errors, number, json_integer((json_int_t)s->errors[i]));
	}
	return errors;
}

static json_t *refused_counts(const struct stats *s)
{
	json_t *refused = json_object();

	for (unsigned int r = EXCHANGE_ERROR_HINT + 1; r < EXCHANGE_RESULTS; r++) {
		if (s->results[r])
			json_object_set_new(refused, exchange_result_text(r),
				json_integer((json_int_t)s->results[r]));
	}
	return refused;
}

static json_t *per_address(const struct stats *s, const struct targets *t)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < t->n; i++)
		json_object_set_new(all, t->target[i].name,
			json_pack("{s:I, s:f}", "answered", (json_int_t)s->target_answered[i],
				"longest_gap_ms", ms(s->target_gap[i].longest)));
	return all;
}

int stats_print_json(const struct stats *s, const struct load_config *c, const struct targets *t)
{
	const struct hist *h = &s->latency;
	json_t *latency = json_pack("{s:f, s:f, s:f, s:f, s:f}", "p50", us(hist_quantile(h, 0.5)),
		"p90", us(hist_quantile(h, 0.9)), "p99", us(hist_quantile(h, 0.99)), "p999",
		us(hist_quantile(h, 0.999)), "max", us(h->max));
	json_t *root = json_pack("{s:s, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:f, "
				 "s:o, s:o, s:o, s:I, s:I, s:f, s:b}",
		"op", op_names[c->op], "suite", c->suite == EXCHANGE_SUITE_A ? "A" : "B", "seconds",
		schedule_seconds(s), "answered_per_s", (double)s->answered / schedule_seconds(s),
		"sent", (json_int_t)s->sent, "answered", (json_int_t)s->answered, "failed",
		(json_int_t)s->failed, "lost", (json_int_t)s->lost, "retried",
		(json_int_t)s->retried, "retransmissions", (json_int_t)s->retransmissions,
		"latency_us", latency, "longest_gap_ms", ms(s->gap.longest), "per_address",
		per_address(s, t), "errors", error_counts(s), "refused", refused_counts(s),
		"duplicates", (json_int_t)s->duplicates, "late", (json_int_t)s->late, "max_late_ms",
		ms(s->max_late), "client_saturated", stats_saturated(s));
	int r;

	if (!root)
		return -ENOMEM;
	r = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
	return r == 0 ? 0 : -ENOMEM;
}

void stats_progress(const struct stats *s, const struct stats *before, uint32_t in_flight)
{
	fprintf(stderr,
		"\r%8" PRIu64 " sent/s %8" PRIu64 " answered/s  failed %" PRIu64
		"  retried %" PRIu64 "  in flight %u   ",
		s->sent - before->sent, s->answered - before->answered, s->failed, s->retried,
		in_flight);
}
