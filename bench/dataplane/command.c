/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench dataplane */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/dataplane/feed.h"
#include "bench/dataplane/process.h"
#include "bench/dataplane/search.h"
#include "bench/engine/runner.h"

enum { SAMPLES = 1024, START_TIMEOUT_MS = 15000, SERVICE_PORT = 2269, RESOLVE_SIZE = 640 };

static const char help[] =
	"usage: tkms-bench dataplane [options]\n\n"
	"A real tkms-dataplane with one worker, fed over a shared-memory port (memif) by a "
	"generator on another CPU. Finds the\n"
	"highest rate without loss and measures there and at half of it: rate, loss, latency from "
	"the scheduled time. Every answer is\n"
	"checked for data type and CSB ID, a sample in full. The engine alone is timed before, on "
	"the same messages.\n\n"
	"  --op resolve|request   (default resolve: forked, suite B, 640 octets)\n"
	"  --suite A|B            (default B)\n"
	"  --subscribers N        (default 100000)\n"
	"  --seconds S            of each of the two measurements, at most 60 (default 5)\n"
	"  --poll busy|adaptive   idle behaviour of the worker (default busy)\n"
	"  --cpus W,G             CPUs of worker and generator (default: the last two that may be "
	"used)\n"
	"  --program PATH         the tkms-dataplane to measure\n"
	"  --json                 result as JSON\n\n"
	"Exit status: 0 if a rate without loss was found and every sampled answer was right.\n";

static const char *const op_names[] = {"resolve", "request"};
static const char *const suite_names[] = {"A", "B"};

struct command {
	struct workload_spec workload;
	double seconds;
	const char *poll;
	const char *program;
	int worker_cpu, generator_cpu;
	bool json;
	/* under way */
	struct workload *w;
	struct process process;
	struct feed feed;
	struct frames frames;
	struct trial trial;
	struct search_result *result;
	double engine_op_per_s;
};

static void take_cpus(struct command *c, const char *value)
{
	char end;

	if (sscanf(value, "%d,%d%c", &c->worker_cpu, &c->generator_cpu, &end) != 2 ||
		c->worker_cpu < 0 || c->generator_cpu < 0)
		args_fail("--cpus %s: need two CPU numbers, W,G", value);
}

static void default_cpus(struct command *c)
{
	cpu_set_t may;

	c->worker_cpu = c->generator_cpu = 0;
	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, &may)) {
			c->generator_cpu = c->worker_cpu;
			c->worker_cpu = i;
		}
	}
	if (CPU_COUNT(&may) < 2) {
		c->generator_cpu = c->worker_cpu;
		fputs("tkms-bench: one CPU only: worker and generator share it, the result says "
		      "little\n",
			stderr);
	}
}

static void parse(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"op", required_argument, NULL, 'o'},
		{"suite", required_argument, NULL, 'u'},
		{"subscribers", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'},
		{"poll", required_argument, NULL, 'p'},
		{"cpus", required_argument, NULL, 'c'},
		{"program", required_argument, NULL, 'x'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static const char *const polls[] = {"busy", "adaptive"};
	int opt;

	*c = (struct command){.seconds = 5, .poll = "busy", .feed = {.listener = -1, .sock = -1}};
	c->workload = (struct workload_spec){
		.suite = EXCHANGE_SUITE_B, .tgks = 1, .subscribers = 100000, .samples = SAMPLES};
	default_cpus(c);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'o':
			c->workload.op = (enum workload_op)args_word("--op", optarg, op_names, 2);
			break;
		case 'u':
			c->workload.suite =
				(enum exchange_suite)args_word("--suite", optarg, suite_names, 2);
			break;
		case 'n':
			c->workload.subscribers = args_number("--subscribers", optarg, 1, 10000000);
			break;
		case 's':
			c->seconds = args_real("--seconds", optarg, 0.1, 60);
			break;
		case 'p':
			c->poll = polls[args_word("--poll", optarg, polls, 2)];
			break;
		case 'c':
			take_cpus(c, optarg);
			break;
		case 'x':
			c->program = optarg;
			break;
		case 'j':
			c->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc)
		args_fail("unexpected argument %s", argv[optind]);
	/* Messages must not come round before their answers are there. */
	c->workload.messages = c->workload.subscribers < 20000	  ? 20000
			       : c->workload.subscribers > 200000 ? 200000
								  : c->workload.subscribers;
	if (c->workload.op == WORKLOAD_RESOLVE && c->workload.suite == EXCHANGE_SUITE_B)
		c->workload.size = RESOLVE_SIZE;
}

