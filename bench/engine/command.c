/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench engine */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/engine/measure.h"

/* The forked suite-B resolve of 640 octets with one TGK, every key's HMAC states computed once
 * (ARCHITECTURE.md). */
enum { FORKED_RESOLVE_COMPRESSIONS = 112, FORKED_RESOLVE_SIZE = 640 };

static const char help[] =
	"usage: tkms-bench engine [options]\n\n"
	"The engine on one core, without a network: distinct valid messages of many subscribers, "
	"verified as a UE does before\n"
	"they are timed. In the same run, in interleaved slices: the floor (ipsec-mb hashing with "
	"full lanes), OpenSSL one message\n"
	"at a time, batches of one, and messages that are refused. bench/README.md says what each "
	"number means.\n\n"
	"  --op resolve|request  (default resolve)\n"
	"  --suite A|B           (default B)\n"
	"  --subscribers N       (default 100000)\n"
	"  --messages N          distinct messages (default: as many as subscribers, at most "
	"200000)\n"
	"  --size N              octets of a RESOLVE_INIT, by longer identities (default 640 for "
	"the forked one of suite B with\n"
	"                        one TGK, else as it comes)\n"
	"  --batch N             messages given to the engine at once, 1 to 64 (default 64)\n"
	"  --not-forked          tickets without key forking\n"
	"  --tgks N              session keys in a ticket (default 1)\n"
	"  --bad SHARE           share of messages with a wrong MAC, 0 to 1\n"
	"  --seconds S           (default 5)\n"
	"  --profile             time and operations per stage\n"
	"  --json                result as JSON\n";

enum option_id {
	OPT_OP = 1,
	OPT_SUITE,
	OPT_SUBSCRIBERS,
	OPT_MESSAGES,
	OPT_SIZE,
	OPT_BATCH,
	OPT_NOT_FORKED,
	OPT_TGKS,
	OPT_BAD,
	OPT_SECONDS,
	OPT_PROFILE,
	OPT_JSON,
	OPT_HELP,
};

static const struct option options[] = {
	{"op", required_argument, NULL, OPT_OP},
	{"suite", required_argument, NULL, OPT_SUITE},
	{"subscribers", required_argument, NULL, OPT_SUBSCRIBERS},
	{"messages", required_argument, NULL, OPT_MESSAGES},
	{"size", required_argument, NULL, OPT_SIZE},
	{"batch", required_argument, NULL, OPT_BATCH},
	{"not-forked", no_argument, NULL, OPT_NOT_FORKED},
	{"tgks", required_argument, NULL, OPT_TGKS},
	{"bad", required_argument, NULL, OPT_BAD},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"profile", no_argument, NULL, OPT_PROFILE},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char *const op_names[] = {"resolve", "request"};
static const char *const suite_names[] = {"A", "B"};

struct command {
	struct measure_spec spec;
	bool profile;
	bool json;
	bool size_given;
};

static void take(struct command *c, int opt, const char *value)
{
	struct workload_spec *w = &c->spec.workload;

	switch (opt) {
	case OPT_OP:
		w->op = (enum workload_op)args_word("--op", value, op_names, 2);
		break;
	case OPT_SUITE:
		w->suite = (enum exchange_suite)args_word("--suite", value, suite_names, 2);
		break;
	case OPT_SUBSCRIBERS:
		w->subscribers = args_number("--subscribers", value, 1, 100000000);
		break;
	case OPT_MESSAGES:
		w->messages = args_number("--messages", value, 64, 10000000);
		break;
	case OPT_SIZE:
		w->size = args_number("--size", value, 0, EXCHANGE_MESSAGE_MAX);
		c->size_given = true;
		break;
	case OPT_BATCH:
		c->spec.batch = (unsigned int)args_number("--batch", value, 1, ENGINE_BATCH_MAX);
		break;
	case OPT_NOT_FORKED:
		w->forking = EXCHANGE_NOT_FORKED;
		break;
	case OPT_TGKS:
		w->tgks = (unsigned int)args_number("--tgks", value, 1, EXCHANGE_KEYS_MAX);
		break;
	case OPT_BAD:
		w->bad = args_real("--bad", value, 0, 1);
		break;
	case OPT_SECONDS:
		c->spec.seconds = args_real("--seconds", value, 0.01, 86400);
		break;
	case OPT_PROFILE:
		c->profile = true;
		break;
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	default:
		exit(EXIT_USAGE);
	}
}

