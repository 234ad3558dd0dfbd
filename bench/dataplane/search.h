/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The highest rate that a data plane takes without loss, and what it does there and at half of it.
 * Everything is measured in short slices that take turns, so that the machine's moods hit all
 * alike. A slice during which other programs had the CPUs for over a five-hundredth of the time is
 * repeated a few times.
 */
#ifndef TKMS_BENCH_DATAPLANE_SEARCH_H
#define TKMS_BENCH_DATAPLANE_SEARCH_H

#include <sys/types.h>

#include "bench/dataplane/rotation.h"
#include "bench/dataplane/trial.h"

struct search {
	struct trial *trial;
	pid_t pid;			   /* data plane */
	double seconds;			   /* of measuring, after the search */
	double (*engine_slice)(void *arg); /* times the engine alone on the worker's CPU: op/s */
	void *arg;
	struct rotation *rotation; /* NULL: without */
};

/* With and without rotation, in slices that take turns. */
struct search_steadiness {
	double closed_loop; /* op/s, median */
	struct trial_result at_half;
};

struct search_result {
	double engine;	    /* op/s of the engine alone, median */
	double closed_loop; /* answers a second with a window of frames always outstanding, median
			     */
	double rate;	    /* highest rate without loss; 0: none was found */
	double half_rate;
	struct trial_result at_rate; /* sums over the slices */
	struct trial_result at_half;
	uint64_t wrong; /* answers in all slices, the search included */
	unsigned int rounds;
	unsigned int disturbed; /* slices repeated */
	unsigned int accepted;	/* slices that stayed disturbed */
	struct search_steadiness rotating;
};

/* 0 or -errno: of the rotation. */
int search_run(const struct search *s, struct search_result *r);

#endif
