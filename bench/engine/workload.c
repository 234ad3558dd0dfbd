/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/engine/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "common/crypto/secret.h"

enum { UID_LEN_MIN = 44, SPARE_PER_MESSAGE = 64 };

static const char kms_name[] = "kms@ims.mnc001.mcc001.3gppnetwork.org";
static const char sealing_key_id[] = KEYRING_ID_PREFIX "0123456789abcdef";
static const uint64_t seed = 1;

struct engine_view workload_view(const struct workload *w)
{
	return (struct engine_view){
		.keyring = &w->keyring, .policy = &w->policy, .subscribers = w->table};
}

/* Everything needed while messages are made. */
struct maker {
	struct workload *w;
	struct crypto *crypto;	     /* default backend: the engine's */
	struct exchanger *exchanger; /* OpenSSL: an opinion of its own */
	struct engine *engine;
	struct engine_msg msg[EXCHANGE_BATCH_MAX];
	struct exchange exchange[EXCHANGE_BATCH_MAX];
	struct exchange_answer answer[EXCHANGE_BATCH_MAX];
	struct grant grant[EXCHANGE_BATCH_MAX];
	uint8_t init[EXCHANGE_BATCH_MAX][EXCHANGE_MESSAGE_MAX];
	uint8_t resp[EXCHANGE_BATCH_MAX][EXCHANGE_ANSWER_MAX];
};

static void maker_free(struct maker *m)
{
	if (!m)
		return;
	engine_free(m->engine);
	crypto_close(m->crypto);
	exchanger_free(m->exchanger);
	secret_wipe(m, sizeof(*m));
	free(m);
}

static int make_keyring(struct workload *w, struct crypto *crypto)
{
	int64_t now = (int64_t)(w->ntp_now >> 32);
	struct rng rng;
	struct sealing_key_spec spec = {
		.id = {(const uint8_t *)sealing_key_id, sizeof(sealing_key_id) - 1},
		.key = w->tpk,
		.len = sizeof(w->tpk),
		.seals_from = now - 86400,
		.seals_until = now + 86400 * 30,
		.resolves_until = now + 86400 * 365,
		.state = SEALING_ACTIVE,
	};

	rng_seed(&rng, seed);
	rng_fill(&rng, w->tpk, sizeof(w->tpk));
	return keyring_build(&w->keyring, crypto, 1, &spec, 1);
}

static int make_table(struct workload *w, struct crypto *crypto)
{
	w->table = subscriber_table_new(w->parties.n);
	if (!w->table)
		return -ENOMEM;
	for (size_t i = 0; i < w->parties.n; i++) {
		const struct party *p = &w->parties.party[i];
		struct subscriber_spec spec = {
			.psk_id = p->psk_id,
			.psk = p->psk,
			.psk_len = p->psk_len,
			.uids = &p->uid,
			.n_uids = 1,
		};
		int r = subscriber_table_put(w->table, crypto, &spec);

		if (r < 0)
			return r;
	}
	return 0;
}

static void make_policy(struct workload *w)
{
	policy_defaults(&w->policy);
	w->policy.profile = w->spec.forking == EXCHANGE_FORKED ? POLICY_3GPP : POLICY_RFC6043;
	w->policy.allow_no_forking = w->spec.forking == EXCHANGE_NOT_FORKED;
	w->policy.kms_identity =
		(struct identity){(const uint8_t *)w->kms, (uint16_t)strlen(w->kms)};
	w->policy.in_sync = true;
}

/* Processes and verifies a batch of like exchanges. 0, or -1 after printing what went wrong. */
static int answer_all(struct maker *m, unsigned int n, enum verdict want, struct grant *grants)
{
	struct engine_view view = workload_view(m->w);

	for (unsigned int i = 0; i < n; i++)
		m->msg[i] = (struct engine_msg){
			.request = m->exchange[i].octets,
			.request_len = m->exchange[i].len,
			.response = m->resp[i],
			.response_cap = sizeof(m->resp[i]),
		};
	engine_process(m->engine, &view, m->w->ntp_now, m->msg, n);
	for (unsigned int i = 0; i < n; i++)
		m->answer[i] = (struct exchange_answer){
			.x = &m->exchange[i],
			.octets = m->resp[i],
			.len = m->msg[i].response_len,
			.grant = grants ? &grants[i] : NULL,
		};
	exchanger_check(m->exchanger, m->answer, n, m->w->ntp_now);
	for (unsigned int i = 0; i < n; i++) {
		if (m->answer[i].result == EXCHANGE_OK && m->msg[i].verdict == want)
			continue;
		fprintf(stderr, "tkms-bench: the engine's answer was refused: %s (verdict %s)\n",
			exchange_result_text(m->answer[i].result),
			verdict_info(m->msg[i].verdict)->name);
		return -1;
	}
	return 0;
}

