/* SPDX-License-Identifier: BSD-3-Clause */
/* What operations leave in memory, and that it goes away; limits that end the process. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"

/* memmem() without the sanitizers' checks: it goes through memory that is not the test's. */
__attribute__((no_sanitize_address, noinline)) static unsigned int count_in(
	const uint8_t *at, const uint8_t *stop, const uint8_t *pattern, size_t len)
{
	unsigned int count = 0;
	size_t i;

	for (; at + len <= stop; at++) {
		for (i = 0; i < len && at[i] == pattern[i]; i++)
			;
		count += i == len;
	}
	return count;
}

/*
 * How often a pattern occurs in this process' memory, the pattern's own mapping and the stack left
 * out. Huge mappings are the sanitizers' own.
 */
static unsigned int count_in_memory(const void *pattern, size_t len)
{
	enum { HUGE_MAPPING = 64 << 20 };
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	unsigned int count = 0;
	char line[512], mode[5];

	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[0] != 'r' ||
			mode[1] != 'w' || strstr(line, "[stack]") || end - start > HUGE_MAPPING)
			continue;
		if ((unsigned long)pattern >= start && (unsigned long)pattern < end)
			continue;
		count += count_in((const uint8_t *)start, (const uint8_t *)end, pattern, len);
	}
	fclose(f);
	return count;
}

/* Key, output of the PRF, MAC: all of it in one mapping that the search leaves out. */
struct traces {
	uint8_t key[32];
	uint8_t out[64];
	uint8_t text[64];
	uint8_t cipher[64];
	struct crypto_key prepared;
};

static void use(struct crypto *ctx, struct traces *t)
{
	struct crypto_prf_op prf = {.inkey = t->key,
		.inkey_len = sizeof(t->key),
		.label = t->text,
		.label_len = 20,
		.out = t->out,
		.out_len = 32,
		.hash = CRYPTO_SHA256};
	struct crypto_mac_op mac = {.key = t->key,
		.key_len = sizeof(t->key),
		.seg = {{t->text, 40}},
		.n_segments = 1,
		.out = t->out + 32,
		.hash = CRYPTO_SHA1};
	struct crypto_cm_op cm = {.key = t->key,
		.key_len = sizeof(t->key),
		.src = t->text,
		.dst = t->cipher,
		.len = sizeof(t->text)};

	crypto_mac(ctx, &mac, 1);
	crypto_cm(ctx, &cm, 1);
	crypto_prf(ctx, &prf, 1);
	crypto_key_prepare(ctx, t->key, sizeof(t->key), &t->prepared);
}

static void check_wipe(const char *backend)
{
	struct crypto *ctx = crypto_open(backend);
	struct traces *t = secret_alloc(sizeof(*t));

	cr_assert(ctx && t);
	cr_assert_eq(secret_random(t->key, sizeof(t->key)), 0);
	use(ctx, t);
	/* The search finds something before, or it would prove nothing after. */
	cr_expect_gt(count_in_memory(t->key, 16), 0, "%s", backend);
	crypto_wipe_scratch(ctx);
	cr_expect_eq(count_in_memory(t->key, 16), 0, "%s: key", backend);
	cr_expect_eq(count_in_memory(t->key + 16, 16), 0, "%s: key", backend);
	cr_expect_eq(count_in_memory(t->out, 32), 0, "%s: outkey", backend);
	cr_expect_eq(count_in_memory(&t->prepared.sha256.inner, 32), 0, "%s: state", backend);
	cr_expect_eq(count_in_memory(&t->prepared.sha256.outer, 32), 0, "%s: state", backend);
	cr_expect_eq(count_in_memory(&t->prepared.sha1.inner, 20), 0, "%s: state", backend);
	use(ctx, t);
	crypto_close(ctx);
	cr_expect_eq(count_in_memory(t->key, 16), 0, "%s: closed", backend);
	secret_free(t, sizeof(*t));
}

