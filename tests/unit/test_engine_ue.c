/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole calls: two UEs and the engine, for the policies of all exchanges, with what each of them
 * generates itself. The UEs check everything that RFC 6043 has them check.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "common/mikey/message.h"
#include "tests/unit/engine_kit.h"
#include "tests/unit/ue_exchange.h"

static const uint64_t start =
	0xed00378040000000; /* of the vectors, whose policies have fixed times */

struct call {
	struct exchange x;
	struct kit k;
	struct kit_answer a;
	uint8_t transfer[UE_MESSAGE_MAX], init[UE_MESSAGE_MAX], answer[UE_MESSAGE_MAX];
	size_t transfer_len, init_len, answer_len;
};

static struct call c;

static void ok(const char *what, enum ue_result r)
{
	cr_assert_eq(r, UE_OK, "%s, %s: %s", c.x.name, what, ue_strerror(r));
}

static void call_open(unsigned int i, enum policy_profile profile)
{
	kit_open(&c.k, NULL);
	exchange_open(&c.x, i, c.k.crypto);
	kit_configure(&c.k, json_object_get(c.x.json, "config"));
	c.x.alice.ue.random = c.x.bob.ue.random = ue_random_system;
	c.k.policy.profile = profile;
	c.k.now = start;
}

static void call_close(void)
{
	exchange_close(&c.x);
	kit_close(&c.k);
}

static void later(void)
{
	c.k.now += UINT64_C(1) << 31;
}

static void get_ticket(void)
{
	struct ue_policy policy;
	struct ue_info info;

	if (c.x.mode > 2) {
		exchange_policy(&c.x, &c.x.transfer, &policy);
		ok("ticket",
			ue_ticket_make(&c.x.alice.ue, &policy, &c.x.tpk, c.k.now, &c.x.ticket));
		return;
	}
	exchange_policy(&c.x, &c.x.request, &policy);
	ok("request", ue_request_build(&c.x.alice.ue, &policy, c.k.now, c.init, sizeof(c.init),
			      &c.init_len));
	later();
	kit_send(&c.k, c.init, c.init_len, &c.a);
	kit_expect(&c.a, VERDICT_REQUEST_OK);
	ok("REQUEST_RESP", ue_request_process(&c.x.alice.ue, UE_CHANGES_STRICTER, c.init,
				   c.init_len, c.a.octets, c.a.len, c.k.now, &c.x.ticket, &info));
	cr_assert(info.verified);
	/* 20 bits of the fraction are not the clock: 244 us. */
	cr_assert(info.offset_us > -300 && info.offset_us < 300, "offset %ld us",
		(long)info.offset_us);
}

static void transfer(void)
{
	struct ue_offer offer;
	const struct identity bob = c.x.bob.uids[0];

	later();
	ok("offer", ue_offer_srtp(&c.x.alice.ue, &c.x.ticket, bob, NULL, &offer));
	ok("transfer", ue_transfer_build(&c.x.alice.ue, &c.x.ticket, &offer, c.k.now, c.transfer,
			       sizeof(c.transfer), &c.transfer_len));
}

static void resolve(void)
{
	struct ue_info info;

	later();
	ok("resolve", ue_resolve_build(&c.x.bob.ue, c.transfer, c.transfer_len, c.k.now, c.init,
			      sizeof(c.init), &c.init_len));
	kit_send(&c.k, c.init, c.init_len, &c.a);
	kit_expect(&c.a, VERDICT_RESOLVE_OK);
	ok("RESOLVE_RESP", ue_resolve_process(&c.x.bob.ue, c.transfer, c.transfer_len, c.init,
				   c.init_len, c.a.octets, c.a.len, c.k.now, &c.x.resolved, &info));
	cr_assert(info.verified);
}

static void finish(void)
{
	static struct ue_keyset own;
	struct ue_info info;
	const struct ue_keyset *keys = exchange_responder_keys(&c.x, &own) ? &own : NULL;

	later();
	if (!(c.x.ticket.flags & MIKEY_FLAG_F)) {
		ok("one way", ue_answer_one_way(&c.x.bob.ue, &c.x.resolved, c.transfer,
				      c.transfer_len, c.k.now, &c.x.sessions_b));
		ok("one way", ue_transfer_one_way(&c.x.alice.ue, &c.x.ticket, c.transfer,
				      c.transfer_len, &c.x.sessions_a));
		return;
	}
	ok("answer", ue_answer_build(&c.x.bob.ue, &c.x.resolved, c.transfer, c.transfer_len, keys,
			     c.k.now, c.answer, sizeof(c.answer), &c.answer_len, &c.x.sessions_b));
	ok("TRANSFER_RESP",
		ue_transfer_process(&c.x.alice.ue, &c.x.ticket, c.transfer, c.transfer_len,
			c.answer, c.answer_len, c.k.now, &c.x.sessions_a, NULL, NULL, &info));
}

static void expect_same_keys(void)
{
	cr_assert_gt(c.x.sessions_a.n, 0);
	cr_assert_eq(c.x.sessions_a.n, c.x.sessions_b.n);
	for (unsigned int i = 0; i < c.x.sessions_a.n; i++) {
		const struct ue_session *a = &c.x.sessions_a.s[i], *b = &c.x.sessions_b.s[i];

		cr_assert_eq(a->tek_len, b->tek_len);
		cr_assert_geq(a->tek_len, 16);
		cr_assert_eq(memcmp(a->tek, b->tek, a->tek_len), 0, "%s: TEK of session %u",
			c.x.name, i);
		cr_assert_eq(a->salt_len, b->salt_len);
		cr_assert_eq(memcmp(a->salt, b->salt, a->salt_len), 0);
	}
}

static void call(void)
{
	get_ticket();
	transfer();
	resolve();
	finish();
	expect_same_keys();
}

Test(engine_ue, both_ends_of_every_exchange_get_the_same_keys)
{
	unsigned int run = 0;

	for (unsigned int i = 0; i < EXCHANGES; i++) {
		call_open(i, POLICY_RFC6043);
		/* Mode 4 does without the KMS. */
		if (c.x.mode < 4) {
			call();
			run++;
		}
		call_close();
	}
	cr_assert_eq(run, 28);
}

Test(engine_ue, mode_2_responder_may_resolve_alone)
{
	unsigned int run = 0;

	for (unsigned int i = 0; i < EXCHANGES; i++) {
		call_open(i, POLICY_RFC6043);
		if (c.x.mode == 2) {
			get_ticket();
			transfer();
			ok("local", ue_resolve_local(&c.x.bob.ue, c.transfer, c.transfer_len,
					    &c.x.tpk, c.k.now, &c.x.resolved));
			finish();
			expect_same_keys();
			run++;
		}
		call_close();
	}
	cr_assert_eq(run, 2);
}

/* What the profile makes of them: forked, answered, not one way; the UEs go along. */
Test(engine_ue, calls_work_in_profile_3gpp)
{
	static const char *const names[] = {"mode1_forked", "mode1_group_wildcard",
		"mode1_all_key_types", "mode1_3gpp_ticket", "mode1_policy_changed",
		"mode1_applications", "mode1_ntp_utc_32", "mode3_forked", "mode1_one_way",
		"mode1_not_forked"};
	unsigned int run = 0;

	for (unsigned int i = 0; i < EXCHANGES; i++) {
		call_open(i, POLICY_3GPP);
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			if (strcmp(c.x.name, names[j]) != 0)
				continue;
			call();
			cr_assert(c.x.ticket.flags & MIKEY_FLAG_I);
			run++;
		}
		call_close();
	}
	cr_assert_eq(run, 20);
}
