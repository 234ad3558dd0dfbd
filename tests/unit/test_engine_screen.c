/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused before the sender is authenticated, and right after. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

static struct kit k;
static struct kit_answer a;
static struct policy_wish policy;
static struct init_wish request;
static struct octets message;

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

TestSuite(engine_screen, .init = setup, .fini = teardown);

static void expect(enum verdict verdict)
{
	client_send(&k, &request, &a);
	kit_expect(&a, verdict);
}

/* The request with one octet replaced. */
static void expect_patched(size_t off, uint8_t octet, enum verdict verdict)
{
	client_build(&k, &request, &message);
	message.data[off] = octet;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, verdict);
}

Test(engine_screen, good_request_is_answered)
{
	expect(VERDICT_REQUEST_OK);
}

Test(engine_screen, less_than_a_header_is_silence)
{
	client_build(&k, &request, &message);
	for (size_t len = 0; len < MIKEY_HDR_LEN; len++) {
		kit_send(&k, message.data, len, &a);
		kit_expect(&a, VERDICT_MESSAGE_SHORT);
	}
}

Test(engine_screen, no_stranger_gets_more_than_he_sent)
{
	client_build(&k, &request, &message);
	for (size_t len = MIKEY_HDR_LEN; len < message.len; len++) {
		kit_send(&k, message.data, len, &a);
		cr_assert_eq(a.verdict, VERDICT_MESSAGE_MALFORMED);
		cr_assert_eq(a.len, len < 24 ? 0 : 24);
	}
}

Test(engine_screen, responses_transfers_and_errors_are_never_answered)
{
	static const uint8_t types[] = {MIKEY_ERROR, MIKEY_REQUEST_RESP, MIKEY_TRANSFER_INIT,
		MIKEY_TRANSFER_RESP, MIKEY_RESOLVE_RESP};

	for (size_t i = 0; i < sizeof(types); i++) {
		expect_patched(1, types[i], VERDICT_MESSAGE_RESPONSE_TYPE);
		/* Not even when something else is wrong with them. */
		request.version = 2;
		expect_patched(1, types[i], VERDICT_MESSAGE_RESPONSE_TYPE);
		request.version = 1;
	}
}

Test(engine_screen, other_version_is_refused_and_echoed)
{
	expect_patched(0, 2, VERDICT_MESSAGE_VERSION);
	cr_assert_eq(a.octets[0], 2);
	cr_assert_eq(memcmp(a.octets + 4, message.data + 4, 4), 0, "CSB ID");
}

Test(engine_screen, public_key_variants_and_unknown_data_types_are_refused)
{
	expect_patched(1, MIKEY_REQUEST_INIT_PK, VERDICT_MESSAGE_PUBLIC_KEY);
	expect_patched(1, MIKEY_RESOLVE_INIT_PK, VERDICT_MESSAGE_PUBLIC_KEY);
	expect_patched(1, 0, VERDICT_MESSAGE_DATA_TYPE);
	expect_patched(1, 255, VERDICT_MESSAGE_DATA_TYPE);
}

Test(engine_screen, message_longer_than_the_cap_is_refused)
{
	client_build(&k, &request, &message);
	k.policy.max_message = (uint16_t)message.len;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_REQUEST_OK);
	k.policy.max_message--;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_MESSAGE_OVERSIZE);
	k.policy.max_message = UINT16_MAX;
	kit_send(&k, message.data, POLICY_MESSAGE_MAX + 1, &a);
	kit_expect(&a, VERDICT_MESSAGE_OVERSIZE);
}

Test(engine_screen, unknown_prf_is_refused_and_echoed)
{
	expect_patched(3, 0x85, VERDICT_MESSAGE_PRF);
	cr_assert_eq(a.octets[3], 5);
}

Test(engine_screen, octets_after_the_last_payload_are_malformed)
{
	client_build(&k, &request, &message);
	message.data[message.len] = 0;
	kit_send(&k, message.data, message.len + 1, &a);
	kit_expect(&a, VERDICT_MESSAGE_MALFORMED);
}

