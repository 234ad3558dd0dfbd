/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "bench/load/internal.h"

/* Turns that all bring answers, after which timers are looked at all the same. */
enum { BUSY_TURNS_MAX = 64 };

static const uint64_t ns_per_ms = 1000000, ns_per_us = 1000;
/* Waits shorter than this are spent polling: a sleep would oversleep. */
static const uint64_t poll_below_ns = 20000;

static int socket_of(const struct run *run, unsigned int target, unsigned int source)
{
	return run->targets->fd[target * run->targets->sources + source];
}

static void arm(struct run *run, struct flight *fl)
{
	const struct client_plan *p = &fl->plan;

	flights_arm(
		&run->flights, fl, (p->next_us < p->end_us ? p->next_us : p->end_us) * ns_per_us);
}

void run_resend(struct run *run, struct flight *fl, uint64_t now)
{
	unsigned int target = client_plan_send(&fl->plan, &run->pool, now / ns_per_us);
	int fd = socket_of(run, target, run->next_source);

	run->next_source = (run->next_source + 1) % run->targets->sources;
	if (fl->plan.sent == 2)
		run->stats->retried++;
	run->stats->retransmissions++;
	/* A pending ICMP error of an earlier datagram is reported once and is not about this one.
	 */
	if (send(fd, fl->x.octets, fl->x.len, 0) < 0 && send(fd, fl->x.octets, fl->x.len, 0) < 0)
		run->stats->send_errors++;
	arm(run, fl);
}

void run_fail(struct run *run, struct flight *fl)
{
	run->stats->failed++;
	if (!fl->heard)
		run->stats->lost++;
	flights_release(&run->flights, fl);
}

void exchange_choose(struct exchange *x, uint64_t i, enum load_op op, const struct parties *p,
	const struct grant *pool, size_t n_pool)
{
	x->kind = op == LOAD_REQUEST || (op == LOAD_MIX && i % 2 == 0) ? EXCHANGE_REQUEST
								       : EXCHANGE_RESOLVE;
	if (x->kind == EXCHANGE_REQUEST) {
		x->grant = NULL;
		x->initiator = &p->party[i % p->n];
		x->responder = &p->party[(i + 1 + i / p->n) % p->n];
	} else {
		x->grant = &pool[i % n_pool];
	}
}

/* Builds the next messages of the schedule. */
static void prepare(struct run *run, uint64_t now)
{
	struct exchange *x[RUN_AHEAD_MAX];
	unsigned int n = 0;
	bool free_run = run->interval == 0;

	while (run->n_prepared + n < run->ahead && run->number < run->total) {
		struct flight *fl;

		if (free_run && run->flights.in_use >= run->spec->window)
			break;
		fl = flights_take(&run->flights);
		if (!fl)
			break;
		fl->number = run->number++;
		fl->due = free_run ? now
				   : run->stats->begin +
					     (uint64_t)((double)fl->number * run->interval);
		exchange_choose(&fl->x, fl->number, run->spec->op, run->spec->parties,
			run->spec->pool, run->spec->n_pool);
		run->prepared[run->n_prepared + n] = fl;
		x[n++] = &fl->x;
	}
	if (n > 0)
		exchanger_build(run->exchanger, x, n, exchange_ntp(clock_real()));
	run->n_prepared += n;
}

static void count_sent(struct run *run, struct flight *fl, uint64_t now)
{
	uint64_t late = now > fl->due ? now - fl->due : 0;

	run->stats->sent++;
	if (late > STATS_LATE_NS)
		run->stats->late++;
	if (late > run->stats->max_late)
		run->stats->max_late = late;
	fl->plan.end_us = fl->due / ns_per_us + LOAD_TIMEOUT_MS * 1000;
	arm(run, fl);
}

/* The first message of each goes to the same target: all begin with the same one, and nothing
 * becomes known of it meanwhile. */
static unsigned int plan_due(struct run *run, unsigned int n, uint64_t now)
{
	unsigned int target = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct client_plan *p = &run->prepared[i]->plan;

		client_plan_begin(p, &CLIENT_TIMING_DEFAULT, now / ns_per_us, run->next_target,
			rng_next(exchanger_rng(run->exchanger)));
		target = client_plan_send(p, &run->pool, now / ns_per_us);
	}
	return target;
}

