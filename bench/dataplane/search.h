/* SPDX-License-Identifier: BSD-3-Clause */
/* The highest rate that a data plane takes without loss, and what it does there and at half of it.
 */
#ifndef TKMS_BENCH_DATAPLANE_SEARCH_H
#define TKMS_BENCH_DATAPLANE_SEARCH_H

#include "bench/dataplane/trial.h"

struct search_result {
	double closed_loop; /* answers a second with a window of frames always outstanding */
	double rate;	    /* highest rate without loss; 0: none was found */
	struct trial_result at_rate;
	double half_rate;
	struct trial_result at_half;
};

/* seconds: of the two measurements; trials on the way are shorter. */
void search_run(struct trial *t, double seconds, struct search_result *r);

#endif
