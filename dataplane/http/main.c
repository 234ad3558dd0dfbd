/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdlib.h>

#include "dataplane/http/supervisor.h"

static const char help[] =
	"usage: tkms-http [--config FILE] [--set KEY=VALUE]...\n"
	"\n"
	"The KMS over HTTP: takes MIKEY messages by POST, hands them to data planes over UDP and "
	"returns\n"
	"their answers. Holds no keys. TLS and HTTP/2 are the business of a proxy in front of it.\n"
	"\n"
	"  --config FILE     settings (YAML); " HTTP_CONFIG_DEFAULT_PATH
	" if neither this nor --set\n"
	"                    is given\n"
	"  --set KEY=VALUE   a setting, after the file; lists with commas: --set "
	"kms=192.0.2.1,192.0.2.2\n"
	"  --check-config    say what is wrong with the settings and end\n"
	"  --print-config    print all settings with defaults and meaning and end\n"
	"  --version         print the version and end\n"
	"  --help            this text\n"
	"\n"
	"SIGTERM ends it: requests in flight are answered first. Settings are read once; restart "
	"it to\n"
	"change them. Exit status: 0 stopped, 1 failed, 2 wrong "
	"settings.\n";

enum { EXIT_USAGE = 2 };
enum option_id { OPT_CONFIG = 1, OPT_SET, OPT_CHECK, OPT_PRINT, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"set", required_argument, NULL, OPT_SET},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct command_line {
	const char *file;
	const char *set[64];
	unsigned int n_set;
	int check;
};

static void parse(struct command_line *c, int argc, char **argv)
{
	int key;

	while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (key) {
		case OPT_CONFIG:
			c->file = optarg;
			break;
		case OPT_SET:
			if (c->n_set == sizeof(c->set) / sizeof(c->set[0])) {
				fputs("tkms-http: too many --set\n", stderr);
				exit(EXIT_USAGE);
			}
			c->set[c->n_set++] = optarg;
			break;
		case OPT_CHECK:
			c->check = 1;
			break;
		case OPT_PRINT:
			http_config_print(stdout);
			exit(0);
		case OPT_VERSION:
			puts("tkms-http " TKMS_VERSION);
			exit(0);
		case OPT_HELP:
			fputs(help, stdout);
			exit(0);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tkms-http: unexpected argument %s\n", argv[optind]);
		exit(EXIT_USAGE);
	}
}

static int load(struct http_config *config, const struct command_line *c)
{
	const char *file = c->file;
	int err = http_config_init(config);

	if (!file && c->n_set == 0)
		file = HTTP_CONFIG_DEFAULT_PATH;
	if (!err && file)
		err = http_config_load(config, file, stderr);
	for (unsigned int i = 0; !err && i < c->n_set; i++)
		err = http_config_set(config, c->set[i], stderr);
	return err ? err : http_config_settle(config, stderr);
}

int main(int argc, char **argv)
{
	struct command_line c = {0};
	struct http_config config;
	int status = EXIT_USAGE;

	parse(&c, argc, argv);
	if (load(&config, &c) == 0)
		status = c.check ? EXIT_SUCCESS : supervisor_run(&config);
	http_config_free(&config);
	return status;
}
