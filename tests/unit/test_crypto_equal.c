/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that computes gives the same octets: the backends, and every kernel of the lanes that
 * this CPU can run, on random operations of all shapes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/crypto/batch.h"
#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"

/* Repeatable: a failure shows again. */
static uint64_t rng = 0x9e3779b97f4a7c15;

static uint32_t draw(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % below;
}

static void draw_octets(uint8_t *p, size_t n)
{
	while (n--)
		*p++ = (uint8_t)draw(256);
}

/* A context, or a batch that is bound to given kernels. */
struct subject {
	const char *name;
	struct crypto *ctx;
	struct batch *batch;
};

enum { SUBJECTS_MAX = 1 + 2 * LANES_KERNELS };
static struct subject subjects[SUBJECTS_MAX];
static unsigned int n_subjects;
static struct crypto *reference;

static void add_batch(const struct lanes_kernel *wide, const struct lanes_kernel *narrow)
{
	const struct lanes_kernel *list[3] = {wide, NULL, NULL};
	struct batch *b = secret_alloc(sizeof(*b));
	unsigned int hash;

	cr_assert(b);
	lanes_choose(&b->lanes, list);
	for (hash = CRYPTO_SHA1; hash <= CRYPTO_SHA256; hash++) {
		cr_assert_eq(b->lanes.wide[hash].kernel, wide);
		cr_assert_null(b->lanes.narrow[hash].kernel);
		/* As if a call of the narrow one cost a quarter: both get work. */
		b->lanes.narrow[hash] = (struct lanes_choice){narrow, b->lanes.wide[hash].cost / 4};
	}
	subjects[n_subjects++] = (struct subject){wide->name, NULL, b};
}

static void open_all(void)
{
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];
	unsigned int i;

	reference = crypto_open("openssl");
	cr_assert(reference);
	subjects[n_subjects++] = (struct subject){"ipsec-mb", crypto_open("ipsec-mb"), NULL};
	cr_assert(subjects[0].ctx);
	lanes_available(kernels);
	for (i = 0; kernels[i]; i++) {
		add_batch(kernels[i], NULL);
		if (kernels[i]->width > lanes_sse.width)
			add_batch(kernels[i], &lanes_sse);
	}
	cr_assert_geq(n_subjects, 2);
}

static void close_all(void)
{
	crypto_close(reference);
	while (n_subjects--) {
		crypto_close(subjects[n_subjects].ctx);
		secret_free(subjects[n_subjects].batch, sizeof(struct batch));
	}
}

TestSuite(crypto_equal, .init = open_all, .fini = close_all, .timeout = 120);

static void run_mac(const struct subject *s, const struct crypto_mac_op *ops, unsigned int n)
{
	if (s->ctx)
		crypto_mac(s->ctx, ops, n);
	for (unsigned int i = 0; s->batch && i < n; i += CRYPTO_BATCH_MAX)
		batch_mac(s->batch, ops + i, n - i < CRYPTO_BATCH_MAX ? n - i : CRYPTO_BATCH_MAX);
}

static void run_prf(const struct subject *s, const struct crypto_prf_op *ops, unsigned int n)
{
	if (s->ctx)
		crypto_prf(s->ctx, ops, n);
	for (unsigned int i = 0; s->batch && i < n; i += CRYPTO_BATCH_MAX)
		batch_prf(s->batch, ops + i, n - i < CRYPTO_BATCH_MAX ? n - i : CRYPTO_BATCH_MAX);
}

enum { OPS_MAX = 310, TEXT = 1 << 17 };
static uint8_t text[TEXT], keys[4096];
static uint8_t want[OPS_MAX][160], got[OPS_MAX][160];
static struct crypto_key prepared[8];

static void fill_inputs(void)
{
	draw_octets(text, sizeof(text));
	draw_octets(keys, sizeof(keys));
	for (size_t i = 0; i < 8; i++)
		crypto_key_prepare(
			reference, keys + i, 1 + draw(CRYPTO_PREPARED_KEY_MAX), &prepared[i]);
}

/* Both sides start from different octets, so that those not written show too. */
static void clear_outputs(void)
{
	memset(want, 0xaa, sizeof(want));
	memset(got, 0xaa, sizeof(got));
}

