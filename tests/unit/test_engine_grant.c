/* SPDX-License-Identifier: BSD-3-Clause */
/* What a REQUEST is granted: flags, lifetime, the policy as it goes into the ticket, mode 2. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

static struct kit k;
static struct kit_answer a;
static struct policy_wish policy;
static struct init_wish request;
static struct octets message;
static struct response r;
static uint8_t keys[4096];

static void setup(void)
{
	client_kit(&k, "openssl");
	policy = client_policy();
	request = client_request(&policy);
}

static void teardown(void)
{
	kit_close(&k);
}

TestSuite(engine_grant, .init = setup, .fini = teardown);

static void expect(enum verdict verdict)
{
	client_send(&k, &request, &a);
	kit_expect(&a, verdict);
}

/* Sends, verifies and opens the response. Returns the granted flags. */
static uint16_t granted(void)
{
	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_REQUEST_OK);
	client_open(&k, &request, &message, &a, &r);
	return r.m.ticket.flags;
}

static void ask_keys(const struct key_wish *wishes, unsigned int n)
{
	policy.kemac = true;
	policy.keys = keys;
	policy.keys_len = client_keys(keys, sizeof(keys), wishes, n);
}

static bool same_identity(const struct mikey_id *id, struct identity want)
{
	return id->present &&
	       identity_equal((struct identity){mikey_at(a.octets, id->data), id->data.len}, want);
}

static int64_t granted_tre(void)
{
	cr_assert(r.tp.tre.present);
	return mikey_ntp_seconds(a.octets, &r.tp.tre) - (int64_t)(k.now >> 32);
}

Test(engine_grant, every_ticket_has_an_end)
{
	policy.tre.present = false;
	k.policy.default_lifetime_s = 1234;
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_K);
	cr_assert_eq(granted_tre(), 1234);
	cr_assert_eq(r.tp.tre.type, MIKEY_TS_NTP_UTC_32);
	k.policy.max_lifetime_s = 1000;
	granted();
	cr_assert_eq(granted_tre(), 1000);
}

Test(engine_grant, long_lifetimes_are_clipped)
{
	k.policy.max_lifetime_s = 3600;
	cr_assert_eq(granted(), policy.flags);
	k.policy.max_lifetime_s = 600;
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_K);
	cr_assert_eq(granted_tre(), 600);
	policy.trs.seconds = 601;
	expect(VERDICT_REQUEST_TIME_ORDER);
}

/* Rule R2: the node's clock does not count. */
Test(engine_grant, times_derive_from_the_requests_time)
{
	k.policy.max_lifetime_s = 600;
	request.t_seconds = -100;
	granted();
	cr_assert_eq(granted_tre(), 500);
	policy.tre.present = false;
	k.policy.default_lifetime_s = 300;
	granted();
	cr_assert_eq(granted_tre(), 200);
}

Test(engine_grant, no_ticket_outlives_the_key_that_seals_it)
{
	const int64_t now = (int64_t)(k.now >> 32);

	k.sealing[0].resolves_until = now + 700;
	kit_keyring(&k);
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_K);
	cr_assert_eq(granted_tre(), 700);
	k.sealing[0].resolves_until = now;
	kit_keyring(&k);
	expect(VERDICT_REQUEST_NO_SEALING_KEY);
}

Test(engine_grant, no_active_key_is_silence)
{
	k.sealing[0].state = SEALING_RETIRING;
	kit_keyring(&k);
	expect(VERDICT_REQUEST_NO_SEALING_KEY);
	k.sealing[0].state = SEALING_REVOKED;
	kit_keyring(&k);
	expect(VERDICT_REQUEST_NO_SEALING_KEY);
}