static void stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		fprintf(stderr, "tkms-bench: not bound to CPU %d: %s\n", cpu, strerror(errno));
}

/* The engine alone, best of some slices: what the data plane is compared with. */
static int time_engine(struct command *c)
{
	struct runner r;
	int err = runner_open(&r, c->w, NULL, ENGINE_BATCH_MAX);

	if (err < 0)
		return err;
	stay_on(c->worker_cpu);
	for (int i = 0; i < 20; i++) {
		uint64_t spent, n = runner_slice(&r, 50000000, &spent);
		double rate = (double)n * 1e9 / (double)spent;

		if (rate > c->engine_op_per_s)
			c->engine_op_per_s = rate;
	}
	runner_close(&r);
	return 0;
}

static int start_dataplane(struct command *c)
{
	static const struct frames_ends ends = {
		.destination_mac = {0x02, 0, 0, 0, 0, 0x01},
		.source_mac = {0x02, 0, 0, 0, 0, 0x02},
		.source = {198, 18, 0, 0},
		.destination = {198, 18, 0, 1},
		.port = SERVICE_PORT,
	};
	int r = process_prepare(&c->process);

	if (r == 0)
		r = feed_open(&c->feed, c->w, c->process.control, ends.destination, SERVICE_PORT);
	if (r == 0)
		r = process_start(&c->process, c->program, c->worker_cpu, c->poll,
			"02:00:00:00:00:01", MEMIF_RING_LOG2);
	if (r == 0)
		r = frames_build(&c->frames, c->w, &ends);
	if (r == 0)
		r = feed_serve(&c->feed, START_TIMEOUT_MS);
	if (r < 0) {
		fprintf(stderr, "tkms-bench: tkms-dataplane does not serve: %s\n", strerror(-r));
		process_print_log(&c->process);
	}
	return r;
}

static int measure(struct command *c)
{
	struct exchange_config config = {
		.suite = c->workload.suite,
		.tgks = 1,
		.kms = {(const uint8_t *)c->w->kms, (uint16_t)strlen(c->w->kms)},
	};
	int r;

	c->trial = (struct trial){.workload = c->w, .frames = &c->frames};
	c->result = malloc(sizeof(*c->result));
	c->trial.verifier = exchanger_new("openssl", &config, 1);
	r = c->result && c->trial.verifier ? trial_init(&c->trial) : -ENOMEM;
	if (r < 0) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(-r));
		return r;
	}
	stay_on(c->generator_cpu);
	c->trial.memif = memif_open(c->process.memif, c->generator_cpu, START_TIMEOUT_MS);
	if (!c->trial.memif) {
		process_print_log(&c->process);
		return -EIO;
	}
	search_run(&c->trial, c->seconds, c->result);
	if (process_ended(&c->process)) {
		fputs("tkms-bench: tkms-dataplane has ended\n", stderr);
		process_print_log(&c->process);
		return -EIO;
	}
	return 0;
}

static double us(uint64_t ns)
{
	return (double)ns / 1e3;
}

static double loss(const struct trial_result *t)
{
	return t->sent ? (double)t->lost / (double)t->sent : 0;
}

