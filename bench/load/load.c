/* SPDX-License-Identifier: BSD-3-Clause */
/* tkms-bench load: finds out the KMS's identity, fetches tickets, runs, reports. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/commands.h"
#include "bench/load/run.h"
#include "common/crypto/secret.h"
#include "common/ue/result.h"

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

struct load {
	struct load_config config;
	struct parties parties;
	struct targets targets;
	struct exchanger *exchanger;
	struct grant *pool;
	size_t n_pool;
	uint16_t message_cap;
	char identity[300];
	struct stats *stats;
};

static struct exchanger *make_exchanger(const struct load *l)
{
	struct exchange_config config = {
		.suite = l->config.suite,
		.forking = l->config.forking,
		.tgks = l->config.tgks,
		.lifetime_s = l->config.lifetime_s,
		.kms = {(const uint8_t *)l->identity, (uint16_t)strlen(l->identity)},
	};
	uint64_t seed;
	struct exchanger *e = secret_random(&seed, sizeof(seed)) == 0
				      ? exchanger_new(l->config.backend, &config, seed)
				      : NULL;

	if (!e)
		fprintf(stderr, "tkms-bench: cryptography: %s\n", strerror(errno));
	return e;
}

static void explain(const struct stats *s)
{
	if (s->lost == s->failed)
		fputs("silence\n", stderr);
	for (unsigned int i = 0; i < 256; i++) {
		if (s->errors[i])
			fprintf(stderr, "Error %u, %s\n", i, ue_error_text((int)i));
	}
	for (unsigned int r = EXCHANGE_ERROR_HINT + 1; r < EXCHANGE_RESULTS; r++) {
		if (s->results[r])
			fprintf(stderr, "%s\n", exchange_result_text(r));
	}
}

/* n tickets by real requests, with retries; the first failure ends it. 0 or -1. */
static int fetch_tickets(struct load *l, size_t n, const char **why_not)
{
	struct run_spec spec = {
		.total = n,
		.seconds = 3600,
		.window = l->config.window < 64 ? l->config.window : 64,
		.op = LOAD_REQUEST,
		.parties = &l->parties,
		.granted = l->pool,
		.message_cap = EXCHANGE_MESSAGE_MAX,
		.give_up = 1,
		.stop = &stopped,
	};
	int r = run_load(&spec, l->exchanger, &l->targets, l->stats);

	*why_not = r < 0 ? strerror(-r) : NULL;
	return r == 0 && l->stats->answered == n ? 0 : -1;
}

/*
 * IDRkms is under the MAC of every message: with the wrong one nothing works. The first ticket
 * tells which it is. Only Errors lead to another try: a KMS that is silent is down.
 */
static int find_identity(struct load *l)
{
	const struct identity uid = l->parties.party[0].uid;
	const uint8_t *at = memchr(uid.data, '@', uid.len);
	const char *candidates[2] = {
		l->config.identity ? l->config.identity : "kms@tkms.example", NULL};
	char own_domain[260];
	const char *why = NULL;

	if (!l->config.identity && at) {
		snprintf(own_domain, sizeof(own_domain), "kms%.*s", (int)(uid.data + uid.len - at),
			(const char *)at);
		candidates[1] = own_domain;
	}
	for (int i = 0; i < 2 && candidates[i] && !stopped; i++) {
		snprintf(l->identity, sizeof(l->identity), "%s", candidates[i]);
		exchanger_free(l->exchanger);
		l->exchanger = make_exchanger(l);
		if (!l->exchanger)
			return -1;
		if (fetch_tickets(l, 1, &why) == 0)
			return 0;
		fprintf(stderr, "tkms-bench: no ticket from %s as %s: ", l->config.kms,
			candidates[i]);
		if (why)
			fprintf(stderr, "%s\n", why);
		else
			explain(l->stats);
		if (why || l->stats->lost == l->stats->failed)
			break;
	}
	return -1;
}

/* Tickets for resolves, and how long messages get. */
static int prepare_pool(struct load *l)
{
	struct grant *batch[EXCHANGE_BATCH_MAX];
	const char *why;
	uint16_t longest = 0;

	if (fetch_tickets(l, l->n_pool, &why) < 0) {
		fprintf(stderr,
			"tkms-bench: tickets could not be fetched from %s: ", l->config.kms);
		if (why)
			fprintf(stderr, "%s\n", why);
		else
			explain(l->stats);
		return -1;
	}
	for (size_t i = 0; i < l->n_pool; i += EXCHANGE_BATCH_MAX) {
		unsigned int n = 0;

		while (n < EXCHANGE_BATCH_MAX && i + n < l->n_pool) {
			batch[n] = &l->pool[i + n];
			n++;
		}
		exchanger_finish_tickets(l->exchanger, batch, n);
		for (unsigned int k = 0; k < n; k++)
			longest = batch[k]->ticket_len > longest ? batch[k]->ticket_len : longest;
	}
	/* Beside the ticket (or less than that in a REQUEST): header, T, RANDR, V and four
	 * identities. */
	l->message_cap = (uint16_t)(longest + 160 + 3 * IDENTITY_MAX + strlen(l->identity));
	if (l->message_cap > EXCHANGE_MESSAGE_MAX)
		l->message_cap = EXCHANGE_MESSAGE_MAX;
	return 0;
}