/* Sends what is due, all to one target; the next call takes the next one. */
static void send_due(struct run *run, uint64_t now)
{
	struct mmsghdr header[RUN_AHEAD_MAX];
	struct iovec iov[RUN_AHEAD_MAX];
	unsigned int n = 0;
	int fd, sent;

	for (; n < run->n_prepared && run->prepared[n]->due <= now; n++) {
		iov[n] = (struct iovec){run->prepared[n]->x.octets, run->prepared[n]->x.len};
		header[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[n], .msg_iovlen = 1}};
	}
	if (n == 0)
		return;
	fd = socket_of(run, plan_due(run, n, now), run->next_source);
	run->next_target = (run->next_target + 1) % run->targets->n;
	run->next_source = (run->next_source + 1) % run->targets->sources;
	sent = sendmmsg(fd, header, n, 0);
	if (sent < 0)
		sent = sendmmsg(fd, header, n, 0); /* as in run_resend() */
	if (sent < 0) {
		if (errno == EAGAIN || errno == ENOBUFS)
			return;
		run->stats->send_errors++;
		sent = 1; /* silence for the first one: its timer tries elsewhere */
	}
	for (int i = 0; i < sent; i++)
		count_sent(run, run->prepared[i], now);
	run->n_prepared -= (unsigned int)sent;
	memmove(run->prepared, run->prepared + sent, run->n_prepared * sizeof(run->prepared[0]));
}

/*
 * now: from before all that had arrived was taken. A client that was kept from the CPU for a while
 * first sees what came in the meantime.
 */
static void retries(struct run *run, uint64_t now)
{
	struct flight *fl;

	while ((fl = flights_due(&run->flights, now)) != NULL) {
		if (now / ns_per_us >= fl->plan.end_us)
			run_fail(run, fl);
		else
			run_resend(run, fl, now);
	}
}

static void finish_schedule(struct run *run, uint64_t now)
{
	for (unsigned int i = 0; i < run->n_prepared; i++)
		flights_release(&run->flights, run->prepared[i]);
	run->n_prepared = 0;
	run->over = true;
	stats_end(run->stats, now);
}

static void check_over(struct run *run, uint64_t now)
{
	bool stopped = (run->spec->stop && *run->spec->stop) ||
		       (run->spec->give_up && run->stats->failed >= run->spec->give_up);
	bool all_sent = run->number >= run->total && run->n_prepared == 0;

	if (stopped || (all_sent && run->total != UINT64_MAX && run->interval == 0))
		finish_schedule(run, now);
	else if (now >= run->end && (all_sent || run->interval == 0))
		finish_schedule(run, run->interval == 0 ? now : run->end);
}

static uint64_t wait_time(const struct run *run, uint64_t now)
{
	uint64_t due;

	if (!run->over && run->n_prepared > 0) {
		due = run->prepared[0]->due;
		if (due <= now + poll_below_ns)
			return 0;
		return due - now - poll_below_ns < ns_per_ms ? due - now - poll_below_ns
							     : ns_per_ms;
	}
	return ns_per_ms;
}

static int loop(struct run *run)
{
	struct stats *before = malloc(sizeof(*before));
	uint64_t next_line = run->stats->begin + 1000 * ns_per_ms;
	int r = 0;

	if (!before)
		return -ENOMEM;
	*before = *run->stats;
	while (r >= 0 && !(run->over && run->flights.in_use == 0)) {
		uint64_t now = clock_mono();

		if (!run->over) {
			if (run->n_prepared <= run->ahead / 2)
				prepare(run, now);
			send_due(run, now);
			check_over(run, now);
		}
		if (run->spec->progress && now >= next_line) {
			stats_progress(run->stats, before, run->flights.in_use);
			*before = *run->stats;
			next_line += 1000 * ns_per_ms;
		}
		r = run_receive(run, wait_time(run, now));
		if (r == 0 || ++run->busy_turns == BUSY_TURNS_MAX) {
			retries(run, now);
			run->busy_turns = 0;
		}
	}
	free(before);
	return r < 0 ? r : 0;
}

static uint32_t flights_needed(const struct run_spec *spec)
{
	double n = spec->rate > 0 ? spec->rate * (LOAD_TIMEOUT_MS + 200) / 1000 + 1024
				  : spec->window + RUN_AHEAD_MAX;

	return n < FLIGHTS_MAX ? (uint32_t)n : FLIGHTS_MAX;
}

int run_load(
	const struct run_spec *spec, struct exchanger *e, const struct targets *t, struct stats *s)
{
	struct run *run = calloc(1, sizeof(*run));
	double per_two_ms = spec->rate / 500;
	int r;

	if (!run)
		return -ENOMEM;
	run->spec = spec;
	run->exchanger = e;
	run->targets = t;
	run->stats = s;
	run->pool.n = t->n;
	run->ahead = spec->rate == 0 || per_two_ms > RUN_AHEAD_MAX ? RUN_AHEAD_MAX
		     : per_two_ms < 1				   ? 1
								   : (unsigned int)per_two_ms;
	run->interval = spec->rate > 0 ? 1e9 / spec->rate : 0;
	run->total = spec->total;
	if (spec->rate > 0)
		run->total = (uint64_t)ceil(spec->rate * spec->seconds);
	r = flights_init(&run->flights, flights_needed(spec), spec->message_cap, exchanger_rng(e),
		clock_mono());
	if (r == 0) {
		stats_begin(s, clock_mono());
		run->end = s->begin + (uint64_t)(spec->seconds * 1e9);
		r = loop(run);
		if (spec->progress)
			fputc('\n', stderr);
		flights_clear(&run->flights);
	}
	free(run);
	return r;
}