Test(engine_screen, unknown_types_that_hide_the_rest_are_named)
{
	expect_patched(11, 9, VERDICT_MESSAGE_TS_TYPE);
	client_build(&k, &request, &message);
	message.data[message.len - 33] = 9;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_MESSAGE_MAC_ALG);
	request.tail = (const uint8_t *)"\x00\x09";
	request.tail_len = 2;
	request.tail_kind = MIKEY_CHASH;
	expect(VERDICT_MESSAGE_HASH_FUNC);
	request.tail_kind = MIKEY_DH;
	expect(VERDICT_MESSAGE_DH_GROUP);
}

Test(engine_screen, v_must_be_there_and_last)
{
	request.v = V_MISSING;
	expect(VERDICT_MESSAGE_NO_V);
	request.v = V_NOT_LAST;
	expect(VERDICT_MESSAGE_NO_V);
}

Test(engine_screen, null_mac_is_refused)
{
	request.auth_alg = MIKEY_AUTH_NULL;
	expect(VERDICT_MESSAGE_MAC_ALG);
}

Test(engine_screen, suites_are_not_mixed)
{
	request.auth_alg = MIKEY_AUTH_HMAC_SHA_1_160;
	expect(VERDICT_MESSAGE_MIXED);
	client_weak(&request);
	request.auth_alg = MIKEY_AUTH_HMAC_SHA_256_256;
	expect(VERDICT_MESSAGE_MIXED);
}

Test(engine_screen, mandatory_payloads_must_be_there)
{
	static struct octets none;

	request.t = false;
	expect(VERDICT_MESSAGE_NO_T);
	request.t = true;
	request.randr = false;
	expect(VERDICT_MESSAGE_NO_RANDR);
	request.randr = true;
	request.randr_len = 0;
	expect(VERDICT_MESSAGE_NO_RANDR);
	request.randr_len = 1;
	expect(VERDICT_REQUEST_OK);
	request = client_resolve(&none);
	request.ticket = NULL;
	expect(VERDICT_MESSAGE_NO_TICKET);
	request = client_request(&policy);
	request.data_type = MIKEY_RESOLVE_INIT_PSK;
	expect(VERDICT_MESSAGE_NO_RANDR);
	request = client_resolve(&none);
	request.ticket = NULL;
	client_build(&k, &request, &message);
	message.data[1] = MIKEY_REQUEST_INIT_PSK;
	message.data[21] = MIKEY_RANDRI;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_MESSAGE_NO_TP);
}

Test(engine_screen, counter_is_refused)
{
	request.t_type = MIKEY_TS_COUNTER;
	expect(VERDICT_MESSAGE_COUNTER);
}

Test(engine_screen, every_ntp_type_is_accepted_within_the_skew_window)
{
	static const uint8_t types[] = {MIKEY_TS_NTP_UTC, MIKEY_TS_NTP, MIKEY_TS_NTP_UTC_32};

	k.now &= ~UINT64_C(0xffffffff);
	for (size_t i = 0; i < sizeof(types); i++) {
		request.t_type = types[i];
		request.t_seconds = -300;
		expect(VERDICT_REQUEST_OK);
		request.t_seconds = 300;
		expect(VERDICT_REQUEST_OK);
		request.t_seconds = -301;
		expect(VERDICT_MESSAGE_SKEW);
		request.t_seconds = 301;
		expect(VERDICT_MESSAGE_SKEW);
	}
	request.t_type = MIKEY_TS_NTP_UTC;
	request.t_seconds = 300;
	client_build(&k, &request, &message);
	k.now--;
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_MESSAGE_SKEW);
}

Test(engine_screen, skew_and_lifetimes_hold_across_the_end_of_an_era)
{
	k.now = UINT64_C(0xffffffff80000000);
	request.t_seconds = 200; /* after 7 February 2036: seconds begin anew */
	expect(VERDICT_REQUEST_OK);
	k.now = UINT64_C(0x0000000080000000);
	request.t_seconds = -200;
	expect(VERDICT_REQUEST_OK);
	request.t_seconds = -400;
	expect(VERDICT_MESSAGE_SKEW);
}

Test(engine_screen, identities_longer_than_the_cap_are_refused)
{
	static uint8_t octets[256];

	memset(octets, 'a', sizeof(octets));
	k.policy.max_identity = 60000;
	request.psk_id = (struct identity){octets, 256};
	expect(VERDICT_MESSAGE_IDENTITY_LONG);
	request.psk_id.len = 255;
	expect(VERDICT_AUTH_UNKNOWN);
	k.policy.max_identity = 254;
	expect(VERDICT_MESSAGE_IDENTITY_LONG);
}