static struct crypto_mac_op random_mac(uint32_t len)
{
	struct crypto_mac_op op = {.hash = (uint8_t)draw(2)};
	const struct crypto_key *key = &prepared[draw(8)];
	uint32_t part, left = len;

	if (draw(2)) {
		op.state = op.hash == CRYPTO_SHA1 ? &key->sha1 : &key->sha256;
	} else {
		op.key_len = (uint16_t)(1 + draw(CRYPTO_MAC_KEY_MAX));
		op.key = keys + draw(sizeof(keys) - CRYPTO_MAC_KEY_MAX);
	}
	op.n_segments = (uint8_t)(1 + draw(CRYPTO_SEGMENTS_MAX));
	for (unsigned int i = 0; i < op.n_segments; i++) {
		part = i + 1u == op.n_segments ? left : draw(left + 1);
		op.seg[i] = (struct crypto_segment){text + draw(TEXT - len + 1), part};
		left -= part;
	}
	if (len == 0 && draw(2))
		op.n_segments = 0;
	return op;
}

static void compare_macs(struct crypto_mac_op *ops, unsigned int n)
{
	unsigned int i, k;

	clear_outputs();
	for (i = 0; i < n; i++)
		ops[i].out = want[i];
	crypto_mac(reference, ops, n);
	for (k = 0; k < n_subjects; k++) {
		for (i = 0; i < n; i++) {
			ops[i].out = got[i];
			memset(got[i], 0xaa, sizeof(got[i]));
		}
		run_mac(&subjects[k], ops, n);
		for (i = 0; i < n; i++)
			cr_assert_arr_eq(got[i], want[i], sizeof(want[i]), "%s: op %u of %u",
				subjects[k].name, i, n);
	}
}

