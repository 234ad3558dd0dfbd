/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/lanes.h"

#include <cpuid.h>
#include <string.h>

#include "common/crypto/backend.h"

static bool cpu_has_sha(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static bool cpu_has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

void lanes_available(const struct lanes_kernel *kernels[LANES_KERNELS + 1])
{
	unsigned int n = 0;

	__builtin_cpu_init();
	if (cpu_has_avx512())
		kernels[n++] = &lanes_avx512;
	if (cpu_has_sha())
		kernels[n++] = &lanes_shani;
	if (__builtin_cpu_supports("avx2"))
		kernels[n++] = &lanes_avx2;
	kernels[n++] = &lanes_sse;
	kernels[n] = NULL;
}

void lanes_best(struct lanes *lanes)
{
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];

	lanes_available(kernels);
	lanes->wide = kernels[0];
	lanes->narrow = kernels[1] == &lanes_shani ? kernels[1] : NULL;
}

uint32_t lanes_pad(uint8_t *tail, size_t len, uint64_t total)
{
	uint32_t blocks = (uint32_t)((len + 8) / LANES_BLOCK + 1);
	uint64_t bits = __builtin_bswap64((total + LANES_BLOCK) * 8);
	size_t end = (size_t)blocks * LANES_BLOCK;

	tail[len] = 0x80;
	memset(tail + len + 1, 0, end - 8 - len - 1);
	memcpy(tail + end - 8, &bits, 8);
	return blocks;
}

/* What idle lanes work on. */
static const uint8_t idle_block[LANES_BLOCK];
static const struct crypto_hmac_state idle_state;
static const struct lanes_run idle_run = {idle_block, 1};

static const struct lanes_kernel *choose(const struct lanes *lanes, unsigned int n)
{
	return lanes->narrow && 2 * n <= lanes->wide->width ? lanes->narrow : lanes->wide;
}

/*
 * Longest first, so that the lanes of a group end at about the same time. Most batches come sorted,
 * or of one length.
 */
static void sort(uint16_t *order, const struct lanes_hmac *msgs, unsigned int n)
{
	enum { BUCKETS = 64 };
	uint16_t at[BUCKETS] = {0};
	unsigned int i, sum = 0;

	for (i = 0; i < n; i++)
		at[msgs[i].blocks < BUCKETS ? BUCKETS - 1 - msgs[i].blocks : 0]++;
	for (i = 0; i < BUCKETS; i++) {
		unsigned int count = at[i];

		at[i] = (uint16_t)sum;
		sum += count;
	}
	for (i = 0; i < n; i++)
		order[at[msgs[i].blocks < BUCKETS ? BUCKETS - 1 - msgs[i].blocks : 0]++] =
			(uint16_t)i;
}

void lanes_hmac(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_hmac *msgs,
	unsigned int n)
{
	uint16_t order[LANES_JOBS_MAX];
	struct lanes_hmac group[LANES_MAX];
	uint8_t idle_out[CRYPTO_MAC_MAX];
	const struct lanes_hmac idle = {&idle_state, &idle_run, idle_out, 1};
	unsigned int done, i;

	crypto_check(n <= LANES_JOBS_MAX, "lanes: too many messages");
	sort(order, msgs, n);
	for (done = 0; done < n;) {
		const struct lanes_kernel *kernel = choose(lanes, n - done);

		for (i = 0; i < kernel->width; i++)
			group[i] = done + i < n ? msgs[order[done + i]] : idle;
		kernel->hmac[hash](group);
		done += kernel->width;
	}
}

void lanes_keys(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_key *keys,
	unsigned int n)
{
	struct crypto_hmac_state idle_out;
	const struct lanes_key idle = {idle_block, &idle_out};
	struct lanes_key group[LANES_MAX];
	unsigned int done, i;

	for (done = 0; done < n;) {
		const struct lanes_kernel *kernel = choose(lanes, n - done);

		for (i = 0; i < kernel->width; i++)
			group[i] = done + i < n ? keys[done + i] : idle;
		kernel->keys[hash](group);
		done += kernel->width;
	}
}
