/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules that make a KMS without random numbers and without state sound (ARCHITECTURE.md, R1 to
 * R4; R4 is in the tests of screening and resolving).
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

enum { T_OFF = 12 };

static struct kit k;
static struct policy_wish policy;
static struct init_wish request, resolve;
static struct ticket_wish wish;
static struct octets ticket;

static void setup(void)
{
	client_kit(&k, "openssl");
	policy = client_policy();
	request = client_request(&policy);
	wish = client_ticket();
	client_ticket_build(&k, &wish, &ticket);
	resolve = client_resolve(&ticket);
}

static void teardown(void)
{
	kit_close(&k);
}

TestSuite(engine_rules, .init = setup, .fini = teardown);

/* Everything that one answer generated. */
struct generated {
	unsigned int n;
	struct {
		enum engine_generated what;
		size_t len;
		uint8_t octets[64];
	} out[64];
};

static void collect(void *arg, unsigned int msg, enum engine_generated what, unsigned int index,
	uint8_t *out, size_t len)
{
	struct generated *g = arg;

	(void)msg;
	(void)index;
	cr_assert(g->n < 64 && len <= 64);
	g->out[g->n].what = what;
	g->out[g->n].len = len;
	memcpy(g->out[g->n++].octets, out, len);
}

static void generate(const struct init_wish *init, struct generated *g)
{
	static struct kit_answer a;

	memset(g, 0, sizeof(*g));
	engine_test_generated(k.engine, collect, g);
	client_send(&k, init, &a);
	engine_test_generated(k.engine, NULL, NULL);
	kit_expect(&a, init->policy ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK);
}

/* Times are not keys. Four octets of an SPI meet by chance once in 2^32 runs. */
static bool is_time(enum engine_generated what)
{
	return what == ENGINE_GEN_TICKET_T || what == ENGINE_GEN_RESPONSE_T;
}

static void expect_nothing_shared(
	const struct generated *a, const struct generated *b, const char *why)
{
	for (unsigned int i = 0; i < a->n; i++) {
		for (unsigned int j = 0; j < b->n; j++) {
			const size_t n =
				a->out[i].len < b->out[j].len ? a->out[i].len : b->out[j].len;

			if (is_time(a->out[i].what) || is_time(b->out[j].what))
				continue;
			cr_assert_neq(memcmp(a->out[i].octets, b->out[j].octets, n), 0,
				"%s: %u and %u", why, i, j);
		}
	}
}

static const struct key_wish two_keys[] = {
	{MIKEY_TGK_SALT, MIKEY_KV_NULL, 32, 14, NULL}, {MIKEY_TEK, MIKEY_KV_SPI, 64, 0, "spi1"}};

static void ask_keys(const struct key_wish *wishes, unsigned int n)
{
	static uint8_t keys[2048];

	policy.kemac = true;
	policy.keys = keys;
	policy.keys_len = client_keys(keys, sizeof(keys), wishes, n);
}

/* R1: within one grant. */
Test(engine_rules, r1_outputs_of_one_grant_are_all_different)
{
	struct generated g;

	ask_keys(two_keys, 2);
	generate(&request, &g);
	cr_assert_eq(g.n, 9);
	for (unsigned int i = 0; i < g.n; i++) {
		for (unsigned int j = 0; j < i; j++) {
			const size_t n = g.out[i].len < g.out[j].len ? g.out[i].len : g.out[j].len;

			cr_assert(is_time(g.out[i].what) ||
				  memcmp(g.out[i].octets, g.out[j].octets, n) != 0);
		}
	}
}

/*
 * R1: the same octets of a request, granted otherwise. No key of one grant is in the other: who
 * holds the laxer ticket must not be able to open the stricter one.
 */
Test(engine_rules, r1_same_request_under_two_grants_shares_no_key)
{
	static const uint8_t other_key[32] = {0x99};
	struct generated base, other;
	struct policy saved;

	ask_keys(two_keys, 2);
	policy.flags |= MIKEY_FLAG_J;
	policy.tre.present = false;
	generate(&request, &base);
	saved = k.policy;
	k.policy.max_lifetime_s = 1800;
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "lifetime");
	k.policy = saved;
	k.policy.default_lifetime_s++;
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "one second more");
	k.policy = saved;
	k.policy.allow_reuse = false;
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "flag J");
	k.policy = saved;
	kit_sealing_key(&k, "tpk-2", other_key, sizeof(other_key), SEALING_ACTIVE);
	kit_keyring(&k);
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "sealing key");
}