Test(crypto_wipe, nothing_of_a_key_stays_in_memory_ipsec_mb)
{
	check_wipe("ipsec-mb");
}

Test(crypto_wipe, nothing_of_a_key_stays_in_memory_openssl)
{
	check_wipe("openssl");
}

static uint8_t octets[1024];

static struct crypto_prf_op good_prf(void)
{
	return (struct crypto_prf_op){.inkey = octets,
		.inkey_len = 16,
		.label = octets,
		.label_len = 16,
		.out = octets + 512,
		.out_len = 16,
		.hash = CRYPTO_SHA256};
}

static void prf_with(uint16_t inkey_len, uint16_t label_len, uint16_t out_len, uint8_t hash)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_prf_op op = good_prf();

	op.inkey_len = inkey_len;
	op.label_len = label_len;
	op.out_len = out_len;
	op.hash = hash;
	crypto_prf(ctx, &op, 1);
	crypto_close(ctx);
}

Test(crypto_limits, the_largest_prf_is_computed)
{
	prf_with(CRYPTO_INKEY_MAX, 500, CRYPTO_PRF_OUT_MAX, CRYPTO_SHA1);
}

Test(crypto_limits, prf_without_inkey_ends_the_process, .signal = SIGABRT)
{
	prf_with(0, 1, 1, CRYPTO_SHA1);
}

Test(crypto_limits, prf_with_long_inkey_ends_the_process, .signal = SIGABRT)
{
	prf_with(CRYPTO_INKEY_MAX + 1, 1, 1, CRYPTO_SHA1);
}

Test(crypto_limits, prf_with_long_label_ends_the_process, .signal = SIGABRT)
{
	prf_with(16, CRYPTO_LABEL_MAX + 1, 1, CRYPTO_SHA1);
}

Test(crypto_limits, prf_with_long_output_ends_the_process, .signal = SIGABRT)
{
	prf_with(16, 1, CRYPTO_PRF_OUT_MAX + 1, CRYPTO_SHA1);
}

Test(crypto_limits, unknown_hash_ends_the_process, .signal = SIGABRT)
{
	prf_with(16, 1, 1, 2);
}

Test(crypto_limits, two_keys_end_the_process, .signal = SIGABRT)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_prf_op op = good_prf();
	struct crypto_key key;

	crypto_key_prepare(ctx, octets, 16, &key);
	op.key = &key;
	crypto_prf(ctx, &op, 1);
}

Test(crypto_limits, long_prepared_key_ends_the_process, .signal = SIGABRT)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_key key;

	crypto_key_prepare(ctx, octets, CRYPTO_PREPARED_KEY_MAX + 1, &key);
}

Test(crypto_limits, long_mac_key_ends_the_process, .signal = SIGABRT)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_mac_op op = {
		.key = octets, .key_len = CRYPTO_MAC_KEY_MAX + 1, .out = octets + 512};

	crypto_mac(ctx, &op, 1);
}

Test(crypto_limits, aes_key_of_24_octets_ends_the_process, .signal = SIGABRT)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_cm_op op = {.key = octets, .key_len = 24};

	crypto_cm(ctx, &op, 1);
}

Test(crypto_limits, aes_counter_overflow_ends_the_process, .signal = SIGABRT)
{
	struct crypto *ctx = crypto_open(NULL);
	struct crypto_cm_op op = {
		.key = octets, .key_len = 16, .src = octets, .dst = octets, .len = 800};

	memset(op.iv, 0xff, sizeof(op.iv));
	op.iv[15] = 0xff - (800 / 16 - 2);
	crypto_cm(ctx, &op, 1);
}

Test(crypto_limits, no_operations_are_fine)
{
	struct crypto *ctx = crypto_open(NULL);

	crypto_prf(ctx, NULL, 0);
	crypto_mac(ctx, NULL, 0);
	crypto_cm(ctx, NULL, 0);
	crypto_close(ctx);
}