static int read_parties(struct load *l)
{
	struct crypto *crypto = crypto_open("openssl");
	int r;

	if (!crypto) {
		fprintf(stderr, "tkms-bench: cryptography: %s\n", strerror(errno));
		return -1;
	}
	r = l->config.subscribers
		    ? parties_load(&l->parties, crypto, l->config.subscribers, SIZE_MAX)
		    : parties_generate(
			      &l->parties, crypto, LOAD_SUBSCRIBERS, LOAD_UID_LEN, LOAD_PSK_LEN);
	crypto_close(crypto);
	if (r < 0 && r != -EINVAL)
		fprintf(stderr, "tkms-bench: %s: %s\n",
			l->config.subscribers ? l->config.subscribers : "subscribers",
			strerror(-r));
	if (r == 0 && l->parties.n == 0) {
		fprintf(stderr, "tkms-bench: %s: no subscribers in it\n", l->config.subscribers);
		r = -1;
	}
	return r < 0 ? -1 : 0;
}

static int prepare(struct load *l)
{
	l->stats = malloc(sizeof(*l->stats));
	l->n_pool = l->config.tickets;
	l->pool = malloc(l->n_pool * sizeof(*l->pool));
	if (!l->stats || !l->pool) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(ENOMEM));
		return -1;
	}
	if (read_parties(l) < 0 ||
		targets_open(&l->targets, l->config.kms, l->config.sources, l->config.bind) < 0)
		return -1;
	return find_identity(l) < 0 || prepare_pool(l) < 0 ? -1 : 0;
}

static int measure(struct load *l)
{
	struct run_spec spec = {
		.rate = l->config.rate,
		.total = UINT64_MAX,
		.seconds = l->config.seconds,
		.window = l->config.window,
		.op = l->config.op,
		.parties = &l->parties,
		.pool = l->pool,
		.n_pool = l->n_pool,
		.message_cap = l->message_cap,
		.progress = isatty(STDERR_FILENO),
		.stop = &stopped,
	};
	int r = run_load(&spec, l->exchanger, &l->targets, l->stats);

	if (r == 0 && l->config.json)
		r = stats_print_json(l->stats, &l->config, &l->targets);
	else if (r == 0)
		stats_print(l->stats, &l->config, &l->targets);
	if (r < 0) {
		fprintf(stderr, "tkms-bench: %s\n", strerror(-r));
		return 1;
	}
	if (stats_saturated(l->stats))
		fputs("tkms-bench: client saturated: it could not keep the schedule, see late and "
		      "max_late_ms\n",
			stderr);
	return l->stats->failed > 0;
}

static int write_hex(FILE *out, const struct exchange *x)
{
	for (unsigned int i = 0; i < x->len; i++)
		fprintf(out, "%02x", x->octets[i]);
	return fputc('\n', out) == EOF ? -EIO : 0;
}

static int save_batch(struct load *l, FILE *out, uint64_t first, unsigned int n)
{
	static struct exchange x[EXCHANGE_BATCH_MAX];
	static uint8_t octets[EXCHANGE_BATCH_MAX][EXCHANGE_MESSAGE_MAX];
	struct exchange *list[EXCHANGE_BATCH_MAX];
	int r = 0;

	for (unsigned int k = 0; k < n; k++) {
		x[k] = (struct exchange){.csb_id = (uint32_t)rng_next(exchanger_rng(l->exchanger)),
			.octets = octets[k],
			.cap = l->message_cap};
		exchange_choose(&x[k], first + k, l->config.op, &l->parties, l->pool, l->n_pool);
		list[k] = &x[k];
	}
	exchanger_build(l->exchanger, list, n, exchange_ntp(clock_real()));
	for (unsigned int k = 0; r == 0 && k < n; k++)
		r = x[k].len ? write_hex(out, &x[k]) : -EMSGSIZE;
	return r;
}

/* The messages of the schedule, for other clients. */
static int save(struct load *l)
{
	const uint64_t total = (uint64_t)(l->config.rate * l->config.seconds);
	FILE *out = fopen(l->config.save, "we");
	int r = out ? 0 : -errno;

	for (uint64_t i = 0; r == 0 && i < total; i += EXCHANGE_BATCH_MAX)
		r = save_batch(l, out, i,
			total - i < EXCHANGE_BATCH_MAX ? (unsigned int)(total - i)
						       : EXCHANGE_BATCH_MAX);
	if (out && fclose(out) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		fprintf(stderr, "tkms-bench: %s: %s\n", l->config.save, strerror(-r));
	return r < 0;
}

int command_load(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct load l = {.targets.epoll = -1};
	int r, status = 1;

	load_config_parse(&l.config, argc, argv);
	r = secret_process_harden(SECRET_LOCK_SELECTED);
	if (r < 0) {
		fprintf(stderr, "tkms-bench: process cannot be hardened: %s\n", strerror(-r));
		return 1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1000);
	if (prepare(&l) == 0)
		status = l.config.save ? save(&l) : measure(&l);
	if (l.pool)
		secret_wipe(l.pool, l.n_pool * sizeof(*l.pool));
	free(l.pool);
	free(l.stats);
	exchanger_free(l.exchanger);
	targets_close(&l.targets);
	parties_clear(&l.parties);
	return status;
}
