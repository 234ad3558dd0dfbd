/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/ue/wish.h"

enum option_key {
	OPT_KMS = 256,
	OPT_KMS_IDENTITY,
	OPT_AS,
	OPT_FROM,
	OPT_TO,
	OPT_TPK,
	OPT_TICKET,
	OPT_MESSAGE,
	OPT_ANSWER,
	OPT_CALLEE,
	OPT_SUITE,
	OPT_MODE,
	OPT_FLAGS,
	OPT_RECIPIENT,
	OPT_APP,
	OPT_KEYS,
	OPT_TICKET_TYPE,
	OPT_LIFETIME,
	OPT_UNCHANGED,
	OPT_TIMEOUT,
	OPT_TS_TYPE,
	OPT_JSON,
	OPT_SHOW_KEYS,
	OPT_FORMAT,
};

static const struct option long_options[] = {
	{"kms", required_argument, NULL, OPT_KMS},
	{"kms-identity", required_argument, NULL, OPT_KMS_IDENTITY},
	{"as", required_argument, NULL, OPT_AS},
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"tpk", required_argument, NULL, OPT_TPK},
	{"ticket", required_argument, NULL, OPT_TICKET},
	{"message", required_argument, NULL, OPT_MESSAGE},
	{"answer", required_argument, NULL, OPT_ANSWER},
	{"callee", required_argument, NULL, OPT_CALLEE},
	{"suite", required_argument, NULL, OPT_SUITE},
	{"mode", required_argument, NULL, OPT_MODE},
	{"flags", required_argument, NULL, OPT_FLAGS},
	{"recipient", required_argument, NULL, OPT_RECIPIENT},
	{"app", required_argument, NULL, OPT_APP},
	{"keys", required_argument, NULL, OPT_KEYS},
	{"ticket-type", required_argument, NULL, OPT_TICKET_TYPE},
	{"lifetime", required_argument, NULL, OPT_LIFETIME},
	{"unchanged", no_argument, NULL, OPT_UNCHANGED},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"ts-type", required_argument, NULL, OPT_TS_TYPE},
	{"json", no_argument, NULL, OPT_JSON},
	{"show-keys", no_argument, NULL, OPT_SHOW_KEYS},
	{"format", required_argument, NULL, OPT_FORMAT},
	{NULL, 0, NULL, 0},
};

void usage_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)fputs("tkms-ue: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	/* At once, from wherever this was found: what is open and allocated goes with the process.
	 */
	(void)fflush(NULL);
	_exit(EXIT_USAGE);
}

const char *options_need(const char *value, const char *option)
{
	if (value == NULL) {
		usage_error("%s is missing (see tkms-ue --help)", option);
	}
	return value;
}

static double number(const char *option, const char *value, double min, double max)
{
	char *end;
	const double v = strtod(value, &end);
	if (end == value || *end != '\0' || !(v >= min && v <= max)) {
		usage_error("%s %s: not a number of %g to %g", option, value, min, max);
	}
	return v;
}

static unsigned int word(
	const char *option, const char *value, const char *const *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(value, words[i]) == 0) {
			return i;
		}
	}
	usage_error("%s %s: not one of the values in tkms-ue --help", option, value);
}

static struct identity identity(const char *option, const char *value)
{
	const size_t len = strlen(value);
	if (len == 0 || len > IDENTITY_MAX) {
		usage_error("%s %s: needs 1 to %d octets", option, value, IDENTITY_MAX);
	}
	return (struct identity){(const uint8_t *)value, (uint16_t)len};
}

static void take_kms(struct options *o, const char *value)
{
	const char *bad;
	size_t len;
	o->url = client_is_url(value) ? value : NULL;
	if (o->url != NULL) {
		return;
	}
	if (client_pool_parse(&o->kms, value, &bad, &len) != 0) {
		usage_error(
			"--kms: '%.*s' is not a URL, IP, IP:port, [v6] or [v6]:port (at most %d of "
			"them, separated by commas)",
			(int)len, bad, CLIENT_ADDRESSES_MAX);
	}
}

static void take_list(const char *option, const char *value, struct identity *list, unsigned int *n,
	unsigned int max)
{
	if (*n == max) {
		usage_error("%s: at most %u", option, max);
	}
	list[(*n)++] = identity(option, value);
}

