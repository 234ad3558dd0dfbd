/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In the engine, an unknown user, a wrong MAC and a wrong key take the same time: Welch's t-test
 * over as many samples of each, taken in random order, without those that something interrupted.
 * 100,000 samples of each with TKMS_LONG; a few without, only to see that answers are alike and the
 * test runs.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "tests/unit/engine_client.h"

enum {
	USERS = 64,    /* known ones, and as many that are not */
	MESSAGES = 64, /* of each kind */
	SAMPLES_LONG = 100000,
	SAMPLES_SHORT = 1000,
	WARM_UP = 2000,
	/* 4.5 is the customary threshold for one comparison. */
	T_MAX_TENTHS = 45,
	/* Which caches hold what makes a few cycles, and 100,000 samples show them to a clock that
	 * counts cycles in the same process: one part in 250 (some 3 ns) is let pass. The test over
	 * UDP (tests/system/timing-udp.sh) has no such allowance. */
	DIFFERENCE_MAX = 250,
};

enum kind { UNKNOWN_USER, WRONG_MAC, WRONG_KEY, KINDS };
static const char *const names[KINDS] = {"unknown user", "wrong MAC", "wrong key"};

struct probe {
	uint8_t octets[1024];
	size_t len;
};

static struct kit k;
static struct probe probes[KINDS][MESSAGES];
static struct octets valid[ENGINE_BATCH_MAX];
static uint32_t *cycles[KINDS];
static unsigned int counts[KINDS];
static uint64_t rng = 88172645463325252;

