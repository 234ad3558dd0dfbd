/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving side of a run. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/clock.h"
#include "bench/load/internal.h"

enum { EVENTS_MAX = 64 };

/* When the kernel got the datagram, on the monotonic clock: the client's own work is not the KMS's
 * latency. */
static uint64_t arrival(struct msghdr *h, uint64_t now_mono, uint64_t now_real)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;
			uint64_t at;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			at = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
			return at < now_real ? now_mono - (now_real - at) : now_mono;
		}
	}
	return now_mono;
}

static void match(
	struct run *run, unsigned int slot, unsigned int *n, unsigned int target, uint64_t when)
{
	struct receiver *r = &run->receiver;
	struct mikey_message m;
	struct flight *fl;

	if (mikey_parse_header(&m, r->octets[slot], r->header[slot].msg_len) != MIKEY_PARSE_OK) {
		run->stats->strays++;
		return;
	}
	fl = flights_find(&run->flights, m.csb_id);
	if (!fl || fl->in_batch) {
		if ((m.csb_id & (FLIGHTS_MAX - 1)) < run->flights.n)
			run->stats->duplicates++;
		else
			run->stats->strays++;
		return;
	}
	fl->in_batch = true;
	r->flight[*n] = fl;
	r->arrival[*n] = when;
	r->target[*n] = (uint16_t)target;
	r->answer[*n] = (struct exchange_answer){
		.x = &fl->x,
		.octets = r->octets[slot],
		.len = r->header[slot].msg_len,
		.grant = run->spec->granted && fl->x.kind == EXCHANGE_REQUEST
				 ? &run->spec->granted[fl->number]
				 : NULL,
	};
	(*n)++;
}

static void act(struct run *run, unsigned int i, uint64_t now)
{
	struct receiver *r = &run->receiver;
	struct flight *fl = r->flight[i];
	const struct exchange_answer *a = &r->answer[i];

	run->stats->results[a->result]++;
	if (a->error_no >= 0)
		run->stats->errors[(uint8_t)a->error_no]++;
	fl->in_batch = false;
	switch (a->result) {
	case EXCHANGE_OK:
		client_plan_answered(&run->pool, r->target[i], now / 1000);
		stats_answer(run->stats, r->target[i], fl->due, r->arrival[i]);
		flights_release(&run->flights, fl);
		return;
	case EXCHANGE_ERROR_VERIFIED: /* the KMS has decided, and its MAC says so: other nodes would
					 say the same */
	case EXCHANGE_KEMAC:
	case EXCHANGE_KEYS:
	case EXCHANGE_POLICY:
		fl->heard = true;
		run_fail(run, fl);
		return;
	case EXCHANGE_ERROR_HINT: /* anybody could have sent that: ask elsewhere */
		fl->heard = true;
		client_plan_hint(&fl->plan, &run->pool, r->target[i], now / 1000);
		if (fl->plan.next_us <= now / 1000)
			run_resend(run, fl, now);
		return;
	default:
		fl->heard = true;
		return;
	}
}

static void judge(struct run *run, unsigned int n)
{
	uint64_t now;

	if (n == 0)
		return;
	exchanger_check(run->exchanger, run->receiver.answer, n, exchange_ntp(clock_real()));
	now = clock_mono();
	for (unsigned int i = 0; i < n; i++)
		act(run, i, now);
}

static void ready_slots(struct receiver *r)
{
	for (unsigned int i = 0; i < EXCHANGE_BATCH_MAX; i++) {
		r->iov[i] = (struct iovec){r->octets[i], sizeof(r->octets[i])};
		r->header[i] = (struct mmsghdr){.msg_hdr = {
							.msg_iov = &r->iov[i],
							.msg_iovlen = 1,
							.msg_control = r->control[i],
							.msg_controllen = sizeof(r->control[i]),
						}};
	}
}

int run_receive(struct run *run, uint64_t wait_ns)
{
	struct receiver *r = &run->receiver;
	struct timespec wait = {(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};
	struct epoll_event event[EVENTS_MAX];
	int n_events = epoll_pwait2(run->targets->epoll, event, EVENTS_MAX, &wait, NULL);
	unsigned int used = 0, n = 0;

	if (n_events < 0)
		return errno == EINTR ? 0 : -errno;
	ready_slots(r);
	for (int i = 0; i < n_events; i++) {
		unsigned int index = event[i].data.u32, target = targets_of(run->targets, index);
		int got;

		if (used == EXCHANGE_BATCH_MAX) {
			judge(run, n);
			used = n = 0;
			ready_slots(r);
		}
		/* An error here is an ICMP one about an earlier datagram: silence, which the timers
		 * handle. */
		got = recvmmsg(run->targets->fd[index], r->header + used, EXCHANGE_BATCH_MAX - used,
			0, NULL);
		if (got <= 0)
			continue;
		uint64_t now_mono = clock_mono(), now_real = clock_real();

		for (unsigned int k = used; k < used + (unsigned int)got; k++)
			match(run, k, &n, target,
				arrival(&r->header[k].msg_hdr, now_mono, now_real));
		used += (unsigned int)got;
	}
	judge(run, n);
	return n_events;
}
