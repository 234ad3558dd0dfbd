/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of tkms-dataplane. Everything after "--" belongs to DPDK's EAL. */
#ifndef TKMS_DATAPLANE_OPTIONS_H
#define TKMS_DATAPLANE_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

enum {
	OPTIONS_WORKERS_MAX = 64,
	OPTIONS_CPUS_MAX = 128,
	OPTIONS_MTUS_MAX = 16,
	OPTIONS_CPU_NUMBER_MAX = 1023
};

enum options_action { OPTIONS_RUN, OPTIONS_PREFLIGHT, OPTIONS_VERSION, OPTIONS_HELP };
enum options_sandbox { OPTIONS_SANDBOX, OPTIONS_NO_SANDBOX };
enum options_poll { OPTIONS_POLL_ADAPTIVE, OPTIONS_POLL_BUSY };

struct options {
	enum options_action action;
	enum options_poll poll;
	enum options_sandbox sandbox;
	const char *socket;
	const char *crypto; /* backend, NULL: the default */
	unsigned int workers;
	unsigned int n_cpus; /* 0: those that the process may use */
	uint16_t cpus[OPTIONS_CPUS_MAX];
	uint16_t queue_size;
	unsigned int n_mtus; /* 0: what the ports say; the last one holds for further ports */
	uint16_t mtus[OPTIONS_MTUS_MAX];
	int n_eal;
	char **eal; /* into argv */
};

/* 0; -EINVAL after saying why on err. Results point into argv. */
int options_parse(struct options *o, int argc, char **argv, FILE *err);

/* "0,2-5" into numbers: how many, or -EINVAL. */
int options_parse_cpus(const char *list, uint16_t *cpus, unsigned int max);

void options_help(FILE *out);

#endif
