/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine works on and leaves behind: keyring, policy, KDF, scratch memory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "dataplane/engine/flags.h"
#include "dataplane/engine/kdf108.h"
#include "dataplane/engine/slot.h"
#include "tests/unit/engine_client.h"
#include "tests/unit/vectors.h"

static struct crypto *crypto;
static uint8_t raw[32];

static void setup(void)
{
	crypto = crypto_open("openssl");
	cr_assert(crypto);
	memset(raw, 1, sizeof(raw));
}

static void teardown(void)
{
	crypto_close(crypto);
}

TestSuite(keyring, .init = setup, .fini = teardown);

static struct sealing_key_spec key(const char *id, enum sealing_state state)
{
	return (struct sealing_key_spec){
		.id = kit_text(id), .key = raw, .len = sizeof(raw), .state = state};
}

Test(keyring, holds_what_is_not_gone_and_knows_what_seals)
{
	const struct sealing_key_spec specs[] = {key("tpk-destroyed", SEALING_DESTROYED),
		key("tpk-old", SEALING_RETIRING), key("tpk-revoked", SEALING_REVOKED),
		key("tpk-now", SEALING_ACTIVE), key("tpk-next", SEALING_PUBLISHED)};
	struct keyring ring;

	cr_assert_eq(keyring_build(&ring, crypto, 7, specs, 5), 0);
	cr_assert_eq(ring.epoch, 7);
	cr_assert_eq(ring.n_keys, 3);
	cr_assert_eq(keyring_active(&ring), keyring_find(&ring, kit_text("tpk-now")));
	cr_assert(keyring_find(&ring, kit_text("tpk-old")));
	cr_assert(keyring_find(&ring, kit_text("tpk-next")));
	cr_assert_null(keyring_find(&ring, kit_text("tpk-revoked")));
	cr_assert_null(keyring_find(&ring, kit_text("tpk-destroyed")));
	cr_assert_null(keyring_find(&ring, kit_text("tpk-no")));
	cr_assert_null(keyring_find(&ring, kit_text("")));
	keyring_clear(&ring);
	cr_assert_null(keyring_active(&ring));
	cr_assert_null(keyring_find(&ring, kit_text("tpk-now")));
	cr_assert_eq(keyring_build(&ring, crypto, 8, specs, 0), 0);
	cr_assert_null(keyring_active(&ring));
	keyring_clear(&ring);
}

static void expect_invalid(const struct sealing_key_spec *specs, unsigned int n)
{
	struct keyring ring;

	cr_assert_eq(keyring_build(&ring, crypto, 1, specs, n), -EINVAL);
	cr_assert_eq(ring.n_keys, 0);
	cr_assert_null(keyring_active(&ring));
}

Test(keyring, refuses_what_is_not_a_keyring)
{
	static struct sealing_key_spec many[KEYRING_KEYS_MAX + 1];
	struct sealing_key_spec specs[] = {
		key("tpk-1", SEALING_ACTIVE), key("tpk-2", SEALING_ACTIVE)};
	char long_id[KEYRING_ID_MAX + 2];

	expect_invalid(specs, 2);
	specs[1] = key("tpk-1", SEALING_PUBLISHED);
	expect_invalid(specs, 2);
	specs[1] = key("psk-1", SEALING_PUBLISHED);
	expect_invalid(specs, 2);
	specs[1] = key("", SEALING_PUBLISHED);
	expect_invalid(specs, 2);
	memset(long_id, 'x', sizeof(long_id));
	memcpy(long_id, "tpk-", 4);
	long_id[KEYRING_ID_MAX + 1] = '\0';
	specs[1] = key(long_id, SEALING_PUBLISHED);
	expect_invalid(specs, 2);
	specs[1] = key("tpk-2", SEALING_PUBLISHED);
	specs[1].len = 15;
	expect_invalid(specs, 2);
	specs[1].len = 33;
	expect_invalid(specs, 2);
	expect_invalid(many, KEYRING_KEYS_MAX + 1);
}

/* openssl kdf -keylen 32 ... KBKDF: counter mode, HMAC-SHA-256, salt = label, info = context. */
Test(keyring, generation_key_is_sp800_108)
{
	static const char openssl[] =
		"2264e9c9fc8cad11477441e039bd1640eda53847adf01eeac551dd85f2ccad9f";
	uint8_t want[32], got[32];

	vectors_hex(openssl, want, sizeof(want));
	kdf108_generation_key(crypto, client_tpk, sizeof(client_tpk), kit_text("tpk-1"), got);
	cr_assert_eq(memcmp(got, want, 32), 0);
	kdf108_generation_key(crypto, client_tpk, sizeof(client_tpk), kit_text("tpk-2"), got);
	cr_assert_neq(memcmp(got, want, 32), 0);
}