/* Is it the case that the 112 compressions are about. */
static bool is_reference(const struct command *c)
{
	const struct workload_spec *w = &c->spec.workload;

	return w->op == WORKLOAD_RESOLVE && w->suite == EXCHANGE_SUITE_B &&
	       w->forking == EXCHANGE_FORKED && w->tgks == 1 && w->bad == 0;
}

static void parse(struct command *c, int argc, char **argv)
{
	int opt;

	*c = (struct command){
		.spec = {.batch = 64,
			.seconds = 5,
			.workload = {.suite = EXCHANGE_SUITE_B, .tgks = 1, .subscribers = 100000}},
	};
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		take(c, opt, optarg);
	if (optind < argc)
		args_fail("unexpected argument %s", argv[optind]);
	if (c->spec.workload.messages == 0) {
		size_t n = c->spec.workload.subscribers;

		c->spec.workload.messages = n < 1024 ? 1024 : n > 200000 ? 200000 : n;
	}
	if (!c->size_given && is_reference(c))
		c->spec.workload.size = FORKED_RESOLVE_SIZE;
}

static double floor_ns(const struct command *c, const struct measure *m)
{
	bool reference = is_reference(c) && c->spec.workload.size == FORKED_RESOLVE_SIZE;

	return m->compression_ns * (reference ? FORKED_RESOLVE_COMPRESSIONS : m->compressions);
}

/* Per message. */
static double stage_ns(const struct measure *m, uint64_t ticks)
{
	return (double)ticks / m->ticks_per_ns / (double)m->counted;
}

static void print_profile(const struct measure *m)
{
	printf("\n  %-16s %8s %8s %8s %8s %8s %7s %7s %7s %8s\n", "per message", "ns", "prf ns",
		"mac ns", "cm ns", "rest ns", "prfs", "macs", "cms", "compr.");
	for (unsigned int i = 0; i < COUNTERS_STAGES; i++) {
		const struct counters_of_stage *s = &m->counters.stage[i];
		double all = stage_ns(m, s->ticks), crypto[COUNTERS_CRYPTO], n = (double)m->counted;

		for (int k = 0; k < COUNTERS_CRYPTO; k++)
			crypto[k] = stage_ns(m, s->crypto_ticks[k]);
		printf("  %-16s %8.1f %8.1f %8.1f %8.1f %8.1f %7.2f %7.2f %7.2f %8.2f\n",
			counters_stage_name(i), all, crypto[0], crypto[1], crypto[2],
			all - crypto[0] - crypto[1] - crypto[2], (double)s->ops[0] / n,
			(double)s->ops[1] / n, (double)s->ops[2] / n, (double)s->compressions / n);
	}
}

static void print_human(const struct command *c, const struct measure *m)
{
	const struct workload_spec *w = &c->spec.workload;
	double floor = floor_ns(c, m);

	printf("%s%s, suite %s, %u TGK, %zu subscribers, %zu messages of %u octets (answers %u), "
	       "batch %u\n",
		w->forking == EXCHANGE_FORKED ? "forked " : "", op_names[w->op],
		suite_names[w->suite], w->tgks, w->subscribers, w->messages, m->request_len,
		m->response_len, c->spec.batch);
	printf("  engine            %10.0f op/s   %8.1f ns/op   %.1f compressions/op\n",
		1e9 / m->engine_ns, m->engine_ns, m->compressions);
	printf("  floor             %10.0f op/s   %8.1f ns/op   %.2f ns/compression   engine / "
	       "floor %.2f\n",
		1e9 / floor, floor, m->compression_ns, m->engine_ns / floor);
	printf("  OpenSSL EVP       %10.0f op/s   %8.1f ns/op   one at a time; speed-up %.1f\n",
		1e9 / m->openssl_ns, m->openssl_ns, m->openssl_ns / m->engine_ns);
	printf("  OpenSSL, prepared %10.0f op/s   %8.1f ns/op   the same below EVP, with prepared "
	       "keys; speed-up %.1f\n",
		1e9 / m->reference_ns, m->reference_ns, m->reference_ns / m->engine_ns);
	printf("  batch of 1        %10.0f op/s   %8.1f ns/op   %.1f times a batch of %u\n",
		1e9 / m->single_ns, m->single_ns, m->single_ns / m->engine_ns, c->spec.batch);
	printf("  malformed         %10.0f op/s   %8.1f ns/op   1/%.0f of an answer\n",
		1e9 / m->malformed_ns, m->malformed_ns, m->engine_ns / m->malformed_ns);
	printf("  random octets     %10.0f op/s   %8.1f ns/op   1/%.0f of an answer\n",
		1e9 / m->garbage_ns, m->garbage_ns, m->engine_ns / m->garbage_ns);
	printf("  medians of %llu interleaved slices\n", (unsigned long long)m->rounds);
	if (c->profile)
		print_profile(m);
}