Test(engine_grant, contradictory_flags_are_refused)
{
	enum {
		BASE = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_N | MIKEY_FLAG_O,
		F = MIKEY_FLAG_F,
		G = MIKEY_FLAG_G,
		H = MIKEY_FLAG_H,
		I = MIKEY_FLAG_I,
	};
	static const uint16_t bad[] = {
		BASE | F,				/* neither G nor H */
		BASE | G | H,				/* G without F */
		BASE | H | MIKEY_FLAG_M,		/* M without F */
		BASE | H | I,				/* I with a TGK without F */
		(BASE & ~MIKEY_FLAG_E) | F | G | H | I, /* I without E */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		policy.flags = bad[i];
		expect(VERDICT_REQUEST_FLAGS);
		k.policy.profile = POLICY_3GPP;
		expect(VERDICT_REQUEST_FLAGS);
		k.policy.profile = POLICY_RFC6043;
	}
	/* Without a TGK in the ticket, forking does not need F. */
	policy.flags = BASE | H | I;
	ask_keys((const struct key_wish[]){{MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "s"}}, 1);
	cr_assert_eq(granted(), policy.flags);
}

Test(engine_grant, d_is_set_and_k_is_the_kms_business)
{
	policy.flags = (uint16_t)((policy.flags & ~MIKEY_FLAG_D) | MIKEY_FLAG_K);
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_D | MIKEY_FLAG_K);
	policy.flags |= MIKEY_FLAG_D;
	cr_assert_eq(granted(), policy.flags & ~MIKEY_FLAG_K);
}

Test(engine_grant, what_is_added_or_left_out_sets_k)
{
	policy.kms.data = NULL;
	cr_assert(granted() & MIKEY_FLAG_K);
	cr_assert(same_identity(&r.tp.idr_kms, kit_text(CLIENT_KMS)));
	policy = client_policy();
	policy.initiator.data = NULL;
	cr_assert(granted() & MIKEY_FLAG_K);
	cr_assert(same_identity(&r.tp.idr_i, kit_text(alice.uids[0])));
	policy = client_policy();
	policy.unexpected = true;
	cr_assert(granted() & MIKEY_FLAG_K);
	cr_assert_not(r.tp.unexpected);
	policy = client_policy();
	policy.flags &= (uint16_t)~MIKEY_FLAG_O;
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_O | MIKEY_FLAG_K);
}

Test(engine_grant, order_of_the_desired_policy_is_kept)
{
	policy.backwards = true;
	policy.kms.data = NULL;
	cr_assert_eq(granted() & MIKEY_FLAG_K, MIKEY_FLAG_K);
	policy.kms = kit_text(CLIENT_KMS);
	cr_assert_eq(granted() & MIKEY_FLAG_K, 0);
	struct mikey_message m;

	cr_assert_eq(mikey_parse_message(&m, message.data, message.len), MIKEY_PARSE_OK);
	cr_assert_eq(m.tp.tp_data.len, r.m.ticket.tp_data.len);
	cr_assert_eq(memcmp(mikey_at(message.data, m.tp.tp_data),
			     mikey_at(a.octets, r.m.ticket.tp_data), m.tp.tp_data.len),
		0);
}

Test(engine_grant, uri_identities_are_granted_as_sent)
{
	policy.id_type = MIKEY_ID_URI;
	policy.initiator = kit_text("sip:alice@company.example");
	policy.responders[0] = kit_text("sips:bob@company.example;user=phone");
	cr_assert_eq(granted(), policy.flags);
	cr_assert(same_identity(&r.tp.idr_i, kit_text("sip:alice@company.example")));
	cr_assert(same_identity(&r.tp.idr_r[0], kit_text("sips:bob@company.example;user=phone")));
}

Test(engine_grant, added_spi_sets_k_the_default_key_does_not)
{
	cr_assert_eq(granted(), policy.flags);
	cr_assert_eq(r.keys[2].spi.len, 4);
	ask_keys((const struct key_wish[]){{MIKEY_TGK, MIKEY_KV_NULL, 32, 0, NULL}}, 1);
	cr_assert_eq(granted(), policy.flags | MIKEY_FLAG_K);
	cr_assert_eq(r.keys[2].spi.len, 4);
}

