/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine does per stage: cryptographic operations, compressions of the hash function,
 * cycles. The linker puts these functions between the engine and its stages, and between the stages
 * and common/crypto (--wrap in meson.build): the engine itself has no hook. Off (the default) they
 * only pass calls on.
 */
#ifndef TKMS_BENCH_ENGINE_COUNTERS_H
#define TKMS_BENCH_ENGINE_COUNTERS_H

#include <stdint.h>

enum counters_stage {
	COUNTERS_OUTSIDE, /* of every stage: set up and wiping */
	COUNTERS_SCREEN,
	COUNTERS_AUTHENTICATE,
	COUNTERS_OPEN_TICKET,
	COUNTERS_FORK,
	COUNTERS_GRANT,
	COUNTERS_GENERATE,
	COUNTERS_SEAL,
	COUNTERS_RESPOND,
	COUNTERS_ERRORS,
	COUNTERS_STAGES,
};

enum counters_crypto { COUNTERS_PRF, COUNTERS_MAC, COUNTERS_CM, COUNTERS_CRYPTO };

struct counters_of_stage {
	uint64_t ticks;				/* of the time stamp counter, in all */
	uint64_t crypto_ticks[COUNTERS_CRYPTO]; /* of them in common/crypto */
	uint64_t ops[COUNTERS_CRYPTO];
	uint64_t compressions; /* of the hash function, in PRFs and MACs */
};

struct counters {
	struct counters_of_stage stage[COUNTERS_STAGES];
};

const char *counters_stage_name(enum counters_stage s);

/* From now on this thread's calls are added to c; NULL: off. */
void counters_attach(struct counters *c);

struct evp;

/* From now on this thread's operations are done by e instead (engine/evp.h); NULL: by
 * common/crypto. */
void counters_divert(struct evp *e);

/* Sum of compressions over the stages. */
uint64_t counters_compressions(const struct counters *c);

/* Ticks of the time stamp counter a nanosecond. Takes 20 ms. */
double counters_ticks_per_ns(void);

#endif
