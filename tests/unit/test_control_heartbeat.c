/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/heartbeat.h"

static struct heartbeat h, got;
static uint8_t buf[HEARTBEAT_OCTETS_MAX];

static void fill_plain(void)
{
	memset(&h, 0, sizeof(h));
	strcpy(h.name, "node1");
	strcpy(h.version, "1.2.3");
	h.roles = ROLE_REQUEST | ROLE_RESOLVE;
	h.is_draining = h.is_serving = h.is_in_sync = true;
	h.drain_reasons = DRAIN_OPERATOR | DRAIN_CLOCK;
	h.time_ms = 3989000000123;
	h.keyring_version = 7;
	h.keyring_epoch = 11;
	h.load_permille = 421;
	h.log_first = 5;
	h.log_last = UINT64_MAX;
}

static void fill_lists(unsigned int keys, unsigned int cursors, unsigned int claims)
{
	h.n_held = keys;
	for (unsigned int i = 0; i < keys; i++) {
		memset(h.held[i].id, 'a' + (char)(i % 26), KEYS_ID_MAX);
		h.held[i].state = (uint8_t)(i % 5);
	}
	h.n_cursors = cursors;
	for (unsigned int i = 0; i < cursors; i++)
		h.cursors[i] = (struct heartbeat_cursor){UINT64_MAX - i, i};
	h.n_claims = claims;
	for (unsigned int i = 0; i < claims; i++)
		h.claims[i] = (struct heartbeat_claim){.family = i % 2 ? 4 : 6,
			.is_held = i % 3,
			.octets = {10, (uint8_t)i},
			.number = 1000 + i};
	h.n_forgotten = claims < HEARTBEAT_FORGOTTEN_MAX ? claims : HEARTBEAT_FORGOTTEN_MAX;
	for (unsigned int i = 0; i < h.n_forgotten; i++)
		h.forgotten[i] = (struct heartbeat_forgotten){i, UINT64_MAX - i};
	h.n_keks = claims ? HEARTBEAT_KEKS_MAX : 0;
	for (unsigned int i = 0; i < h.n_keks; i++)
		h.keks[i] = UINT64_MAX - i;
}

Test(heartbeat, comes_back_as_it_was)
{
	static const unsigned int sizes[][3] = {
		{0, 0, 0}, {1, 2, 3}, {KEYS_MAX, HEARTBEAT_CURSORS_MAX, IPC_ADDRESSES_MAX}};

	for (unsigned int i = 0; i < 3; i++) {
		size_t len;

		fill_plain();
		fill_lists(sizes[i][0], sizes[i][1], sizes[i][2]);
		len = heartbeat_encode(&h, NULL, 0);
		cr_assert(len > 0 && len <= sizeof(buf));
		cr_expect_eq(heartbeat_encode(&h, buf, len), len);
		cr_expect_eq(heartbeat_encode(&h, buf, len - 1), 0, "does not fit");
		cr_expect_eq(heartbeat_encode(&h, buf, len), len);
		cr_assert_eq(heartbeat_decode(&got, buf, len), 0);
		cr_expect_eq(memcmp(&h, &got, sizeof(h)), 0);
	}
}

Test(heartbeat, every_cut_is_refused_or_a_whole_field_short)
{
	size_t len;
	unsigned int accepted = 0;

	fill_plain();
	fill_lists(2, 2, 2);
	len = heartbeat_encode(&h, buf, sizeof(buf));
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, buf, cut);
		accepted += heartbeat_decode(&got, exact, cut) == 0;
		free(exact);
	}
	/* the name alone, then one field more each time */
	cr_expect_eq(accepted, 21);
}

static size_t field(size_t at, unsigned int tag, const void *octets, unsigned int len)
{
	buf[at] = (uint8_t)(tag >> 8);
	buf[at + 1] = (uint8_t)tag;
	buf[at + 2] = (uint8_t)(len >> 8);
	buf[at + 3] = (uint8_t)len;
	memcpy(buf + at + 4, octets, len);
	return at + 4 + len;
}

Test(heartbeat, an_older_version_said_less_and_that_is_zero)
{
	size_t len = field(0, 1, "old", 3);

	cr_assert_eq(heartbeat_decode(&got, buf, len), 0);
	cr_expect_str_eq(got.name, "old");
	cr_expect_eq(got.version[0], '\0');
	cr_expect_eq(got.roles, 0);
	cr_expect(!got.is_serving && !got.is_draining);
	cr_expect_eq(got.n_held + got.n_cursors + got.n_claims, 0);
}

