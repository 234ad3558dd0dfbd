/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every kernel of the lanes, every length, both ends of a buffer: nothing outside is touched. All
 * operations of a full batch read the same guarded octets.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "common/crypto/batch.h"
#include "common/crypto/secret.h"

enum { PAGE = 4096, LENGTHS = 260, OPS = 16 };

/* A page between inaccessible ones. */
static uint8_t *guarded(void)
{
	uint8_t *p = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	for (unsigned int i = 0; i < PAGE; i++)
		p[PAGE + i] = (uint8_t)(i * 31 + i / 256);
	return p + PAGE;
}

static uint8_t *place(uint8_t *page, size_t len, unsigned int end)
{
	return end ? page + PAGE - len : page;
}

/* The last one writes to a guarded place too. */
static void try_mac(struct batch *b, uint8_t hash, uint8_t *data, size_t len, unsigned int end)
{
	static uint8_t *key, *out;
	static uint8_t outs[OPS][CRYPTO_SHA256_LEN];
	struct crypto_mac_op ops[OPS];
	const size_t mac_len = hash == CRYPTO_SHA1 ? 20 : 32;

	if (!key) {
		key = guarded();
		out = guarded();
	}
	for (unsigned int i = 0; i < OPS; i++) {
		ops[i] = (struct crypto_mac_op){.hash = hash,
			.n_segments = 1,
			.key = place(key, 32, end),
			.key_len = 32,
			.out = i == OPS - 1 ? place(out, mac_len, end) : outs[i]};
		ops[i].seg[0].data = place(data, len, end);
		ops[i].seg[0].len = (uint32_t)len;
	}
	batch_mac(b, ops, OPS);
	for (unsigned int i = 0; i < OPS; i++)
		cr_assert_arr_eq(ops[i].out, ops[0].out, mac_len, "length %zu", len);
}

static void try_prf(struct batch *b, uint8_t hash, uint8_t *data, size_t len, unsigned int end)
{
	static uint8_t *label, *out;
	static uint8_t outs[OPS][CRYPTO_PRF_OUT_MAX];
	struct crypto_prf_op ops[OPS];
	const size_t key_len = len < CRYPTO_INKEY_MAX ? len : CRYPTO_INKEY_MAX;
	const size_t label_len = len < CRYPTO_LABEL_MAX ? len : CRYPTO_LABEL_MAX;
	const size_t out_len = len < CRYPTO_PRF_OUT_MAX ? len : CRYPTO_PRF_OUT_MAX;

	if (!label) {
		label = guarded();
		out = guarded();
	}
	for (unsigned int i = 0; i < OPS; i++)
		ops[i] = (struct crypto_prf_op){.hash = hash,
			.inkey = place(data, key_len, end),
			.inkey_len = (uint16_t)key_len,
			.label = place(label, label_len, end),
			.label_len = (uint16_t)label_len,
			.out = i == OPS - 1 ? place(out, out_len, end) : outs[i],
			.out_len = (uint16_t)out_len};
	batch_prf(b, ops, OPS);
	for (unsigned int i = 0; i < OPS; i++)
		cr_assert_arr_eq(ops[i].out, ops[0].out, out_len, "length %zu", len);
}

static void try_kernel(const struct lanes_kernel *kernel)
{
	const struct lanes_kernel *list[2] = {kernel, NULL};
	struct batch *b = secret_alloc(sizeof(*b));
	uint8_t *data = guarded();

	cr_assert(b);
	lanes_choose(&b->lanes, list);
	for (uint8_t hash = CRYPTO_SHA1; hash <= CRYPTO_SHA256; hash++)
		for (unsigned int end = 0; end < 2; end++)
			for (size_t len = 0; len < LENGTHS; len++) {
				try_mac(b, hash, data, len, end);
				if (len > 0)
					try_prf(b, hash, data, len, end);
			}
	secret_free(b, sizeof(*b));
}

Test(crypto_guard, no_kernel_touches_anything_outside_its_buffers, .timeout = 120)
{
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];

	lanes_available(kernels);
	cr_assert(kernels[0]);
	for (unsigned int i = 0; kernels[i]; i++)
		try_kernel(kernels[i]);
}
