/* SPDX-License-Identifier: BSD-3-Clause */
/* A new sealing key, hence a new snapshot, at fixed intervals while trials run. */
#ifndef TKMS_BENCH_DATAPLANE_ROTATION_H
#define TKMS_BENCH_DATAPLANE_ROTATION_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "bench/dataplane/feed.h"

struct rotation {
	/* what is used */
	struct feed *feed; /* the thread's alone while it runs */
	unsigned int interval_ms;
	cpu_set_t cpus; /* that the thread may run on */
	bool precede;	/* disturbance_precede() */
	/* private */
	pthread_t thread;
	bool stop;
	int error;
	uint64_t snapshots; /* sent in all */
};

/* Starts the thread. 0 or -errno. */
int rotation_begin(struct rotation *r);

/* Ends it. 0, or -errno of what went wrong: a snapshot could not be sent, or was refused. */
int rotation_end(struct rotation *r);

#endif
