/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tickets are resolved, for whom, and what comes back. */
#include <criterion/criterion.h>
#include <string.h>

#include "common/kdf/kdf.h"
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

TestSuite(engine_resolve, .init = setup, .fini = teardown);

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

static void weaken_ticket(void)
{
	wish.policy.prf = MIKEY_PRF_MIKEY_1;
	wish.encr_alg = MIKEY_ENCR_AES_CM_128;
	wish.mac_alg = MIKEY_AUTH_HMAC_SHA_1_160;
}

static const struct key_wish mpk = {MIKEY_MPK, MIKEY_KV_SPI, 32, 0, "mpk0"};

Test(engine_resolve, forked_ticket_gives_mpki_and_forked_keys)
{
	resolved();
	cr_assert_eq(r.n_keys, 3);
	cr_assert_eq(r.keys[0].type, MIKEY_MPK);
	cr_assert_eq(r.keys[1].type, MIKEY_MPK);
	cr_assert_eq(r.keys[2].type, MIKEY_TGK);
	cr_assert(identity_equal(returned(), kit_text(bob.uids[0])));
	cr_assert(r.m.randr[MIKEY_RANDRKMS].present);
	cr_assert_eq(r.m.randr[MIKEY_RANDRKMS].data.len, 32);
}

/* The initiator derives the same keys from what it got (5.1.1). */
Test(engine_resolve, initiator_and_responder_get_the_same_forked_keys)
{
	struct policy_wish policy = client_policy();
	struct init_wish request = client_request(&policy);
	static struct response granted;
	static struct kit_answer grant;
	uint8_t label[CRYPTO_LABEL_MAX], forked[32];

	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &grant);
	kit_expect(&grant, VERDICT_REQUEST_OK);
	client_open(&k, &request, &message, &grant, &granted);
	client_adopt(&k, &grant, &granted, &ticket);
	resolve.ticket_len = ticket.len;
	client_build(&k, &resolve, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_RESOLVE_OK);
	client_open(&k, &resolve, &message, &a, &r);
	cr_assert_eq(memcmp(mikey_at(r.plain, r.keys[0].key),
			     mikey_at(granted.plain, granted.keys[0].key), 32),
		0, "MPKi");
	const struct mikey_span rand = r.m.randr[MIKEY_RANDRKMS].data;
	const struct kdf_rand randr = {mikey_at(a.octets, rand), (uint8_t)rand.len};

	for (unsigned int i = 1; i < 3; i++) {
		const struct crypto_prf_op op = {
			.inkey = mikey_at(granted.plain, granted.keys[i].key),
			.inkey_len = 32,
			.label = label,
			.label_len = (uint16_t)kdf_label_fork(label,
				i == 1 ? KDF_FORK_MPKR : KDF_FORK_TGK, returned().data,
				returned().len, randr),
			.out = forked,
			.out_len = 32,
			.hash = CRYPTO_SHA256,
		};

		crypto_prf(k.crypto, &op, 1);
		cr_assert_eq(memcmp(mikey_at(r.plain, r.keys[i].key), forked, 32), 0, "key %u", i);
	}
}

Test(engine_resolve, ticket_without_forking_gives_keys_as_they_are)
{
	wish.policy.flags &= (uint16_t)~MIKEY_FLAG_I;
	wish.initiator_data = ID_NONE;
	resolved();
	cr_assert_eq(r.n_keys, 2);
	cr_assert_not(r.m.idr[MIKEY_IDRR].present);
	cr_assert_not(r.m.randr[MIKEY_RANDRKMS].present);
	/* Nobody asks for Initiator Data then: garbage is ignored (readings N37). */
	wish.initiator_data = ID_GARBAGE;
	resolved();
}