/*
 * Two nodes of different versions must generate the same: these values were computed apart from the
 * engine's code from the definition of the transcript. Whoever has to change them needs new
 * versions in the labels.
 */
static const struct {
	enum engine_generated what;
	const char *hex;
} known[] = {
	{ENGINE_GEN_MPK, "2655c2676f471c6a1be6784042b638fab36db5b0a53b9726a883b4850b8cfa07"},
	{ENGINE_GEN_MPK_SPI, "c1d8ff29"},
	{ENGINE_GEN_KEY, "4aacdc5953996badc2d9b0e4c06ec6452087bd628c81d113c630166d63e71d46"},
	{ENGINE_GEN_SPI, "60602efa"},
	{ENGINE_GEN_TICKET_RAND,
		"75fb6ca8bd01d6dfb12f1eb9d8181fbd1ffb050461c9387c63ae752b65a4a6a1"},
	{ENGINE_GEN_RANDRKMS, "6ee00a0bdba8ea287a05649c46059789113b1d0b837285dc6f8b08f2d64b7f10"},
};
enum { N_KNOWN = sizeof(known) / sizeof(known[0]) };

static void compare_known(void *arg, unsigned int msg, enum engine_generated what,
	unsigned int index, uint8_t *out, size_t len)
{
	unsigned int *seen = arg;
	uint8_t want[64];

	(void)msg;
	(void)index;
	for (unsigned int i = 0; i < N_KNOWN; i++) {
		if (known[i].what != what)
			continue;
		cr_assert_eq(vectors_hex(known[i].hex, want, sizeof(want)), len);
		cr_assert_eq(memcmp(want, out, len), 0, "%u", i);
		++*seen;
	}
}

Test(engine_state, generated_values_are_those_of_the_definition)
{
	static struct kit k;
	static struct kit_answer a;
	static struct octets ticket;
	const struct policy_wish policy = client_policy();
	const struct init_wish request = client_request(&policy);
	const struct ticket_wish wish = client_ticket();
	unsigned int seen = 0;

	client_kit(&k, "openssl");
	engine_test_generated(k.engine, compare_known, &seen);
	client_send(&k, &request, &a);
	kit_expect(&a, VERDICT_REQUEST_OK);
	client_ticket_build(&k, &wish, &ticket);
	const struct init_wish resolve = client_resolve(&ticket);

	client_send(&k, &resolve, &a);
	kit_expect(&a, VERDICT_RESOLVE_OK);
	cr_assert_eq(seen, N_KNOWN);
	kit_close(&k);
}

struct kept {
	unsigned int n;
	uint8_t key[16][16];
};

static void keep_keys(void *arg, unsigned int msg, enum engine_generated what, unsigned int index,
	uint8_t *out, size_t len)
{
	struct kept *kept = arg;

	(void)msg;
	(void)index;
	if ((what == ENGINE_GEN_MPK || what == ENGINE_GEN_KEY) && kept->n < 16 && len >= 16)
		memcpy(kept->key[kept->n++], out, 16);
}

Test(engine_state, no_key_stays_in_scratch_after_a_batch)
{
	static struct kit k;
	static struct kit_answer a;
	static struct octets message;
	static struct response r;
	const struct policy_wish policy = client_policy();
	const struct init_wish request = client_request(&policy);
	struct kept kept = {0};

	client_kit(&k, "openssl");
	engine_test_generated(k.engine, keep_keys, &kept);
	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_expect(&a, VERDICT_REQUEST_OK);
	client_open(&k, &request, &message, &a, &r);
	for (unsigned int i = 0; i < r.n_keys; i++)
		memcpy(kept.key[kept.n++], r.plain + r.keys[i].key.off, 16);
	cr_assert_eq(kept.n, 5);
	for (unsigned int i = 0; i < kept.n; i++)
		cr_assert_null(memmem(k.engine, sizeof(*k.engine), kept.key[i], 16), "key %u", i);
	cr_assert_eq(k.engine->scratch_used, 0);
	for (size_t i = 0; i < sizeof(k.engine->scratch); i++)
		cr_assert_eq(k.engine->scratch[i], 0);
	for (size_t i = 0; i < sizeof(struct slot_keys); i++)
		cr_assert_eq(((const uint8_t *)&k.engine->slots[0].keys)[i], 0);
	kit_close(&k);
}