static void build(struct maker *m, size_t first, unsigned int n)
{
	struct exchange *x[EXCHANGE_BATCH_MAX];

	for (unsigned int i = 0; i < n; i++) {
		m->exchange[i].csb_id = (uint32_t)(first + i);
		m->exchange[i].octets = m->init[i];
		m->exchange[i].cap = sizeof(m->init[i]);
		x[i] = &m->exchange[i];
	}
	exchanger_build(m->exchanger, x, n, m->w->ntp_now);
}

/* n tickets from random subscribers to the ones in turn, so that neighbouring messages share
 * nothing. */
static int make_tickets(struct maker *m, size_t first, unsigned int n)
{
	const struct parties *p = &m->w->parties;
	struct grant *grants[EXCHANGE_BATCH_MAX];

	for (unsigned int i = 0; i < n; i++) {
		size_t at = (first + i) * 2654435761U % p->n;

		m->exchange[i] = (struct exchange){
			.kind = EXCHANGE_REQUEST,
			.initiator =
				&p->party[rng_below(exchanger_rng(m->exchanger), (uint32_t)p->n)],
			.responder = &p->party[at],
		};
		grants[i] = &m->grant[i];
	}
	build(m, first, n);
	if (answer_all(m, n, VERDICT_REQUEST_OK, m->grant) < 0)
		return -1;
	if (m->w->spec.op == WORKLOAD_RESOLVE)
		exchanger_finish_tickets(m->exchanger, grants, n);
	return 0;
}

static int make_resolves(struct maker *m, size_t first, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		m->exchange[i] = (struct exchange){.kind = EXCHANGE_RESOLVE, .grant = &m->grant[i]};
	build(m, first, n);
	return answer_all(m, n, VERDICT_RESOLVE_OK, NULL);
}

/* Makes n messages (in m->init) and their answers; verified. */
static int make_batch(struct maker *m, size_t first, unsigned int n)
{
	if (make_tickets(m, first, n) < 0)
		return -1;
	return m->w->spec.op == WORKLOAD_RESOLVE ? make_resolves(m, first, n) : 0;
}

static void spoil(struct maker *m, struct workload_message *out, uint8_t *octets)
{
	struct rng *rng = exchanger_rng(m->exchanger);
	double dice = (double)rng_below(rng, 1000000) / 1e6;

	if (dice < m->w->spec.garbage) {
		rng_fill(rng, octets, out->len);
		out->verdict = VERDICT_COUNT;
	} else if (dice < m->w->spec.garbage + m->w->spec.bad) {
		octets[out->len - 1] ^= 1;
		out->verdict = VERDICT_COUNT;
	}
}

static void keep_sample(
	struct maker *m, unsigned int i, const struct workload_message *out, uint8_t *octets)
{
	struct workload *w = m->w;
	struct workload_sample *s = &w->sample[w->n_samples];
	size_t number = (size_t)(out - w->message);

	if (w->n_samples == w->spec.samples || number % (w->n / w->spec.samples) != 0)
		return;
	s->message = number;
	s->exchange = m->exchange[i];
	s->exchange.octets = octets;
	if (w->spec.op == WORKLOAD_RESOLVE) {
		s->grant = m->grant[i];
		s->exchange.grant = &s->grant;
	}
	w->n_samples++;
}

static void keep(struct maker *m, size_t first, unsigned int n)
{
	struct workload *w = m->w;

	for (unsigned int i = 0; i < n; i++) {
		struct workload_message *out = &w->message[first + i];
		uint8_t *octets = w->octets + (first + i) * w->message_len;

		out->octets = octets;
		out->len =
			m->exchange[i].len < w->message_len ? m->exchange[i].len : w->message_len;
		out->verdict =
			w->spec.op == WORKLOAD_RESOLVE ? VERDICT_RESOLVE_OK : VERDICT_REQUEST_OK;
		memcpy(octets, m->init[i], out->len);
		keep_sample(m, i, out, octets);
		spoil(m, out, octets);
	}
	w->response_len = m->msg[0].response_len;
}

