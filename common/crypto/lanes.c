/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/lanes.h"

#include <cpuid.h>
#include <string.h>
#include <x86intrin.h>

#include "common/crypto/backend.h"

static bool cpu_has_sha(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

void lanes_available(const struct lanes_kernel *kernels[LANES_KERNELS + 1])
{
	unsigned int n = 0;
	bool avx512, sha = cpu_has_sha();

	__builtin_cpu_init();
	avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
	if (avx512)
		kernels[n++] = &lanes_avx512;
	if (avx512 && sha && __builtin_cpu_supports("avx512vl"))
		kernels[n++] = &lanes_shani_vl;
	if (sha)
		kernels[n++] = &lanes_shani;
	if (__builtin_cpu_supports("avx2"))
		kernels[n++] = &lanes_avx2;
	kernels[n++] = &lanes_sse;
	kernels[n] = NULL;
}

/* What idle lanes work on. */
static const uint8_t idle_blocks[2 * LANES_BLOCK];
static const struct crypto_hmac_state idle_state;
static const struct lanes_run idle_run = {idle_blocks, 2};

/* Ticks of a call on messages of two blocks: the best of some, the others were disturbed. */
static uint64_t measure(const struct lanes_kernel *kernel, enum crypto_hash hash)
{
	enum { TRIES = 32 };
	struct lanes_hmac group[LANES_MAX];
	uint8_t out[CRYPTO_MAC_MAX];
	uint64_t best = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < kernel->width; i++)
		group[i] = (struct lanes_hmac){&idle_state, &idle_run, out, 2};
	for (i = 0; i < TRIES; i++) {
		uint64_t ticks = __rdtsc();

		kernel->hmac[hash](group);
		ticks = __rdtsc() - ticks;
		best = ticks < best ? ticks : best;
	}
	return best;
}

/* The cheapest per lane of those with fewer than width lanes. */
static struct lanes_choice cheapest(const struct lanes_choice *all, unsigned int width)
{
	struct lanes_choice best = {NULL, 0};
	const struct lanes_choice *c;

	for (c = all; c->kernel; c++) {
		if (c->kernel->width >= width)
			continue;
		if (!best.kernel || c->cost * best.kernel->width < best.cost * c->kernel->width)
			best = *c;
	}
	return best;
}

void lanes_choose(struct lanes *lanes, const struct lanes_kernel *const *kernels)
{
	struct lanes_choice all[LANES_KERNELS + 1];
	unsigned int hash, i;

	for (hash = CRYPTO_SHA1; hash <= CRYPTO_SHA256; hash++) {
		for (i = 0; i < LANES_KERNELS && kernels[i]; i++)
			all[i] = (struct lanes_choice){kernels[i], measure(kernels[i], hash)};
		all[i].kernel = NULL;
		lanes->wide[hash] = cheapest(all, LANES_MAX + 1);
		lanes->narrow[hash] = cheapest(all, lanes->wide[hash].kernel->width);
	}
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

/* Of calls for n elements: the last one is charged for the groups that it needs. */
static uint64_t cost_of(const struct lanes_choice *choice, unsigned int n)
{
	const struct lanes_kernel *k = choice->kernel;

	return (n + k->group - 1) / k->group * choice->cost / (k->width / k->group);
}

static const struct lanes_kernel *choose(
	const struct lanes *lanes, enum crypto_hash hash, unsigned int n)
{
	const struct lanes_choice *wide = &lanes->wide[hash], *narrow = &lanes->narrow[hash];

	if (n < wide->kernel->width && narrow->kernel && cost_of(narrow, n) < cost_of(wide, n))
		return narrow->kernel;
	return wide->kernel;
}

static bool of_one_length(const struct lanes_hmac *msgs, unsigned int n)
{
	uint32_t differ = 0;
	unsigned int i;

	for (i = 1; i < n; i++)
		differ |= msgs[i].blocks ^ msgs[0].blocks;
	return differ == 0;
}

/*
 * Longest first, so that the lanes of a group end at about the same time. Very long ones are not
 * told apart by the buckets: within a group, order_group() does it.
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

static void order_group(struct lanes_hmac *group, unsigned int n)
{
	unsigned int i, k;

	for (i = 1; i < n; i++) {
		struct lanes_hmac moved = group[i];

		for (k = i; k > 0 && group[k - 1].blocks < moved.blocks; k--)
			group[k] = group[k - 1];
		group[k] = moved;
	}
}

void lanes_hmac(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_hmac *msgs,
	unsigned int n)
{
	uint16_t order[LANES_JOBS_MAX];
	struct lanes_hmac group[LANES_MAX];
	uint8_t idle_out[CRYPTO_MAC_MAX];
	const struct lanes_hmac idle = {&idle_state, &idle_run, idle_out, 0};
	const struct lanes_kernel *kernel;
	unsigned int done, i;
	bool sorted;

	crypto_check(n <= LANES_JOBS_MAX, "lanes: too many messages");
	sorted = of_one_length(msgs, n);
	if (!sorted)
		sort(order, msgs, n);
	for (done = 0; done < n; done += kernel->width) {
		kernel = choose(lanes, hash, n - done);
		if (sorted && n - done >= kernel->width) {
			kernel->hmac[hash](msgs + done);
			continue;
		}
		for (i = 0; i < kernel->width; i++)
			group[i] = done + i >= n ? idle
				   : sorted	 ? msgs[done + i]
						 : msgs[order[done + i]];
		order_group(group, kernel->width);
		kernel->hmac[hash](group);
	}
}

void lanes_keys(const struct lanes *lanes, enum crypto_hash hash, const struct lanes_key *keys,
	unsigned int n)
{
	struct crypto_hmac_state idle_out;
	const struct lanes_key idle = {idle_blocks, &idle_out};
	struct lanes_key group[LANES_MAX];
	const struct lanes_kernel *kernel;
	unsigned int done, i;

	for (done = 0; done < n; done += kernel->width) {
		kernel = choose(lanes, hash, n - done);
		if (n - done >= kernel->width) {
			kernel->keys[hash](keys + done);
			continue;
		}
		for (i = 0; i < kernel->width; i++)
			group[i] = done + i < n ? keys[done + i] : idle;
		kernel->keys[hash](group);
	}
}
