/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints dataplane/VERDICTS.md, or with --names the names alone. */
#include <stdio.h>
#include <string.h>

#include "dataplane/engine/verdict.h"

static const char *const errors[] = {[MIKEY_ERR_AUTH_FAILURE] = "0 (Auth failure)",
	[MIKEY_ERR_INVALID_TS] = "1 (Invalid TS)",
	[MIKEY_ERR_INVALID_PRF] = "2 (Invalid PRF)",
	[MIKEY_ERR_INVALID_MAC] = "3 (Invalid MAC)",
	[MIKEY_ERR_INVALID_EA] = "4 (Invalid EA)",
	[MIKEY_ERR_INVALID_HA] = "5 (Invalid HA)",
	[MIKEY_ERR_INVALID_DH] = "6 (Invalid DH)",
	[MIKEY_ERR_INVALID_ID] = "7 (Invalid ID)",
	[MIKEY_ERR_INVALID_DT] = "11 (Invalid DT)",
	[MIKEY_ERR_UNSPECIFIED] = "12 (Unspecified)",
	[MIKEY_ERR_INVALID_TICKET] = "14 (Invalid ticket)",
	[MIKEY_ERR_INVALID_TPPAR] = "15 (Invalid TPpar)"};

static void print_row(enum verdict v)
{
	const struct verdict_info *i = verdict_info(v);
	const char *answer = i->error_no == VERDICT_SILENT ? "" : errors[i->error_no];

	printf("| `%s` | %s | %s | %s |\n", i->name, i->authenticated ? "yes" : "", answer,
		i->description);
}

static const char head[] =
	"| verdict | sender authenticated | Error | meaning |\n| --- | --- | --- | --- |\n";

#define X(name, error_no, authenticated, description) VERDICT_##name,
static const enum verdict engine[] = {VERDICT_ENGINE_TABLE(X)}, net[] = {VERDICT_NET_TABLE(X)};
#undef X

static void print_table(const enum verdict *list, size_t n)
{
	fputs(head, stdout);
	for (size_t i = 0; i < n; i++)
		print_row(list[i]);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--names") == 0) {
		for (unsigned int v = VERDICT_PENDING + 1; v < VERDICT_COUNT; v++)
			puts(verdict_info((enum verdict)v)->name);
		return 0;
	}
	puts("<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"
	     "# Verdicts\n\n"
	     "What became of a message, or of a frame. Each is a counter of `tkmsctl status` and "
	     "of the metrics. A verdict without\n"
	     "Error is silence, or an answer where its meaning says so.\n\n"
	     "This file is made from `dataplane/engine/verdict.h`; after a change there:\n"
	     "`build/tests/verdict-table > dataplane/VERDICTS.md`.\n\n"
	     "## Messages\n\nIn the order of the checks.\n");
	print_table(engine, sizeof(engine) / sizeof(engine[0]));
	puts("\n## Frames\n\nFrom the outside in.\n");
	print_table(net, sizeof(net) / sizeof(net[0]));
	return 0;
}