Test(heartbeat, what_a_newer_version_adds_is_passed_over)
{
	static const uint8_t roles[12] = {[7] = 0xff, [8] = 1, 2, 3, 4};
	static const uint8_t claim[40] = {4, 0xff, 10, 0, 0, 1, [25] = 9, [26] = 1};
	static const uint8_t held[] = {1, 5, 't', 'p', 'k', '-', '1', 42, 42};
	size_t len = field(0, 1, "new", 3);

	len = field(len, 3, roles, sizeof(roles));
	len = field(len, 12, held, sizeof(held));
	len = field(len, 14, claim, sizeof(claim));
	len = field(len, 17, "what is this", 12);
	len = field(len, 17, "again", 5);
	len = field(len, 65535, "", 0);
	cr_assert_eq(heartbeat_decode(&got, buf, len), 0);
	cr_expect_eq(got.roles, 0xff);
	cr_expect_str_eq(got.held[0].id, "tpk-1");
	cr_assert_eq(got.n_claims, 1);
	cr_expect_eq(got.claims[0].number, 9);
	cr_expect(got.claims[0].is_held);
}

static void refused(size_t len, const char *what)
{
	memset(&got, 0xaa, sizeof(got));
	cr_expect_eq(heartbeat_decode(&got, buf, len), -EBADMSG, "%s", what);
	cr_expect_eq(got.n_claims, 0, "%s: nothing is left of it", what);
}

Test(heartbeat, what_is_wrong_is_refused)
{
	static const uint8_t zero[32];
	uint8_t octets[80];

	refused(field(0, 2, "1.0", 3), "no name");
	refused(field(0, 1, "", 0), "empty name");
	refused(field(0, 1, "a b", 3), "blank in the name");
	refused(field(0, 1, "a\0b", 3), "NUL in the name");
	refused(field(0, 1, "\xc3\xa4", 2), "name not ASCII");
	memset(octets, 'x', sizeof(octets));
	refused(field(0, 1, octets, 64), "long name");
	refused(field(field(0, 1, "n", 1), 2, octets, 32), "long version");
	refused(field(field(0, 1, "n", 1), 1, "m", 1), "two names");
	refused(field(field(0, 3, zero, 8), 1, "n", 1), "disorder");
	refused(field(field(0, 1, "n", 1), 3, zero, 7), "short number");
	memset(octets, 0xff, 8);
	refused(field(field(0, 1, "n", 1), 6, octets, 8), "time");
	refused(field(field(0, 1, "n", 1), 13, zero, 15), "short cursor");
	refused(field(field(0, 1, "n", 1), 14, zero, 26), "family of a claim");
	refused(field(field(0, 1, "n", 1), 12, "\0\5abcd", 6), "length of a key's id");
	octets[1] = 65;
	refused(field(field(0, 1, "n", 1), 12, octets, 67), "long id of a key");
}

Test(heartbeat, lists_longer_than_ever_sent_are_refused)
{
	static const uint8_t cursor[16], claim[26] = {4};
	size_t len = field(0, 1, "n", 1);

	for (unsigned int i = 0; i < HEARTBEAT_CURSORS_MAX; i++)
		len = field(len, 13, cursor, sizeof(cursor));
	cr_expect_eq(heartbeat_decode(&got, buf, len), 0);
	refused(field(len, 13, cursor, sizeof(cursor)), "cursors");
	len = field(0, 1, "n", 1);
	for (unsigned int i = 0; i < IPC_ADDRESSES_MAX; i++)
		len = field(len, 14, claim, sizeof(claim));
	cr_expect_eq(heartbeat_decode(&got, buf, len), 0);
	refused(field(len, 14, claim, sizeof(claim)), "claims");
	len = field(0, 1, "n", 1);
	for (unsigned int i = 0; i < HEARTBEAT_FORGOTTEN_MAX; i++)
		len = field(len, 15, cursor, sizeof(cursor));
	cr_expect_eq(heartbeat_decode(&got, buf, len), 0);
	refused(field(len, 15, cursor, sizeof(cursor)), "forgotten");
	len = field(0, 1, "n", 1);
	for (unsigned int i = 0; i < KEYS_MAX; i++)
		len = field(len, 12, "\1\1k", 3);
	cr_expect_eq(heartbeat_decode(&got, buf, len), 0);
	refused(field(len, 12, "\1\1k", 3), "keys");
}

Test(heartbeat, what_cannot_be_said_is_not_encoded)
{
	fill_plain();
	h.name[0] = '\0';
	cr_expect_eq(heartbeat_encode(&h, buf, sizeof(buf)), 0);
	fill_plain();
	strcpy(h.name, "a b");
	cr_expect_eq(heartbeat_encode(&h, buf, sizeof(buf)), 0);
	fill_plain();
	h.n_cursors = HEARTBEAT_CURSORS_MAX + 1;
	cr_expect_eq(heartbeat_encode(&h, buf, sizeof(buf)), 0);
	fill_plain();
	fill_lists(0, 0, 1);
	h.claims[0].family = 5;
	cr_expect_eq(heartbeat_encode(&h, buf, sizeof(buf)), 0);
}
