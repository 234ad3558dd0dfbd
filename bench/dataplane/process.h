/* SPDX-License-Identifier: BSD-3-Clause */
/* A tkms-dataplane of our own, in a directory of its own that goes with it. */
#ifndef TKMS_BENCH_DATAPLANE_PROCESS_H
#define TKMS_BENCH_DATAPLANE_PROCESS_H

#include <sys/types.h>

enum { PROCESS_PATH_MAX = 256 };

struct process {
	pid_t pid; /* 0: none */
	char directory[PROCESS_PATH_MAX];
	char control[PROCESS_PATH_MAX]; /* socket to listen at */
	char memif[PROCESS_PATH_MAX];	/* socket of its port */
	char log[PROCESS_PATH_MAX];
};

/* Makes the directory and the names. 0 or -errno. */
int process_prepare(struct process *p);

/* program: NULL: found next to tkms-bench or in PATH. poll: adaptive or busy. 0 or -errno. */
int process_start(struct process *p, const char *program, int cpu, const char *poll,
	const char *mac, int ring_log2);

/* Has it ended? */
int process_ended(struct process *p);

/* Prints the end of its log to stderr. */
void process_print_log(const struct process *p);

/* Ends it and removes the directory. */
void process_stop(struct process *p);

#endif
