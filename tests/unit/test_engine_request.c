/* SPDX-License-Identifier: BSD-3-Clause */
/* What a REQUEST may ask for. */
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

TestSuite(engine_request, .init = setup, .fini = teardown);

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

static void expect_key(struct key_wish wish, enum verdict verdict)
{
	ask_keys(&wish, 1);
	expect(verdict);
}

static void weaken(void)
{
	client_weak(&request);
	policy.prf = MIKEY_PRF_MIKEY_1;
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

Test(engine_request, grants_what_was_asked_for)
{
	cr_assert_eq(granted(), policy.flags);
	cr_assert_eq(r.m.t.type, MIKEY_TS_NTP_UTC);
	cr_assert(same_identity(&r.m.idr[MIKEY_IDRKMS], kit_text(CLIENT_KMS)));
	cr_assert_eq(r.m.ticket.type, 1);
	cr_assert_eq(r.m.ticket.prf, policy.prf);
	cr_assert_eq(r.m.ticket.initiator_data.len, 0);
	cr_assert_not(r.tp.kemac.present);
	cr_assert_eq(granted_tre(), 3600);
	cr_assert_eq(r.td.rand.data.len, 32);
	cr_assert_eq(r.td.t.type, MIKEY_TS_NTP_UTC);
	/* The ticket's T is the request's (R2). */
	cr_assert_eq(memcmp(mikey_at(a.octets, r.td.t.value), message.data + 12, 8), 0);
	cr_assert_eq(r.n_keys, 3);
	cr_assert_eq(r.keys[0].type, MIKEY_MPK);
	cr_assert_eq(r.keys[1].type, MIKEY_MPK);
	cr_assert_eq(r.keys[2].type, MIKEY_TGK);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(r.keys[i].key.len, 32);
}

Test(engine_request, suite_a_has_keys_of_128_bits)
{
	weaken();
	granted();
	cr_assert_eq(r.m.kemac.encr_alg, MIKEY_ENCR_AES_CM_128);
	cr_assert_eq(r.td.kemac.encr_alg, MIKEY_ENCR_AES_CM_128);
	cr_assert_eq(r.td.v.auth_alg, MIKEY_AUTH_HMAC_SHA_1_160);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(r.keys[i].key.len, 16);
	/* The longer of TPK (32) and MPK (16). */
	cr_assert_eq(r.td.rand.data.len, 32);
}

/* The policy says how the ticket is protected, HDR how the message is (readings N18). */
Test(engine_request, prf_of_the_policy_may_differ_from_that_of_the_message)
{
	policy.prf = MIKEY_PRF_MIKEY_1;
	granted();
	cr_assert_eq(r.m.kemac.encr_alg, MIKEY_ENCR_AES_CM_256);
	cr_assert_eq(r.td.kemac.encr_alg, MIKEY_ENCR_AES_CM_128);
	cr_assert_eq(r.keys[0].key.len, 16);
	cr_assert_eq(r.keys[2].key.len, 16);
	client_weak(&request);
	policy.prf = MIKEY_PRF_HMAC_SHA_256;
	granted();
	cr_assert_eq(r.keys[0].key.len, 32);
	cr_assert_eq(r.keys[2].key.len, 16);
}

Test(engine_request, ticket_types_by_policy)
{
	policy.type = 2;
	expect(VERDICT_REQUEST_TICKET_TYPE);
	policy.subtype = policy.version = 0;
	granted();
	cr_assert_eq(r.m.ticket.type, 2);
	k.policy.n_types = 1;
	expect(VERDICT_REQUEST_TICKET_TYPE);
}

Test(engine_request, unknown_prf_in_tp_is_refused)
{
	policy.prf = 2;
	expect(VERDICT_REQUEST_PRF);
}

Test(engine_request, tp_data_must_parse)
{
	policy.raw = (const uint8_t *)"";
	policy.raw_len = 0;
	expect(VERDICT_REQUEST_TP_MALFORMED);
	policy.raw = (const uint8_t *)"\x0e\x00";
	policy.raw_len = 2;
	expect(VERDICT_REQUEST_TP_MALFORMED);
}

Test(engine_request, other_kms_in_tp_is_refused)
{
	policy.kms = kit_text("kms@other.example");
	expect(VERDICT_REQUEST_KMS);
}

Test(engine_request, ticket_in_the_name_of_somebody_else_is_refused)
{
	policy.initiator = kit_text(bob.uids[0]);
	expect(VERDICT_REQUEST_IDENTITY);
}

Test(engine_request, empty_and_long_identities_are_refused)
{
	static uint8_t octets[300];
	const struct identity good = policy.responders[0];

	memset(octets, 'x', sizeof(octets));
	k.policy.max_identity = 40;
	policy.responders[0] = (struct identity){octets, 41};
	expect(VERDICT_REQUEST_IDENTITY_LONG);
	policy.responders[0].len = 40;
	expect(VERDICT_REQUEST_OK);
	policy.responders[0].len = 0;
	expect(VERDICT_REQUEST_IDENTITY_LONG);
	policy.responders[0] = good;
	policy.apps[0] = (struct identity){octets, 41};
	expect(VERDICT_REQUEST_IDENTITY_LONG);
	policy.apps[0].len = 40;
	expect(VERDICT_REQUEST_OK);
	policy.kms = (struct identity){octets, 41};
	expect(VERDICT_REQUEST_IDENTITY_LONG);
}

Test(engine_request, at_least_one_responder_and_no_more_than_the_cap)
{
	policy.responders[0].data = NULL;
	expect(VERDICT_REQUEST_NO_RESPONDER);
	for (unsigned int i = 0; i < 33; i++)
		policy.responders[i] = kit_text(bob.uids[0]);
	expect(VERDICT_REQUEST_RESPONDERS);
	policy.responders[32].data = NULL;
	granted();
	cr_assert_eq(r.tp.n_idr_r, 32);
	k.policy.max_idr_r = 31;
	expect(VERDICT_REQUEST_RESPONDERS);
	k.policy.max_idr_r = 1000;
	expect(VERDICT_REQUEST_OK);
}

Test(engine_request, applications_are_granted_up_to_the_cap)
{
	for (unsigned int i = 0; i < 9; i++)
		policy.apps[i] = kit_text("app.example");
	expect(VERDICT_REQUEST_APPLICATIONS);
	policy.apps[8].data = NULL;
	cr_assert_eq(granted(), policy.flags);
	cr_assert_eq(r.tp.n_idr_app, 8);
}

Test(engine_request, groups_by_policy_and_with_few_wildcards)
{
	policy.responders[0] = kit_text("?.department@company.example");
	cr_assert_eq(granted(), policy.flags);
	policy.responders[0] = kit_text("?a?a?a?a?a?a?a?a");
	expect(VERDICT_REQUEST_OK);
	policy.responders[0] = kit_text("?a?a?a?a?a?a?a?a?");
	expect(VERDICT_REQUEST_WILDCARDS);
	k.policy.allow_groups = false;
	policy.responders[0] = kit_text("?@?");
	expect(VERDICT_REQUEST_GROUP);
	policy.responders[0] = kit_text(bob.uids[0]);
	expect(VERDICT_REQUEST_OK);
}

Test(engine_request, rules_say_who_may_ask_for_whom)
{
	const struct policy_rule rules[] = {
		{kit_text("alice@?"), kit_text("carol@?"), true},
		{kit_text("?"), kit_text("?@other.example"), false},
	};

	k.policy.rules = rules;
	k.policy.n_rules = 2;
	expect(VERDICT_REQUEST_OK);
	policy.responders[1] = kit_text("carol@other.example");
	expect(VERDICT_REQUEST_OK);
	policy.responders[2] = kit_text("dave@other.example");
	expect(VERDICT_REQUEST_DENIED);
	policy.responders[2].data = NULL;
	k.policy.rules = rules + 1;
	k.policy.n_rules = 1;
	expect(VERDICT_REQUEST_DENIED);
}

Test(engine_request, times_must_be_points_in_time_and_in_order)
{
	policy.trs.type = MIKEY_TS_COUNTER;
	expect(VERDICT_REQUEST_TIME_TYPE);
	policy.trs.type = MIKEY_TS_NTP_UTC;
	expect(VERDICT_REQUEST_OK);
	policy.tre.type = MIKEY_TS_COUNTER;
	expect(VERDICT_REQUEST_TIME_TYPE);
	policy.tre.type = MIKEY_TS_NTP_UTC;
	expect(VERDICT_REQUEST_OK);
	policy.trr = (struct time_wish){true, MIKEY_TS_NTP_UTC, 0};
	expect(VERDICT_REQUEST_TIME_TYPE);
	policy.trr.type = MIKEY_TS_NTP_UTC_32;
	cr_assert_eq(granted(), policy.flags);
	cr_assert(r.tp.trr.present);
	policy.trs.seconds = 3601;
	expect(VERDICT_REQUEST_TIME_ORDER);
	policy.trs.seconds = -60;
	policy.tre.seconds = -1;
	expect(VERDICT_REQUEST_TIME_PAST);
	policy.tre.seconds = 0;
	expect(VERDICT_REQUEST_OK);
}

Test(engine_request, kemac_in_tp_is_plain)
{
	ask_keys((const struct key_wish[]){{MIKEY_TGK, MIKEY_KV_SPI, 32, 0, "1"}}, 1);
	policy.kemac_encr = MIKEY_ENCR_AES_CM_256;
	expect(VERDICT_REQUEST_KEMAC);
	policy.kemac_encr = MIKEY_ENCR_NULL;
	policy.kemac_mac = MIKEY_AUTH_HMAC_SHA_1_160;
	expect(VERDICT_REQUEST_KEMAC);
	policy.kemac_mac = MIKEY_AUTH_NULL;
	expect(VERDICT_REQUEST_OK);
	policy.keys_len--;
	expect(VERDICT_REQUEST_KEYS_MALFORMED);
}

Test(engine_request, keys_of_every_type_with_their_spis)
{
	static const struct key_wish wishes[] = {
		{MIKEY_TGK, MIKEY_KV_SPI, 16, 0, "1"},
		{MIKEY_TGK_SALT, MIKEY_KV_SPI, 64, 14, "22"},
		{MIKEY_TEK, MIKEY_KV_SPI, 33, 0, "333"},
		{MIKEY_TEK_SALT, MIKEY_KV_SPI, 32, 64, "4444"},
		{MIKEY_GTGK, MIKEY_KV_SPI, 63, 0, "55555"},
		{MIKEY_GTGK_SALT, MIKEY_KV_SPI, 17, 1, "666666"},
	};

	ask_keys(wishes, 6);
	cr_assert_eq(granted(), policy.flags);
	cr_assert_eq(r.n_keys, 8);
	for (unsigned int i = 0; i < 6; i++) {
		const struct mikey_key *key = &r.keys[2 + i];

		cr_assert_eq(key->type, wishes[i].type);
		cr_assert_eq(key->kv, MIKEY_KV_SPI);
		cr_assert_eq(key->key.len, wishes[i].len);
		cr_assert_eq(key->salt.len, wishes[i].salt_len);
		cr_assert_eq(key->spi.len, i + 1);
		cr_assert_eq(memcmp(mikey_at(r.plain, key->spi), wishes[i].spi, i + 1), 0);
		/* What the initiator put into Key Data is ignored. */
		cr_assert_neq(memcmp(mikey_at(r.plain, key->key), keys + 4, 16), 0);
	}
}

Test(engine_request, no_keys_on_request)
{
	ask_keys(NULL, 0);
	cr_assert_eq(granted(), policy.flags);
	cr_assert_eq(r.n_keys, 2);
}

Test(engine_request, keys_up_to_the_cap)
{
	struct key_wish wishes[18];

	for (unsigned int i = 0; i < 18; i++)
		wishes[i] = (struct key_wish){MIKEY_TGK, MIKEY_KV_NULL, 16, 0, NULL};
	ask_keys(wishes, 17);
	expect(VERDICT_REQUEST_KEYS);
	ask_keys(wishes, 16);
	granted();
	cr_assert_eq(r.n_keys, 18);
	k.policy.max_keys = 15;
	expect(VERDICT_REQUEST_KEYS);
	k.policy.max_keys = 1000;
	ask_keys(wishes, 17);
	expect(VERDICT_REQUEST_KEYS);
}

Test(engine_request, keys_out_of_range_are_refused)
{
	expect_key((struct key_wish){MIKEY_MPK, MIKEY_KV_SPI, 32, 0, "m"}, VERDICT_REQUEST_KEY_MPK);
	expect_key(
		(struct key_wish){MIKEY_TGK, MIKEY_KV_SPI, 15, 0, "t"}, VERDICT_REQUEST_KEY_SIZE);
	expect_key(
		(struct key_wish){MIKEY_TGK, MIKEY_KV_SPI, 65, 0, "t"}, VERDICT_REQUEST_KEY_SIZE);
	expect_key((struct key_wish){MIKEY_TGK_SALT, MIKEY_KV_SPI, 32, 0, "t"},
		VERDICT_REQUEST_KEY_SIZE);
	expect_key((struct key_wish){MIKEY_TGK_SALT, MIKEY_KV_SPI, 32, 65, "t"},
		VERDICT_REQUEST_KEY_SIZE);
	expect_key((struct key_wish){MIKEY_TGK, MIKEY_KV_INTERVAL, 32, 0, NULL},
		VERDICT_REQUEST_KEY_VALIDITY);
	expect_key((struct key_wish){MIKEY_TGK, MIKEY_KV_SPI, 32, 0, ""}, VERDICT_REQUEST_SPI);
	ask_keys((const struct key_wish[]){{MIKEY_TGK, MIKEY_KV_SPI, 32, 0, "same"},
			 {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "same"}},
		2);
	expect(VERDICT_REQUEST_SPI);
}

/* 12.1: more than 128 bits do not go under 128-bit algorithms, neither in the ticket nor in the
 * response. */
Test(engine_request, long_keys_need_strong_algorithms)
{
	const struct key_wish wish = {MIKEY_TGK, MIKEY_KV_SPI, 17, 0, "t"};

	expect_key(wish, VERDICT_REQUEST_OK);
	policy.prf = MIKEY_PRF_MIKEY_1;
	expect_key(wish, VERDICT_REQUEST_KEY_STRENGTH);
	client_weak(&request);
	expect_key(wish, VERDICT_REQUEST_KEY_STRENGTH);
	policy.prf = MIKEY_PRF_HMAC_SHA_256;
	expect_key(wish, VERDICT_REQUEST_KEY_STRENGTH);
	expect_key((struct key_wish){MIKEY_TGK, MIKEY_KV_SPI, 16, 0, "t"}, VERDICT_REQUEST_OK);
}

/* Draws the same SPI for every key. */
static void same_spi(void *arg, unsigned int msg, enum engine_generated what, unsigned int index,
	uint8_t *out, size_t len)
{
	(void)arg;
	(void)msg;
	(void)index;
	if (what == ENGINE_GEN_SPI)
		memcpy(out, "\xff\xff\xff\xff", len);
}

Test(engine_request, spis_of_a_ticket_are_distinct)
{
	const struct key_wish wishes[] = {
		{MIKEY_TGK, MIKEY_KV_NULL, 32, 0, NULL},
		{MIKEY_TEK, MIKEY_KV_NULL, 32, 0, NULL},
		{MIKEY_GTGK, MIKEY_KV_NULL, 32, 0, NULL},
		{MIKEY_TGK, MIKEY_KV_SPI, 32, 0, "\xff\xff\xff\xff"},
	};

	engine_test_generated(k.engine, same_spi, NULL);
	ask_keys(wishes, 4);
	granted();
	for (unsigned int i = 2; i < 6; i++) {
		for (unsigned int j = 2; j < i; j++)
			cr_assert_neq(memcmp(mikey_at(r.plain, r.keys[i].spi),
					      mikey_at(r.plain, r.keys[j].spi), 4),
				0);
	}
	cr_assert_eq(memcmp(mikey_at(r.plain, r.keys[5].spi), "\xff\xff\xff\xff", 4), 0);
}

static void cancelling_key(void *arg, unsigned int msg, enum engine_generated what,
	unsigned int index, uint8_t *out, size_t len)
{
	(void)arg;
	(void)msg;
	(void)index;
	if (what == ENGINE_GEN_KEY)
		memset(out, 7, len);
}

Test(engine_request, key_whose_halves_cancel_is_not_given_out)
{
	engine_test_generated(k.engine, cancelling_key, NULL);
	ask_keys((const struct key_wish[]){{MIKEY_TGK, MIKEY_KV_SPI, 64, 0, "t"}}, 1);
	expect(VERDICT_REQUEST_WEAK_KEY);
	ask_keys((const struct key_wish[]){{MIKEY_TGK, MIKEY_KV_SPI, 48, 0, "t"}}, 1);
	expect(VERDICT_REQUEST_OK);
}