static uint32_t draw(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

/* The texts stay: a wish points to them. */
static struct person user(const char *kind, unsigned int i, uint8_t psk)
{
	static char texts[2 * USERS * KINDS][2][40];
	static unsigned int used;
	struct person p = {.psk = psk};
	char(*t)[40] = texts[used++ % (2 * USERS * KINDS)];

	snprintf(t[0], sizeof(t[0]), "psk-%s-%03u", kind, i);
	snprintf(t[1], sizeof(t[1]), "%s%03u@company.example", kind, i);
	p.psk_id = t[0];
	p.uids[0] = t[1];
	return p;
}

static void make(enum kind kind, unsigned int i, const struct policy_wish *policy)
{
	struct person p = user(kind == UNKNOWN_USER ? "away" : "here", i,
		(uint8_t)(i + (kind == WRONG_KEY ? 1 : 0)));
	struct init_wish wish = client_request(policy);
	static struct octets m;
	struct policy_wish own = *policy;

	own.initiator = kit_text(p.uids[0]);
	wish.policy = &own;
	wish.sender = &p;
	wish.self = kit_text(p.uids[0]);
	wish.psk_id = kit_text(p.psk_id);
	client_build(&k, &wish, &m);
	cr_assert_leq(m.len, sizeof(probes[kind][i].octets));
	if (kind == WRONG_MAC)
		m.data[m.len - 1 - i % 32] ^= (uint8_t)(1 << i % 8);
	memcpy(probes[kind][i].octets, m.data, m.len);
	probes[kind][i].len = m.len;
	cr_assert_eq(m.len, probes[0][0].len, "messages of different length");
}

static void setup(void)
{
	struct policy_wish policy;

	client_kit(&k, "ipsec-mb");
	policy = client_policy();
	for (unsigned int i = 0; i < USERS; i++) {
		struct person p = user("here", i, (uint8_t)i);
		struct identity uid = kit_text(p.uids[0]);

		kit_subscriber(&k, p.psk_id, client_psk(&p), 32, &uid, 1, 0, 0);
	}
	for (enum kind kind = 0; kind < KINDS; kind++) {
		for (unsigned int i = 0; i < MESSAGES; i++)
			make(kind, i, &policy);
		cycles[kind] = calloc(SAMPLES_LONG, sizeof(cycles[kind][0]));
		cr_assert(cycles[kind]);
	}
	for (unsigned int i = 0; i < ENGINE_BATCH_MAX; i++) {
		struct init_wish wish = client_request(&policy);

		wish.csb_id = i;
		client_build(&k, &wish, &valid[i]);
	}
}

static void teardown(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		free(cycles[kind]);
	kit_close(&k);
}

TestSuite(timing, .init = setup, .fini = teardown, .timeout = 1200);

/* Time of a batch whose message at `at` is the probe and whose others are in order. */
static uint32_t sample(enum kind kind, unsigned int i, unsigned int batch, unsigned int at)
{
	static const enum verdict verdicts[KINDS] = {
		VERDICT_AUTH_UNKNOWN, VERDICT_AUTH_MAC, VERDICT_AUTH_MAC};
	static uint8_t request[1024], responses[ENGINE_BATCH_MAX][2048];
	struct engine_msg msgs[ENGINE_BATCH_MAX];
	unsigned int aux;
	uint64_t before, after;

	/* Every probe from the same place: which one it was last time is in no cache. */
	memcpy(request, probes[kind][i].octets, probes[kind][i].len);
	for (unsigned int n = 0; n < batch; n++)
		msgs[n] = (struct engine_msg){.request = n == at ? request : valid[n].data,
			.request_len = (uint16_t)(n == at ? probes[kind][i].len : valid[n].len),
			.response = responses[n],
			.response_cap = sizeof(responses[n])};
	_mm_mfence();
	before = __rdtscp(&aux);
	_mm_lfence();
	engine_process(k.engine, &k.view, k.now, msgs, batch);
	after = __rdtscp(&aux);
	_mm_lfence();
	cr_assert_eq(msgs[at].verdict, verdicts[kind]);
	/* HDR, T, ERR: 10 + 10 + 4 octets */
	cr_assert_eq(msgs[at].response_len, 24);
	cr_assert_eq(responses[at][22], 0, "Error 0, Auth failure");
	return (uint32_t)(after - before);
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Below it are nine tenths of all samples: what is above was interrupted. */
static uint32_t cut(void)
{
	unsigned int n = counts[0] + counts[1] + counts[2], used = 0;
	uint32_t *all = calloc(n, sizeof(*all)), limit;

	cr_assert(all);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		memcpy(all + used, cycles[kind], counts[kind] * sizeof(*all));
		used += counts[kind];
	}
	qsort(all, n, sizeof(*all), compare);
	limit = all[n / 10 * 9];
	free(all);
	return limit;
}

struct moments {
	double n, mean, variance;
};

static struct moments moments(enum kind kind, uint32_t limit)
{
	struct moments m = {0};

	for (unsigned int i = 0; i < counts[kind]; i++) {
		double x = cycles[kind][i], d = x - m.mean;

		if (cycles[kind][i] > limit)
			continue;
		m.n++;
		m.mean += d / m.n;
		m.variance += d * (x - m.mean);
	}
	m.variance /= m.n - 1;
	return m;
}

static double welch(const struct moments *a, const struct moments *b)
{
	return (a->mean - b->mean) / sqrt(a->variance / a->n + b->variance / b->n);
}

/* Sanitizers have times of their own. */
static bool is_judged(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return getenv("TKMS_LONG") != NULL;
#endif
}

static unsigned int samples_wanted(void)
{
	return is_judged() ? SAMPLES_LONG : SAMPLES_SHORT;
}

static void collect(unsigned int wanted, unsigned int batch)
{
	memset(counts, 0, sizeof(counts));
	for (unsigned int n = 0; n < WARM_UP; n++)
		(void)sample(draw(KINDS), draw(MESSAGES), batch, draw(batch));
	while (counts[0] < wanted || counts[1] < wanted || counts[2] < wanted) {
		enum kind kind = draw(KINDS);
		uint32_t t = sample(kind, draw(MESSAGES), batch, draw(batch));

		if (counts[kind] < wanted)
			cycles[kind][counts[kind]++] = t;
	}
}

static void expect_alike(unsigned int batch)
{
	struct moments m[KINDS];
	uint32_t limit;

	collect(samples_wanted(), batch);
	limit = cut();
	for (enum kind kind = 0; kind < KINDS; kind++)
		m[kind] = moments(kind, limit);
	for (enum kind a = 0; a < KINDS; a++) {
		enum kind b = (a + 1) % KINDS;
		double t = welch(&m[a], &m[b]);

		fprintf(stderr,
			"batch of %2u: %-12s %8.1f cycles, %-12s %8.1f cycles, t = %5.2f, %.0f "
			"samples\n",
			batch, names[a], m[a].mean, names[b], m[b].mean, t, m[a].n);
		if (is_judged())
			cr_expect(fabs(t) * 10 <= T_MAX_TENTHS ||
					  fabs(m[a].mean - m[b].mean) * DIFFERENCE_MAX <= m[a].mean,
				"%s and %s differ: t = %.2f", names[a], names[b], t);
	}
}

Test(timing, unknown_user_wrong_mac_and_wrong_key_alone)
{
	expect_alike(1);
}

Test(timing, unknown_user_wrong_mac_and_wrong_key_among_others)
{
	expect_alike(8);
}