static int make_world(struct maker *m, size_t subscribers, size_t uid_len)
{
	struct workload *w = m->w;
	struct exchange_config config = {
		.suite = w->spec.suite,
		.forking = w->spec.forking,
		.tgks = w->spec.tgks,
		.lifetime_s = 3600,
		.kms = {(const uint8_t *)w->kms, (uint16_t)strlen(w->kms)},
	};
	int r;

	make_policy(w);
	exchanger_free(m->exchanger);
	m->exchanger = exchanger_new("openssl", &config, seed);
	if (!m->exchanger)
		return -errno;
	r = parties_generate(&w->parties, m->crypto, subscribers, uid_len, 32);
	return r < 0 ? r : make_table(w, m->crypto);
}

static void clear_world(struct workload *w)
{
	if (w->table)
		subscriber_table_free(w->table);
	w->table = NULL;
	parties_clear(&w->parties);
}

/*
 * Identities as long as needed for the size asked for: a subscriber's is in a RESOLVE_INIT three
 * times (its own and two in the ticket policy), the KMS's twice. Returns the subscribers' length, 0
 * when the size cannot be reached.
 */
static size_t fit_identities(struct maker *m)
{
	struct workload *w = m->w;
	size_t missing, kms_longer;

	if (w->spec.size == 0 || w->spec.op != WORKLOAD_RESOLVE)
		return UID_LEN_MIN;
	if (make_world(m, EXCHANGE_BATCH_MAX, UID_LEN_MIN) < 0 || make_batch(m, 0, 1) < 0)
		return 0;
	clear_world(w);
	missing = w->spec.size - m->exchange[0].len;
	kms_longer = missing % 3 == 0 ? 0 : missing % 3 == 1 ? 2 : 1;
	if (m->exchange[0].len > w->spec.size || 2 * kms_longer > missing ||
		UID_LEN_MIN + (missing - 2 * kms_longer) / 3 > IDENTITY_MAX) {
		fprintf(stderr,
			"tkms-bench: a message of %zu octets cannot be made (with short identities "
			"it has %u)\n",
			w->spec.size, m->exchange[0].len);
		return 0;
	}
	snprintf(w->kms, sizeof(w->kms), "%.*s%s", (int)kms_longer, "kk", kms_name);
	return UID_LEN_MIN + (missing - 2 * kms_longer) / 3;
}

static int make_messages(struct maker *m)
{
	struct workload *w = m->w;

	w->n = w->spec.messages;
	if (make_batch(m, 0, 1) < 0)
		return -1;
	w->message_len = m->exchange[0].len;
	w->message = calloc(w->n, sizeof(*w->message));
	w->octets = malloc(w->n * w->message_len);
	w->sample = calloc(w->spec.samples + 1, sizeof(*w->sample));
	if (!w->message || !w->octets || !w->sample) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(ENOMEM));
		return -1;
	}
	for (size_t i = 0; i < w->n; i += EXCHANGE_BATCH_MAX) {
		unsigned int n = w->n - i < EXCHANGE_BATCH_MAX ? (unsigned int)(w->n - i)
							       : EXCHANGE_BATCH_MAX;

		if (make_batch(m, i, n) < 0)
			return -1;
		keep(m, i, n);
	}
	return 0;
}

static int make_all(struct maker *m)
{
	struct workload *w = m->w;
	size_t uid_len;
	int r;

	m->crypto = crypto_open(NULL);
	m->engine = m->crypto ? engine_new(m->crypto) : NULL;
	r = m->engine ? make_keyring(w, m->crypto) : -errno;
	if (r == 0) {
		uid_len = fit_identities(m);
		if (uid_len == 0)
			return -1;
		r = make_world(m, w->spec.subscribers, uid_len);
	}
	if (r < 0) {
		fprintf(stderr, "tkms-bench: workload: %s\n", strerror(-r));
		return -1;
	}
	return make_messages(m);
}

struct workload *workload_build(const struct workload_spec *spec)
{
	struct workload *w = calloc(1, sizeof(*w));
	struct maker *m = calloc(1, sizeof(*m));
	int r = -1;

	if (w && m) {
		w->spec = *spec;
		w->ntp_now = exchange_ntp(clock_real());
		snprintf(w->kms, sizeof(w->kms), "%s", kms_name);
		m->w = w;
		r = make_all(m);
	} else {
		fprintf(stderr, "tkms-bench: %s\n", strerror(ENOMEM));
	}
	maker_free(m);
	if (r < 0) {
		workload_free(w);
		return NULL;
	}
	return w;
}

void workload_free(struct workload *w)
{
	if (!w)
		return;
	keyring_clear(&w->keyring);
	clear_world(w);
	if (w->sample)
		secret_wipe(w->sample, (w->spec.samples + 1) * sizeof(*w->sample));
	free(w->sample);
	free(w->message);
	free(w->octets);
	free(w);
}