Test(engine_grant, profile_3gpp_fixes_the_flags)
{
	const uint16_t want = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F | MIKEY_FLAG_G |
			      MIKEY_FLAG_H | MIKEY_FLAG_I | MIKEY_FLAG_N | MIKEY_FLAG_O;

	k.policy.profile = POLICY_3GPP;
	cr_assert_eq(granted(), want);
	policy.flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_H; /* one way, not forked */
	cr_assert_eq(granted(), want | MIKEY_FLAG_K);
	policy.flags = MIKEY_FLAG_D | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_L | MIKEY_FLAG_M;
	cr_assert_eq(granted(), want | MIKEY_FLAG_K);
	policy.flags = want | MIKEY_FLAG_J;
	cr_assert_eq(granted(), want | MIKEY_FLAG_J);
	k.policy.allow_reuse = false;
	cr_assert_eq(granted(), want | MIKEY_FLAG_K);
}

Test(engine_grant, profile_rfc6043_grants_what_policy_allows)
{
	enum { ONE_WAY = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_H | MIKEY_FLAG_N | MIKEY_FLAG_O };

	policy.flags = ONE_WAY;
	cr_assert_eq(granted(), ONE_WAY);
	cr_assert_eq(r.n_keys, 2);
	policy.flags = ONE_WAY | MIKEY_FLAG_F | MIKEY_FLAG_J | MIKEY_FLAG_L | MIKEY_FLAG_M;
	cr_assert_eq(granted(), policy.flags);
	k.policy.allow_reuse = false;
	cr_assert_eq(granted(), (policy.flags & ~MIKEY_FLAG_J) | MIKEY_FLAG_K);
	policy.flags = ONE_WAY;
	k.policy.allow_no_forking = false;
	cr_assert_eq(granted(), ONE_WAY | MIKEY_FLAG_I | MIKEY_FLAG_F | MIKEY_FLAG_K);
	cr_assert_eq(r.n_keys, 3);
}

enum {
	MODE2 = MIKEY_FLAG_D | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H | MIKEY_FLAG_N |
		MIKEY_FLAG_O
};

Test(engine_grant, mode_2_seals_for_the_responder)
{
	policy.flags = MODE2;
	cr_assert_eq(granted(), MODE2);
	cr_assert(same_identity(&r.td.idr_psk, kit_text(bob.psk_id)));
	policy.responders[0] = kit_text(bob.uids[1]);
	granted();
	cr_assert(same_identity(&r.td.idr_psk, kit_text(bob.psk_id)));
}

Test(engine_grant, mode_2_needs_one_known_responder_and_profile_rfc6043)
{
	policy.flags = MODE2;
	policy.responders[1] = kit_text(carol.uids[0]);
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_E | MIKEY_FLAG_K);
	cr_assert(same_identity(&r.td.idr_psk, kit_text("tpk-1")));
	policy.responders[1].data = NULL;
	policy.responders[0] = kit_text("nobody@company.example");
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_E | MIKEY_FLAG_K);
	policy.responders[0] = kit_text("bob?@company.example");
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_E | MIKEY_FLAG_K);
	/* Not even when somebody's name looks like a group. */
	const struct identity odd = kit_text("odd?@company.example");

	kit_subscriber(&k, "psk-odd", client_psk(&bob), 32, &odd, 1, 0, 0);
	policy.responders[0] = odd;
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_E | MIKEY_FLAG_K);
	policy.responders[0] = kit_text(bob.uids[0]);
	k.policy.allow_no_forking = false;
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_E | MIKEY_FLAG_I | MIKEY_FLAG_K);
	cr_assert(same_identity(&r.td.idr_psk, kit_text("tpk-1")));
	k.policy.allow_no_forking = true;
	k.policy.profile = POLICY_3GPP;
	granted();
	cr_assert(same_identity(&r.td.idr_psk, kit_text("tpk-1")));
}

Test(engine_grant, mode_2_ticket_ends_with_its_responders_psk)
{
	const struct identity uid = kit_text("late@company.example");

	kit_subscriber(
		&k, "psk-late", client_psk(&bob), 16, &uid, 1, (int64_t)(k.now >> 32) + 100, 0);
	policy.flags = MODE2;
	policy.responders[0] = uid;
	cr_assert_eq(granted(), MODE2 | MIKEY_FLAG_K);
	cr_assert_eq(granted_tre(), 100);
	/* The longer of TPK (16) and MPK (32). */
	cr_assert_eq(r.td.rand.data.len, 32);
}
