/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may resolve a ticket, and who may have made it. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

static struct kit k;
static struct kit_answer a;
static struct ticket_wish wish;
static struct octets ticket, message;
static struct init_wish resolve;
static struct response r;
static uint8_t keys[4096];

static void setup(void)
{
	client_kit(&k, "openssl");
	wish = client_ticket();
	resolve = client_resolve(&ticket);
}

static void teardown(void)
{
	kit_close(&k);
}

TestSuite(engine_authorise, .init = setup, .fini = teardown);

/* Makes the ticket anew and sends it. */
static void expect(enum verdict verdict)
{
	client_ticket_build(&k, &wish, &ticket);
	resolve.ticket_len = ticket.len;
	client_send(&k, &resolve, &a);
	kit_expect(&a, verdict);
}

static void resolved(void)
{
	client_ticket_build(&k, &wish, &ticket);
	resolve.ticket_len = ticket.len;
	client_build(&k, &resolve, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_RESOLVE_OK);
	client_open(&k, &resolve, &message, &a, &r);
}

static void as(const struct person *p)
{
	resolve.sender = p;
	resolve.self = kit_text(p->uids[0]);
	resolve.psk_id = kit_text(p->psk_id);
}

static void seal_keys(const struct key_wish *wishes, unsigned int n)
{
	wish.keys = keys;
	wish.keys_len = client_keys(keys, sizeof(keys), wishes, n);
}

static struct identity returned(void)
{
	const struct mikey_id *id = &r.m.idr[MIKEY_IDRR];

	cr_assert(id->present);
	return (struct identity){mikey_at(a.octets, id->data), id->data.len};
}

static const struct key_wish mpk = {MIKEY_MPK, MIKEY_KV_SPI, 32, 0, "mpk0"};

Test(engine_authorise, only_who_is_named_may_resolve)
{
	as(&carol);
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	as(&alice);
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	as(&carol);
	wish.policy.responders[1] = kit_text("?@other.example");
	resolved();
	cr_assert(identity_equal(returned(), kit_text(carol.uids[0])));
	wish.policy.responders[1] = kit_text("Carol@other.example");
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	wish.policy.responders[1] = kit_text("carol@other.exampl");
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
}

Test(engine_authorise, any_identity_of_the_responder_will_do_and_is_returned)
{
	wish.policy.responders[0] = kit_text("?.department@company.example");
	resolved();
	cr_assert(identity_equal(returned(), kit_text(bob.uids[1])));
	wish.policy.responders[0] = kit_text("?@company.example");
	resolve.self = kit_text(bob.uids[1]);
	resolved();
	cr_assert(identity_equal(returned(), kit_text(bob.uids[1])));
	resolve.self.data = NULL;
	resolved();
	cr_assert(identity_equal(returned(), kit_text(bob.uids[0])));
}

Test(engine_authorise, wildcard_in_a_name_is_an_ordinary_character)
{
	wish.policy.responders[0] = kit_text("bob@company.exampl?");
	expect(VERDICT_RESOLVE_OK);
	wish.policy.responders[0] = kit_text("carol@other.example");
	resolve.self = kit_text("?@?");
	expect(VERDICT_MESSAGE_IDENTITY);
}

Test(engine_authorise, uri_identities_of_a_ticket_match_without_their_scheme)
{
	wish.policy.id_type = MIKEY_ID_URI;
	wish.policy.responders[0] = kit_text("sip:bob@company.example;user=phone");
	wish.policy.initiator = kit_text("sip:alice@company.example");
	resolved();
	cr_assert(identity_equal(returned(), kit_text(bob.uids[0])));
}

Test(engine_authorise, network_functions_need_role_setting_and_the_tickets_consent)
{
	as(&recorder);
	k.policy.end_to_middle_app = kit_text("app.e2m");
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	wish.policy.apps[0] = kit_text("app.other");
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	wish.policy.apps[1] = kit_text("app.e2m");
	resolved();
	cr_assert(identity_equal(returned(), kit_text(recorder.uids[0])));
	as(&carol);
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	as(&recorder);
	k.policy.end_to_middle_app.len = 0;
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
	k.policy.end_to_middle_app = kit_text("app.E2m");
	expect(VERDICT_RESOLVE_UNAUTHORIZED);
}