/* The largest that one message can want, in every place of a batch: scratch is enough. */
Test(engine_state, scratch_holds_a_batch_of_the_largest_messages)
{
	static struct kit k;
	static struct octets ticket, message, grant;
	static uint8_t keys[16000], long_id[255], responses[ENGINE_BATCH_MAX][40000];
	struct key_wish wishes[17];
	static char spi[17][256];
	struct engine_msg msgs[ENGINE_BATCH_MAX];
	struct ticket_wish wish = client_ticket();
	struct policy_wish policy = client_policy();
	const struct identity longest = {long_id, sizeof(long_id)};

	client_kit(&k, "openssl");
	k.policy.max_message = POLICY_MESSAGE_MAX;
	memset(long_id, 'x', sizeof(long_id));
	kit_subscriber(&k, "psk-long", client_tpk, sizeof(client_tpk), &longest, 1, 0, 0);
	for (unsigned int i = 0; i < 17; i++) {
		memset(spi[i], 'a' + (int)i, 255);
		wishes[i] = (struct key_wish){
			i ? MIKEY_TGK_SALT : MIKEY_MPK, MIKEY_KV_SPI, 64, i ? 64 : 0, spi[i]};
	}
	wish.keys = keys;
	wish.keys_len = client_keys(keys, sizeof(keys), wishes, 17);
	client_ticket_build(&k, &wish, &ticket);
	struct init_wish resolve = client_resolve(&ticket);

	/* Without IDRr, so that the MAC has dummies. */
	resolve.self.data = NULL;
	resolve.randr_len = 255;
	client_build(&k, &resolve, &message);
	policy.kemac = true;
	policy.keys_len = client_keys(keys, sizeof(keys), wishes + 1, 16);
	policy.keys = keys;
	for (unsigned int i = 1; i < 32; i++)
		policy.responders[i] = (struct identity){long_id, 255};
	struct init_wish request = client_request(&policy);

	request.self.data = NULL;
	request.randr_len = 255;
	client_build(&k, &request, &grant);
	cr_assert_leq(grant.len, POLICY_MESSAGE_MAX);
	for (unsigned int i = 0; i < ENGINE_BATCH_MAX; i++) {
		const struct octets *m = i % 2 ? &grant : &message;

		msgs[i] = (struct engine_msg){.request = m->data,
			.request_len = (uint16_t)m->len,
			.response = responses[i],
			.response_cap = sizeof(responses[i])};
	}
	engine_process(k.engine, &k.view, k.now, msgs, ENGINE_BATCH_MAX);
	for (unsigned int i = 0; i < ENGINE_BATCH_MAX; i++)
		cr_assert_eq(msgs[i].verdict, i % 2 ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK, "%s",
			verdict_info(msgs[i].verdict)->name);
	kit_close(&k);
}

/* Every combination of flags: what is granted never contradicts itself, and asking for it again
 * changes nothing. */
Test(flags, whatever_is_granted_is_consistent_and_stable)
{
	struct policy p;

	policy_defaults(&p);
	for (unsigned int setting = 0; setting < 32; setting++) {
		p.profile = setting & 1 ? POLICY_RFC6043 : POLICY_3GPP;
		p.allow_reuse = setting & 2;
		p.allow_no_forking = setting & 4;
		for (unsigned int asked = 0; asked < 1u << 12; asked++) {
			const bool tgk = setting & 8, responder = setting & 16;

			if (flags_asked_contradict((uint16_t)asked, tgk))
				continue;
			const uint16_t f = flags_granted(
				&p, (uint16_t)asked, tgk, responder && p.allow_no_forking);

			cr_assert_not(flags_contradict(f, tgk), "%03x -> %03x", asked, f);
			cr_assert(f & MIKEY_FLAG_D);
			cr_assert_not(f & MIKEY_FLAG_K);
			cr_assert((f & MIKEY_FLAG_I) ||
				  (p.profile == POLICY_RFC6043 && p.allow_no_forking));
			cr_assert_not((f & MIKEY_FLAG_J) && !p.allow_reuse);
			cr_assert_eq(flags_granted(&p, f, tgk, responder && p.allow_no_forking), f);
		}
	}
}