Test(engine_screen, nobody_in_particular_gets_auth_failure)
{
	request.psk_id.data = NULL;
	request.self.data = NULL;
	expect(VERDICT_MESSAGE_NO_IDENTITY);
}

Test(engine_screen, subscriber_is_found_by_identity_without_idrpsk)
{
	request.psk_id.data = NULL;
	expect(VERDICT_REQUEST_OK);
	request.id_type = MIKEY_ID_URI;
	request.self = kit_text("sip:alice@company.example;user=phone");
	expect(VERDICT_REQUEST_OK);
	request.self = kit_text("nobody@company.example");
	expect(VERDICT_AUTH_UNKNOWN);
}

Test(engine_screen, omitted_identities_count_as_the_known_ones)
{
	request.self.data = NULL;
	request.kms.data = NULL;
	expect(VERDICT_REQUEST_OK);
}

/* Same number, same length, for who is unknown, has expired or has the wrong key. */
Test(engine_screen, unknown_and_wrong_are_answered_alike)
{
	static struct kit_answer other;
	const struct identity uid = kit_text("late@company.example");

	request.v = V_WRONG;
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_AUTH_MAC);
	request.v = V_RIGHT;
	request.psk_id = kit_text("psk-nobody");
	client_send(&k, &request, &other);
	kit_expect(&other, VERDICT_AUTH_UNKNOWN);
	cr_assert_eq(a.len, other.len);
	cr_assert_eq(memcmp(a.octets, other.octets, a.len), 0);
	kit_subscriber(&k, "psk-late", client_psk(&alice), 32, &uid, 1, 0xed003780, 0);
	request.psk_id = kit_text("psk-late");
	request.self = uid;
	policy.initiator = uid;
	expect(VERDICT_REQUEST_OK);
	k.now += UINT64_C(1) << 32;
	expect(VERDICT_AUTH_UNKNOWN);
}

/* The stand-in for unknown subscribers has a key that is no secret: knowing it must not help. */
Test(engine_screen, strangers_key_opens_nothing)
{
	static const struct person stranger = {"psk-stranger", {"stranger@nowhere"}, 0, 0};

	request.sender = &stranger;
	request.psk_id = kit_text("psk-stranger");
	request.self = kit_text("stranger@nowhere");
	expect(VERDICT_AUTH_UNKNOWN);
	request.psk_id = kit_text("stranger");
	expect(VERDICT_AUTH_UNKNOWN);
}

Test(engine_screen, sealing_keys_are_no_psks)
{
	request.psk_id = kit_text("tpk-1");
	expect(VERDICT_AUTH_UNKNOWN);
}

/* Rule R4. */
Test(engine_screen, node_out_of_sync_is_silent_about_whom_it_does_not_know)
{
	k.policy.in_sync = false;
	expect(VERDICT_REQUEST_OK);
	request.psk_id = kit_text("psk-nobody");
	expect(VERDICT_AUTH_UNKNOWN_NOT_IN_SYNC);
	cr_assert_eq(a.len, 0);
	/* The PSK may have been replaced; an answer would also tell who is a subscriber. */
	request.psk_id = kit_text("psk-alice");
	request.v = V_WRONG;
	expect(VERDICT_AUTH_MAC_NOT_IN_SYNC);
	cr_assert_eq(a.len, 0);
}

/* Rule R4: its clock may be what is off. */
Test(engine_screen, node_out_of_sync_is_silent_about_times_that_it_cannot_believe)
{
	k.policy.in_sync = false;
	request.t_seconds = -301;
	expect(VERDICT_MESSAGE_SKEW_NOT_IN_SYNC);
	request.t_seconds = 301;
	expect(VERDICT_MESSAGE_SKEW_NOT_IN_SYNC);
	request.t_seconds = 299;
	expect(VERDICT_REQUEST_OK);
}

Test(engine_screen, messages_for_another_role_get_no_answer)
{
	static const uint8_t data_type_offset = 1;

	k.policy.roles = POLICY_REQUEST;
	expect(VERDICT_REQUEST_OK);
	expect_patched(data_type_offset, MIKEY_RESOLVE_INIT_PSK, VERDICT_MESSAGE_ROLE);
	k.policy.roles = POLICY_RESOLVE;
	expect(VERDICT_MESSAGE_ROLE);
	k.policy.roles = 0;
	expect(VERDICT_MESSAGE_ROLE);
}

