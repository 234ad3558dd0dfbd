/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench crypto */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/crypto/cases.h"

static const char help[] =
	"usage: tkms-bench crypto [--backend ipsec-mb|openssl] [--milliseconds N] [--json]\n\n"
	"ns an operation of common/crypto, by backend, length and number of operations given at "
	"once, so that a regression of a\n"
	"library version is seen. Each number takes N ms (default 10).\n";

static const unsigned int batches[] = {1, 4, 16, 64, 256};
enum { BATCHES = sizeof(batches) / sizeof(batches[0]) };

static const char *const backends[] = {"ipsec-mb", "openssl"};

struct command {
	const char *backend; /* NULL: both */
	uint64_t ns;
	bool json;
};

static void parse(struct command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"backend", required_argument, NULL, 'b'},
		{"milliseconds", required_argument, NULL, 'm'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	*c = (struct command){.ns = 10000000};
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'b':
			c->backend = backends[args_word("--backend", optarg, backends, 2)];
			break;
		case 'm':
			c->ns = args_number("--milliseconds", optarg, 1, 10000) * 1000000;
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
}

static void print_head(const char *backend)
{
	printf("%-10s %-26s %6s", "backend", "operation", "octets");
	for (unsigned int i = 0; i < BATCHES; i++)
		printf("  ns of %-4u", batches[i]);
	printf("   (%s)\n", backend);
}

static void add_json(json_t *results, const char *backend, const struct crypto_case *k,
	unsigned int batch, double ns)
{
	char name[64];

	json_array_append_new(
		results, json_pack("{s:s, s:s, s:i, s:i, s:f}", "backend", backend, "op",
				 crypto_case_name(k, name, sizeof(name)), "octets", (int)k->len,
				 "batch", (int)batch, "ns_per_op", ns));
}

static int run_backend(const struct command *c, const char *backend, json_t *results)
{
	struct crypto *ctx = crypto_open(backend);
	struct case_operands *o = ctx ? case_operands_new() : NULL;

	if (!o) {
		fprintf(stderr, "tkms-bench: %s: %s\n", backend, strerror(errno));
		crypto_close(ctx);
		return -1;
	}
	if (!c->json)
		print_head(backend);
	for (unsigned int i = 0; i < crypto_cases_count; i++) {
		const struct crypto_case *k = &crypto_cases[i];
		char name[64];

		if (!c->json)
			printf("%-10s %-26s %6u", backend, crypto_case_name(k, name, sizeof(name)),
				k->len);
		for (unsigned int b = 0; b < BATCHES; b++) {
			double ns = crypto_case_time(ctx, k, o, batches[b], c->ns);

			if (c->json)
				add_json(results, backend, k, batches[b], ns);
			else
				printf(" %11.1f", ns);
		}
		if (!c->json)
			putchar('\n');
	}
	case_operands_free(o);
	crypto_close(ctx);
	return 0;
}

int command_crypto(int argc, char **argv)
{
	struct command c;
	json_t *results = json_array();
	int r = 0;

	parse(&c, argc, argv);
	for (int i = 0; r == 0 && i < 2; i++) {
		if (!c.backend || strcmp(c.backend, backends[i]) == 0)
			r = run_backend(&c, backends[i], results);
	}
	if (r == 0 && c.json) {
		json_t *root = json_pack("{s:O}", "results", results);

		r = root ? json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : -1;
		putchar('\n');
		json_decref(root);
	}
	json_decref(results);
	return r != 0;
}
