/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/kek.h"
#include "control/seal.h"
#include "tests/unit/control_seal_vector.h"

static const uint8_t KEK[SEAL_KEK_LEN] = {1, 2, 3};
static const uint8_t OTHER_KEK[SEAL_KEK_LEN] = {1, 2, 4};
static const char SECRET[] = "the quick brown fox";

static const struct seal_name NAME = {"subscriber", "alice", 5, 7};

static struct sealer *sealer;

static void setup(void)
{
	sealer = sealer_new(KEK);
	cr_assert(sealer);
}

static void teardown(void)
{
	sealer_free(sealer);
}

TestSuite(control_seal, .init = setup, .fini = teardown);

static void seal_secret(uint8_t out[sizeof(SECRET) + SEAL_OVERHEAD])
{
	cr_assert_eq(seal(sealer, &NAME, SECRET, sizeof(SECRET), out), 0);
}

Test(control_seal, what_was_sealed_comes_back)
{
	uint8_t sealed[sizeof(SECRET) + SEAL_OVERHEAD];
	char plain[sizeof(SECRET)];

	seal_secret(sealed);
	cr_assert_null(memmem(sealed, sizeof(sealed), SECRET, 4));
	cr_assert_eq(unseal(sealer, &NAME, sealed, sizeof(sealed), plain), 0);
	cr_assert_str_eq(plain, SECRET);
}

Test(control_seal, nothing_can_be_sealed_too)
{
	uint8_t sealed[SEAL_OVERHEAD], none = 1;

	cr_assert_eq(seal(sealer, &NAME, "", 0, sealed), 0);
	cr_assert_eq(unseal(sealer, &NAME, sealed, sizeof(sealed), &none), 0);
	sealed[sizeof(sealed) - 1] ^= 1;
	cr_assert_eq(unseal(sealer, &NAME, sealed, sizeof(sealed), &none), -EBADMSG);
}

Test(control_seal, sealed_twice_shares_nothing_but_the_head)
{
	uint8_t a[sizeof(SECRET) + SEAL_OVERHEAD], b[sizeof(SECRET) + SEAL_OVERHEAD];

	seal_secret(a);
	seal_secret(b);
	cr_assert_arr_eq(a, b, 1 + SEAL_KEK_ID_LEN);
	cr_assert_arr_neq(a + 1 + SEAL_KEK_ID_LEN, b + 1 + SEAL_KEK_ID_LEN, SEAL_SALT_LEN);
	cr_assert_arr_neq(
		a + SEAL_OVERHEAD - SEAL_TAG_LEN, b + SEAL_OVERHEAD - SEAL_TAG_LEN, sizeof(SECRET));
}

Test(control_seal, every_flipped_bit_is_noticed_and_nothing_comes_out)
{
	static const char zeros[sizeof(SECRET)];
	uint8_t sealed[sizeof(SECRET) + SEAL_OVERHEAD];
	char plain[sizeof(SECRET)];

	seal_secret(sealed);
	for (size_t i = 0; i < 8 * sizeof(sealed); i++) {
		int err;

		memset(plain, 0, sizeof(plain));
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		err = unseal(sealer, &NAME, sealed, sizeof(sealed), plain);
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		cr_assert_lt(err, 0, "bit %zu", i);
		if (i / 8 > 0 && i / 8 <= SEAL_KEK_ID_LEN)
			cr_assert_eq(err, -EKEYREJECTED);
		else if (i / 8 > SEAL_KEK_ID_LEN)
			cr_assert_eq(err, -EBADMSG);
		cr_assert_arr_eq(plain, zeros, sizeof(zeros), "bit %zu", i);
	}
}

Test(control_seal, every_truncation_is_noticed)
{
	uint8_t sealed[sizeof(SECRET) + SEAL_OVERHEAD];
	char plain[sizeof(SECRET)];

	seal_secret(sealed);
	for (size_t len = 0; len < sizeof(sealed); len++) {
		uint8_t *copy = malloc(len ? len : 1);

		cr_assert(copy);
		memcpy(copy, sealed, len);
		cr_assert_lt(unseal(sealer, &NAME, copy, len, plain), 0);
		free(copy);
	}
}

Test(control_seal, a_record_opens_under_its_own_type_name_and_version_only)
{
	static const struct seal_name others[] = {
		{"subscribe", "ralice", 6, 7},
		{"keyring", "alice", 5, 7},
		{"subscriber", "alicf", 5, 7},
		{"subscriber", "alic", 4, 7},
		{"subscriber", "alice\0", 6, 7},
		{"subscriber", "alice", 5, 6},
		{"subscriber", "alice", 5, 8},
		{"subscriber", "alice", 5, 7ull << 32},
	};
	uint8_t sealed[sizeof(SECRET) + SEAL_OVERHEAD];
	char plain[sizeof(SECRET)];

	seal_secret(sealed);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert_eq(unseal(sealer, &others[i], sealed, sizeof(sealed), plain), -EBADMSG,
			"%zu", i);
}

