/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/crypto/cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/rng.h"

enum { SLICES = 5 };

/*
 * Lengths of the protocol: labels of message keys (44) and of forking (101), Initiator Data (37),
 * ticket (250), RESOLVE_INIT (640), response with its request (900), key data of one TGK (123) and
 * of sixteen (730).
 */
#define PRF(hash, key, len, out)                  \
	{                                         \
		CASE_PRF, key, hash, 32, len, out \
	}
#define MAC(hash, key, len)                                                \
	{                                                                  \
		CASE_MAC, key, hash, hash == CRYPTO_SHA1 ? 20 : 32, len, 0 \
	}
#define CM(key_len, len)                              \
	{                                             \
		CASE_CM, CASE_RAW, 0, key_len, len, 0 \
	}
#define HASHED(hash)                                                                         \
	PRF(hash, CASE_PREPARED, 44, 14), PRF(hash, CASE_PREPARED, 44, 32),                  \
		PRF(hash, CASE_RAW, 44, 32), PRF(hash, CASE_RAW, 101, 32),                   \
		MAC(hash, CASE_RAW, 37), MAC(hash, CASE_RAW, 250), MAC(hash, CASE_RAW, 640), \
		MAC(hash, CASE_RAW, 900), MAC(hash, CASE_RAW, 8192), MAC(hash, CASE_PREPARED, 250)

const struct crypto_case crypto_cases[] = {
	HASHED(CRYPTO_SHA256),
	HASHED(CRYPTO_SHA1),
	CM(16, 73),
	CM(16, 730),
	CM(32, 123),
	CM(32, 730),
	CM(32, 2048),
	{CASE_KEY_PREPARE, CASE_RAW, 0, 32, 0, 0},
};
const unsigned int crypto_cases_count = sizeof(crypto_cases) / sizeof(crypto_cases[0]);

struct case_operands {
	struct crypto_key prepared[CASE_BATCH_MAX];
	struct crypto_prf_op prf[CASE_BATCH_MAX];
	struct crypto_mac_op mac[CASE_BATCH_MAX];
	struct crypto_cm_op cm[CASE_BATCH_MAX];
	uint8_t key[CASE_BATCH_MAX][64];
	uint8_t out[CASE_BATCH_MAX][64];
	uint8_t in[CASE_BATCH_MAX][CASE_LEN_MAX];
};

struct case_operands *case_operands_new(void)
{
	struct case_operands *o = aligned_alloc(64, (sizeof(*o) + 63) / 64 * 64);
	struct rng rng;

	if (o) {
		rng_seed(&rng, 1);
		rng_fill(&rng, o, sizeof(*o));
	}
	return o;
}

void case_operands_free(struct case_operands *o)
{
	free(o);
}

const char *crypto_case_name(const struct crypto_case *c, char *buf, unsigned int cap)
{
	const char *hash = c->hash == CRYPTO_SHA1 ? "sha1" : "sha256";
	const char *key = c->key == CASE_PREPARED ? "prepared" : "raw";

	switch (c->op) {
	case CASE_PRF:
		snprintf(buf, cap, "prf %s %s out %u", hash, key, c->out_len);
		break;
	case CASE_MAC:
		snprintf(buf, cap, "mac %s %s", hash, key);
		break;
	case CASE_CM:
		snprintf(buf, cap, "aes-cm-%u", 8U * c->key_len);
		break;
	case CASE_KEY_PREPARE:
		snprintf(buf, cap, "key_prepare");
		break;
	}
	return buf;
}

static void set_up(const struct crypto_case *c, struct case_operands *o, unsigned int i)
{
	bool prepared = c->key == CASE_PREPARED;

	o->prf[i] = (struct crypto_prf_op){
		.key = prepared ? &o->prepared[i] : NULL,
		.inkey = prepared ? NULL : o->key[i],
		.inkey_len = prepared ? 0 : c->key_len,
		.label = o->in[i],
		.label_len = c->len,
		.out = o->out[i],
		.out_len = c->out_len,
		.hash = c->hash,
	};
	o->mac[i] = (struct crypto_mac_op){
		.state = !prepared		  ? NULL
			 : c->hash == CRYPTO_SHA1 ? &o->prepared[i].sha1
						  : &o->prepared[i].sha256,
		.key = prepared ? NULL : o->key[i],
		.key_len = prepared ? 0 : c->key_len,
		.seg = {{o->in[i], c->len}},
		.n_segments = 1,
		.out = o->out[i],
		.hash = c->hash,
	};
	o->cm[i] = (struct crypto_cm_op){
		.key = o->key[i],
		.key_len = c->key_len,
		.src = o->in[i],
		.dst = o->in[i],
		.len = c->len,
	};
}

static void run_once(struct crypto *ctx, const struct crypto_case *c, struct case_operands *o,
	unsigned int batch)
{
	switch (c->op) {
	case CASE_PRF:
		crypto_prf(ctx, o->prf, batch);
		break;
	case CASE_MAC:
		crypto_mac(ctx, o->mac, batch);
		break;
	case CASE_CM:
		crypto_cm(ctx, o->cm, batch);
		break;
	case CASE_KEY_PREPARE:
		for (unsigned int i = 0; i < batch; i++)
			crypto_key_prepare(ctx, o->key[i], c->key_len, &o->prepared[i]);
		break;
	}
}

double crypto_case_time(struct crypto *ctx, const struct crypto_case *c, struct case_operands *o,
	unsigned int batch, uint64_t ns)
{
	/* Between two looks at the clock, which takes as long as an operation. */
	const unsigned int runs = batch < 256 ? 256 / batch : 1;
	double best = 0;

	for (unsigned int i = 0; i < batch; i++)
		set_up(c, o, i);
	run_once(ctx, c, o, batch);
	for (int slice = 0; slice < SLICES; slice++) {
		uint64_t begin = clock_thread(), now, n = 0;
		double each;

		do {
			for (unsigned int i = 0; i < runs; i++)
				run_once(ctx, c, o, batch);
			n += (uint64_t)runs * batch;
			now = clock_thread();
		} while (now - begin < ns / SLICES);
		each = (double)(now - begin) / (double)n;
		if (best == 0 || each < best)
			best = each;
	}
	return best;
}
