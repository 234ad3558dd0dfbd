/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"

/* A worker that slept before a trial needs a moment to be there: not in the latencies. */
static const uint64_t drain_ns = 300000000, lead_in_ns = 10000000;
/* A turn of the generator takes a few microseconds: after more than this it did not have its CPU.
 */
static const uint64_t held_up_ns = 50000;

struct schedule {
	uint64_t first;	     /* begin of the trial */
	uint64_t begin, end; /* begin: moved by what the generator was held up */
	double interval;     /* ns; 0: none */
	unsigned int window;
	uint64_t total;
	uint64_t outstanding;
	uint64_t last; /* time of the last answer */
	uint64_t turn; /* time of the last turn */
	bool held_up;  /* answers have waited for us */
};

int trial_init(struct trial *t)
{
	t->next = 0;
	t->due = calloc(t->workload->n, sizeof(*t->due));
	t->given_up = calloc(t->workload->n, sizeof(*t->given_up));
	t->kept = calloc(t->workload->n_samples + 1, sizeof(*t->kept));
	t->kept_len = calloc(t->workload->n_samples + 1, sizeof(*t->kept_len));
	if (t->due && t->given_up && t->kept && t->kept_len)
		return 0;
	trial_clear(t);
	return -ENOMEM;
}

void trial_clear(struct trial *t)
{
	free(t->due);
	free(t->given_up);
	free(t->kept);
	free(t->kept_len);
	t->due = NULL;
	t->given_up = NULL;
	t->kept = NULL;
	t->kept_len = NULL;
}

static unsigned int due_now(
	const struct trial *t, const struct schedule *s, const struct trial_result *r, uint64_t now)
{
	uint64_t n;

	(void)t;
	if (s->interval == 0) {
		if (now >= s->end || s->outstanding >= s->window)
			return 0;
		n = s->window - s->outstanding;
	} else {
		n = (uint64_t)((double)(now - s->begin) / s->interval) + 1;
		n = (n < s->total ? n : s->total) - r->sent;
	}
	return n < MEMIF_BURST ? (unsigned int)n : MEMIF_BURST;
}

static void send_due(struct trial *t, struct schedule *s, struct trial_result *r, uint64_t now)
{
	const uint8_t *data[MEMIF_BURST];
	uint16_t len[MEMIF_BURST];
	size_t number[MEMIF_BURST];
	unsigned int n = due_now(t, s, r, now), sent;

	if (n == 0)
		return;
	for (unsigned int i = 0; i < n; i++) {
		number[i] = (t->next + i) % t->workload->n;
		data[i] = frames_at(t->frames, number[i]);
		len[i] = t->frames->len[number[i]];
	}
	sent = memif_send(t->memif, data, len, n);
	/* Without a schedule a full ring only means later. */
	if (s->interval == 0)
		n = sent;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t *due = &t->due[number[i]];

		if (*due) { /* gone round, and not answered yet: given up */
			*due = 0;
			t->given_up[number[i]]++;
			s->outstanding--;
		}
		if (i < sent) {
			*due = s->interval == 0
				       ? now
				       : s->begin + (uint64_t)((double)(r->sent + i) * s->interval);
			s->outstanding++;
		}
	}
	r->refused += n - sent;
	r->sent += n;
	t->next = (t->next + n) % t->workload->n;
}

static void keep(struct trial *t, size_t number, const uint8_t *octets, size_t len)
{
	size_t stride = t->workload->spec.samples ? t->workload->n / t->workload->spec.samples : 0;
	size_t sample;

	if (stride == 0 || number % stride != 0)
		return;
	sample = number / stride;
	if (sample >= t->workload->n_samples || len > EXCHANGE_ANSWER_MAX)
		return;
	memcpy(t->kept[sample], octets, len);
	t->kept_len[sample] = (uint16_t)len;
}