Test(control_seal, another_kek_is_told_apart)
{
	uint8_t sealed[sizeof(SECRET) + SEAL_OVERHEAD];
	struct sealer *other = sealer_new(OTHER_KEK);
	char plain[sizeof(SECRET)];

	seal_secret(sealed);
	cr_assert(other);
	cr_assert_arr_neq(sealer_kek_id(other), sealer_kek_id(sealer), SEAL_KEK_ID_LEN);
	cr_assert_eq(unseal(other, &NAME, sealed, sizeof(sealed), plain), -EKEYREJECTED);
	/* also when its id is forged */
	memcpy(sealed + 1, sealer_kek_id(other), SEAL_KEK_ID_LEN);
	cr_assert_eq(unseal(other, &NAME, sealed, sizeof(sealed), plain), -EBADMSG);
	sealer_free(other);
}

/* The format must not change under existing stores. */
Test(control_seal, the_format_is_fixed)
{
	struct sealer *s = sealer_new(vector_kek);
	uint8_t plain[sizeof(vector_plain)];

	cr_assert_arr_eq(sealer_kek_id(s), vector_sealed + 1, SEAL_KEK_ID_LEN);
	cr_assert_eq(unseal(s, &(struct seal_name){"keyring", "keyring", 7, 258}, vector_sealed,
			     sizeof(vector_sealed), plain),
		0);
	cr_assert_arr_eq(plain, vector_plain, sizeof(plain));
	sealer_free(s);
}

static char dir[] = "/tmp/tkms-kek-XXXXXX";
static char file[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/kek", dir);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void remove_dir(void)
{
	unlink(file);
	rmdir(dir);
}

TestSuite(control_kek, .init = make_dir, .fini = remove_dir);

static void write_kek(const void *data, size_t len, mode_t mode)
{
	FILE *f = fopen(file, "w");

	cr_assert(f);
	cr_assert_eq(fwrite(data, 1, len, f), len);
	fclose(f);
	cr_assert_eq(chmod(file, mode), 0);
}

Test(control_kek, those_of_a_change_are_read_beside_it)
{
	uint8_t kek[SEAL_KEK_LEN];
	char next[80];
	struct reason why;
	FILE *f;

	memset(kek, 7, sizeof(kek));
	write_kek(kek, sizeof(kek), 0600);
	cr_assert_eq(kek_load_other(file, KEK_NEXT, kek, &why), -ENOENT, "there is none");
	snprintf(next, sizeof(next), "%s" KEK_NEXT, file);
	memset(kek, 8, sizeof(kek));
	f = fopen(next, "w");
	cr_assert(f);
	cr_assert_eq(fwrite(kek, 1, sizeof(kek), f), sizeof(kek));
	fclose(f);
	chmod(next, 0600);
	cr_assert_eq(kek_load(file, kek, &why), 0);
	cr_assert_eq(kek[0], 7);
	cr_assert_eq(kek_load_other(file, KEK_NEXT, kek, &why), 0);
	cr_assert_eq(kek[0], 8);
	/* what a unit gives where there is none */
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	f = fopen(next, "w");
	cr_assert(f);
	fputs("none", f);
	fclose(f);
	cr_assert_eq(kek_load_other("/nowhere", KEK_NEXT, kek, &why), -ENOENT);
	unlink(next);
}

Test(control_kek, a_made_one_can_be_read_and_is_not_made_twice)
{
	uint8_t a[SEAL_KEK_LEN], b[SEAL_KEK_LEN];
	struct reason why;
	struct stat st;

	cr_assert_eq(kek_create(file, &why), 0, "%s", why.text);
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(kek_load(file, a, &why), 0, "%s", why.text);
	cr_assert_eq(kek_create(file, &why), -EEXIST);
	cr_assert_eq(kek_load(file, b, &why), 0);
	cr_assert_arr_eq(a, b, sizeof(a));
}

Test(control_kek, raw_and_hex_are_the_same)
{
	static const char hex[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n";
	uint8_t raw[SEAL_KEK_LEN], kek[SEAL_KEK_LEN];
	struct reason why;

	for (unsigned int i = 0; i < SEAL_KEK_LEN; i++)
		raw[i] = (uint8_t)i;
	write_kek(raw, sizeof(raw), 0400);
	cr_assert_eq(kek_load(file, kek, &why), 0, "%s", why.text);
	cr_assert_arr_eq(kek, raw, sizeof(raw));
	unlink(file);
	write_kek(hex, 64, 0600);
	cr_assert_eq(kek_load(file, kek, &why), 0, "%s", why.text);
	cr_assert_arr_eq(kek, raw, sizeof(raw));
	write_kek(hex, 65, 0600);
	cr_assert_eq(kek_load(file, kek, &why), 0, "%s", why.text);
	cr_assert_arr_eq(kek, raw, sizeof(raw));
}

Test(control_kek, files_that_others_can_read_are_refused_with_the_fix)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0601, 0644};
	uint8_t kek[SEAL_KEK_LEN];
	struct reason why;

	for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_kek(KEK, sizeof(KEK), modes[i]);
		cr_assert_eq(kek_load(file, kek, &why), -EPERM);
		cr_assert(strstr(why.text, "chmod 600 /tmp/"), "%s", why.text);
	}
}

