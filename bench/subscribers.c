/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench subscribers: the generated subscribers, for tkmsctl subscriber import. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/load/config.h"
#include "bench/party.h"

static const char help[] = "usage: tkms-bench subscribers [--count N]\n\n"
			   "Prints N subscribers (default 1000) as JSON Lines for `tkmsctl "
			   "subscriber import`. They are the ones that\n"
			   "`tkms-bench load` plays when it gets no --subscribers. Their keys are "
			   "the same everywhere and known to everybody:\n"
			   "never import them into a KMS that serves real users.\n";

int command_subscribers(int argc, char **argv)
{
	static const struct option options[] = {
		{"count", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	size_t count = LOAD_SUBSCRIBERS;
	struct parties parties;
	struct crypto *crypto;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			count = args_number("--count", optarg, 1, 100000000);
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		args_fail("unexpected argument %s", argv[optind]);
	crypto = crypto_open("openssl");
	if (!crypto) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(errno));
		return 1;
	}
	r = parties_generate(&parties, crypto, count, LOAD_UID_LEN, LOAD_PSK_LEN);
	if (r == 0) {
		r = parties_print(&parties, stdout);
		parties_clear(&parties);
	}
	crypto_close(crypto);
	if (r < 0)
		fprintf(stderr, "tkms-bench: %s\n", strerror(-r));
	return r < 0;
}