Test(engine_resolve, only_mpkr_and_tgks_are_forked)
{
	static const struct key_wish wishes[] = {
		{MIKEY_MPK, MIKEY_KV_SPI, 32, 0, "mpk0"},
		{MIKEY_TGK, MIKEY_KV_SPI, 64, 0, "1"},
		{MIKEY_TGK_SALT, MIKEY_KV_SPI, 16, 14, "2"},
		{MIKEY_TEK, MIKEY_KV_NULL, 32, 0, NULL},
		{MIKEY_TEK_SALT, MIKEY_KV_INTERVAL, 33, 14, NULL},
		{MIKEY_GTGK, MIKEY_KV_SPI, 20, 0, "5"},
		{MIKEY_GTGK_SALT, MIKEY_KV_SPI, 32, 3, "6"},
	};
	struct mikey_key in[7];
	unsigned int n;

	seal_keys(wishes, 7);
	resolved();
	cr_assert_eq(mikey_parse_keys(in, 7, &n, keys, wish.keys_len), MIKEY_PARSE_OK);
	cr_assert_eq(r.n_keys, 8);
	/* As long as the longest key that is forked. */
	cr_assert_eq(r.m.randr[MIKEY_RANDRKMS].data.len, 64);
	for (unsigned int i = 1; i < 7; i++) {
		const struct mikey_key *got = &r.keys[i + 1];
		const bool same = memcmp(mikey_at(r.plain, got->key), mikey_at(keys, in[i].key),
					  in[i].key.len) == 0;

		cr_assert_eq(got->type, in[i].type);
		cr_assert_eq(got->kv, in[i].kv);
		cr_assert_eq(got->key.len, in[i].key.len);
		cr_assert_eq(same, i > 2, "key %u", i);
		cr_assert_eq(got->salt.len, in[i].salt.len);
		cr_assert_eq(memcmp(mikey_at(r.plain, got->salt), mikey_at(keys, in[i].salt),
				     in[i].salt.len),
			0);
		cr_assert_eq(got->spi.len, in[i].spi.len);
		cr_assert_eq(got->valid_from.len, in[i].valid_from.len);
	}
	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(
			memcmp(mikey_at(r.plain, r.keys[i].spi), "mpk0", 4), 0, "SPI of the MPK");
}

Test(engine_resolve, randrkms_is_as_long_as_the_longest_forked_key_not_the_longest_key)
{
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TGK, MIKEY_KV_SPI, 40, 0, "t"},
			  {MIKEY_TEK, MIKEY_KV_SPI, 64, 0, "u"},
			  {MIKEY_GTGK, MIKEY_KV_SPI, 50, 0, "v"}},
		4);
	resolved();
	cr_assert_eq(r.m.randr[MIKEY_RANDRKMS].data.len, 40);
	cr_assert_eq(r.keys[2].key.len, 40);
}

Test(engine_resolve, suite_a)
{
	weaken_ticket();
	client_weak(&resolve);
	resolved();
	cr_assert_eq(r.m.randr[MIKEY_RANDRKMS].data.len, 16);
	cr_assert_eq(r.keys[1].key.len, 16);
}

Test(engine_resolve, ticket_type_and_prf_are_checked)
{
	wish.policy.version = 2;
	expect(VERDICT_RESOLVE_TICKET_TYPE);
	wish.policy.version = 1;
	wish.policy.prf = 7;
	wish.initiator_data = ID_NONE;
	expect(VERDICT_RESOLVE_PRF);
}

Test(engine_resolve, tp_data_and_ticket_data_must_parse)
{
	wish.policy.raw = (const uint8_t *)"\x0e\x00";
	wish.policy.raw_len = 2;
	expect(VERDICT_RESOLVE_TP_MALFORMED);
	wish.policy = client_policy();
	wish.raw_ticket_data = (const uint8_t *)"\x00\x00\x00";
	wish.raw_ticket_data_len = 3;
	expect(VERDICT_RESOLVE_TICKET_MALFORMED);
	wish.raw_ticket_data_len = 0;
	expect(VERDICT_RESOLVE_TICKET_MALFORMED);
}

Test(engine_resolve, algorithms_of_the_ticket_are_known_and_not_mixed)
{
	wish.encr_alg = MIKEY_ENCR_NULL;
	expect(VERDICT_RESOLVE_ENCR_ALG);
	wish.encr_alg = MIKEY_ENCR_AES_KW_128;
	expect(VERDICT_RESOLVE_ENCR_ALG);
	wish.encr_alg = MIKEY_ENCR_AES_CM_128;
	expect(VERDICT_RESOLVE_MIXED);
	wish.encr_alg = MIKEY_ENCR_AES_CM_256;
	wish.mac_alg = MIKEY_AUTH_HMAC_SHA_1_160;
	expect(VERDICT_RESOLVE_MIXED);
	wish.mac_alg = MIKEY_AUTH_NULL;
	wish.initiator_data = ID_NONE;
	expect(VERDICT_RESOLVE_MAC_ALG);
	wish = client_ticket();
	wish.kemac_mac_alg = MIKEY_AUTH_HMAC_SHA_256_256;
	expect(VERDICT_RESOLVE_MAC_ALG);
	wish.kemac_mac_alg = MIKEY_AUTH_NULL;
	wish.policy.prf = MIKEY_PRF_MIKEY_1;
	expect(VERDICT_RESOLVE_MIXED);
}