Test(control_kek, files_that_hold_no_key_are_refused)
{
	static const char text[70] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fxxxxx";
	static const uint8_t zeros[SEAL_KEK_LEN];
	uint8_t kek[SEAL_KEK_LEN];
	struct reason why;

	for (size_t len = 0; len < sizeof(text); len++) {
		if (len == SEAL_KEK_LEN || len == 2 * SEAL_KEK_LEN)
			continue;
		write_kek(text, len, 0600);
		cr_assert_eq(kek_load(file, kek, &why), -EINVAL, "%zu octets", len);
	}
	write_kek(zeros, sizeof(zeros), 0600);
	cr_assert_eq(kek_load(file, kek, &why), -EINVAL);
	unlink(file);
	cr_assert_eq(kek_load(file, kek, &why), -ENOENT);
	cr_assert(strstr(why.text, "tkmsctl init"), "%s", why.text);
	cr_assert_eq(kek_load(dir, kek, &why), -EINVAL);
}

Test(control_kek, a_credential_comes_first)
{
	uint8_t kek[SEAL_KEK_LEN];
	struct reason why;

	write_kek(KEK, sizeof(KEK), 0440);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	cr_assert_eq(kek_load("/nonexistent", kek, &why), 0, "%s", why.text);
	cr_assert_arr_eq(kek, KEK, sizeof(kek));
	write_kek(KEK, sizeof(KEK), 0444);
	cr_assert_eq(kek_load("/nonexistent", kek, &why), -EPERM);
	unlink(file);
	cr_assert_eq(kek_load("/nonexistent", kek, &why), -ENOENT, "none there: the file counts");
}

Test(control_seal, during_a_change_records_under_either_kek_are_opened_and_one_seals)
{
	uint8_t old[sizeof(SECRET) + SEAL_OVERHEAD], young[sizeof(SECRET) + SEAL_OVERHEAD];
	uint8_t first[SEAL_KEK_ID_LEN], second[SEAL_KEK_ID_LEN];
	char plain[sizeof(SECRET)];

	memcpy(first, sealer_kek_id(sealer), sizeof(first));
	seal_secret(old);
	cr_assert_eq(sealer_add(sealer, OTHER_KEK, second), 0);
	cr_assert_eq(sealer_add(sealer, OTHER_KEK, NULL), 0, "it is there already");
	cr_assert_neq(memcmp(first, second, sizeof(first)), 0);
	cr_assert_arr_eq(sealer_kek_id(sealer), first, sizeof(first), "the old one seals on");
	cr_assert_eq(sealer_use(sealer, second), 0);
	cr_assert_arr_eq(sealer_kek_id(sealer), second, sizeof(second));
	seal_secret(young);
	cr_assert_arr_eq(sealed_kek_id(young, sizeof(young)), second, sizeof(second));
	cr_assert_eq(unseal(sealer, &NAME, old, sizeof(old), plain), 0);
	cr_assert_eq(unseal(sealer, &NAME, young, sizeof(young), plain), 0);
	cr_assert_eq(sealer_drop(sealer, second), -EBUSY);
	cr_assert_eq(sealer_drop(sealer, first), 0);
	cr_assert_eq(sealer_drop(sealer, first), -ENOENT);
	cr_assert_eq(sealer_use(sealer, first), -ENOENT);
	cr_assert(!sealer_has(sealer, first) && sealer_has(sealer, second));
	cr_assert_eq(unseal(sealer, &NAME, old, sizeof(old), plain), -EKEYREJECTED);
	cr_assert_eq(unseal(sealer, &NAME, young, sizeof(young), plain), 0);
	cr_assert_null(sealed_kek_id(young, SEAL_OVERHEAD - 1));
}

Test(control_seal, there_is_room_for_three_keks)
{
	for (uint8_t i = 1; i <= 3; i++) {
		uint8_t kek[SEAL_KEK_LEN] = {9, i};

		cr_assert_eq(sealer_add(sealer, kek, NULL), i < 3 ? 0 : -ENOSPC);
	}
}