/* The same key under another id is another sealing key. */
Test(engine_rules, r1_sealing_key_is_in_the_transcript_by_name)
{
	struct generated base, other;

	generate(&request, &base);
	kit_sealing_key(&k, "tpk-2", client_tpk, sizeof(client_tpk), SEALING_ACTIVE);
	kit_keyring(&k);
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "id of the sealing key");
}

/* R1 field by field: what differs in two requests, but for their MAC it would be the only thing. */
Test(engine_rules, r1_every_field_of_a_request_counts)
{
	static const struct person clone = {"psk-clone", {"clone@company.example"}, 0xa1, 0};
	const struct identity uid = kit_text(clone.uids[0]);
	struct generated base, other;
	struct init_wish changed;

	generate(&request, &base);
	changed = request;
	changed.csb_id++;
	generate(&changed, &other);
	expect_nothing_shared(&base, &other, "CSB ID");
	changed = request;
	changed.t_seconds++;
	generate(&changed, &other);
	expect_nothing_shared(&base, &other, "T");
	changed = request;
	changed.randr_len--;
	generate(&changed, &other);
	expect_nothing_shared(&base, &other, "RANDR");
	changed = request;
	client_weak(&changed);
	policy.prf = MIKEY_PRF_MIKEY_1;
	generate(&changed, &other);
	expect_nothing_shared(&base, &other, "suite");
	policy.prf = MIKEY_PRF_HMAC_SHA_256;
	kit_subscriber(&k, clone.psk_id, client_psk(&clone), 32, &uid, 1, 0, 0);
	changed = request;
	changed.sender = &clone;
	changed.psk_id = kit_text(clone.psk_id);
	changed.self = uid;
	policy.initiator = uid;
	generate(&changed, &other);
	expect_nothing_shared(&base, &other, "PSK id");
	policy = client_policy();
	policy.responders[0] = kit_text(carol.uids[0]);
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "IDRr");
	policy = client_policy();
	policy.type = 2;
	policy.subtype = policy.version = 0;
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "ticket type");
	policy = client_policy();
	ask_keys(two_keys, 2);
	generate(&request, &other);
	expect_nothing_shared(&base, &other, "keys");
}

static void randr_of(const struct generated *g, uint8_t out[64])
{
	for (unsigned int i = 0; i < g->n; i++) {
		if (g->out[i].what == ENGINE_GEN_RANDRKMS)
			memcpy(out, g->out[i].octets, 64);
	}
}

Test(engine_rules, r1_randrkms_depends_on_request_and_returned_identity)
{
	struct generated base, other;
	struct init_wish changed = resolve;
	uint8_t a[64], b[64];

	wish.policy.responders[0] = kit_text("?@company.example");
	client_ticket_build(&k, &wish, &ticket);
	resolve.ticket_len = changed.ticket_len = ticket.len;
	generate(&resolve, &base);
	randr_of(&base, a);
	changed.csb_id++;
	generate(&changed, &other);
	randr_of(&other, b);
	cr_assert_neq(memcmp(a, b, 32), 0, "CSB ID");
	changed = resolve;
	changed.self = kit_text(bob.uids[1]);
	generate(&changed, &other);
	randr_of(&other, b);
	cr_assert_neq(memcmp(a, b, 32), 0, "IDRr");
	generate(&resolve, &other);
	randr_of(&other, b);
	cr_assert_eq(memcmp(a, b, 32), 0, "the same again");
}

/* The UID that is returned may change with the subscriber's record while the request stays the
 * same. */
Test(engine_rules, r1_randrkms_follows_the_returned_identity_of_an_unchanged_request)
{
	const struct identity before[] = {
		kit_text("bob@company.example"), kit_text("x@company.example")};
	const struct identity after[] = {
		kit_text("bob@company.example"), kit_text("y@company.example")};
	struct generated g;
	uint8_t a[64], b[64];

	wish.policy.responders[0] = kit_text("?x@company.example");
	wish.policy.responders[1] = kit_text("?y@company.example");
	client_ticket_build(&k, &wish, &ticket);
	resolve.ticket_len = ticket.len;
	kit_subscriber(&k, bob.psk_id, client_psk(&bob), 32, before, 2, 0, 0);
	generate(&resolve, &g);
	randr_of(&g, a);
	kit_subscriber(&k, bob.psk_id, client_psk(&bob), 32, after, 2, 0, 0);
	generate(&resolve, &g);
	randr_of(&g, b);
	cr_assert_neq(memcmp(a, b, 32), 0);
}

