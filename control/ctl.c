/* SPDX-License-Identifier: BSD-3-Clause */
/* tkmsctl: the operator's command line. */
#include "control/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/config.h"
#include "control/wiping_alloc.h"

enum option_bit {
	OPT_JSON = 1 << 0,
	OPT_SOCKET = 1 << 1,
	OPT_CONFIG = 1 << 2,
	OPT_REPLACE = 1 << 3,
	OPT_ACTIVATE = 1 << 4,
	OPT_ALLOW_SHORT = 1 << 5,
	OPT_ID = 1 << 6,
	OPT_KEY_FILE = 1 << 7,
	OPT_RESOLVES_UNTIL = 1 << 8,
	OPT_PSK_ID = 1 << 9,
	OPT_PSK_FILE = 1 << 10,
	OPT_UID = 1 << 11,
	OPT_EXPIRES = 1 << 12,
	OPT_ROLE = 1 << 13,
	OPT_HELP = 1 << 14,
	OPT_VERSION = 1 << 15,
	OPT_WAIT = 1 << 16,
	OPT_TIMEOUT = 1 << 17,
	OPT_PASSPHRASE_FILE = 1 << 18,
	OPT_WRAPPED = 1 << 19,
	OPT_OUT = 1 << 20,
	OPT_WITHOUT = 1 << 21,
	OPT_JOIN = 1 << 22,
	OPT_MIN_EPOCH = 1 << 23,
	OPT_NEW_SET = 1 << 24,
	OPT_ONLINE = OPT_JSON | OPT_SOCKET | OPT_CONFIG,
};