static json_t *profile_json(const struct measure *m)
{
	json_t *stages = json_array();

	for (unsigned int i = 0; i < COUNTERS_STAGES; i++) {
		const struct counters_of_stage *s = &m->counters.stage[i];
		double n = (double)m->counted;

		json_array_append_new(stages,
			json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "stage",
				counters_stage_name(i), "ns", stage_ns(m, s->ticks), "prf_ns",
				stage_ns(m, s->crypto_ticks[0]), "mac_ns",
				stage_ns(m, s->crypto_ticks[1]), "cm_ns",
				stage_ns(m, s->crypto_ticks[2]), "prf_ops", (double)s->ops[0] / n,
				"mac_ops", (double)s->ops[1] / n, "cm_ops", (double)s->ops[2] / n,
				"compressions", (double)s->compressions / n));
	}
	return stages;
}

static int print_json(const struct command *c, const struct measure *m)
{
	const struct workload_spec *w = &c->spec.workload;
	double floor = floor_ns(c, m);
	json_t *root = json_pack("{s:s, s:s, s:b, s:i, s:I, s:I, s:i, s:i, s:i, s:f, s:f}", "op",
		op_names[w->op], "suite", suite_names[w->suite], "forked",
		w->forking == EXCHANGE_FORKED, "tgks", (int)w->tgks, "subscribers",
		(json_int_t)w->subscribers, "messages", (json_int_t)w->messages, "batch",
		(int)c->spec.batch, "request_octets", (int)m->request_len, "response_octets",
		(int)m->response_len, "bad", w->bad, "seconds", c->spec.seconds);
	const struct {
		const char *name;
		double value;
	} results[] = {
		{"op_per_s", 1e9 / m->engine_ns},
		{"ns_per_op", m->engine_ns},
		{"compressions_per_op", m->compressions},
		{"ns_per_compression", m->compression_ns},
		{"floor_ns", floor},
		{"floor_ratio", m->engine_ns / floor},
		{"openssl_ns_per_op", m->openssl_ns},
		{"speedup", m->openssl_ns / m->engine_ns},
		{"openssl_prepared_ns_per_op", m->reference_ns},
		{"batch1_ns_per_op", m->single_ns},
		{"batch1_ratio", m->single_ns / m->engine_ns},
		{"malformed_ns_per_op", m->malformed_ns},
		{"garbage_ns_per_op", m->garbage_ns},
		{"slices", (double)m->rounds},
	};
	int r = -1;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		json_object_set_new(root, results[i].name, json_real(results[i].value));
	if (root && (!c->profile || json_object_set_new(root, "profile", profile_json(m)) == 0))
		r = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
	putchar('\n');
	json_decref(root);
	return r;
}

/* One core: slices on different ones would not compare. */
static void stay_on_this_cpu(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	if (cpu >= 0) {
		CPU_SET((size_t)cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) < 0)
			fprintf(stderr, "tkms-bench: not bound to a CPU: %s\n", strerror(errno));
	}
}

int command_engine(int argc, char **argv)
{
	struct command c;
	struct measure m;

	parse(&c, argc, argv);
	stay_on_this_cpu();
	if (measure_engine(&c.spec, &m) < 0)
		return 1;
	if (c.json && print_json(&c, &m) < 0) {
		fputs("tkms-bench: the result could not be written\n", stderr);
		return 1;
	}
	if (!c.json)
		print_human(&c, &m);
	return 0;
}
