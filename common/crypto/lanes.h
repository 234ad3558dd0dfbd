/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HMAC over many messages in lockstep: one message in each lane of the vector registers. Private to
 * common/crypto, its tests and benchmarks.
 *
 * Time and memory access depend on lengths and addresses only, never on keys or data.
 */
#ifndef TKMS_CRYPTO_LANES_H
#define TKMS_CRYPTO_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"

enum { LANES_MAX = 16, LANES_BLOCK = 64 };

/* Whole blocks that lie next to each other. */
struct lanes_run {
	const uint8_t *data;
	uint32_t blocks; /* at least 1 */
};

/* One HMAC: message already padded (lanes_pad()), given as runs that together have blocks blocks.
 */
struct lanes_hmac {
	const struct crypto_hmac_state *state;
	const struct lanes_run *runs;
	uint8_t *out; /* 20 or 32 octets; may lie in the message */
	uint32_t blocks;
};

/* One key: padded with zeroes to a block. */
struct lanes_key {
	const uint8_t *block;
	struct crypto_hmac_state *out;
};

/*
 * Code for one instruction set. A call has exactly width elements. Messages come longest first; an
 * idle lane's message has 0 blocks, one valid run, and takes its output. Idle keys come last and
 * share one out. A call leaves out groups of idle lanes.
 */
struct lanes_kernel {
	const char *name;
	unsigned int width;
	unsigned int group;				/* divides width */
	void (*hmac[2])(const struct lanes_hmac *msgs); /* by enum crypto_hash */
	void (*keys[2])(const struct lanes_key *keys);
};

extern const struct lanes_kernel lanes_sse;
extern const struct lanes_kernel lanes_avx2;
extern const struct lanes_kernel lanes_avx512;
extern const struct lanes_kernel lanes_shani;
extern const struct lanes_kernel lanes_shani_vl;

/* What the CPU can run; ends with NULL. Cold. */
enum { LANES_KERNELS = 5 };
void lanes_available(const struct lanes_kernel *kernels[LANES_KERNELS + 1]);

/* A kernel and what a call of it costs, in any unit that all share. */
struct lanes_choice {
	const struct lanes_kernel *kernel;
	uint64_t cost;
};

/*
 * How to spread work, by enum crypto_hash: whole groups go to wide; what remains goes to narrow,
 * which has fewer lanes, when that is cheaper.
 */
struct lanes {
	struct lanes_choice wide[2];
	struct lanes_choice narrow[2]; /* kernel may be NULL */
};

/*
 * Measures the kernels of a list (as of lanes_available()) for about 100 us and takes the fastest:
 * which one that is differs between CPUs that have the same instructions. Results do not depend on
 * the choice. Cold.
 */
void lanes_choose(struct lanes *lanes, const struct lanes_kernel *const *kernels);

enum { LANES_JOBS_MAX = 512 };

/* n <= LANES_JOBS_MAX. Messages of the same length in one call fill lanes best; order is free. */
void lanes_hmac(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_hmac *msgs,
	unsigned int n);
void lanes_keys(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_key *keys,
	unsigned int n);

/*
 * Pads a message whose last len octets are at tail and which has total octets (the key's block not
 * counted). Returns blocks at tail: it needs room for len + 72 octets.
 */
uint32_t lanes_pad(uint8_t *tail, size_t len, uint64_t total);

#endif