Test(crypto_equal, macs_of_every_length)
{
	static const uint32_t longer[] = {511, 512, 1000, 4095, 4096, 4097, 8192, 65536, 100003};
	struct crypto_mac_op ops[OPS_MAX];
	unsigned int n = 0;

	fill_inputs();
	for (unsigned int round = 0; round < 8; round++) {
		for (n = 0; n <= 300; n++)
			ops[n] = random_mac(n);
		for (unsigned int i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
			ops[n++] = random_mac(longer[i]);
		compare_macs(ops, n);
	}
}

Test(crypto_equal, macs_in_batches_of_every_size)
{
	struct crypto_mac_op ops[OPS_MAX];

	fill_inputs();
	for (unsigned int n = 1; n <= 257; n++) {
		uint32_t most = 1 + draw(700), least = draw(2) ? most - 1 : 0;

		for (unsigned int i = 0; i < n; i++)
			ops[i] = random_mac(least + draw(most - least));
		compare_macs(ops, n);
	}
}

static struct crypto_prf_op random_prf(const struct crypto_prf_op *before)
{
	struct crypto_prf_op op = {.hash = (uint8_t)draw(2)};

	if (before && before->inkey && draw(3) == 0) {
		op.inkey = before->inkey;
		op.inkey_len =
			draw(4) ? before->inkey_len : (uint16_t)(1 + draw(before->inkey_len));
	} else if (draw(2)) {
		op.key = &prepared[draw(8)];
	} else {
		op.inkey_len = (uint16_t)(1 + draw(draw(2) ? CRYPTO_INKEY_MAX : 32));
		op.inkey = keys + draw(sizeof(keys) - CRYPTO_INKEY_MAX);
	}
	op.label_len = (uint16_t)(1 + draw(draw(2) ? CRYPTO_LABEL_MAX : 80));
	op.label = text + draw(TEXT - CRYPTO_LABEL_MAX);
	op.out_len = (uint16_t)(1 + draw(draw(2) ? CRYPTO_PRF_OUT_MAX : 32));
	return op;
}

static void compare_prfs(struct crypto_prf_op *ops, unsigned int n)
{
	unsigned int i, k;

	clear_outputs();
	for (i = 0; i < n; i++)
		ops[i].out = want[i];
	crypto_prf(reference, ops, n);
	for (k = 0; k < n_subjects; k++) {
		for (i = 0; i < n; i++) {
			ops[i].out = got[i];
			memset(got[i], 0xaa, sizeof(got[i]));
		}
		run_prf(&subjects[k], ops, n);
		for (i = 0; i < n; i++)
			cr_assert_arr_eq(got[i], want[i], sizeof(want[i]), "%s: op %u of %u",
				subjects[k].name, i, n);
	}
}

Test(crypto_equal, prfs_in_batches_of_every_size)
{
	struct crypto_prf_op ops[OPS_MAX];

	fill_inputs();
	for (unsigned int n = 1; n <= 257; n++) {
		for (unsigned int i = 0; i < n; i++)
			ops[i] = random_prf(i ? &ops[i - 1] : NULL);
		compare_prfs(ops, n);
	}
}

Test(crypto_equal, prfs_of_every_length_of_label_inkey_and_output)
{
	struct crypto_prf_op ops[128];
	uint16_t label, i;

	fill_inputs();
	for (label = 1; label <= CRYPTO_LABEL_MAX; label++) {
		for (i = 0; i < 128; i++) {
			ops[i] = random_prf(NULL);
			ops[i].key = NULL;
			ops[i].inkey = keys + i;
			ops[i].inkey_len = (uint16_t)(1 + (i + label) % CRYPTO_INKEY_MAX);
			ops[i].out_len = (uint16_t)(1 + i % CRYPTO_PRF_OUT_MAX);
			ops[i].label_len = label;
		}
		compare_prfs(ops, label < 140 ? 128 : 16);
	}
}

Test(crypto_equal, prepared_keys_are_the_same_states)
{
	struct crypto_key a, b;

	for (size_t len = 1; len <= CRYPTO_PREPARED_KEY_MAX; len++) {
		draw_octets(keys, len);
		crypto_key_prepare(reference, keys, len, &a);
		for (unsigned int k = 0; k < n_subjects; k++) {
			memset(&b, 0xaa, sizeof(b));
			if (subjects[k].ctx)
				crypto_key_prepare(subjects[k].ctx, keys, len, &b);
			else
				batch_key_prepare(subjects[k].batch, keys, len, &b);
			cr_assert_arr_eq(
				(uint8_t *)&b, (uint8_t *)&a, sizeof(a), "%s", subjects[k].name);
		}
	}
}

static void compare_cm(const struct crypto_cm_op *op)
{
	static uint8_t expected[UINT16_MAX + 1], result[UINT16_MAX + 1];
	struct crypto_cm_op o = *op;

	memset(expected, 0xaa, sizeof(expected));
	memset(result, 0xaa, sizeof(result));
	o.dst = expected;
	crypto_cm(reference, &o, 1);
	o.dst = result;
	crypto_cm(subjects[0].ctx, &o, 1);
	cr_assert_arr_eq(result, expected, op->len + 1u, "%u octets, key %u", op->len, op->key_len);
	memcpy(result, op->src, op->len);
	o.src = result;
	crypto_cm(subjects[0].ctx, &o, 1);
	cr_assert_arr_eq(result, expected, op->len + 1u, "in place");
}

static struct crypto_cm_op random_cm(uint16_t len)
{
	struct crypto_cm_op op = {.len = len, .key_len = draw(2) ? 16 : 32};

	op.key = keys + draw(sizeof(keys) - 32);
	op.src = text + draw(TEXT - UINT16_MAX);
	draw_octets(op.iv, sizeof(op.iv));
	op.iv[12] &= 0x7f;
	return op;
}

Test(crypto_equal, aes_cm_of_every_length)
{
	struct crypto_cm_op op;

	fill_inputs();
	for (unsigned int len = 0; len <= 600; len++) {
		op = random_cm((uint16_t)len);
		compare_cm(&op);
	}
	op = random_cm(UINT16_MAX);
	compare_cm(&op);
}

/* The protocol's IVs end in 16 zero bits; others are counted right, too, as far as they may go. */
Test(crypto_equal, aes_cm_counters_carry)
{
	fill_inputs();
	for (unsigned int carry = 1; carry <= 3; carry++) {
		for (unsigned int before = 0; before < 60; before++) {
			struct crypto_cm_op op = random_cm(800);

			memset(op.iv + 16 - carry, 0xff, carry);
			op.iv[12] &= 0x7f;
			op.iv[15] = (uint8_t)(0xff - before);
			compare_cm(&op);
		}
	}
}

Test(crypto_equal, aes_cm_counter_reaches_its_highest_value)
{
	struct crypto_cm_op op;

	fill_inputs();
	op = random_cm(800);
	memset(op.iv + 12, 0xff, 4);
	op.iv[15] = 0xff - (800 / 16 - 1);
	compare_cm(&op);
}

Test(crypto_equal, aes_cm_in_batches_of_every_size)
{
	static uint8_t expected[OPS_MAX][256], result[OPS_MAX][256];
	struct crypto_cm_op ops[OPS_MAX];

	fill_inputs();
	for (unsigned int n = 1; n <= 257; n++) {
		memset(expected, 0xaa, sizeof(expected));
		memset(result, 0xaa, sizeof(result));
		for (unsigned int i = 0; i < n; i++) {
			ops[i] = random_cm((uint16_t)draw(256));
			ops[i].dst = expected[i];
		}
		crypto_cm(reference, ops, n);
		for (unsigned int i = 0; i < n; i++)
			ops[i].dst = result[i];
		crypto_cm(subjects[0].ctx, ops, n);
		cr_assert_arr_eq((uint8_t *)result, (uint8_t *)expected, sizeof(result), "%u", n);
	}
}

/* Two pages between inaccessible ones. */
enum { PAGE = 4096, ARENA = 2 * PAGE };

static uint8_t *guarded(void)
{
	uint8_t *p = mmap(NULL, ARENA + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(mprotect(p + PAGE, ARENA, PROT_READ | PROT_WRITE), 0);
	draw_octets(p + PAGE, ARENA);
	return p + PAGE;
}

/* Places len octets at the very beginning or the very end: nothing else may be touched. */
static uint8_t *place(uint8_t *arena, size_t len)
{
	return draw(2) ? arena : arena + ARENA - len;
}

Test(crypto_equal, nothing_outside_the_buffers_is_touched)
{
	uint8_t *a = guarded(), *b = guarded(), *c = guarded(), *out = guarded();
	uint8_t expected[CRYPTO_PRF_OUT_MAX];

	fill_inputs();
	for (unsigned int i = 0; i < 3000; i++) {
		const struct subject *s = &subjects[i % n_subjects];
		struct crypto_mac_op mac = {.hash = (uint8_t)draw(2), .n_segments = 2};
		struct crypto_prf_op prf = random_prf(NULL);
		const size_t mac_len = mac.hash == CRYPTO_SHA1 ? 20 : 32;

		mac.key_len = (uint16_t)(1 + draw(CRYPTO_MAC_KEY_MAX));
		mac.key = place(a, mac.key_len);
		mac.seg[0].len = draw(300);
		mac.seg[0].data = place(b, mac.seg[0].len);
		mac.seg[1].len = draw(300);
		mac.seg[1].data = place(c, mac.seg[1].len);
		mac.out = expected;
		crypto_mac(reference, &mac, 1);
		mac.out = place(out, mac_len);
		run_mac(s, &mac, 1);
		cr_assert_arr_eq(mac.out, expected, mac_len, "%s", s->name);

		prf.key = NULL;
		prf.inkey_len = (uint16_t)(1 + draw(CRYPTO_INKEY_MAX));
		prf.inkey = place(a, prf.inkey_len);
		prf.label = place(b, prf.label_len);
		prf.out = expected;
		crypto_prf(reference, &prf, 1);
		prf.out = place(out, prf.out_len);
		run_prf(s, &prf, 1);
		cr_assert_arr_eq(prf.out, expected, prf.out_len, "%s", s->name);
	}
	for (unsigned int i = 0; i < 1000; i++) {
		struct crypto_cm_op cm = random_cm((uint16_t)draw(300));

		cm.key = place(a, cm.key_len);
		cm.src = place(b, cm.len);
		cm.dst = place(c, cm.len);
		crypto_cm(subjects[0].ctx, &cm, 1);
	}
}
