/* SPDX-License-Identifier: BSD-3-Clause */
/* Known answers: every backend against the vectors and against values published elsewhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "tests/unit/vectors.h"

static const char *const backends[] = {"ipsec-mb", "openssl"};
enum { N_BACKENDS = sizeof(backends) / sizeof(backends[0]) };

static struct crypto *open_backend(size_t i)
{
	struct crypto *ctx = crypto_open(backends[i]);

	cr_assert(ctx, "%s", backends[i]);
	return ctx;
}

Test(crypto, every_backend_opens_and_says_its_name)
{
	for (size_t i = 0; i < N_BACKENDS; i++) {
		struct crypto *ctx = open_backend(i);

		cr_expect_str_eq(crypto_name(ctx), backends[i]);
		crypto_close(ctx);
	}
	crypto_close(NULL);
}

Test(crypto, unknown_backend_is_enoent)
{
	errno = 0;
	cr_expect_null(crypto_open("rot13"));
	cr_expect_eq(errno, ENOENT);
}

static uint8_t prf_hash(const json_t *c)
{
	return vectors_int(c, "prf_func") == 0 ? CRYPTO_SHA1 : CRYPTO_SHA256;
}

static void check_prf_case(struct crypto *ctx, const json_t *c)
{
	uint8_t inkey[CRYPTO_INKEY_MAX], label[CRYPTO_LABEL_MAX];
	uint8_t want[CRYPTO_PRF_OUT_MAX], out[CRYPTO_PRF_OUT_MAX];
	struct crypto_key key;
	struct crypto_prf_op op = {.inkey = inkey, .label = label, .out = out};

	op.inkey_len = (uint16_t)vectors_octets(c, "inkey", inkey, sizeof(inkey));
	op.label_len = (uint16_t)vectors_octets(c, "label", label, sizeof(label));
	op.out_len = (uint16_t)vectors_octets(c, "outkey", want, sizeof(want));
	op.hash = prf_hash(c);
	crypto_prf(ctx, &op, 1);
	cr_expect_arr_eq(
		out, want, op.out_len, "%s: %s", crypto_name(ctx), vectors_string(c, "name"));
	if (op.inkey_len > CRYPTO_PREPARED_KEY_MAX)
		return;
	crypto_key_prepare(ctx, inkey, op.inkey_len, &key);
	op.inkey = NULL;
	op.key = &key;
	memset(out, 0xee, sizeof(out));
	crypto_prf(ctx, &op, 1);
	cr_expect_arr_eq(out, want, op.out_len, "%s, prepared: %s", crypto_name(ctx),
		vectors_string(c, "name"));
}

Test(crypto, prf_vectors)
{
	json_t *cases = vectors_load("prf.json"), *c;
	size_t i, k;

	cr_assert_gt(json_array_size(cases), 100);
	for (k = 0; k < N_BACKENDS; k++) {
		struct crypto *ctx = open_backend(k);

		json_array_foreach(cases, i, c) check_prf_case(ctx, c);
		crypto_close(ctx);
	}
	json_decref(cases);
}

/* P() of each 256-bit block is the PRF with that block as the whole inkey. */
static void check_prf_block(struct crypto *ctx, const json_t *c, const json_t *block)
{
	uint8_t s[32], label[CRYPTO_LABEL_MAX], p[160], out[CRYPTO_PRF_OUT_MAX];
	struct crypto_prf_op op = {.inkey = s, .label = label, .out = out};
	size_t p_len = vectors_octets(block, "P", p, sizeof(p));

	op.inkey_len = (uint16_t)vectors_octets(block, "s", s, sizeof(s));
	op.label_len = (uint16_t)vectors_octets(c, "label", label, sizeof(label));
	op.out_len = (uint16_t)(p_len < sizeof(out) ? p_len : sizeof(out));
	op.hash = prf_hash(c);
	crypto_prf(ctx, &op, 1);
	cr_expect_arr_eq(out, p, op.out_len, "%s: %s", crypto_name(ctx), vectors_string(c, "name"));
}

Test(crypto, prf_of_each_block_of_an_inkey_is_its_p)
{
	json_t *cases = vectors_load("prf.json"), *c, *block;
	size_t i, k, b;

	for (k = 0; k < N_BACKENDS; k++) {
		struct crypto *ctx = open_backend(k);

		json_array_foreach(cases, i, c)
		{
			json_array_foreach(json_object_get(c, "blocks"), b, block)
				check_prf_block(ctx, c, block);
		}
		crypto_close(ctx);
	}
	json_decref(cases);
}

struct published {
	const char *label;
	const char *out;
};