Test(engine_resolve, unknown_mac_algorithm_in_the_ticket)
{
	client_ticket_build(&k, &wish, &ticket);
	/* Auth alg of the last payload of Ticket Data, before MAC and Initiator Data (2 + 1 + 2 *
	 * 34 octets). */
	ticket.data[ticket.len - 71 - 33] = 99;
	resolve.ticket_len = ticket.len;
	client_send(&k, &resolve, &a);
	kit_expect(&a, VERDICT_RESOLVE_MAC_ALG);
}

Test(engine_resolve, unknown_keys_are_refused)
{
	wish.tpk_id = kit_text("tpk-2");
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
	wish.tpk_id = kit_text("psk-nobody");
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
	wish.tpk_id = kit_text("");
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
}

/* Rule R4. */
Test(engine_resolve, node_out_of_sync_is_silent_about_keys_that_it_does_not_know)
{
	k.policy.in_sync = false;
	expect(VERDICT_RESOLVE_OK);
	wish.tpk_id = kit_text("tpk-2");
	expect(VERDICT_RESOLVE_UNKNOWN_KEY_NOT_IN_SYNC);
	wish.tpk_id = kit_text("psk-nobody");
	expect(VERDICT_RESOLVE_UNKNOWN_KEY_NOT_IN_SYNC);
}

Test(engine_resolve, node_out_of_sync_is_silent_about_validity_that_has_ended_or_not_begun)
{
	k.policy.in_sync = false;
	wish.policy.trs = (struct time_wish){true, MIKEY_TS_NTP_UTC, 1};
	wish.policy.tre = (struct time_wish){true, MIKEY_TS_NTP_UTC, 2};
	expect(VERDICT_RESOLVE_TIME_NOT_IN_SYNC);
	wish.policy.trs.seconds = -2;
	wish.policy.tre.seconds = -1;
	expect(VERDICT_RESOLVE_TIME_NOT_IN_SYNC);
	wish.policy.tre.seconds = 10;
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_resolve, nodes_without_the_role_do_not_resolve)
{
	k.policy.roles = POLICY_REQUEST;
	expect(VERDICT_MESSAGE_ROLE);
	k.policy.roles = POLICY_RESOLVE;
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_resolve, ticket_without_key_id_is_for_the_active_key)
{
	wish.tpk_id.data = NULL;
	expect(VERDICT_RESOLVE_OK);
	k.sealing[0].state = SEALING_RETIRING;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
}

Test(engine_resolve, keys_that_do_not_seal_resolve_all_the_same)
{
	static const uint8_t key[32] = {9};

	kit_sealing_key(&k, "tpk-2", key, sizeof(key), SEALING_ACTIVE);
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_OK);
	k.sealing[0].state = SEALING_PUBLISHED;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_OK);
	k.sealing[0].state = SEALING_REVOKED;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
	k.sealing[0].state = SEALING_DESTROYED;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_UNKNOWN_KEY);
}

Test(engine_resolve, wrong_ticket_mac_is_refused)
{
	wish.wrong_mac = true;
	expect(VERDICT_RESOLVE_TICKET_MAC);
}

Test(engine_resolve, validity_period_is_inclusive)
{
	k.now &= ~UINT64_C(0xffffffff);
	wish.policy.trs = (struct time_wish){true, MIKEY_TS_NTP_UTC, 0};
	wish.policy.tre = (struct time_wish){true, MIKEY_TS_NTP_UTC, 0};
	expect(VERDICT_RESOLVE_OK);
	wish.policy.trs.seconds = 1;
	wish.policy.tre.seconds = 2;
	expect(VERDICT_RESOLVE_NOT_YET_VALID);
	wish.policy.trs.seconds = -2;
	wish.policy.tre.seconds = -1;
	expect(VERDICT_RESOLVE_EXPIRED);
	/* NTP-UTC-32 means the beginning of its second. */
	wish.policy.tre = (struct time_wish){true, MIKEY_TS_NTP_UTC_32, 0};
	expect(VERDICT_RESOLVE_OK);
	k.now++;
	expect(VERDICT_RESOLVE_EXPIRED);
	wish.policy.trs.present = wish.policy.tre.present = false;
	expect(VERDICT_RESOLVE_OK);
}

Test(engine_resolve, validity_holds_across_the_end_of_an_era)
{
	k.now = UINT64_C(0xffffff0000000000);
	wish.policy.tre = (struct time_wish){true, MIKEY_TS_NTP_UTC_32, 1000};
	expect(VERDICT_RESOLVE_OK);
	k.now = UINT64_C(0x0000010000000000);
	wish.policy.trs = (struct time_wish){true, MIKEY_TS_NTP_UTC_32, -1000};
	expect(VERDICT_RESOLVE_OK);
	wish.policy.tre = (struct time_wish){true, MIKEY_TS_NTP_UTC_32, -900};
	expect(VERDICT_RESOLVE_EXPIRED);
}