static void take_answer(struct trial *t, struct schedule *s, struct trial_result *r,
	const struct memif_frame *frame, uint64_t now)
{
	uint8_t type =
		t->workload->spec.op == WORKLOAD_RESOLVE ? MIKEY_RESOLVE_RESP : MIKEY_REQUEST_RESP;
	const uint8_t *octets;
	struct mikey_message m;
	size_t len;

	octets = frames_payload(frame->data, frame->len, &len);
	if (!octets && !frames_is_ipv4(frame->data, frame->len))
		return; /* announcements of addresses */
	if (!octets || mikey_parse_header(&m, octets, len) != MIKEY_PARSE_OK ||
		m.data_type != type || m.csb_id >= t->workload->n) {
		r->wrong++;
		return;
	}
	if (t->due[m.csb_id] == 0) {
		if (t->given_up[m.csb_id] == 0)
			r->wrong++;
		else
			t->given_up[m.csb_id]--;
		return;
	}
	if (s->held_up)
		r->untimed++;
	else if (t->due[m.csb_id] >= s->first + lead_in_ns)
		hist_record(&r->latency, now > t->due[m.csb_id] ? now - t->due[m.csb_id] : 0);
	t->due[m.csb_id] = 0;
	s->outstanding--;
	r->answered++;
	keep(t, m.csb_id, octets, len);
}

static void receive(struct trial *t, struct schedule *s, struct trial_result *r)
{
	struct memif_frame frames[MEMIF_BURST];
	unsigned int n = memif_receive(t->memif, frames, MEMIF_BURST);

	if (n == 0) {
		s->held_up = false;
		return;
	}
	s->last = clock_mono();
	for (unsigned int i = 0; i < n; i++)
		take_answer(t, s, r, &frames[i], s->last);
	memif_give_back(t->memif, frames, n);
	s->held_up = s->held_up && n == MEMIF_BURST;
}

/* What was due while the generator did not run moves by that time: it is not the data plane's. */
static uint64_t turn(struct schedule *s, struct trial_result *r)
{
	uint64_t now = clock_mono(), gap = now - s->turn;

	s->turn = now;
	if (gap > held_up_ns) {
		s->begin += gap;
		s->held_up = true;
		r->held_up_ns += gap;
	}
	return now;
}

/* Samples that this trial got answers to. */
static void verify(struct trial *t, struct trial_result *r)
{
	struct exchange_answer answer[EXCHANGE_BATCH_MAX];
	uint64_t now = exchange_ntp(clock_real());
	unsigned int n = 0;

	for (size_t i = 0; i <= t->workload->n_samples; i++) {
		if (n == EXCHANGE_BATCH_MAX || (i == t->workload->n_samples && n > 0)) {
			exchanger_check(t->verifier, answer, n, now);
			for (unsigned int k = 0; k < n; k++)
				r->unverified += answer[k].result != EXCHANGE_OK;
			r->verified += n;
			n = 0;
		}
		if (i == t->workload->n_samples || t->kept_len[i] == 0)
			continue;
		answer[n++] = (struct exchange_answer){
			.x = &t->workload->sample[i].exchange,
			.octets = t->kept[i],
			.len = t->kept_len[i],
		};
	}
	memset(t->kept_len, 0, t->workload->n_samples * sizeof(*t->kept_len));
}

void trial_run(
	struct trial *t, double rate, double seconds, unsigned int window, struct trial_result *r)
{
	struct schedule s = {.window = window};
	uint64_t now;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < t->workload->n; i++) {
		t->given_up[i] += t->due[i] != 0;
		t->due[i] = 0;
	}
	s.first = s.begin = s.last = s.turn = clock_mono();
	s.end = s.begin + (uint64_t)(seconds * 1e9);
	s.interval = rate > 0 ? 1e9 / rate : 0;
	s.total = (uint64_t)(rate * seconds);
	do {
		now = turn(&s, r);
		send_due(t, &s, r, now);
		receive(t, &s, r);
	} while (rate > 0 ? r->sent < s.total : now < s.end);
	r->seconds = (double)(now - s.begin) / 1e9;
	while (s.outstanding > 0 && turn(&s, r) - (s.last > now ? s.last : now) < drain_ns)
		receive(t, &s, r);
	r->lost = r->sent - r->answered;
	verify(t, r);
}