static void print_trial(const char *name, const struct trial_result *t)
{
	const struct hist *h = &t->latency;

	printf("  %-20s %10.0f op/s   loss %llu of %llu   %llu answers verified in full, %llu "
	       "wrong\n",
		name, (double)t->answered / t->seconds, (unsigned long long)t->lost,
		(unsigned long long)t->sent, (unsigned long long)t->verified,
		(unsigned long long)(t->unverified + t->wrong));
	printf("  %-20s p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n", "    latency, us",
		us(hist_quantile(h, 0.5)), us(hist_quantile(h, 0.9)), us(hist_quantile(h, 0.99)),
		us(hist_quantile(h, 0.999)), us(h->max));
}

static void print_human(const struct command *c)
{
	const struct search_result *r = c->result;

	printf("%s, suite %s, %zu subscribers, messages of %u octets, one worker (%s) on CPU %d, "
	       "generator on CPU %d\n",
		op_names[c->workload.op], suite_names[c->workload.suite], c->workload.subscribers,
		c->w->message_len, c->poll, c->worker_cpu, c->generator_cpu);
	printf("  %-20s %10.0f op/s\n", "engine alone", c->engine_op_per_s);
	printf("  %-20s %10.0f op/s\n", "512 outstanding", r->closed_loop);
	if (r->rate == 0) {
		puts("  no rate without loss was found");
		return;
	}
	print_trial("highest rate", &r->at_rate);
	print_trial("half of it", &r->at_half);
	printf("  data plane / engine  %10.2f\n", r->rate / c->engine_op_per_s);
}

static json_t *trial_json(const struct trial_result *t)
{
	const struct hist *h = &t->latency;

	return json_pack("{s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:I, s:I, s:I, s:I}", "op_per_s",
		t->seconds > 0 ? (double)t->answered / t->seconds : 0.0, "loss", loss(t),
		"latency_us", "p50", us(hist_quantile(h, 0.5)), "p90", us(hist_quantile(h, 0.9)),
		"p99", us(hist_quantile(h, 0.99)), "p999", us(hist_quantile(h, 0.999)), "max",
		us(h->max), "sent", (json_int_t)t->sent, "answered", (json_int_t)t->answered,
		"verified", (json_int_t)(t->verified - t->unverified), "wrong",
		(json_int_t)(t->wrong + t->unverified));
}

static int print_json(const struct command *c)
{
	const struct search_result *r = c->result;
	json_t *root = trial_json(&r->at_rate);
	int err;

	if (!root)
		return -1;
	json_object_set_new(root, "half", trial_json(&r->at_half));
	json_object_set_new(root, "closed_loop_op_per_s", json_real(r->closed_loop));
	json_object_set_new(root, "engine_op_per_s", json_real(c->engine_op_per_s));
	json_object_set_new(root, "engine_share", json_real(r->rate / c->engine_op_per_s));
	json_object_set_new(root, "op", json_string(op_names[c->workload.op]));
	json_object_set_new(root, "suite", json_string(suite_names[c->workload.suite]));
	json_object_set_new(root, "subscribers", json_integer((json_int_t)c->workload.subscribers));
	json_object_set_new(root, "request_octets", json_integer(c->w->message_len));
	json_object_set_new(root, "poll", json_string(c->poll));
	err = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
	putchar('\n');
	json_decref(root);
	return err;
}

static int report(const struct command *c)
{
	const struct search_result *r = c->result;

	if (!c->json)
		print_human(c);
	else if (print_json(c) < 0)
		return 1;
	return r->rate == 0 || r->at_rate.unverified || r->at_half.unverified ||
	       r->at_rate.verified == 0;
}

int command_dataplane(int argc, char **argv)
{
	struct command c;
	int status = 1;

	parse(&c, argc, argv);
	c.w = workload_build(&c.workload);
	if (c.w && time_engine(&c) == 0) {
		if (start_dataplane(&c) == 0 && measure(&c) == 0)
			status = report(&c);
		if (c.trial.memif)
			memif_close(c.trial.memif);
		feed_close(&c.feed);
		process_stop(&c.process);
	}
	trial_clear(&c.trial);
	exchanger_free(c.trial.verifier);
	frames_clear(&c.frames);
	free(c.result);
	workload_free(c.w);
	return status;
}
