/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/load.h"

static struct shared shared;
static struct load load;
static uint8_t buf[65536];
static size_t len;

static void setup(void)
{
	load = (struct load){.shared = &shared, .crypto = crypto_open("openssl")};
	cr_assert(load.crypto);
}

static void teardown(void)
{
	load_abort(&load);
	shared_clear(&shared);
	crypto_close(load.crypto);
}

TestSuite(load, .init = setup, .fini = teardown);

static struct identity text(const char *s)
{
	return (struct identity){.data = (const uint8_t *)s, .len = (uint16_t)strlen(s)};
}

static void record(const char *psk_id, const char *uid, bool remove)
{
	static const uint8_t psk[32] = {1};
	struct ipc_subscriber s = {.remove = remove, .psk_id = text(psk_id)};
	size_t n;

	if (!remove) {
		s.psk = (struct identity){.data = psk, .len = sizeof(psk)};
		s.n_uids = 1;
		s.uids[0] = text(uid);
	}
	n = ipc_subscriber_encode(&s, buf + len, sizeof(buf) - len);
	cr_assert_gt(n, 0u);
	len += n;
}

static int part(uint32_t flags)
{
	int err = load_part(&load, buf, len, flags);

	len = 0;
	return err;
}

static bool served(const char *psk_id)
{
	struct identity id = text(psk_id);
	const struct subscriber *s = NULL;

	if (!shared.subscribers)
		return false;
	subscriber_table_lookup(shared.subscribers, &id, 1, &s);
	return s != NULL;
}

Test(load, nothing_is_served_before_the_last_part)
{
	record("a", "a@x", false);
	cr_expect_eq(part(IPC_LOAD_FIRST), 0);
	cr_expect_not(served("a"));
	record("b", "b@x", false);
	cr_expect_eq(part(0), 0);
	record("c", "c@x", false);
	cr_expect_eq(part(IPC_LOAD_LAST), 0);
	cr_expect(served("a") && served("b") && served("c"));
	cr_expect_eq(subscriber_table_count(shared.subscribers), 3u);
}

Test(load, full_load_removes_whom_it_does_not_name)
{
	record("a", "a@x", false);
	record("b", "b@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	/* The same UID under another PSK id is no conflict with those that go. */
	record("c", "a@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	cr_expect(served("c"));
	cr_expect_not(served("a") || served("b"));
}

Test(load, empty_full_load_empties_the_table)
{
	record("a", "a@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	cr_assert(shared.subscribers);
	cr_expect_eq(subscriber_table_count(shared.subscribers), 0u);
}

Test(load, full_load_that_breaks_off_changes_nothing)
{
	record("a", "a@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	record("b", "b@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST), 0);
	load_abort(&load);
	cr_expect(served("a"));
	cr_expect_not(served("b"));
}

Test(load, delta_adds_replaces_and_removes)
{
	record("a", "a@x", false);
	record("b", "b@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	record("a", NULL, true);
	record("never-seen", NULL, true);
	record("b", "b2@x", false);
	record("c", "a@x", false);
	cr_expect_eq(part(0), 0);
	cr_expect_not(served("a"));
	cr_expect(served("b") && served("c"));
}

Test(load, delta_before_the_first_full_load_is_refused)
{
	record("a", "a@x", false);
	cr_expect_eq(part(0), -EPROTO);
	record("a", "a@x", false);
	cr_expect_eq(part(IPC_LOAD_LAST), -EPROTO);
	cr_expect_null(shared.subscribers);
}

Test(load, refused_record_is_reported_and_the_others_are_served)
{
	record("a", "same@x", false);
	record("b", "same@x", false);
	record("c", "c@x", false);
	cr_expect_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), -EEXIST);
	cr_expect(served("a") && served("c"));
	cr_expect_not(served("b"));
}

Test(load, parts_after_a_broken_one_are_not_taken_for_deltas)
{
	record("a", "a@x", false);
	cr_assert_eq(part(IPC_LOAD_FIRST | IPC_LOAD_LAST), 0);
	record("b", "b@x", false);
	len -= 1;
	cr_expect_eq(part(IPC_LOAD_FIRST), -EBADMSG);
	record("c", "c@x", false);
	cr_expect_eq(part(0), -ECANCELED);
	record("d", "d@x", false);
	cr_expect_eq(part(IPC_LOAD_LAST), -ECANCELED);
	cr_expect(served("a"));
	cr_expect_not(served("b") || served("c") || served("d"));
	record("e", "e@x", false);
	cr_expect_eq(part(0), 0, "deltas go on after its end");
	cr_expect(served("a") && served("e"));
}