/* Options about what is asked for. Returns whether key was one. */
static int take_policy(struct options *o, int key, const char *value)
{
	switch (key) {
	case OPT_MODE:
		o->mode = (int)word("--mode", value, (const char *const[]){"1", "2", "3", "4"}, 4) +
			  1;
		return 1;
	case OPT_FLAGS:
		o->flags = wish_flags(value);
		return 1;
	case OPT_RECIPIENT:
		take_list("--recipient", value, o->recipients, &o->n_recipients, UE_RECIPIENTS_MAX);
		return 1;
	case OPT_APP:
		take_list("--app", value, o->apps, &o->n_apps, UE_APPS_MAX);
		return 1;
	case OPT_KEYS:
		o->key_list = UE_KEYS_LISTED;
		o->n_keys = wish_keys(value, o->keys);
		return 1;
	case OPT_TICKET_TYPE:
		wish_ticket_type(value, &o->ticket_type, &o->ticket_subtype, &o->ticket_version);
		return 1;
	case OPT_LIFETIME:
		o->lifetime_s = (int64_t)number("--lifetime", value, 1, 1e9);
		return 1;
	case OPT_UNCHANGED:
		o->changes = UE_CHANGES_NONE;
		return 1;
	default:
		return 0;
	}
}

static int take_file(struct options *o, int key, const char *value)
{
	switch (key) {
	case OPT_AS:
		o->as = value;
		return 1;
	case OPT_FROM:
		o->from = value;
		return 1;
	case OPT_TO:
		o->to = value;
		return 1;
	case OPT_TPK:
		o->tpk = value;
		return 1;
	case OPT_TICKET:
		o->ticket = value;
		return 1;
	case OPT_MESSAGE:
		o->message = value;
		return 1;
	case OPT_ANSWER:
		o->answer = value;
		return 1;
	default:
		return 0;
	}
}

static void take(struct options *o, int key, const char *value)
{
	if (take_policy(o, key, value) || take_file(o, key, value)) {
		return;
	}
	switch (key) {
	case OPT_KMS:
		take_kms(o, value);
		break;
	case OPT_KMS_IDENTITY:
		(void)identity("--kms-identity", value);
		o->kms_identity = value;
		break;
	case OPT_CALLEE:
		(void)identity("--callee", value);
		o->callee = value;
		break;
	case OPT_SUITE:
		o->suite = word("--suite", value, (const char *const[]){"A", "B"}, 2) == 0
				   ? UE_SUITE_A
				   : UE_SUITE_B;
		break;
	case OPT_TIMEOUT:
		o->timing.limit_us = (uint32_t)(number("--timeout", value, 0.05, 600) * 1e6);
		break;
	case OPT_TS_TYPE:
		o->ts_type = word("--ts-type", value, (const char *const[]){"utc", "utc32"}, 2) == 0
				     ? MIKEY_TS_NTP_UTC
				     : MIKEY_TS_NTP_UTC_32;
		break;
	case OPT_JSON:
		o->json = 1;
		break;
	case OPT_SHOW_KEYS:
		o->show_keys = 1;
		break;
	case OPT_FORMAT:
		o->format = word("--format", value,
			(const char *const[]){"sdp", "base64", "hex", "binary"}, 4);
		break;
	default:
		/* getopt has said what is wrong */
		exit(EXIT_USAGE);
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	int key;
	*o = (struct options){
		.timing = CLIENT_TIMING_DEFAULT,
		.mode = 1,
		.flags = -1,
		.suite = UE_SUITE_B,
		.ts_type = MIKEY_TS_NTP_UTC,
		.ticket_type = 1,
		.ticket_subtype = 1,
		.ticket_version = 1,
		.lifetime_s = 3600,
	};
	while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		take(o, key, optarg);
	}
	o->file = optind < argc ? argv[optind++] : NULL;
	if (optind < argc) {
		usage_error("'%s': one file at most", argv[optind]);
	}
}

void options_policy(const struct options *o, const struct identity *recipient, uint64_t ntp_now,
	struct ue_policy *p)
{
	static const uint16_t usual[] = {
		[1] = UE_FLAGS_USUAL,
		[2] = UE_FLAGS_USUAL & ~(MIKEY_FLAG_E | MIKEY_FLAG_I),
		[3] = (UE_FLAGS_USUAL & ~MIKEY_FLAG_D) | MIKEY_FLAG_L,
		[4] = (UE_FLAGS_USUAL & ~(MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_I)) |
		      MIKEY_FLAG_L,
	};
	ue_policy_default(p, ntp_now);
	p->tre = ue_time_32(ntp_now, o->lifetime_s);
	p->type = o->ticket_type;
	p->subtype = o->ticket_subtype;
	p->version = o->ticket_version;
	p->flags = o->flags < 0 ? usual[o->mode] : (uint16_t)o->flags;
	p->changes = (uint8_t)o->changes;
	p->key_list = o->key_list;
	p->n_keys = o->n_keys;
	memcpy(p->keys, o->keys, sizeof(p->keys));
	for (unsigned int i = 0; i < p->n_keys; i++) {
		if (p->keys[i].key_len == 0) {
			p->keys[i].key_len = ue_suite_strength(o->suite);
		}
	}
	p->apps = o->apps;
	p->n_apps = o->n_apps;
	p->recipients = o->n_recipients != 0 ? o->recipients : recipient;
	p->n_recipients = o->n_recipients != 0 ? o->n_recipients : 1;
}
