/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"

static const char help[] =
	"usage: tkms-bench load --kms ADDR[,ADDR...] --rate R|max --seconds S [options]\n\n"
	"Sends REQUEST and RESOLVE exchanges to a running KMS over UDP, on a schedule fixed in "
	"advance, and verifies every answer\n"
	"as a UE does: MAC, keys, and that responder and initiator hold the same ones. On silence "
	"it retries at the next address.\n\n"
	"  --kms ADDR[,ADDR...]   IPv4 or IPv6 addresses, ADDR, ADDR:PORT or [ADDR]:PORT; port "
	"2269 unless given; or a URL: over HTTP\n"
	"  --rate R|max           exchanges a second; max: as fast as answers come\n"
	"  --seconds S            length of the schedule\n"
	"  --op OP                resolve (default), request or mix (half and half)\n"
	"  --subscribers FILE     JSON Lines as tkmsctl imports them; else those that `tkms-bench "
	"subscribers` prints\n"
	"  --identity KMS         identity of the KMS; else kms@tkms.example and kms@ the "
	"subscribers' domain are tried\n"
	"  --suite A|B            algorithms (default B)\n"
	"  --tickets N            tickets that resolves share, fetched before (default 1024)\n"
	"  --tgks N               session keys in each ticket (default 1)\n"
	"  --not-forked           tickets without key forking (the KMS's profile must allow it)\n"
	"  --lifetime S           validity of tickets asked for (default: the run and 10 minutes)\n"
	"  --sources N            sockets, each with a port of its own, per address of the KMS "
	"(default 16)\n"
	"  --bind PREFIX          take the sources' addresses from PREFIX, e.g. 10.69.128.0/17\n"
	"  --window N             exchanges in flight with --rate max (default 256)\n"
	"  --backend NAME         ipsec-mb or openssl, for the client's own cryptography\n"
	"  --save FILE            measure nothing: write the messages of the schedule to FILE, in "
	"hex, "
	"a line each\n"
	"  --json                 result as JSON\n\n"
	"Exit status: 0 if no exchange failed, 1 if one did or the run could not start, 2 on usage "
	"errors.\n";

enum option_id {
	OPT_KMS = 1,
	OPT_RATE,
	OPT_SECONDS,
	OPT_OP,
	OPT_SUBSCRIBERS,
	OPT_IDENTITY,
	OPT_SUITE,
	OPT_TICKETS,
	OPT_TGKS,
	OPT_NOT_FORKED,
	OPT_LIFETIME,
	OPT_SOURCES,
	OPT_BIND,
	OPT_WINDOW,
	OPT_BACKEND,
	OPT_SAVE,
	OPT_JSON,
	OPT_HELP,
};

static const struct option options[] = {
	{"kms", required_argument, NULL, OPT_KMS},
	{"rate", required_argument, NULL, OPT_RATE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"op", required_argument, NULL, OPT_OP},
	{"subscribers", required_argument, NULL, OPT_SUBSCRIBERS},
	{"identity", required_argument, NULL, OPT_IDENTITY},
	{"suite", required_argument, NULL, OPT_SUITE},
	{"tickets", required_argument, NULL, OPT_TICKETS},
	{"tgks", required_argument, NULL, OPT_TGKS},
	{"not-forked", no_argument, NULL, OPT_NOT_FORKED},
	{"lifetime", required_argument, NULL, OPT_LIFETIME},
	{"sources", required_argument, NULL, OPT_SOURCES},
	{"bind", required_argument, NULL, OPT_BIND},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"backend", required_argument, NULL, OPT_BACKEND},
	{"save", required_argument, NULL, OPT_SAVE},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void take(struct load_config *c, int opt, const char *value)
{
	static const char *const ops[] = {"resolve", "request", "mix"};
	static const char *const suites[] = {"A", "B"};
	static const char *const backends[] = {"ipsec-mb", "openssl"};

	switch (opt) {
	case OPT_KMS:
		c->kms = value;
		break;
	case OPT_RATE:
		c->rate = strcmp(value, "max") == 0 ? 0 : args_real("--rate", value, 0.1, 5e6);
		break;
	case OPT_SECONDS:
		c->seconds = args_real("--seconds", value, 0.01, 1e7);
		break;
	case OPT_OP:
		c->op = (enum load_op)args_word("--op", value, ops, 3);
		break;
	case OPT_SUBSCRIBERS:
		c->subscribers = value;
		break;
	case OPT_IDENTITY:
		c->identity = value;
		break;
	case OPT_SUITE:
		c->suite = (enum exchange_suite)args_word("--suite", value, suites, 2);
		break;
	case OPT_TICKETS:
		c->tickets = (unsigned int)args_number("--tickets", value, 1, 1000000);
		break;
	case OPT_TGKS:
		c->tgks = (unsigned int)args_number("--tgks", value, 1, EXCHANGE_KEYS_MAX);
		break;
	case OPT_NOT_FORKED:
		c->forking = EXCHANGE_NOT_FORKED;
		break;
	case OPT_LIFETIME:
		c->lifetime_s = (uint32_t)args_number("--lifetime", value, 1, UINT32_MAX / 4);
		break;
	case OPT_SOURCES:
		c->sources = (unsigned int)args_number("--sources", value, 1, 4096);
		break;
	case OPT_BIND:
		c->bind = value;
		break;
	case OPT_WINDOW:
		c->window = (unsigned int)args_number("--window", value, 1, 65536);
		break;
	case OPT_BACKEND:
		c->backend = backends[args_word("--backend", value, backends, 2)];
		break;
	case OPT_SAVE:
		c->save = value;
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

void load_config_parse(struct load_config *c, int argc, char **argv)
{
	int opt;

	*c = (struct load_config){
		.rate = -1,
		.seconds = -1,
		.suite = EXCHANGE_SUITE_B,
		.tgks = 1,
		.sources = 16,
		.tickets = 1024,
		.window = 256,
	};
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		take(c, opt, optarg);
	if (optind < argc)
		args_fail("unexpected argument %s", argv[optind]);
	if (!c->kms)
		args_fail("--kms is missing (tkms-bench load --help)");
	if (c->rate < 0)
		args_fail("--rate is missing (tkms-bench load --help)");
	if (c->seconds < 0)
		args_fail("--seconds is missing (tkms-bench load --help)");
	if (c->save && c->rate == 0)
		args_fail("--save needs a rate: it says how many messages there are");
	if (c->lifetime_s == 0)
		c->lifetime_s = (uint32_t)c->seconds + 600;
}