Test(engine_resolve, counters_are_no_validity_period)
{
	wish.policy.trs.type = MIKEY_TS_COUNTER;
	expect(VERDICT_RESOLVE_TIME_TYPE);
	wish.policy.trs.type = MIKEY_TS_NTP_UTC;
	wish.policy.tre.type = MIKEY_TS_COUNTER;
	expect(VERDICT_RESOLVE_TIME_TYPE);
}

Test(engine_resolve, nothing_resolves_after_its_sealing_key)
{
	k.sealing[0].resolves_until = (int64_t)(k.now >> 32);
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_OK);
	k.sealing[0].resolves_until--;
	kit_keyring(&k);
	expect(VERDICT_RESOLVE_EXPIRED);
}

Test(engine_resolve, key_data_must_parse_and_begin_with_the_only_mpk)
{
	const struct key_wish tgk = {MIKEY_TGK, MIKEY_KV_SPI, 32, 0, "t"};

	wish.policy.flags &= (uint16_t)~MIKEY_FLAG_I;
	wish.initiator_data = ID_NONE;
	wish.no_keys = true;
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
	wish.no_keys = false;
	seal_keys(&tgk, 1);
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
	seal_keys((const struct key_wish[]){tgk, mpk}, 2);
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
	seal_keys((const struct key_wish[]){mpk, mpk}, 2);
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
	seal_keys(&mpk, 1);
	expect(VERDICT_RESOLVE_OK);
	wish.keys_len--;
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
}

Test(engine_resolve, more_keys_than_a_ticket_holds_are_malformed)
{
	struct key_wish wishes[18] = {mpk};

	for (unsigned int i = 1; i < 18; i++)
		wishes[i] = (struct key_wish){MIKEY_TEK, MIKEY_KV_NULL, 16, 0, NULL};
	seal_keys(wishes, 18);
	expect(VERDICT_RESOLVE_KEYS_MALFORMED);
	seal_keys(wishes, 17);
	resolved();
	cr_assert_eq(r.n_keys, 18);
}

Test(engine_resolve, keys_that_the_prf_does_not_take_are_refused)
{
	static const uint8_t lens[] = {15, 65};

	for (unsigned int i = 0; i < 2; i++) {
		seal_keys(
			(const struct key_wish[]){mpk, {MIKEY_TGK, MIKEY_KV_SPI, lens[i], 0, "t"}},
			2);
		expect(VERDICT_RESOLVE_KEY_SIZE);
		seal_keys(
			(const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, lens[i], 0, "t"}},
			2);
		expect(VERDICT_RESOLVE_KEY_SIZE);
		seal_keys((const struct key_wish[]){{MIKEY_MPK, MIKEY_KV_SPI, lens[i], 0, "m"}}, 1);
		expect(VERDICT_RESOLVE_KEY_SIZE);
	}
	/* Two equal halves cancel in the PRF. */
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TGK, MIKEY_KV_SPI, 64, 0, "t"}}, 2);
	memset(keys + wish.keys_len - 2 - 64, 3, 64);
	expect(VERDICT_RESOLVE_KEY_SIZE);
}

Test(engine_resolve, strong_keys_are_not_given_under_weak_algorithms)
{
	client_weak(&resolve);
	expect(VERDICT_RESOLVE_KEY_STRENGTH);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 17, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_KEY_STRENGTH);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 16, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_OK);
	weaken_ticket();
	resolve = client_resolve(&ticket);
	seal_keys((const struct key_wish[]){mpk, {MIKEY_TEK, MIKEY_KV_SPI, 17, 0, "t"}}, 2);
	expect(VERDICT_RESOLVE_KEY_STRENGTH);
}

Test(engine_resolve, forked_ticket_needs_the_initiators_proof)
{
	wish.initiator_data = ID_NONE;
	expect(VERDICT_RESOLVE_NO_INITIATOR_DATA);
	wish.initiator_data = ID_GARBAGE;
	expect(VERDICT_RESOLVE_NO_INITIATOR_DATA);
	wish.initiator_data = ID_NULL_ALG;
	expect(VERDICT_RESOLVE_INITIATOR_DATA_ALG);
	wish.initiator_data = ID_UNKNOWN_ALG;
	expect(VERDICT_RESOLVE_INITIATOR_DATA_ALG);
	wish.initiator_data = ID_WRONG_MAC;
	expect(VERDICT_RESOLVE_INITIATOR_DATA_MAC);
	/* Both readings of "identical to the V payload" (readings N36). */
	wish.initiator_data = ID_LITERAL_VI;
	expect(VERDICT_RESOLVE_OK);
}
