/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench dataplane */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/dataplane/disturbance.h"
#include "bench/dataplane/feed.h"
#include "bench/dataplane/process.h"
#include "bench/dataplane/report.h"
#include "bench/dataplane/search.h"
#include "bench/engine/runner.h"

enum {
	SAMPLES = 1024,
	START_TIMEOUT_MS = 15000,
	SERVICE_PORT = 2269,
	RESOLVE_SIZE = 640,
	ENGINE_SLICE_NS = 50000000
};

static const char help[] =
	"usage: tkms-bench dataplane [options]\n\n"
	"A real tkms-dataplane with one worker, fed over a shared-memory port (memif) by a "
	"generator on another CPU. Finds the\n"
	"highest rate without loss and measures there and at half of it: rate, loss, latency from "
	"the scheduled time. Every answer is\n"
	"checked for data type and CSB ID, a sample in full. The engine alone is timed in between, "
	"on the same messages and CPU.\n\n"
	"  --op resolve|request   (default resolve: forked, suite B, 640 octets)\n"
	"  --suite A|B            (default B)\n"
	"  --subscribers N        (default 100000)\n"
	"  --seconds S            of measuring, after the search for the rate: at most 120 "
	"(default 10)\n"
	"  --rotate MS            also: a new sealing key every MS milliseconds, in slices that "
	"take turns with none\n"
	"  --poll adaptive|busy   idle behaviour of the worker (default adaptive)\n"
	"  --cpus W,G             CPUs of worker and generator (default: the last two that may be "
	"used)\n"
	"  --program PATH         the tkms-dataplane to measure\n"
	"  --realtime             data plane and generator run ahead of everything else "
	"(SCHED_FIFO): on machines with other work\n"
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
	bool json, realtime;
	/* under way */
	struct workload *w;
	struct process process;
	struct feed feed;
	struct frames frames;
	struct trial trial;
	struct runner runner;
	struct rotation rotation;
	struct search_result *result;
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

	CPU_ZERO(&may);
	c->worker_cpu = c->generator_cpu = 0;
	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, &may)) {
			c->generator_cpu = c->worker_cpu;
			c->worker_cpu = i;
		}
	}
	c->rotation.cpus = may;
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
		{"rotate", required_argument, NULL, 'r'},
		{"poll", required_argument, NULL, 'p'},
		{"cpus", required_argument, NULL, 'c'},
		{"program", required_argument, NULL, 'x'},
		{"realtime", no_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static const char *const polls[] = {"adaptive", "busy"};
	int opt;

	*c = (struct command){
		.seconds = 10, .poll = "adaptive", .feed = {.listener = -1, .sock = -1}};
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
			c->seconds = args_real("--seconds", optarg, 0.1, 120);
			break;
		case 'r':
			c->rotation.interval_ms =
				(unsigned int)args_number("--rotate", optarg, 1, 60000);
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
		case 't':
			c->realtime = true;
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
	c->rotation.precede = c->realtime;
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

/* The data plane stands still meanwhile. */
static double engine_slice(void *arg)
{
	struct command *c = arg;
	uint64_t spent, waited, n;
	int repeats = 4;

	kill(c->process.pid, SIGSTOP);
	stay_on(c->worker_cpu);
	do {
		waited = disturbance_ns(0);
		n = runner_slice(&c->runner, ENGINE_SLICE_NS, &spent);
		waited = disturbance_ns(0) - waited;
	} while (waited > ENGINE_SLICE_NS / 500 && --repeats > 0);
	stay_on(c->generator_cpu);
	kill(c->process.pid, SIGCONT);
	return (double)n * 1e9 / (double)spent;
}

static int wait_for_dataplane(struct command *c)
{
	int r = -ETIMEDOUT;

	for (int ms = 0; r == -ETIMEDOUT && ms < START_TIMEOUT_MS; ms += 100) {
		if (process_ended(&c->process))
			return -ECHILD;
		r = feed_accept(&c->feed, 100);
	}
	return r < 0 ? r : feed_serve(&c->feed, START_TIMEOUT_MS);
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
		r = wait_for_dataplane(c);
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

	c->rotation.feed = &c->feed;
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
	r = c->realtime ? disturbance_prevent(c->process.pid) : 0;
	if (r == 0)
		r = runner_open(&c->runner, c->w, NULL, ENGINE_BATCH_MAX);
	if (r == 0)
		r = search_run(
			&(struct search){
				.trial = &c->trial,
				.pid = c->process.pid,
				.seconds = c->seconds,
				.engine_slice = engine_slice,
				.arg = c,
				.rotation = c->rotation.interval_ms ? &c->rotation : NULL,
			},
			c->result);
	if (process_ended(&c->process)) {
		fputs("tkms-bench: tkms-dataplane has ended\n", stderr);
		process_print_log(&c->process);
		return -EIO;
	}
	if (r < 0)
		fprintf(stderr, "tkms-bench: %s\n", strerror(-r));
	return r;
}

static int report(const struct command *c)
{
	const struct search_result *r = c->result;
	struct report f = {
		.op = op_names[c->workload.op],
		.suite = suite_names[c->workload.suite],
		.poll = c->poll,
		.subscribers = c->workload.subscribers,
		.request_octets = c->w->message_len,
		.worker_cpu = c->worker_cpu,
		.generator_cpu = c->generator_cpu,
		.rotate_ms = c->rotation.interval_ms,
		.snapshots = c->rotation.snapshots,
		.result = r,
	};

	if (!c->json)
		report_human(&f);
	else if (report_json(&f) < 0)
		return 1;
	return r->rate == 0 || r->at_rate.lost || r->wrong || r->at_rate.verified == 0;
}

int command_dataplane(int argc, char **argv)
{
	struct command c;
	int status = 1;

	parse(&c, argc, argv);
	c.w = workload_build(&c.workload);
	if (c.w) {
		if (start_dataplane(&c) == 0 && measure(&c) == 0)
			status = report(&c);
		if (c.trial.memif)
			memif_close(c.trial.memif);
		feed_close(&c.feed);
		if (c.realtime && c.process.pid)
			disturbance_allow(c.process.pid);
		process_stop(&c.process);
	}
	if (c.runner.engine)
		runner_close(&c.runner);
	trial_clear(&c.trial);
	exchanger_free(c.trial.verifier);
	frames_clear(&c.frames);
	free(c.result);
	workload_free(c.w);
	return status;
}