Test(engine_authorise, tickets_of_the_kms_say_so)
{
	wish.policy.flags = (uint16_t)((wish.policy.flags & ~MIKEY_FLAG_D) | MIKEY_FLAG_L);
	expect(VERDICT_RESOLVE_D_FLAG);
}

/* Mode 2: under bob's PSK, with D. */
Test(engine_authorise, mode_2_ticket_is_resolved_for_its_responder_only)
{
	static uint8_t psk[32];

	memset(psk, bob.psk, sizeof(psk));
	wish.tpk = psk;
	wish.tpk_id = kit_text(bob.psk_id);
	wish.policy.flags &= (uint16_t) ~(MIKEY_FLAG_E | MIKEY_FLAG_I);
	wish.initiator_data = ID_NONE;
	expect(VERDICT_RESOLVE_OK);
	wish.policy.responders[1] = kit_text(carol.uids[0]);
	as(&carol);
	expect(VERDICT_RESOLVE_D_FLAG);
	as(&bob);
	k.policy.profile = POLICY_3GPP;
	expect(VERDICT_RESOLVE_D_FLAG);
}

Test(engine_authorise, mode_3_ticket_is_resolved)
{
	wish = client_ticket_of_alice();
	resolved();
	cr_assert_eq(r.n_keys, 3);
	k.policy.profile = POLICY_3GPP;
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_authorise, mode_3_by_policy_and_rules)
{
	const struct policy_rule deny = {kit_text("alice@?"), kit_text("bob@?"), false};

	wish = client_ticket_of_alice();
	k.policy.allow_mode3 = false;
	expect(VERDICT_RESOLVE_MODE3_DENIED);
	k.policy.allow_mode3 = true;
	k.policy.rules = &deny;
	k.policy.n_rules = 1;
	expect(VERDICT_RESOLVE_MODE3_DENIED);
}

/* Whoever knows a PSK may make tickets in his own name only. */
Test(engine_authorise, mode_3_ticket_speaks_for_its_owner_only)
{
	wish = client_ticket_of_alice();
	wish.policy.initiator = kit_text(carol.uids[0]);
	expect(VERDICT_RESOLVE_MODE3_OWNER);
	wish.policy.initiator = kit_text(bob.uids[0]);
	expect(VERDICT_RESOLVE_MODE3_OWNER);
	wish.policy.initiator.data = NULL;
	expect(VERDICT_RESOLVE_MODE3_OWNER);
	wish = client_ticket_of_alice();
	wish.policy.flags |= MIKEY_FLAG_D;
	expect(VERDICT_RESOLVE_D_FLAG);
}

Test(engine_authorise, mode_3_ticket_of_an_expired_subscriber_is_unknown)
{
	const struct identity uid = kit_text("late@company.example");
	static uint8_t psk[32];

	memset(psk, 0x1a, sizeof(psk));
	kit_subscriber(&k, "psk-late", psk, 32, &uid, 1, (int64_t)(k.now >> 32) - 1, 0);
	wish = client_ticket_of_alice();
	wish.tpk = psk;
	wish.tpk_id = kit_text("psk-late");
	wish.policy.initiator = uid;
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
	kit_subscriber(&k, "psk-late", psk, 32, &uid, 1, (int64_t)(k.now >> 32), 0);
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_authorise, mode_3_ticket_has_an_end_within_the_longest_lifetime)
{
	wish = client_ticket_of_alice();
	wish.policy.tre.present = false;
	expect(VERDICT_RESOLVE_MODE3_LIFETIME);
	wish.policy.tre.present = true;
	k.policy.max_lifetime_s = 3600;
	expect(VERDICT_RESOLVE_OK);
	wish.policy.tre.seconds = 3601;
	expect(VERDICT_RESOLVE_MODE3_LIFETIME);
}

