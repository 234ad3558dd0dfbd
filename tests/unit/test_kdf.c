/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every label that the vectors' exchanges derive a key with is rebuilt from its variable parts,
 * chosen by what the trace says the key is for, and every derived key is computed from it.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/kdf/kdf.h"
#include "tests/unit/vectors.h"

enum { LABEL_HEAD = 10 };

/* The parts of a label after constant || CS ID || CSB ID || purpose. */
struct parts {
	const uint8_t *at;
	const uint8_t *end;
};

static struct kdf_rand take_rand(struct parts *p)
{
	struct kdf_rand rand;

	cr_assert_lt(p->at, p->end);
	rand.len = *p->at++;
	rand.data = p->at;
	cr_assert_leq(rand.len, p->end - p->at);
	p->at += rand.len;
	return rand;
}

static uint32_t csb_id(const uint8_t *label)
{
	return (uint32_t)label[5] << 24 | (uint32_t)label[6] << 16 | (uint32_t)label[7] << 8 |
	       label[8];
}

static enum kdf_key key_named(const char *what)
{
	if (strstr(what, "encr_key"))
		return KDF_ENCR;
	if (strstr(what, "salt_key"))
		return KDF_SALT;
	cr_assert(strstr(what, "auth_key"), "%s", what);
	return KDF_AUTH;
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static size_t rebuild_fork(uint8_t *label, enum kdf_fork which, struct parts *p)
{
	const uint8_t *id;
	uint16_t id_len;

	cr_assert_geq(p->end - p->at, 2);
	id_len = (uint16_t)(p->at[0] << 8 | p->at[1]);
	id = p->at + 2;
	cr_assert_leq(id_len + 2, p->end - p->at);
	p->at += 2 + id_len;
	return kdf_label_fork(label, which, id, id_len, take_rand(p));
}

static size_t rebuild(uint8_t *label, const char *what, const uint8_t *seen, struct parts *p)
{
	struct kdf_rand first, second;

	if (strcmp(what, "MPKi") == 0)
		return kdf_label_mpk(label, KDF_MPKI, take_rand(p));
	if (strcmp(what, "MPKr") == 0)
		return kdf_label_mpk(label, KDF_MPKR, take_rand(p));
	if (strcmp(what, "MPKr'") == 0)
		return rebuild_fork(label, KDF_FORK_MPKR, p);
	if (strcmp(what, "TGK'") == 0)
		return rebuild_fork(label, KDF_FORK_TGK, p);
	if (starts(what, "TPK "))
		return kdf_label_ticket(label, key_named(what), take_rand(p));
	if (starts(what, "Vr(MPKr) "))
		return kdf_label_initiator_data(label, key_named(what));
	first = take_rand(p);
	second = take_rand(p);
	if (strcmp(what, "session TEK") == 0)
		return kdf_label_session(label, KDF_SESSION_TEK, seen[4], first, second);
	if (strcmp(what, "session SALT") == 0)
		return kdf_label_session(label, KDF_SESSION_SALT, seen[4], first, second);
	if (strstr(what, " init "))
		return kdf_label_message(
			label, key_named(what), KDF_INIT, csb_id(seen), first, second);
	cr_assert(strstr(what, " resp "), "a kind of key the test does not know: %s", what);
	return kdf_label_message(label, key_named(what), KDF_RESP, csb_id(seen), first, second);
}

static void check_derive(struct crypto *ctx, const json_t *entry)
{
	uint8_t inkey[CRYPTO_INKEY_MAX], seen[CRYPTO_LABEL_MAX], label[CRYPTO_LABEL_MAX];
	uint8_t want[CRYPTO_PRF_OUT_MAX], out[CRYPTO_PRF_OUT_MAX];
	const char *what = vectors_string(entry, "what");
	size_t inkey_len = vectors_octets(entry, "inkey", inkey, sizeof(inkey));
	size_t seen_len = vectors_octets(entry, "label", seen, sizeof(seen));
	size_t out_len = vectors_octets(entry, "outkey", want, sizeof(want)), len;
	struct parts parts = {seen + LABEL_HEAD, seen + seen_len};
	struct crypto_prf_op op = {.inkey = inkey, .label = label, .out = out};

	cr_assert_geq(seen_len, LABEL_HEAD);
	len = rebuild(label, what, seen, &parts);
	cr_assert_eq(parts.at, parts.end, "%s: label not used up", what);
	cr_assert_eq(len, seen_len, "%s", what);
	cr_assert_arr_eq(label, seen, len, "%s", what);
	op.inkey_len = (uint16_t)inkey_len;
	op.label_len = (uint16_t)len;
	op.out_len = (uint16_t)out_len;
	op.hash = vectors_int(entry, "prf") == 0 ? CRYPTO_SHA1 : CRYPTO_SHA256;
	crypto_prf(ctx, &op, 1);
	cr_assert_arr_eq(out, want, out_len, "%s", what);
}

/* Finds the traces wherever they are. Returns the number of derivations checked. */
static unsigned int walk(struct crypto *ctx, json_t *node)
{
	unsigned int count = 0;
	const char *name;
	json_t *child;
	size_t i;

	if (json_is_object(node)) {
		const char *op = json_string_value(json_object_get(node, "op"));

		if (op && strcmp(op, "derive") == 0) {
			check_derive(ctx, node);
			return 1;
		}
		json_object_foreach(node, name, child) count += walk(ctx, child);
	} else if (json_is_array(node)) {
		json_array_foreach(node, i, child) count += walk(ctx, child);
	}
	return count;
}

Test(kdf, every_derivation_of_the_exchanges_is_rebuilt)
{
	json_t *root = vectors_load("exchanges.json");
	struct crypto *ctx = crypto_open(NULL);

	cr_assert(ctx);
	cr_expect_gt(walk(ctx, root), 1000);
	crypto_close(ctx);
	json_decref(root);
}

Test(kdf, an_omitted_rand_is_a_length_of_zero)
{
	static const uint8_t rand[2] = {0xaa, 0xbb};
	static const uint8_t want[] = {
		0x2d, 0x22, 0xac, 0x75, 0xff, 1, 2, 3, 4, 0x01, 0, 2, 0xaa, 0xbb};
	uint8_t label[CRYPTO_LABEL_MAX];
	size_t len = kdf_label_message(label, KDF_AUTH, KDF_INIT, 0x01020304,
		(struct kdf_rand){NULL, 0}, (struct kdf_rand){rand, sizeof(rand)});

	cr_assert_eq(len, sizeof(want));
	cr_expect_arr_eq(label, want, len);
}

/* Not in the vectors: only security protocols without a key derivation of their own need them. */
Test(kdf, session_keys_for_authentication_and_encryption)
{
	static const uint8_t auth[] = {0x1b, 0x5c, 0x79, 0x73, 7, 0xff, 0xff, 0xff, 0xff, 3, 0, 0};
	static const uint8_t encr[] = {0x15, 0x79, 0x8c, 0xef, 7, 0xff, 0xff, 0xff, 0xff, 3, 0, 0};
	static const struct kdf_rand none = {NULL, 0};
	uint8_t label[CRYPTO_LABEL_MAX];

	cr_assert_eq(kdf_label_session(label, KDF_SESSION_AUTH, 7, none, none), sizeof(auth));
	cr_expect_arr_eq(label, auth, sizeof(auth));
	cr_assert_eq(kdf_label_session(label, KDF_SESSION_ENCR, 7, none, none), sizeof(encr));
	cr_expect_arr_eq(label, encr, sizeof(encr));
}

Test(kdf, the_longest_labels_fit)
{
	uint8_t octets[255], label[CRYPTO_LABEL_MAX + 16];
	struct kdf_rand rand = {octets, sizeof(octets)};

	memset(octets, 0x5a, sizeof(octets));
	memset(label, 0xee, sizeof(label));
	cr_expect_eq(kdf_label_fork(label, KDF_FORK_TGK, octets, sizeof(octets), rand), 523);
	cr_expect_eq(kdf_label_message(label, KDF_ENCR, KDF_RESP, 1, rand, rand), 522);
	cr_expect_eq(kdf_label_session(label, KDF_SESSION_TEK, 1, rand, rand), 522);
	for (size_t i = CRYPTO_LABEL_MAX; i < sizeof(label); i++)
		cr_expect_eq(label[i], 0xee);
}

/* Two labels of different meaning are never equal: the heads already differ. */
Test(kdf, labels_of_different_keys_differ)
{
	static const struct kdf_rand none = {NULL, 0};
	uint8_t labels[16][CRYPTO_LABEL_MAX];
	unsigned int n = 0, i, k;

	for (i = KDF_ENCR; i <= KDF_AUTH; i++) {
		kdf_label_message(labels[n++], i, KDF_INIT, UINT32_MAX, none, none);
		kdf_label_message(labels[n++], i, KDF_RESP, UINT32_MAX, none, none);
		kdf_label_initiator_data(labels[n++], i);
		kdf_label_ticket(labels[n++], i, none);
	}
	kdf_label_mpk(labels[n++], KDF_MPKI, none);
	kdf_label_mpk(labels[n++], KDF_MPKR, none);
	kdf_label_fork(labels[n++], KDF_FORK_MPKR, NULL, 0, none);
	kdf_label_fork(labels[n++], KDF_FORK_TGK, NULL, 0, none);
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			cr_expect_neq(memcmp(labels[i], labels[k], LABEL_HEAD), 0, "%u %u", i, k);
}
