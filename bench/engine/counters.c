/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/engine/counters.h"

#include <stddef.h>
#include <time.h>
#include <x86intrin.h>

#include "bench/clock.h"
#include "bench/engine/evp.h"
#include "common/crypto/crypto.h"
#include "dataplane/engine/engine.h"

/* The wrapped functions have no argument to carry these. */
static _Thread_local struct counters *counters;
static _Thread_local enum counters_stage current;
static _Thread_local struct evp *diverted;

void counters_attach(struct counters *c)
{
	counters = c;
	current = COUNTERS_OUTSIDE;
}

void counters_divert(struct evp *e)
{
	diverted = e;
}

const char *counters_stage_name(enum counters_stage s)
{
	static const char *const names[COUNTERS_STAGES] = {
		"begin and wipe",
		"screen",
		"authenticate",
		"open ticket",
		"fork",
		"grant",
		"generate",
		"seal",
		"respond",
		"errors",
	};

	return names[s];
}

uint64_t counters_compressions(const struct counters *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < COUNTERS_STAGES; i++)
		sum += c->stage[i].compressions;
	return sum;
}

double counters_ticks_per_ns(void)
{
	uint64_t ns = clock_mono(), ticks = __rdtsc(), end;

	do {
		end = clock_mono();
	} while (end - ns < 20000000);
	return (double)(__rdtsc() - ticks) / (double)(end - ns);
}

/* HMAC over len octets: padding takes at least 9 of them, the key's own block is in the state. */
static uint64_t hmac_compressions(uint64_t len)
{
	return (len + 9 + 63) / 64 + 1;
}

static uint64_t prf_compressions(const struct crypto_prf_op *op, const struct crypto_prf_op *before)
{
	uint64_t hash_len = op->hash == CRYPTO_SHA1 ? CRYPTO_SHA1_LEN : CRYPTO_SHA256_LEN;
	uint64_t levels = (op->out_len + hash_len - 1) / hash_len;
	uint64_t blocks = op->key ? 1 : (op->inkey_len + 31U) / 32;
	uint64_t one = hmac_compressions(op->label_len) +
		       levels * hmac_compressions(hash_len + op->label_len) +
		       (levels - 1) * hmac_compressions(hash_len);

	/* The states of a raw key, unless the neighbour has the same. */
	if (!op->key &&
		!(before && before->inkey == op->inkey && before->inkey_len == op->inkey_len))
		one += 2;
	return blocks * one;
}

static uint64_t mac_compressions(const struct crypto_mac_op *op)
{
	uint64_t len = 0;

	for (unsigned int i = 0; i < op->n_segments; i++)
		len += op->seg[i].len;
	return hmac_compressions(len) + (op->state ? 0 : 2);
}

static void add_crypto(
	enum counters_crypto kind, unsigned int n, uint64_t compressions, uint64_t ticks)
{
	struct counters_of_stage *s = &counters->stage[current];

	s->ops[kind] += n;
	s->compressions += compressions;
	s->crypto_ticks[kind] += ticks;
}

void __real_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n);
void __real_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n);
void __real_crypto_cm(struct crypto *ctx, const struct crypto_cm_op *ops, unsigned int n);
void __wrap_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n);
void __wrap_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n);
void __wrap_crypto_cm(struct crypto *ctx, const struct crypto_cm_op *ops, unsigned int n);

void __wrap_crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n)
{
	uint64_t compressions = 0, begin;

	if (!counters) {
		if (diverted)
			evp_prf(diverted, ops, n);
		else
			__real_crypto_prf(ctx, ops, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		compressions += prf_compressions(&ops[i], i ? &ops[i - 1] : NULL);
	begin = __rdtsc();
	__real_crypto_prf(ctx, ops, n);
	add_crypto(COUNTERS_PRF, n, compressions, __rdtsc() - begin);
}

void __wrap_crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n)
{
	uint64_t compressions = 0, begin;

	if (!counters) {
		if (diverted)
			evp_mac(diverted, ops, n);
		else
			__real_crypto_mac(ctx, ops, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		compressions += mac_compressions(&ops[i]);
	begin = __rdtsc();
	__real_crypto_mac(ctx, ops, n);
	add_crypto(COUNTERS_MAC, n, compressions, __rdtsc() - begin);
}

void __wrap_crypto_cm(struct crypto *ctx, const struct crypto_cm_op *ops, unsigned int n)
{
	uint64_t begin;

	if (!counters) {
		if (diverted)
			evp_cm(diverted, ops, n);
		else
			__real_crypto_cm(ctx, ops, n);
		return;
	}
	begin = __rdtsc();
	__real_crypto_cm(ctx, ops, n);
	add_crypto(COUNTERS_CM, n, 0, __rdtsc() - begin);
}

/* A stage of dataplane/engine/stages.h. */
#define WRAP_STAGE(function, id)                                \
	void __real_##function(struct engine *e);               \
	void __wrap_##function(struct engine *e);               \
	void __wrap_##function(struct engine *e)                \
	{                                                       \
		uint64_t begin;                                 \
                                                                \
		if (!counters) {                                \
			__real_##function(e);                   \
			return;                                 \
		}                                               \
		current = id;                                   \
		begin = __rdtsc();                              \
		__real_##function(e);                           \
		counters->stage[id].ticks += __rdtsc() - begin; \
		current = COUNTERS_OUTSIDE;                     \
	}

WRAP_STAGE(stage_screen, COUNTERS_SCREEN)
WRAP_STAGE(stage_authenticate, COUNTERS_AUTHENTICATE)
WRAP_STAGE(stage_open_ticket, COUNTERS_OPEN_TICKET)
WRAP_STAGE(stage_fork, COUNTERS_FORK)
WRAP_STAGE(stage_grant, COUNTERS_GRANT)
WRAP_STAGE(stage_generate, COUNTERS_GENERATE)
WRAP_STAGE(stage_seal, COUNTERS_SEAL)
WRAP_STAGE(stage_respond, COUNTERS_RESPOND)
WRAP_STAGE(stage_errors, COUNTERS_ERRORS)
