/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/search.h"

#include <string.h>

/* A trial that loses is tried again: another program may have had the CPU for longer than the rings
 * hold. */
enum { TRIES = 3, STEPS_MAX = 60, WINDOW = 512 };

static const double trial_seconds = 0.5, step = 0.97;

static bool lossless(struct trial *t, double rate, double seconds, struct trial_result *r)
{
	for (int i = 0; i < TRIES; i++) {
		trial_run(t, rate, seconds, 0, r);
		if (r->lost == 0 && r->sent > 0)
			return true;
	}
	return false;
}

/* Down from what a closed loop reaches, until a short and then a long trial lose nothing. */
void search_run(struct trial *t, double seconds, struct search_result *r)
{
	struct trial_result *at = &r->at_rate;
	double rate;

	memset(r, 0, sizeof(*r));
	trial_run(t, 0, trial_seconds, WINDOW, at); /* warms up */
	trial_run(t, 0, trial_seconds, WINDOW, at);
	r->closed_loop = (double)at->answered / at->seconds;
	rate = r->closed_loop * 1.03;
	for (int i = 0; i < STEPS_MAX && r->rate == 0; i++, rate *= step) {
		if (lossless(t, rate, trial_seconds, at) && lossless(t, rate, seconds, at))
			r->rate = rate;
	}
	if (r->rate == 0)
		return;
	r->half_rate = r->rate / 2;
	lossless(t, r->half_rate, seconds, &r->at_half);
}
