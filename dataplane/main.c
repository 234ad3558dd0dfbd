/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "dataplane/dataplane.h"
#include "dataplane/log.h"
#include "dataplane/preflight.h"

enum exit_status { EXIT_SERVED = 0, EXIT_MISSING = 1, EXIT_USAGE = 2 };

/* Blocked before any thread exists: only the main thread sees them, through the descriptor. */
static int take_signals(void)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err)
		return -err;
	err = signalfd(-1, &set, SFD_CLOEXEC);
	return err < 0 ? -errno : err;
}

static int run(const struct options *o)
{
	struct eal_facts facts;
	struct dataplane *d;
	int signal_fd, err;

	err = secret_process_harden(SECRET_LOCK_SELECTED);
	if (err) {
		log_line(LOG_ERROR, "cannot keep secrets out of core dumps", "error=\"%s\"",
			strerror(-err));
		return EXIT_MISSING;
	}
	signal_fd = take_signals();
	err = eal_facts_gather(&facts);
	if (signal_fd < 0 || err) {
		log_line(LOG_ERROR, "cannot set up the process", "error=\"%s\"",
			strerror(err ? -err : -signal_fd));
		return EXIT_MISSING;
	}
	if (preflight_run(o, &facts) > 0)
		return EXIT_MISSING;
	if (o->action == OPTIONS_PREFLIGHT) {
		log_line(LOG_INFO, "preflight passed", "%s", "");
		return EXIT_SERVED;
	}
	d = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*d), RTE_CACHE_LINE_SIZE));
	if (!d) {
		log_line(LOG_ERROR, "out of memory", "%s", "");
		return EXIT_MISSING;
	}
	err = dataplane_open(d, o, &facts);
	if (!err)
		err = dataplane_serve(d, signal_fd);
	dataplane_close(d);
	free(d);
	close(signal_fd);
	return err ? EXIT_MISSING : EXIT_SERVED;
}

int main(int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, argc, argv, stderr) < 0)
		return EXIT_USAGE;
	switch (options.action) {
	case OPTIONS_HELP:
		options_help(stdout);
		return EXIT_SERVED;
	case OPTIONS_VERSION:
		printf("tkms-dataplane %s\n", TKMS_VERSION);
		return EXIT_SERVED;
	default:
		return run(&options);
	}
}
