/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/engine/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "bench/clock.h"
#include "bench/engine/evp.h"
#include "bench/engine/runner.h"
#include "common/crypto/floor.h"
#include "dataplane/engine/kdf108.h"

enum { SERIES_MAX = 100000, REFUSED_MESSAGES = 4096, PROFILE_SLICES = 100 };

static const uint64_t slice_ns = 5000000, short_slice_ns = 2000000;

enum series_id {
	SERIES_ENGINE,
	SERIES_SINGLE,
	SERIES_OPENSSL,
	SERIES_REFERENCE,
	SERIES_FLOOR,
	SERIES_MALFORMED,
	SERIES_GARBAGE,
	SERIES_COUNT
};

struct series {
	size_t n, cap;
	double *value;
};

/* All that is measured in turn. */
struct bench {
	const struct measure_spec *spec;
	struct workload *workload;
	struct workload malformed, garbage; /* other messages, same world */
	struct runner runner[SERIES_COUNT];
	struct crypto_floor *floor;
	struct evp *evp;
	struct series series[SERIES_COUNT];
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(struct series *s)
{
	if (s->n == 0)
		return 0;
	qsort(s->value, s->n, sizeof(*s->value), compare_doubles);
	return s->n % 2 ? s->value[s->n / 2] : (s->value[s->n / 2 - 1] + s->value[s->n / 2]) / 2;
}

static int series_add(struct series *s, double value)
{
	if (s->n == s->cap) {
		size_t bigger = s->cap ? s->cap * 2 : 64;
		double *grown = realloc(s->value, bigger * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->value = grown;
		s->cap = bigger;
	}
	s->value[s->n++] = value;
	return 0;
}

/* Messages that no subscriber sent: valid ones with an octet too many, and random octets. */
static int make_refused(struct bench *b)
{
	const struct workload *w = b->workload;
	size_t len = w->message_len + 1U, n = w->n < REFUSED_MESSAGES ? w->n : REFUSED_MESSAGES;
	struct workload *const both[] = {&b->malformed, &b->garbage};
	struct rng rng;

	rng_seed(&rng, 2);
	for (int k = 0; k < 2; k++) {
		struct workload *out = both[k];

		*out = *w;
		out->n = n;
		out->octets = calloc(n, len);
		out->message = calloc(n, sizeof(*out->message));
		if (!out->octets || !out->message)
			return -ENOMEM;
		for (size_t i = 0; i < n; i++) {
			uint8_t *octets = out->octets + i * len;

			out->message[i] = (struct workload_message){
				octets, (uint16_t)(w->message[i].len + (k == 0)), VERDICT_COUNT};
			if (k == 0)
				memcpy(octets, w->message[i].octets, w->message[i].len);
			else
				rng_fill(&rng, octets, len);
		}
	}
	return 0;
}

/* Every long-lived key the engine may use, by where its prepared form lies. */
static int make_evp(struct bench *b)
{
	const struct workload *w = b->workload;
	struct sealing_key *tpk = &w->keyring.keys[0];
	uint8_t gk[CRYPTO_SHA256_LEN];

	b->evp = evp_new(w->parties.n + 2);
	if (!b->evp)
		return -errno;
	for (size_t i = 0; i < w->parties.n; i++) {
		const struct party *p = &w->parties.party[i];
		const struct subscriber *s;

		subscriber_table_lookup(w->table, &p->psk_id, 1, &s);
		evp_add_key(b->evp, &s->psk, p->psk, p->psk_len);
	}
	kdf108_generation_key(b->runner[SERIES_ENGINE].crypto, w->tpk, sizeof(w->tpk),
		(struct identity){tpk->id, tpk->id_len}, gk);
	evp_add_key(b->evp, &tpk->tpk, w->tpk, sizeof(w->tpk));
	evp_add_key(b->evp, &tpk->gk, gk, sizeof(gk));
	return 0;
}

static int open_runners(struct bench *b)
{
	static const struct {
		enum series_id id;
		const char *backend;
		bool single;
	} runners[] = {
		{SERIES_ENGINE, NULL, false},
		{SERIES_SINGLE, NULL, true},
		{SERIES_OPENSSL, "openssl", true},
		{SERIES_REFERENCE, "openssl", true},
		{SERIES_MALFORMED, NULL, false},
		{SERIES_GARBAGE, NULL, false},
	};
	int r = make_refused(b);

	for (size_t i = 0; r == 0 && i < sizeof(runners) / sizeof(runners[0]); i++) {
		const struct workload *w = runners[i].id == SERIES_MALFORMED ? &b->malformed
					   : runners[i].id == SERIES_GARBAGE ? &b->garbage
									     : b->workload;

		r = runner_open(&b->runner[runners[i].id], w, runners[i].backend,
			runners[i].single ? 1 : b->spec->batch);
	}
	if (r == 0)
		r = make_evp(b);
	if (r == 0 && !(b->floor = crypto_floor_open()))
		r = -errno;
	return r;
}

static void close_all(struct bench *b)
{
	for (int i = 0; i < SERIES_COUNT; i++) {
		if (b->runner[i].engine)
			runner_close(&b->runner[i]);
		free(b->series[i].value);
	}
	evp_free(b->evp);
	if (b->floor)
		crypto_floor_close(b->floor);
	free(b->malformed.octets);
	free(b->malformed.message);
	free(b->garbage.octets);
	free(b->garbage.message);
	workload_free(b->workload);
}

static double floor_slice(struct bench *b)
{
	uint64_t begin = clock_thread(), now, n = 0;

	do {
		n += crypto_floor_burst(b->floor);
		now = clock_thread();
	} while (now - begin < short_slice_ns);
	return (double)(now - begin) / (double)n;
}

static uint64_t slice(struct bench *b, enum series_id id, uint64_t ns, uint64_t *spent)
{
	uint64_t n;

	counters_divert(id == SERIES_OPENSSL ? b->evp : NULL);
	n = runner_slice(&b->runner[id], ns, spent);
	counters_divert(NULL);
	return n;
}

static int round_of_slices(struct bench *b)
{
	int r = series_add(&b->series[SERIES_FLOOR], floor_slice(b));

	for (int i = 0; r == 0 && i < SERIES_COUNT; i++) {
		bool refused = i == SERIES_MALFORMED || i == SERIES_GARBAGE;
		uint64_t spent, n;

		if (i == SERIES_FLOOR)
			continue;
		n = slice(b, (enum series_id)i, refused ? short_slice_ns : slice_ns, &spent);
		r = series_add(&b->series[i], (double)spent / (double)n);
	}
	return r;
}

/* One slice with the counters on; ticks of the stages and of the rest. Returns ticks a message. */
static double count_slice(struct bench *b, struct counters *c, uint64_t *counted)
{
	uint64_t begin = __rdtsc(), spent, all, inside = 0;

	memset(c, 0, sizeof(*c));
	counters_attach(c);
	*counted = runner_slice(&b->runner[SERIES_ENGINE], short_slice_ns, &spent);
	counters_attach(NULL);
	all = __rdtsc() - begin;
	for (int i = COUNTERS_OUTSIDE + 1; i < COUNTERS_STAGES; i++)
		inside += c->stage[i].ticks;
	c->stage[COUNTERS_OUTSIDE].ticks = all - inside;
	return (double)all / (double)*counted;
}

/* The counters' cost is in no result but the profile, which is that of the least disturbed slice.
 */
static void count(struct bench *b, struct measure *m)
{
	double best = 0;

	m->ticks_per_ns = counters_ticks_per_ns();
	for (int i = 0; i < PROFILE_SLICES; i++) {
		struct counters c;
		uint64_t counted;
		double ticks = count_slice(b, &c, &counted);

		if (i > 0 && ticks >= best)
			continue;
		best = ticks;
		m->counters = c;
		m->counted = counted;
	}
	m->compressions = (double)counters_compressions(&m->counters) / (double)m->counted;
	for (int i = 0; i < COUNTERS_STAGES; i++)
		for (int k = 0; k < COUNTERS_CRYPTO; k++)
			m->crypto_ops[k] +=
				(double)m->counters.stage[i].ops[k] / (double)m->counted;
}

static int run(struct bench *b, struct measure *m)
{
	uint64_t spent, begin;
	int r = open_runners(b);

	/* Caches, page tables and clock frequency settle. */
	for (int i = 0; r == 0 && i < SERIES_COUNT; i++) {
		if (i != SERIES_FLOOR)
			slice(b, (enum series_id)i, short_slice_ns, &spent);
	}
	begin = clock_mono();
	while (r == 0 && (double)(clock_mono() - begin) < b->spec->seconds * 1e9 &&
		m->rounds < SERIES_MAX) {
		r = round_of_slices(b);
		m->rounds++;
	}
	if (r < 0) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(-r));
		return -1;
	}
	count(b, m);
	for (int i = 0; i < SERIES_COUNT; i++) {
		if (b->runner[i].surprises) {
			fprintf(stderr,
				"tkms-bench: %llu messages got another verdict than expected: no "
				"result\n",
				(unsigned long long)b->runner[i].surprises);
			return -1;
		}
	}
	return 0;
}

int measure_engine(const struct measure_spec *spec, struct measure *m)
{
	struct bench b = {.spec = spec};
	int r;

	memset(m, 0, sizeof(*m));
	b.workload = workload_build(&spec->workload);
	if (!b.workload)
		return -1;
	r = run(&b, m);
	m->engine_ns = median(&b.series[SERIES_ENGINE]);
	m->single_ns = median(&b.series[SERIES_SINGLE]);
	m->openssl_ns = median(&b.series[SERIES_OPENSSL]);
	m->reference_ns = median(&b.series[SERIES_REFERENCE]);
	m->compression_ns = median(&b.series[SERIES_FLOOR]);
	m->malformed_ns = median(&b.series[SERIES_MALFORMED]);
	m->garbage_ns = median(&b.series[SERIES_GARBAGE]);
	m->request_len = b.workload->message_len;
	m->response_len = b.workload->response_len;
	close_all(&b);
	return r;
}
