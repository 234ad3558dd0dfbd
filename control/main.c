/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-control: command line and start. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/confine.h"
#include "control/control.h"
#include "control/log.h"
#include "control/wiping_alloc.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
	"Usage: tkms-control [--config FILE] [--no-sandbox | --check-config | --print-config]\n"
	"\n"
	"The control process of tkms: configuration, sealing keys, store of subscribers, "
	"operator's socket. Serves\n"
	"tkms-dataplane and tkmsctl over sockets in node.run_dir.\n"
	"\n"
	"  --config FILE    configuration (default " CONFIG_DEFAULT_PATH ")\n"
	"  --check-config   say \"ok\", or everything that is wrong with file, line and key, and "
	"end\n"
	"  --print-config   print every setting with its default, range and meaning, and end\n"
	"  --no-sandbox     keep privileges, any file, any system call: for debuggers and tracers "
	"only\n"
	"  --version, --help\n"
	"\n"
	"Before the first start: tkmsctl init. SIGHUP reads the configuration again (a wrong one "
	"changes nothing), SIGTERM\n"
	"ends. Exit status: 0 ended by a signal or checked, 1 something is wrong (the last line "
	"says what), 2 usage.\n";

struct options {
	const char *config;
	enum { CONFINED, UNCONFINED } sandbox;
	enum { RUN, CHECK, PRINT, HELP, SHOW_VERSION, WRONG } what;
};

static struct options parse_options(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'}, {"print-config", no_argument, NULL, 'p'},
		{"no-sandbox", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'}, {0}};
	struct options o = {.config = CONFIG_DEFAULT_PATH, .what = RUN};
	int got;

	while ((got = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (got) {
		case 'c':
			o.config = optarg;
			break;
		case 'n':
			o.sandbox = UNCONFINED;
			break;
		case 'k':
			o.what = CHECK;
			break;
		case 'p':
			o.what = PRINT;
			break;
		case 'h':
			o.what = HELP;
			return o;
		case 'v':
			o.what = SHOW_VERSION;
			return o;
		default:
			o.what = WRONG;
			return o;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tkms-control: %s: unknown word\n", argv[optind]);
		o.what = WRONG;
	}
	return o;
}

static int load(const char *path, struct config **config)
{
	struct config_errors errors = {0};
	int err = config_load(path, config, &errors);

	if (err)
		fputs(errors.text ? errors.text : "out of memory\n", stderr);
	free(errors.text);
	return err;
}

/* Keys must neither be swapped out nor be seen by a debugger; what goes through libraries is wiped
 * by their free(). */
static int harden(struct reason *why)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int err;

	umask(077);
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	event_set_mem_functions(wiping_malloc, wiping_realloc, wiping_free);
	(void)setrlimit(
		RLIMIT_MEMLOCK, &unlimited); /* root may; others keep what they were given */
	err = secret_process_harden(SECRET_LOCK_ALL);
	if (err)
		return reason_set(why, err,
			"memory cannot be locked (%s): raise RLIMIT_MEMLOCK (ulimit -l unlimited, "
			"LimitMEMLOCK=infinity)",
			strerror(-err));
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return reason_set(why, -errno, "SIGPIPE cannot be ignored");
	return 0;
}

/* Until the loop takes the signals, which a large store makes some time: nothing has been changed
 * that a start after a crash would not find as well. */
static void on_early_end(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

static int end_early(struct reason *why)
{
	if (signal(SIGTERM, on_early_end) == SIG_ERR || signal(SIGINT, on_early_end) == SIG_ERR)
		return reason_set(why, -errno, "signals cannot be taken");
	return 0;
}

static int run(const struct options *o, struct config *config)
{
	static struct control control;
	struct reason why;
	int err = harden(&why);

	if (!err)
		err = end_early(&why);
	if (!err)
		err = control_open(&control, o->config, config, &why);
	if (!err && o->sandbox == CONFINED) {
		err = confine(config, o->config, &why);
		if (err)
			control_close(&control);
	} else if (!err) {
		log_event(LOG_WARNING, "no sandbox: privileges are kept");
	}
	if (err) {
		log_event(LOG_ERROR, "cannot start", F_TEXT("reason", why.text));
		return EXIT_FAILURE;
	}
	err = control_run(&control);
	control_close(&control);
	log_event(LOG_INFO, "ended");
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = parse_options(argc, argv);
	struct config *config;
	int status;

	switch (o.what) {
	case WRONG:
		fputs("try tkms-control --help\n", stderr);
		return EXIT_USAGE;
	case HELP:
		fputs(help, stdout);
		return EXIT_SUCCESS;
	case SHOW_VERSION:
		puts("tkms-control " TKMS_VERSION);
		return EXIT_SUCCESS;
	case PRINT:
		config_print_defaults(stdout);
		return EXIT_SUCCESS;
	default:
		break;
	}
	if (load(o.config, &config))
		return EXIT_FAILURE;
	if (o.what == CHECK) {
		puts("ok");
		status = EXIT_SUCCESS;
	} else {
		log_configure(
			(enum log_level)config->log.level, (enum log_format)config->log.format);
		status = run(&o, config);
	}
	config_free(config);
	return status;
}