static void answer(const struct init_wish *init, struct kit_answer *a)
{
	client_send(&k, init, a);
	kit_expect(a, init->policy ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK);
}

/* Are two answers the same but for T and what hangs on it (ciphertext and MAC of the response). */
static void same_ticket(const struct kit_answer *a, const struct kit_answer *b)
{
	struct mikey_message ma, mb;

	cr_assert_eq(mikey_parse_message(&ma, a->octets, a->len), MIKEY_PARSE_OK);
	cr_assert_eq(mikey_parse_message(&mb, b->octets, b->len), MIKEY_PARSE_OK);
	cr_assert_eq(ma.ticket.body.len, mb.ticket.body.len);
	cr_assert_eq(memcmp(mikey_at(a->octets, ma.ticket.body),
			     mikey_at(b->octets, mb.ticket.body), ma.ticket.body.len),
		0);
}

/* R2: nodes whose clocks differ grant the same to the octet. */
Test(engine_rules, r2_clock_of_the_node_does_not_change_a_grant)
{
	static struct kit_answer a, b;
	static struct octets message;

	policy.tre.present = false;
	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &a);
	k.now += UINT64_C(250) << 32;
	kit_send(&k, message.data, message.len, &b);
	kit_expect(&b, VERDICT_REQUEST_OK);
	same_ticket(&a, &b);
	cr_assert_neq(memcmp(a.octets + T_OFF, b.octets + T_OFF, 8), 0);
}

static uint64_t t_of(const struct kit_answer *a)
{
	uint64_t t = 0;

	for (unsigned int i = 0; i < 8; i++)
		t = t << 8 | a->octets[T_OFF + i];
	return t;
}

/*
 * R3: the same request at the same moment gives the same keys for the response. When the plaintext
 * is another (another grant), T must be, or the same key stream would cover both. 20 bits: of 200
 * grants at one moment a few may meet, a constant would meet always.
 */
Test(engine_rules, r3_another_plaintext_at_the_same_moment_has_another_t)
{
	static struct kit_answer a;
	uint64_t seen[200];
	unsigned int met = 0;

	policy.tre.present = false;
	for (unsigned int i = 0; i < 200; i++) {
		k.policy.default_lifetime_s = 1000 + i;
		answer(&request, &a);
		seen[i] = t_of(&a);
		cr_assert_eq(seen[i] >> 20, k.now >> 20, "the clock but for 20 bits");
		for (unsigned int j = 0; j < i; j++)
			met += seen[i] == seen[j];
	}
	cr_assert_leq(met, 2);
}

Test(engine_rules, r3_two_forked_resolves_of_one_request_differ_in_t)
{
	static struct kit_answer a, b;
	static const uint8_t other_key[32] = {0x77};

	/* An initiator-made ticket uses the generation key of the active sealing key: rotation
	 * forks anew. */
	wish = client_ticket_of_alice();
	client_ticket_build(&k, &wish, &ticket);
	resolve.ticket_len = ticket.len;
	answer(&resolve, &a);
	kit_sealing_key(&k, "tpk-2", other_key, sizeof(other_key), SEALING_ACTIVE);
	kit_keyring(&k);
	answer(&resolve, &b);
	cr_assert_neq(t_of(&a), t_of(&b));
}

/* R3: T of a response is always NTP-UTC, so that there is room for the 20 bits. */
Test(engine_rules, r3_t_of_a_response_is_ntp_utc_whatever_was_sent)
{
	static const uint8_t types[] = {MIKEY_TS_NTP_UTC, MIKEY_TS_NTP, MIKEY_TS_NTP_UTC_32};
	static struct kit_answer a;

	for (unsigned int i = 0; i < 3; i++) {
		request.t_type = resolve.t_type = types[i];
		answer(&request, &a);
		cr_assert_eq(a.octets[11], MIKEY_TS_NTP_UTC);
		answer(&resolve, &a);
		cr_assert_eq(a.octets[11], MIKEY_TS_NTP_UTC);
		request.v = V_WRONG;
		client_send(&k, &request, &a);
		kit_expect(&a, VERDICT_AUTH_MAC);
		cr_assert_eq(a.octets[11], MIKEY_TS_NTP_UTC);
		request.v = V_RIGHT;
	}
}
