/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench: load generator and benchmarks. */
#include <stdio.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"load", command_load, "drive a running KMS over UDP and verify every answer"},
	{"engine", command_engine, "time the engine on one core"},
	{"dataplane", command_dataplane, "time a data plane process over shared memory"},
	{"crypto", command_crypto, "time the cryptographic operations"},
	{"subscribers", command_subscribers,
		"print the subscribers that load and the other benchmarks play"},
};

static void usage(FILE *out)
{
	fputs("usage: tkms-bench COMMAND [options]    (tkms-bench COMMAND --help)\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("  --version    print the version\n", out);
}

int main(int argc, char **argv)
{
	if (argc >= 2) {
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
			if (strcmp(argv[1], commands[i].name) == 0)
				return commands[i].run(argc - 1, argv + 1);
		}
		if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
			usage(stdout);
			return 0;
		}
		if (strcmp(argv[1], "--version") == 0) {
			puts("tkms-bench " TKMS_VERSION);
			return 0;
		}
		fprintf(stderr, "tkms-bench: unknown command %s\n", argv[1]);
	}
	usage(stderr);
	return EXIT_USAGE;
}