Test(engine_authorise, mode_3_flags_as_they_would_be_granted)
{
	wish = client_ticket_of_alice();
	const uint16_t good = wish.policy.flags;

	wish.policy.flags = good & (uint16_t)~MIKEY_FLAG_L;
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	wish.policy.flags = good | MIKEY_FLAG_K;
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	wish.policy.flags = good | MIKEY_FLAG_J;
	expect(VERDICT_RESOLVE_OK);
	k.policy.allow_reuse = false;
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	wish.policy.flags = good & (uint16_t)~MIKEY_FLAG_I;
	wish.initiator_data = ID_NONE;
	expect(VERDICT_RESOLVE_OK);
	k.policy.allow_no_forking = false;
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	k.policy.allow_no_forking = true;
	k.policy.profile = POLICY_3GPP;
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	/* I and a TGK without F: seen only when the keys are. */
	k.policy.profile = POLICY_RFC6043;
	wish.initiator_data = ID_RIGHT;
	wish.policy.flags = good & (uint16_t) ~(MIKEY_FLAG_F | MIKEY_FLAG_G);
	expect(VERDICT_RESOLVE_MODE3_FLAGS);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_authorise, mode_3_responders_as_they_would_be_granted)
{
	wish = client_ticket_of_alice();
	wish.policy.responders[0] = kit_text("?@company.example");
	expect(VERDICT_RESOLVE_OK);
	k.policy.allow_groups = false;
	expect(VERDICT_RESOLVE_MODE3_RESPONDERS);
	k.policy.allow_groups = true;
	wish.policy.responders[0] = kit_text("?????????");
	expect(VERDICT_RESOLVE_MODE3_RESPONDERS);
	wish.policy.responders[0].data = NULL;
	expect(VERDICT_RESOLVE_MODE3_RESPONDERS);
	for (unsigned int i = 0; i < 33; i++)
		wish.policy.responders[i] = kit_text(bob.uids[0]);
	expect(VERDICT_RESOLVE_MODE3_RESPONDERS);
	wish.policy.responders[32].data = NULL;
	expect(VERDICT_RESOLVE_OK);
	wish.policy.responders[31] = kit_text("");
	expect(VERDICT_RESOLVE_MODE3_RESPONDERS);
}

Test(engine_authorise, mode_3_keys_up_to_the_cap)
{
	wish = client_ticket_of_alice();
	k.policy.max_keys = 1;
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_OK);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "t"},
			  {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "u"}},
		3);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
	/* A ticket of the KMS's own was granted when it could be. */
	wish.tpk = client_tpk;
	wish.tpk_id = kit_text("tpk-1");
	wish.policy.flags |= MIKEY_FLAG_D;
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_authorise, mode_3_keys_have_an_spi_each)
{
	wish = client_ticket_of_alice();
	const struct key_wish tek = {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "t"};

	seal_keys((const struct key_wish[]){mpk, tek, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "u"}}, 3);
	expect(VERDICT_RESOLVE_OK);
	seal_keys((const struct key_wish[]){mpk, tek, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "t"}}, 3);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
	seal_keys((const struct key_wish[]){mpk, tek, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, "tt"}}, 3);
	expect(VERDICT_RESOLVE_OK);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 32, 0, NULL}}, 2);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_NULL, 32, 0, NULL}}, 2);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_INTERVAL, 32, 0, NULL}}, 2);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
}

Test(engine_authorise, mode_3_salts_as_they_would_be_granted)
{
	wish = client_ticket_of_alice();
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK_SALT, MIKEY_KV_SPI, 32, 64, "t"}}, 2);
	expect(VERDICT_RESOLVE_OK);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK_SALT, MIKEY_KV_SPI, 32, 65, "t"}}, 2);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK_SALT, MIKEY_KV_SPI, 32, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_MODE3_KEYS);
}

Test(engine_authorise, mode_3_needs_an_active_key_to_generate_with)
{
	wish = client_ticket_of_alice();
	k.sealing[0].state = SEALING_RETIRING;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_NO_GENERATION_KEY);
	wish = client_ticket();
	expect(VERDICT_RESOLVE_OK);
}
