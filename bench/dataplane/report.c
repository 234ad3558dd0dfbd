/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/report.h"

#include <jansson.h>
#include <stdio.h>

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static double quantile_us(const struct trial_result *t, double q)
{
	return us(hist_quantile(&t->latency, q));
}

static double loss(const struct trial_result *t)
{
	return t->sent ? (double)t->lost / (double)t->sent : 0;
}

static double per_second(const struct trial_result *t)
{
	return t->seconds > 0 ? (double)t->answered / t->seconds : 0;
}

static double share(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void print_trial(const char *name, const struct trial_result *t)
{
	printf("  %-20s %10.0f op/s   loss %llu of %llu   %llu answers verified in full, %llu "
	       "wrong\n",
		name, per_second(t), (unsigned long long)t->lost, (unsigned long long)t->sent,
		(unsigned long long)t->verified, (unsigned long long)(t->unverified + t->wrong));
	printf("  %-20s p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n", "    latency, us",
		quantile_us(t, 0.5), quantile_us(t, 0.9), quantile_us(t, 0.99),
		quantile_us(t, 0.999), us(t->latency.max));
}

void report_human(const struct report *f)
{
	const struct search_result *r = f->result;

	printf("%s, suite %s, %zu subscribers, messages of %u octets, one worker (%s) on CPU %d, "
	       "generator on CPU %d\n",
		f->op, f->suite, f->subscribers, f->request_octets, f->poll, f->worker_cpu,
		f->generator_cpu);
	if (r->rate == 0) {
		puts("  no rate without loss was found");
		return;
	}
	printf("  %-20s %10.0f op/s\n", "engine alone", r->engine);
	printf("  %-20s %10.0f op/s   %.2f of the engine\n", "512 outstanding", r->closed_loop,
		share(r->closed_loop, r->engine));
	print_trial("highest rate", &r->at_rate);
	print_trial("half of it", &r->at_half);
	printf("  data plane / engine  %10.2f\n", share(r->rate, r->engine));
	if (f->rotate_ms > 0) {
		printf("  a new snapshot every %u ms (%llu in all): %.0f op/s with 512 "
		       "outstanding, %.3f of that without\n",
			f->rotate_ms, (unsigned long long)f->snapshots, r->rotating.closed_loop,
			share(r->rotating.closed_loop, r->closed_loop));
		print_trial("half, rotating", &r->rotating.at_half);
	}
	printf("  %u rounds; %u slices repeated because other programs had the CPUs, %u stayed "
	       "so; %llu wrong answers in all\n",
		r->rounds, r->disturbed, r->accepted, (unsigned long long)r->wrong);
}

static json_t *trial_json(const struct trial_result *t)
{
	return json_pack("{s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:I, s:I, s:I, s:I, s:I}",
		"op_per_s", per_second(t), "loss", loss(t), "latency_us", "p50",
		quantile_us(t, 0.5), "p90", quantile_us(t, 0.9), "p99", quantile_us(t, 0.99),
		"p999", quantile_us(t, 0.999), "max", us(t->latency.max), "sent",
		(json_int_t)t->sent, "answered", (json_int_t)t->answered, "verified",
		(json_int_t)(t->verified - t->unverified), "wrong",
		(json_int_t)(t->wrong + t->unverified), "untimed", (json_int_t)t->untimed);
}

static json_t *rotation_json(const struct report *f)
{
	const struct search_result *r = f->result;

	return json_pack("{s:i, s:I, s:f, s:f, s:f, s:o}", "interval_ms", (int)f->rotate_ms,
		"snapshots", (json_int_t)f->snapshots, "closed_loop_op_per_s",
		r->rotating.closed_loop, "throughput_ratio",
		share(r->rotating.closed_loop, r->closed_loop), "p99_ratio",
		share(quantile_us(&r->rotating.at_half, 0.99), quantile_us(&r->at_half, 0.99)),
		"half", trial_json(&r->rotating.at_half));
}

int report_json(const struct report *f)
{
	const struct search_result *r = f->result;
	json_t *root = trial_json(&r->at_rate), *more;
	int err = -1;

	more = json_pack("{s:o, s:f, s:f, s:f, s:s, s:s, s:I, s:i, s:s, s:i, s:i, s:i, s:I}",
		"half", trial_json(&r->at_half), "engine_op_per_s", r->engine, "engine_ratio",
		share(r->rate, r->engine), "closed_loop_op_per_s", r->closed_loop, "op", f->op,
		"suite", f->suite, "subscribers", (json_int_t)f->subscribers, "request_octets",
		(int)f->request_octets, "poll", f->poll, "rounds", (int)r->rounds,
		"slices_repeated", (int)r->disturbed, "slices_disturbed", (int)r->accepted,
		"wrong_in_all", (json_int_t)r->wrong);
	if (root && more && json_object_update(root, more) == 0 &&
		(f->rotate_ms == 0 || json_object_set_new(root, "rotation", rotation_json(f)) == 0))
		err = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
	putchar('\n');
	json_decref(more);
	json_decref(root);
	return err;
}