Test(crypto, prf_hmac_sha_256_values_published_elsewhere)
{
	static const struct published table[] = {
		{"15798cef0405a85c16", "3924935940c154ccbc3c2ad05c8f5181"},
		{"39a2c14b0405a85c16", "1725869b80f370cc9f24e13b"},
		{"15798cef0005a85c16", "f17c80a8d2f9befa47cf712603d7229a"},
		{"39a2c14b0005a85c16", "c3b7b561a291a1d3abef482b"},
		{"2ad01c64040633f457", "59aaa49ebb54813602b7cc165961b4e8"},
		{"39a2c14b040633f457", "745eb4df7d155c473114a799"},
	};
	uint8_t inkey[16], label[64], want[16], out[16];
	size_t i, k, head, tail;

	vectors_hex("a27b7d578eeb9b1ee7705e385996d300", inkey, sizeof(inkey));
	for (k = 0; k < N_BACKENDS; k++) {
		struct crypto *ctx = open_backend(k);

		for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			struct crypto_prf_op op = {.inkey = inkey,
				.inkey_len = sizeof(inkey),
				.label = label,
				.out = out,
				.hash = CRYPTO_SHA256};

			head = vectors_hex(table[i].label, label, sizeof(label));
			tail = vectors_hex("4339f62f55aac86348846a482c893802", label + head,
				sizeof(label) - head);
			op.label_len = (uint16_t)(head + tail);
			op.out_len = (uint16_t)vectors_hex(table[i].out, want, sizeof(want));
			crypto_prf(ctx, &op, 1);
			cr_expect_arr_eq(
				out, want, op.out_len, "%s: %s", crypto_name(ctx), table[i].label);
		}
		crypto_close(ctx);
	}
}

static void check_hmac_case(struct crypto *ctx, const json_t *c)
{
	uint8_t key[64], data[256], want[32], out[32];
	size_t key_len = vectors_octets(c, "key", key, sizeof(key));
	size_t len = vectors_octets(c, "data", data, sizeof(data));
	size_t mac_len = vectors_octets(c, "mac", want, sizeof(want));
	struct crypto_mac_op op = {.key = key,
		.key_len = (uint16_t)key_len,
		.seg = {{data, (uint32_t)len}},
		.n_segments = 1,
		.out = out,
		.hash = vectors_int(c, "mac_alg") == 1 ? CRYPTO_SHA1 : CRYPTO_SHA256};

	crypto_mac(ctx, &op, 1);
	cr_expect_arr_eq(out, want, mac_len, "%s", crypto_name(ctx));
}

static void check_cm_case(struct crypto *ctx, const json_t *c)
{
	uint8_t key[32], plain[4096], cipher[4096], out[4096];
	struct crypto_cm_op op = {.key = key, .src = plain, .dst = out};

	op.key_len = (uint8_t)vectors_octets(c, "key", key, sizeof(key));
	vectors_octets(c, "iv", op.iv, sizeof(op.iv));
	op.len = (uint16_t)vectors_octets(c, "plaintext", plain, sizeof(plain));
	vectors_octets(c, "ciphertext", cipher, sizeof(cipher));
	crypto_cm(ctx, &op, 1);
	cr_expect_arr_eq(out, cipher, op.len, "%s: %u", crypto_name(ctx), op.len);
	op.src = op.dst;
	crypto_cm(ctx, &op, 1);
	cr_expect_arr_eq(out, plain, op.len, "%s: %u, back in place", crypto_name(ctx), op.len);
}

Test(crypto, hmac_and_aes_cm_vectors)
{
	json_t *root = vectors_load("primitives.json"), *c;
	size_t i, k;

	cr_assert_geq(json_array_size(json_object_get(root, "hmac")), 2);
	cr_assert_geq(json_array_size(json_object_get(root, "aes_cm")), 16);
	for (k = 0; k < N_BACKENDS; k++) {
		struct crypto *ctx = open_backend(k);

		json_array_foreach(json_object_get(root, "hmac"), i, c) check_hmac_case(ctx, c);
		json_array_foreach(json_object_get(root, "aes_cm"), i, c) check_cm_case(ctx, c);
		crypto_close(ctx);
	}
	json_decref(root);
}

