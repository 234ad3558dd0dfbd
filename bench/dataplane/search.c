/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/dataplane/disturbance.h"

enum {
	REPEATS = 4,	  /* of a disturbed slice */
	TRIES = 2,	  /* of a rate that loses undisturbed */
	SMALL_STEPS = 10, /* then the machine is to blame, and steps are large */
	STEPS_MAX = 30,
	WINDOW = 512,
	ROTATING_LENIENCY = 10,
	ROUNDS_MAX = 4096,
};

static const double slice_seconds = 0.25, closed_seconds = 0.1, small_step = 0.98, large_step = 0.8,
		    patience_seconds = 10, pause_share = 0.12, disturbed_share = 0.002;

struct medians {
	size_t n;
	double value[ROUNDS_MAX];
};

struct run {
	const struct search *s;
	struct search_result *r;
	struct trial_result slice;
	struct medians engine, closed, closed_rotating;
	double rate;
	unsigned int lowered;
	bool rotating;
	bool clean, clean_rotating; /* the sums at half the rate are of undisturbed slices */
	uint64_t patience_ends;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void medians_add(struct medians *m, double value)
{
	if (m->n < ROUNDS_MAX)
		m->value[m->n++] = value;
}

static double median(struct medians *m)
{
	if (m->n == 0)
		return 0;
	qsort(m->value, m->n, sizeof(m->value[0]), compare);
	return (m->value[(m->n - 1) / 2] + m->value[m->n / 2]) / 2;
}

static void add_result(struct trial_result *sum, const struct trial_result *t)
{
	sum->seconds += t->seconds;
	sum->sent += t->sent;
	sum->answered += t->answered;
	sum->lost += t->lost;
	sum->refused += t->refused;
	sum->wrong += t->wrong;
	sum->verified += t->verified;
	sum->unverified += t->unverified;
	sum->held_up_ns += t->held_up_ns;
	sum->untimed += t->untimed;
	hist_merge(&sum->latency, &t->latency);
}

/* Disturbed slices count only as long as there are no others. */
static void add_slice(
	struct trial_result *sum, bool *clean, const struct trial_result *t, bool undisturbed)
{
	if (*clean && !undisturbed)
		return;
	if (undisturbed && !*clean)
		memset(sum, 0, sizeof(*sum));
	*clean = undisturbed;
	add_result(sum, t);
}

/* One slice into run->slice; rate 0: closed loop. Returns: nobody disturbed it. */
static bool slice(struct run *run, double rate, double seconds)
{
	for (int i = 0; i < REPEATS; i++) {
		uint64_t before, waited;

		/* Others get their turn here rather than in the slice; the kernel sees to it that
		 * real-time threads leave them a twentieth. */
		usleep((unsigned int)(pause_share * seconds * 1e6));
		before = disturbance_ns(run->s->pid);
		trial_run(run->s->trial, rate, seconds, WINDOW, &run->slice);
		run->r->wrong += run->slice.wrong + run->slice.unverified;
		waited = disturbance_ns(run->s->pid) - before;
		/* A thread that used up the share of real-time threads does not count as waiting. A
		 * rotation takes the generator's CPU for moments, and that is no disturbance. */
		if (run->rotating)
			waited /= ROTATING_LENIENCY;
		else if (waited < run->slice.held_up_ns)
			waited = run->slice.held_up_ns;
		if ((double)waited < disturbed_share * seconds * 1e9)
			return true;
		/* What loses nothing in spite of it needs no repetition. */
		if (rate > 0 && rate >= run->rate && run->slice.lost == 0)
			return true;
		run->r->disturbed++;
	}
	run->r->accepted++;
	return false;
}

static double closed_loop(struct run *run)
{
	slice(run, 0, closed_seconds);
	return (double)run->slice.answered / run->slice.seconds;
}

static void lower(struct run *run)
{
	bool patient = run->lowered++ < SMALL_STEPS && clock_mono() < run->patience_ends;

	run->rate *= patient ? small_step : large_step;
}

static bool holds(struct run *run, double rate)
{
	for (int i = 0; i < TRIES; i++) {
		slice(run, rate, slice_seconds);
		if (run->slice.lost == 0 && run->slice.sent > 0)
			return true;
	}
	return false;
}

/* Down from what a closed loop reaches. */
static void find_rate(struct run *run)
{
	double closed;

	(void)closed_loop(run); /* warms up */
	for (int i = 0; i < 5; i++)
		medians_add(&run->closed, closed_loop(run));
	closed = median(&run->closed);
	run->closed.n = 0;
	run->rate = closed * 1.03;
	for (; run->lowered < STEPS_MAX; lower(run))
		if (holds(run, run->rate))
			return;
	run->rate = 0;
}

static void forget(struct run *run)
{
	struct search_result *r = run->r;

	run->clean = run->clean_rotating = false;
	memset(&r->at_rate, 0, sizeof(r->at_rate));
	memset(&r->at_half, 0, sizeof(r->at_half));
	memset(&r->rotating, 0, sizeof(r->rotating));
	r->rounds = 0;
}

static int rotating_slices(struct run *run)
{
	int err = rotation_begin(run->s->rotation);
	bool clean;

	if (err)
		return err;
	run->rotating = true;
	medians_add(&run->closed_rotating, closed_loop(run));
	clean = slice(run, run->rate / 2, slice_seconds);
	add_slice(&run->r->rotating.at_half, &run->clean_rotating, &run->slice, clean);
	run->rotating = false;
	return rotation_end(run->s->rotation);
}

/* A rate that loses now after all was too high: on with a lower one from the beginning. */
static int round_of_slices(struct run *run)
{
	struct search_result *r = run->r;
	bool clean;

	if (!holds(run, run->rate) && run->lowered < STEPS_MAX) {
		lower(run);
		forget(run);
		return 0;
	}
	add_result(&r->at_rate, &run->slice);
	medians_add(&run->engine, run->s->engine_slice(run->s->arg));
	medians_add(&run->closed, closed_loop(run));
	clean = slice(run, run->rate / 2, slice_seconds);
	add_slice(&r->at_half, &run->clean, &run->slice, clean);
	r->rounds++;
	return run->s->rotation ? rotating_slices(run) : 0;
}

static int run_all(struct run *run)
{
	uint64_t end;
	int err = 0;

	find_rate(run);
	if (run->rate == 0)
		return 0;
	end = clock_mono() + (uint64_t)(run->s->seconds * 1e9);
	while (err == 0 && (run->r->rounds == 0 || clock_mono() < end))
		err = round_of_slices(run);
	run->r->rate = run->rate;
	run->r->half_rate = run->rate / 2;
	run->r->engine = median(&run->engine);
	run->r->closed_loop = median(&run->closed);
	run->r->rotating.closed_loop = median(&run->closed_rotating);
	return err;
}

int search_run(const struct search *s, struct search_result *r)
{
	struct run *run = calloc(1, sizeof(*run));
	int err;

	memset(r, 0, sizeof(*r));
	if (!run)
		return -ENOMEM;
	run->s = s;
	run->r = r;
	run->patience_ends = clock_mono() + (uint64_t)((patience_seconds + s->seconds) * 1e9);
	err = run_all(run);
	free(run);
	return err;
}
