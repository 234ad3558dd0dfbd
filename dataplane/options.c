/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/log.h"

enum {
	QUEUE_SIZE_DEFAULT = 1024,
	QUEUE_SIZE_MIN = 64,
	QUEUE_SIZE_MAX = 16384,
	MTU_MIN = 1280, /* IPv6 needs it */
	MTU_MAX = 9216,
};

enum option_id {
	OPT_SOCKET = 256,
	OPT_WORKERS,
	OPT_CPUS,
	OPT_POLL,
	OPT_CRYPTO,
	OPT_QUEUE_SIZE,
	OPT_MTU,
	OPT_LOG_LEVEL,
	OPT_PREFLIGHT,
	OPT_NO_SANDBOX,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option table[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"cpus", required_argument, NULL, OPT_CPUS},
	{"poll", required_argument, NULL, OPT_POLL},
	{"crypto", required_argument, NULL, OPT_CRYPTO},
	{"queue-size", required_argument, NULL, OPT_QUEUE_SIZE},
	{"mtu", required_argument, NULL, OPT_MTU},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"preflight", no_argument, NULL, OPT_PREFLIGHT},
	{"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

static bool number_option(FILE *err, const char *name, const char *text, unsigned long min,
	unsigned long max, unsigned long *out)
{
	if (parse_number(text, min, max, out))
		return true;
	fprintf(err, "tkms-dataplane: --%s %s: needs a number from %lu to %lu\n", name, text, min,
		max);
	return false;
}

int options_parse_cpus(const char *list, uint16_t *cpus, unsigned int max)
{
	unsigned int n = 0;
	const char *p = list;

	for (;;) {
		char *end;
		unsigned long first, last;

		if (*p < '0' || *p > '9')
			return -EINVAL;
		first = last = strtoul(p, &end, 10);
		if (*end == '-') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				return -EINVAL;
			last = strtoul(p, &end, 10);
		}
		if (first > last || last > OPTIONS_CPU_NUMBER_MAX || last - first >= max - n)
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			cpus[n++] = (uint16_t)cpu;
		if (*end == '\0')
			return (int)n;
		if (*end != ',' || n == max)
			return -EINVAL;
		p = end + 1;
	}
}

static bool cpus_option(struct options *o, const char *text, FILE *err)
{
	int n = options_parse_cpus(text, o->cpus, OPTIONS_CPUS_MAX);

	if (n < 0) {
		fprintf(err, "tkms-dataplane: --cpus %s: needs a list as 0,2-5\n", text);
		return false;
	}
	o->n_cpus = (unsigned int)n;
	return true;
}

static bool poll_option(struct options *o, const char *text, FILE *err)
{
	if (strcmp(text, "adaptive") == 0) {
		o->poll = OPTIONS_POLL_ADAPTIVE;
	} else if (strcmp(text, "busy") == 0) {
		o->poll = OPTIONS_POLL_BUSY;
	} else {
		fprintf(err, "tkms-dataplane: --poll %s: is adaptive or busy\n", text);
		return false;
	}
	return true;
}

static bool crypto_option(struct options *o, const char *text, FILE *err)
{
	if (strcmp(text, "ipsec-mb") != 0 && strcmp(text, "openssl") != 0) {
		fprintf(err, "tkms-dataplane: --crypto %s: is ipsec-mb or openssl\n", text);
		return false;
	}
	o->crypto = text;
	return true;
}

static bool mtu_option(struct options *o, const char *text, FILE *err)
{
	unsigned long n;

	if (!number_option(err, "mtu", text, MTU_MIN, MTU_MAX, &n))
		return false;
	if (o->n_mtus == OPTIONS_MTUS_MAX) {
		fprintf(err, "tkms-dataplane: --mtu: at most %d times\n", OPTIONS_MTUS_MAX);
		return false;
	}
	o->mtus[o->n_mtus++] = (uint16_t)n;
	return true;
}

static bool take_option(struct options *o, int id, const char *text, FILE *err)
{
	unsigned long n;

	switch (id) {
	case OPT_SOCKET:
		o->socket = text;
		return true;
	case OPT_WORKERS:
		if (!number_option(err, "workers", text, 1, OPTIONS_WORKERS_MAX, &n))
			return false;
		o->workers = (unsigned int)n;
		return true;
	case OPT_CPUS:
		return cpus_option(o, text, err);
	case OPT_POLL:
		return poll_option(o, text, err);
	case OPT_CRYPTO:
		return crypto_option(o, text, err);
	case OPT_QUEUE_SIZE:
		if (!number_option(err, "queue-size", text, QUEUE_SIZE_MIN, QUEUE_SIZE_MAX, &n))
			return false;
		o->queue_size = (uint16_t)n;
		return true;
	case OPT_MTU:
		return mtu_option(o, text, err);
	case OPT_LOG_LEVEL:
		if (log_set_level(text) == 0)
			return true;
		fprintf(err, "tkms-dataplane: --log-level %s: is error, warning, info or debug\n",
			text);
		return false;
	case OPT_PREFLIGHT:
		o->action = OPTIONS_PREFLIGHT;
		return true;
	case OPT_NO_SANDBOX:
		o->sandbox = OPTIONS_NO_SANDBOX;
		return true;
	case OPT_VERSION:
		o->action = OPTIONS_VERSION;
		return true;
	case OPT_HELP:
		o->action = OPTIONS_HELP;
		return true;
	default: /* getopt has said what is wrong */
		fprintf(err, "tkms-dataplane: EAL arguments follow after \"--\"; try --help\n");
		return false;
	}
}

int options_parse(struct options *o, int argc, char **argv, FILE *err)
{
	int id;

	*o = (struct options){
		.socket = "/run/tkms/dataplane.sock",
		.workers = 1,
		.queue_size = QUEUE_SIZE_DEFAULT,
	};
	optind = 0;
	/* "+": the first word that is no option ends the options, as "--" does. */
	while ((id = getopt_long(argc, argv, "+", table, NULL)) != -1)
		if (!take_option(o, id, optarg, err))
			return -EINVAL;
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		fprintf(err, "tkms-dataplane: %s: EAL arguments follow after \"--\"; try --help\n",
			argv[optind]);
		return -EINVAL;
	}
	o->eal = argv + optind;
	o->n_eal = argc - optind;
	return 0;
}