static const struct command {
	const char *group, *name; /* group NULL: a single word */
	int (*run)(const struct ctl_options *o);
	unsigned int options;
	int args_min, args_max;
	const char *usage, *help;
} commands[] = {
	{NULL, "init", ctl_init, OPT_CONFIG | OPT_JOIN | OPT_MIN_EPOCH | OPT_NEW_SET, 0, 0,
		"init [--new-set | --join | --min-epoch N]",
		"Makes the state directory, the KEK file unless there is one, and an empty store. "
		"Never touches a store that exists.\n"
		"In a replica set (sync.sentinels), where all nodes have the same KEK: --new-set "
		"for "
		"its first node, which makes the\nfirst sealing key. Any other (--join, also when "
		"nothing is said) serves when it has the keyring of the others, as\nmost of them "
		"tell it; with --min-epoch, when its epoch is at least N (tkmsctl status shows "
		"it)."},
	{NULL, "status", ctl_status, OPT_ONLINE, 0, 0, "status",
		"Node, keyring, subscribers, data plane and its counters."},
	{"subscriber", "import", ctl_subscriber_import, OPT_ONLINE | OPT_REPLACE | OPT_WAIT, 1, 1,
		"subscriber import [--replace] [--wait] FILE|-",
		"Imports JSON Lines, all of them or none: {\"psk_id\": \"TEXT or hex:...\", "
		"\"psk\": \"HEX\", \"uids\": "
		"[\"user@domain\", ...]},\noptionally \"expires\" (RFC 3339) and \"roles\" "
		"([\"function\"]). A psk_id that exists and "
		"differs is an error\nunless --replace is given. Returns when the data plane has "
		"them, or says that it is not connected. In a replica set it says too "
		"whether\nRedis has "
		"them; with --wait it waits for that, at most a minute, and fails if not. They are "
		"kept "
		"in any case."},
	{"subscriber", "add", ctl_subscriber_add,
		OPT_ONLINE | OPT_REPLACE | OPT_PSK_ID | OPT_PSK_FILE | OPT_UID | OPT_EXPIRES |
			OPT_ROLE,
		0, 0,
		"subscriber add --psk-id ID --psk-file FILE|- --uid USER@DOMAIN [--uid ...] "
		"[--expires TIME] [--role function] "
		"[--replace]",
		"Adds one subscriber; the file holds the PSK in hex."},
	{"subscriber", "show", ctl_subscriber_show, OPT_ONLINE, 1, 1, "subscriber show PSK-ID",
		"One subscriber, without its PSK."},
	{"subscriber", "remove", ctl_subscriber_remove, OPT_ONLINE, 1, 1,
		"subscriber remove PSK-ID", "Removes one subscriber."},
	{"subscriber", "count", ctl_subscriber_count, OPT_ONLINE, 0, 0, "subscriber count",
		"How many there are."},
	{"subscriber", "list", ctl_subscriber_list, OPT_ONLINE, 0, 0, "subscriber list",
		"All PSK ids, one a line."},
	{"kek", "new", ctl_kek_new, OPT_CONFIG, 0, 0, "kek new",
		"Makes a new key encryption key beside the one in use, as node.kek_file with "
		".next. "
		"Copy it to every node, and to where\nyou keep the KEK."},
	{"kek", "load", ctl_kek_load, OPT_ONLINE, 0, 0, "kek load",
		"Gives the new KEK to tkms-control, which can open records under both from then on "
		"(as after a restart)."},
	{"kek", "rotate", ctl_kek_rotate, OPT_ONLINE, 0, 0, "kek rotate",
		"Seals everything on this node and from this node under the new KEK: store, "
		"records "
		"in Redis. Refused while a live member\ndoes not have it. Returns when all is "
		"done; "
		"done again, it goes on where it was interrupted. Then moves the files: the\nold "
		"KEK "
		"is kept with .previous, the new one takes its place."},
	{"kek", "drop", ctl_kek_drop, OPT_ONLINE, 0, 0, "kek drop",
		"Forgets the old KEK and removes its file. Refused while a live member seals under "
		"it. What is older, as backups,\nneeds the old KEK: keep it, or let them go."},
	{"key", "list", ctl_key_list, OPT_ONLINE, 0, 0, "key list",
		"Sealing keys with states, times, and the tickets that this node has sealed and "
		"resolved "
		"with each since its data plane\nstarted; never their octets."},
	{"key", "import", ctl_key_import,
		OPT_ONLINE | OPT_ID | OPT_KEY_FILE | OPT_RESOLVES_UNTIL | OPT_ACTIVATE |
			OPT_ALLOW_SHORT | OPT_WRAPPED | OPT_PASSPHRASE_FILE,
		0, 0,
		"key import --id tpk-... --key-file FILE|- [--resolves-until TIME] [--activate] "
		"[--allow-short] | --wrapped FILE --passphrase-file FILE|-",
		"Adds a given sealing key of 32 octets (raw or hex): it resolves only, or with "
		"--activate it seals from now on.\n"
		"--activate is for a node that is alone: in a replica set the others have to hold "
		"a "
		"key first, see key rotate.\n"
		"--allow-short takes 16 octets or more, for test vectors only. --wrapped takes a "
		"key with its times from a file of\nkey export; it resolves only."},
	{"key", "export", ctl_key_export, OPT_ONLINE | OPT_PASSPHRASE_FILE | OPT_OUT, 1, 1,
		"key export --passphrase-file FILE|- [--out FILE] ID",
		"Writes a sealing key for disaster recovery, sealed under a passphrase (12 octets "
		"or "
		"more; scrypt, AES-256-GCM), to a new\nfile or to stdout. Who has the file and the "
		"passphrase can read every ticket of that key."},
	{"key", "activate", ctl_key_activate, OPT_ONLINE | OPT_WITHOUT, 1, 1,
		"key activate ID [--without NODE ...]",
		"In a replica set: activates a published key whose time has come, although the "
		"data "
		"planes of the nodes named do not\nhold it: they cannot resolve its tickets until "
		"they do."},
	{"key", "rotate", ctl_key_rotate, OPT_ONLINE, 0, 0, "key rotate",
		"Publishes a new sealing key and returns when the data plane seals with it, after "
		"keys.activation_lead. A rotation "
		"that is\npending is waited for first. Without a data plane the key stays "
		"published until there is one."},
	{"key", "revoke", ctl_key_revoke, OPT_ONLINE, 1, 1, "key revoke ID",
		"Ends a key at once: tickets sealed with it resolve no more. The active one gets a "
		"successor in the same step. Fails, "
		"with the\nkey revoked in the store, when the data plane has not acknowledged it, "
		"or "
		"that of a live member of the replica set: these\nare named. Nodes that are away "
		"learn of it when they return."},
	{"node", "list", ctl_node_list, OPT_ONLINE, 0, 0, "node list",
		"Members of the replica set as this node sees them: state, version, load, roles "
		"and "
		"service addresses."},
	{"node", "drain", ctl_node_drain, OPT_ONLINE | OPT_WAIT | OPT_TIMEOUT, 0, 1,
		"node drain [--wait [--timeout 30s]] [NODE]",
		"Gives this node's service addresses to the others; it stays drained, over "
		"restarts "
		"too, until node undrain.\n--wait returns when nothing comes here any more. NODE, "
		"if "
		"given, must be this node."},
	{"node", "undrain", ctl_node_undrain, OPT_ONLINE, 0, 1, "node undrain [NODE]",
		"Lets this node take addresses again."},
	{"node", "forget", ctl_node_forget, OPT_ONLINE, 1, 1, "node forget NODE",
		"Takes a dead member out of the replica set, by its name or its origin (node list "
		"--json)."},
	{NULL, "decode", ctl_decode, OPT_JSON, 0, 1, "decode [FILE|-]",
		"Dissects a MIKEY message: binary, hex, base64, or an SDP line a=key-mgmt:mikey. "
		"Needs no tkms-control."},
	{NULL, "check-config", ctl_check_config, OPT_CONFIG | OPT_JSON, 0, 1, "check-config [FILE]",
		"Says \"ok\", or everything that is wrong with file, line and key. Needs no "
		"tkms-control."},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"replace", no_argument, NULL, OPT_REPLACE}, {"activate", no_argument, NULL, OPT_ACTIVATE},
	{"allow-short", no_argument, NULL, OPT_ALLOW_SHORT},
	{"id", required_argument, NULL, OPT_ID},
	{"key-file", required_argument, NULL, OPT_KEY_FILE},
	{"resolves-until", required_argument, NULL, OPT_RESOLVES_UNTIL},
	{"psk-id", required_argument, NULL, OPT_PSK_ID},
	{"psk-file", required_argument, NULL, OPT_PSK_FILE},
	{"uid", required_argument, NULL, OPT_UID},
	{"passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE},
	{"without", required_argument, NULL, OPT_WITHOUT}, {"join", no_argument, NULL, OPT_JOIN},
	{"min-epoch", required_argument, NULL, OPT_MIN_EPOCH},
	{"new-set", no_argument, NULL, OPT_NEW_SET},
	{"wrapped", required_argument, NULL, OPT_WRAPPED},
	{"out", required_argument, NULL, OPT_OUT},
	{"expires", required_argument, NULL, OPT_EXPIRES},
	{"role", required_argument, NULL, OPT_ROLE}, {"wait", no_argument, NULL, OPT_WAIT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT}, {"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION}, {0}};

static void print_help(void)
{
	puts("Usage: tkmsctl [--socket PATH | --config FILE] [--json] COMMAND...\n\n"
	     "The operator's side of tkms-control.\n");
	for (unsigned int i = 0; i < COMMANDS; i++)
		printf("  %s\n", commands[i].usage);
	puts("\n"
	     "  --socket PATH  socket of tkms-control (default: control.sock in node.run_dir of "
	     "the configuration,\n"
	     "                 /run/tkms/control.sock without one)\n"
	     "  --config FILE  configuration (default " CONFIG_DEFAULT_PATH ")\n"
	     "  --json         results as JSON\n"
	     "  --version, --help; COMMAND --help says more about a command\n\n"
	     "Exit status: 0 done, 1 failed (the reason is on stderr), 2 wrong usage.");
}

/* Stores an option. False: too many. */
static bool take_option(struct ctl_options *o, int option, const char *value)
{
	switch (option) {
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_SOCKET:
		o->socket = value;
		return true;
	case OPT_CONFIG:
		o->config = value;
		o->is_config_given = true;
		return true;
	case OPT_REPLACE:
		o->replace = true;
		return true;
	case OPT_ACTIVATE:
		o->activate = true;
		return true;
	case OPT_ALLOW_SHORT:
		o->allow_short = true;
		return true;
	case OPT_WAIT:
		o->wait = true;
		return true;
	case OPT_TIMEOUT:
		o->timeout = value;
		return true;
	case OPT_ID:
		o->id = value;
		return true;
	case OPT_KEY_FILE:
		o->key_file = value;
		return true;
	case OPT_RESOLVES_UNTIL:
		o->resolves_until = value;
		return true;
	case OPT_PSK_ID:
		o->psk_id = value;
		return true;
	case OPT_PSK_FILE:
		o->psk_file = value;
		return true;
	case OPT_EXPIRES:
		o->expires = value;
		return true;
	case OPT_ROLE:
		o->role = value;
		return true;
	case OPT_JOIN:
		o->join = true;
		return true;
	case OPT_NEW_SET:
		o->new_set = true;
		return true;
	case OPT_MIN_EPOCH:
		o->min_epoch = value;
		return true;
	case OPT_WITHOUT:
		if (o->n_without == CTL_WITHOUT_MAX)
			return false;
		o->without[o->n_without++] = value;
		return true;
	case OPT_PASSPHRASE_FILE:
		o->passphrase_file = value;
		return true;
	case OPT_WRAPPED:
		o->wrapped = value;
		return true;
	case OPT_OUT:
		o->out = value;
		return true;
	default: /* OPT_UID */
		if (o->n_uids == IPC_UIDS_MAX)
			return false;
		o->uids[o->n_uids++] = value;
		return true;
	}
}

static const struct command *find(char **words, int n, int *used)
{
	for (unsigned int i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (!c->group && n >= 1 && strcmp(words[0], c->name) == 0) {
			*used = 1;
			return c;
		}
		if (c->group && n >= 2 && strcmp(words[0], c->group) == 0 &&
			strcmp(words[1], c->name) == 0) {
			*used = 2;
			return c;
		}
	}
	return NULL;
}

static int usage(const struct command *c, const char *what)
{
	fprintf(stderr, "tkmsctl: %s\n", what);
	if (c)
		fprintf(stderr, "usage: tkmsctl %s\n", c->usage);
	else
		fputs("try tkmsctl --help\n", stderr);
	return CTL_USAGE;
}

/* The commands of a group, as "subscriber". False: there is no such group. */
static bool print_group(FILE *to, const char *group)
{
	bool found = false;

	for (unsigned int i = 0; i < COMMANDS; i++) {
		if (!commands[i].group || strcmp(commands[i].group, group) != 0)
			continue;
		fprintf(to, "%s tkmsctl %s\n", found ? "      " : "Usage:", commands[i].usage);
		found = true;
	}
	return found;
}

static int dispatch(struct ctl_options *o, unsigned int given, char **words, int n)
{
	int used = 0;
	const struct command *c = find(words, n, &used);

	if ((given & OPT_HELP) && (c || n == 0)) {
		if (c)
			printf("Usage: tkmsctl %s\n\n%s\n", c->usage, c->help);
		else
			print_help();
		return CTL_OK;
	}
	if (!c && n == 1 && print_group(given & OPT_HELP ? stdout : stderr, words[0]))
		return given & OPT_HELP ? CTL_OK : CTL_USAGE;
	if (given & OPT_VERSION) {
		puts("tkmsctl " TKMS_VERSION);
		return CTL_OK;
	}
	if (!c)
		return usage(NULL, n ? "unknown command" : "a command is missing");
	/* --socket and --config are accepted everywhere, so that a shell alias can carry them */
	if (given & ~(c->options | OPT_SOCKET | OPT_CONFIG))
		return usage(c, "an option does not belong to this command");
	if (n - used < c->args_min || n - used > c->args_max)
		return usage(c,
			n - used < c->args_min ? "an argument is missing" : "too many arguments");
	o->args = (const char *const *)&words[used];
	o->n_args = n - used;
	return c->run(o);
}

int main(int argc, char **argv)
{
	struct ctl_options o = {.config = CONFIG_DEFAULT_PATH};
	unsigned int given = 0;
	int got, err;

	json_set_alloc_funcs(wiping_malloc, wiping_free);
	while ((got = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (got == '?')
			return usage(NULL, "wrong option");
		if (got == 'h')
			got = OPT_HELP;
		given |= (unsigned int)got;
		if (got != OPT_HELP && got != OPT_VERSION && !take_option(&o, got, optarg))
			return usage(NULL, "more than 64 --uid or --without");
	}
	err = secret_process_harden(SECRET_LOCK_SELECTED);
	if (err)
		return ctl_fail("the process cannot be protected: %s", strerror(-err));
	return dispatch(&o, given, argv + optind, argc - optind);
}