Test(crypto, iv_vectors)
{
	json_t *root = vectors_load("primitives.json"), *c;
	size_t i;

	cr_assert_geq(json_array_size(json_object_get(root, "iv")), 3);
	json_array_foreach(json_object_get(root, "iv"), i, c)
	{
		uint8_t salt[14], csb[4], t64[8], want[16], iv[16];

		vectors_octets(c, "salt", salt, sizeof(salt));
		vectors_octets(c, "csb_id", csb, sizeof(csb));
		vectors_octets(c, "t64", t64, sizeof(t64));
		vectors_octets(c, "iv", want, sizeof(want));
		crypto_cm_iv(iv, salt,
			(uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 | (uint32_t)csb[2] << 8 |
				csb[3],
			t64);
		cr_expect_arr_eq(iv, want, sizeof(iv), "%zu", i);
	}
	json_decref(root);
}

static void check_key_wrap(const json_t *c)
{
	static const uint8_t zero[64];
	uint8_t key[16], iv[8], plain[64], want[72], out[72], back[64];
	size_t k, len = vectors_octets(c, "plaintext", plain, sizeof(plain));

	vectors_octets(c, "key", key, sizeof(key));
	vectors_octets(c, "iv", iv, sizeof(iv));
	vectors_octets(c, "ciphertext", want, sizeof(want));
	cr_expect_eq(crypto_kw_wrap(key, iv, plain, len, out), 0);
	cr_expect_arr_eq(out, want, len + 8);
	cr_expect_eq(crypto_kw_unwrap(key, iv, want, len, back), 0);
	cr_expect_arr_eq(back, plain, len);
	for (k = 0; k < (len + 8) * 8; k++) {
		out[k / 8] ^= (uint8_t)(1 << k % 8);
		memset(back, 0xee, sizeof(back));
		cr_expect_eq(crypto_kw_unwrap(key, iv, out, len, back), -EBADMSG);
		cr_expect_arr_eq(back, zero, len);
		out[k / 8] ^= (uint8_t)(1 << k % 8);
	}
	iv[0] ^= 1;
	cr_expect_eq(crypto_kw_unwrap(key, iv, want, len, back), -EBADMSG);
}

Test(crypto, key_wrap_vectors_and_every_flipped_bit_refused)
{
	json_t *root = vectors_load("primitives.json"), *c;
	size_t i;

	cr_assert_geq(json_array_size(json_object_get(root, "aes_kw")), 1);
	json_array_foreach(json_object_get(root, "aes_kw"), i, c) check_key_wrap(c);
	json_decref(root);
}

Test(crypto, key_wrap_refuses_odd_lengths)
{
	uint8_t key[16] = {0}, iv[8] = {0}, in[40] = {0}, out[48];
	static const size_t bad[] = {0, 8, 15, 17, 20, 31};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(crypto_kw_wrap(key, iv, in, bad[i], out), -EINVAL);
		cr_expect_eq(crypto_kw_unwrap(key, iv, in, bad[i], out), -EINVAL);
	}
	cr_expect_eq(crypto_kw_wrap(key, iv, in, 16, out), 0);
}

Test(crypto, keys_shorter_than_16_or_longer_than_64_octets_are_refused)
{
	uint8_t key[80];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7 + 1);
	for (size_t len = 0; len <= sizeof(key); len++)
		cr_expect_eq(crypto_key_acceptable(key, len), len >= 16 && len <= 64, "%zu", len);
}

Test(crypto, keys_whose_blocks_cancel_in_the_prf_are_refused)
{
	uint8_t key[64], out[32], zero[32] = {0};
	size_t i, len;

	for (i = 0; i < 64; i++)
		key[i] = (uint8_t)(1 + i % 32);
	cr_expect_not(crypto_key_acceptable(key, 64));
	for (i = 0; i < N_BACKENDS; i++) {
		struct crypto *ctx = open_backend(i);
		struct crypto_prf_op op = {.inkey = key,
			.inkey_len = 64,
			.label = key,
			.label_len = 8,
			.out = out,
			.out_len = 32,
			.hash = CRYPTO_SHA256};

		crypto_prf(ctx, &op, 1);
		cr_expect_arr_eq(out, zero, 32, "the reason for the rule");
		crypto_close(ctx);
	}
	for (i = 0; i < 64; i++) {
		key[i] ^= 0x80;
		cr_expect(crypto_key_acceptable(key, 64), "octet %zu differs", i);
		key[i] ^= 0x80;
	}
	/* A short second block counts with its zero padding. */
	for (len = 33; len < 64; len++) {
		for (i = 0; i < 64; i++)
			key[i] = i % 32 < len - 32 ? 0xa5 : 0;
		cr_expect_not(crypto_key_acceptable(key, len), "%zu", len);
		key[31] = 1;
		cr_expect(crypto_key_acceptable(key, len), "%zu", len);
	}
	memset(key, 0, sizeof(key));
	cr_expect_not(crypto_key_acceptable(key, 33));
	cr_expect(crypto_key_acceptable(key, 32));
}