Test(engine_screen, crypto_sessions_and_other_maps_are_refused)
{
	request.n_cs = 1;
	expect(VERDICT_MESSAGE_MAP);
	request.n_cs = 0;
	request.map_type = MIKEY_MAP_GENERIC_ID;
	expect(VERDICT_MESSAGE_MAP);
}

Test(engine_screen, other_kms_is_refused)
{
	request.kms = kit_text("kms@other.example");
	expect(VERDICT_MESSAGE_KMS);
}

Test(engine_screen, identity_of_another_is_refused)
{
	request.self = kit_text(bob.uids[0]);
	expect(VERDICT_MESSAGE_IDENTITY);
	request.self = kit_text("alice@company.exampl");
	expect(VERDICT_MESSAGE_IDENTITY);
}

Test(engine_screen, known_but_unexpected_payloads_are_ignored)
{
	/* RAND of 2 octets, then SP without parameters. */
	request.tail = (const uint8_t *)"\x0a\x02\x01\x02\x00\x00\x00\x00\x00";
	request.tail_len = 9;
	request.tail_kind = MIKEY_RAND;
	request.tail_next_off = 4;
	expect(VERDICT_REQUEST_OK);
}

Test(engine_screen, response_that_does_not_fit_becomes_an_error_or_silence)
{
	static uint8_t small[64];
	struct engine_msg msg = {.request = message.data, .response = small};

	client_build(&k, &request, &message);
	msg.request_len = (uint16_t)message.len;
	for (uint16_t cap = 0; cap <= sizeof(small); cap++) {
		memset(small, 0xee, sizeof(small));
		msg.response_cap = cap;
		engine_process(k.engine, &k.view, k.now, &msg, 1);
		cr_assert_eq(msg.verdict, VERDICT_RESPONSE_SIZE);
		cr_assert_eq(msg.response_len, cap < 58 ? 0 : 58);
		for (size_t i = cap; i < sizeof(small); i++)
			cr_assert_eq(small[i], 0xee, "written beyond the buffer");
	}
	/* Whatever the room, nothing beyond it. */
	for (uint16_t cap = 64; cap < 700; cap++) {
		memset(a.octets, 0xee, sizeof(a.octets));
		msg.response = a.octets;
		msg.response_cap = cap;
		engine_process(k.engine, &k.view, k.now, &msg, 1);
		cr_assert_leq(msg.response_len, cap);
		cr_assert(
			msg.verdict == VERDICT_RESPONSE_SIZE || msg.verdict == VERDICT_REQUEST_OK);
		for (size_t i = cap; i < 1000; i++)
			cr_assert_eq(a.octets[i], 0xee, "written beyond the buffer");
	}
}

Test(engine_screen, every_verdict_has_its_name_in_lower_case)
{
	for (unsigned int v = 0; v < VERDICT_COUNT; v++) {
		const struct verdict_info *info = verdict_info(v);

		cr_assert_gt(strlen(info->name), 0);
		cr_assert_gt(strlen(info->description), 0);
		for (const char *c = info->name; *c; c++)
			cr_assert(
				(*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
		for (unsigned int u = 0; u < v; u++)
			cr_assert_str_neq(verdict_info(u)->name, info->name);
	}
	cr_assert_str_eq(
		verdict_info(VERDICT_RESOLVE_MODE3_RESPONDERS)->name, "resolve_mode3_responders");
}

Test(engine_screen, a_node_is_silent_about_what_is_not_its_role)
{
	struct ticket_wish wish = client_ticket();
	static struct octets ticket;
	struct init_wish resolve;

	client_ticket_build(&k, &wish, &ticket);
	resolve = client_resolve(&ticket);
	k.policy.roles = POLICY_RESOLVE;
	expect(VERDICT_MESSAGE_ROLE);
	cr_assert_eq(a.len, 0);
	client_send(&k, &resolve, &a);
	kit_expect(&a, VERDICT_RESOLVE_OK);
	k.policy.roles = POLICY_REQUEST;
	expect(VERDICT_REQUEST_OK);
	client_send(&k, &resolve, &a);
	kit_expect(&a, VERDICT_MESSAGE_ROLE);
	cr_assert_eq(a.len, 0);
}
