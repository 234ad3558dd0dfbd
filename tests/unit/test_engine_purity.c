/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine is a pure function: same in, same out, on every node and in every batch; and what is
 * changed on the way is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/engine_client.h"

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

TestSuite(engine_purity, .init = setup, .fini = teardown);

static void ask_keys(const struct key_wish *wishes, unsigned int n)
{
	static uint8_t keys[2048];

	policy.kemac = true;
	policy.keys = keys;
	policy.keys_len = client_keys(keys, sizeof(keys), wishes, n);
}

static void answer(const struct init_wish *init, struct kit_answer *a)
{
	client_send(&k, init, a);
	kit_expect(a, init->policy ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK);
}

Test(engine_purity, retransmission_gives_identical_octets)
{
	static struct kit_answer a, b;

	answer(&request, &a);
	answer(&request, &b);
	cr_assert_eq(a.len, b.len);
	cr_assert_eq(memcmp(a.octets, b.octets, a.len), 0);
	answer(&resolve, &a);
	answer(&resolve, &b);
	cr_assert_eq(a.len, b.len);
	cr_assert_eq(memcmp(a.octets, b.octets, a.len), 0);
}

/* A RESOLVE gives the same keys for as long as the ticket lives. */
Test(engine_purity, resolve_after_rotation_gives_identical_octets)
{
	static struct kit_answer a, b;
	static const uint8_t other_key[32] = {0x77};

	answer(&resolve, &a);
	kit_sealing_key(&k, "tpk-2", other_key, sizeof(other_key), SEALING_ACTIVE);
	kit_keyring(&k);
	answer(&resolve, &b);
	cr_assert_eq(a.len, b.len);
	cr_assert_eq(memcmp(a.octets, b.octets, a.len), 0);
}

Test(engine_purity, request_after_rotation_gives_another_ticket_that_resolves)
{
	static struct kit_answer a, b;
	static struct octets message;
	static struct response r;
	static const uint8_t other_key[32] = {0x77};

	client_build(&k, &request, &message);
	kit_send(&k, message.data, message.len, &a);
	kit_sealing_key(&k, "tpk-2", other_key, sizeof(other_key), SEALING_ACTIVE);
	kit_keyring(&k);
	kit_send(&k, message.data, message.len, &b);
	cr_assert_neq(memcmp(a.octets, b.octets, a.len), 0);
	for (const struct kit_answer *each = &a; each; each = each == &a ? &b : NULL) {
		static struct kit_answer c;

		client_open(&k, &request, &message, each, &r);
		client_adopt(&k, each, &r, &ticket);
		resolve.ticket_len = ticket.len;
		answer(&resolve, &c);
	}
}

/* Another engine, the other backend, another table in another order: the same octets. */
Test(engine_purity, two_nodes_with_different_backends_answer_alike)
{
	static struct kit other;
	static struct kit_answer a, b;
	static struct octets message;

	client_kit(&other, "ipsec-mb");
	for (unsigned int weak = 0; weak < 2; weak++) {
		client_build(&k, &request, &message);
		kit_send(&k, message.data, message.len, &a);
		kit_send(&other, message.data, message.len, &b);
		kit_expect(&a, VERDICT_REQUEST_OK);
		cr_assert_eq(a.len, b.len);
		cr_assert_eq(memcmp(a.octets, b.octets, a.len), 0);
		client_build(&k, &resolve, &message);
		kit_send(&k, message.data, message.len, &a);
		kit_send(&other, message.data, message.len, &b);
		kit_expect(&a, VERDICT_RESOLVE_OK);
		cr_assert_eq(a.len, b.len);
		cr_assert_eq(memcmp(a.octets, b.octets, a.len), 0);
		client_weak(&request);
		client_weak(&resolve);
		wish.policy.prf = policy.prf = MIKEY_PRF_MIKEY_1;
		wish.encr_alg = MIKEY_ENCR_AES_CM_128;
		wish.mac_alg = MIKEY_AUTH_HMAC_SHA_1_160;
		client_ticket_build(&k, &wish, &ticket);
		resolve.ticket_len = ticket.len;
	}
	kit_close(&other);
}

/* Every octet under the MACs: no changed message is answered with keys. */
static void flip_every_octet(const struct init_wish *init)
{
	static struct octets message;
	static struct kit_answer a;

	client_build(&k, init, &message);
	for (size_t i = 0; i < message.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			message.data[i] ^= (uint8_t)(1u << bit);
			kit_send(&k, message.data, message.len, &a);
			cr_assert(a.verdict != VERDICT_REQUEST_OK &&
					  a.verdict != VERDICT_RESOLVE_OK &&
					  a.verdict != VERDICT_PENDING,
				"octet %zu, bit %u", i, bit);
			cr_assert(a.len == 0 || a.octets[1] == MIKEY_ERROR);
			cr_assert_not(verdict_info(a.verdict)->authenticated, "octet %zu: %s", i,
				verdict_info(a.verdict)->name);
			message.data[i] ^= (uint8_t)(1u << bit);
		}
	}
	kit_send(&k, message.data, message.len, &a);
	cr_assert(a.verdict == VERDICT_REQUEST_OK || a.verdict == VERDICT_RESOLVE_OK);
}

Test(engine_purity, flipped_request_is_never_granted)
{
	flip_every_octet(&request);
}

Test(engine_purity, flipped_resolve_is_never_answered)
{
	flip_every_octet(&resolve);
}

/* The sender's MAC made anew over a changed ticket: every octet of it is under its own MAC or under
 * Vr. */
Test(engine_purity, flipped_ticket_is_never_resolved)
{
	static struct kit_answer a;

	for (size_t i = 0; i < ticket.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			ticket.data[i] ^= (uint8_t)(1u << bit);
			client_send(&k, &resolve, &a);
			cr_assert(a.verdict != VERDICT_RESOLVE_OK && a.verdict != VERDICT_PENDING,
				"octet %zu, bit %u", i, bit);
			ticket.data[i] ^= (uint8_t)(1u << bit);
		}
	}
	client_send(&k, &resolve, &a);
	kit_expect(&a, VERDICT_RESOLVE_OK);
}

enum { BATCH = ENGINE_BATCH_MAX, SPACE = 4096 };

struct batch {
	struct octets message[BATCH];
	uint8_t response[BATCH][SPACE];
	struct engine_msg msg[BATCH];
};

/* Good and bad messages of all kinds, mixed. */
static void make_batch(struct batch *b)
{
	static const struct key_wish many[16] = {{MIKEY_TGK_SALT, MIKEY_KV_NULL, 64, 14, NULL}};
	struct key_wish keys[16];

	for (unsigned int i = 0; i < 16; i++)
		keys[i] = many[0];
	for (unsigned int i = 0; i < BATCH; i++) {
		struct init_wish w = i % 2 ? request : resolve;

		policy = client_policy();
		w.csb_id = i;
		switch (i / 2 % 8) {
		case 1:
			w.v = V_WRONG;
			break;
		case 2:
			w.psk_id = kit_text("psk-nobody");
			break;
		case 3:
			w.t_seconds = 1000;
			break;
		case 4:
			client_weak(&w);
			policy.prf = MIKEY_PRF_MIKEY_1;
			break;
		case 5:
			ask_keys(keys, 16);
			break;
		case 6:
			w.kms = kit_text("kms@other.example");
			break;
		default:
			break;
		}
		client_build(&k, &w, &b->message[i]);
		if (i % 16 == 15)
			b->message[i].len -= 40;
		b->msg[i] = (struct engine_msg){
			.request = b->message[i].data,
			.request_len = (uint16_t)b->message[i].len,
			.response = b->response[i],
			.response_cap = SPACE,
		};
	}
}

static void batch_equals_singles(const char *backend)
{
	static struct batch b;
	static struct kit batch_kit;
	static struct kit_answer a;
	unsigned int ok = 0;

	make_batch(&b);
	client_kit(&batch_kit, backend);
	for (unsigned int n = 1; n <= BATCH; n = n < 4 ? n + 1 : n * 2) {
		engine_process(batch_kit.engine, &batch_kit.view, batch_kit.now, b.msg, n);
		for (unsigned int i = 0; i < n; i++) {
			kit_send(&k, b.message[i].data, b.message[i].len, &a);
			cr_assert_eq(b.msg[i].verdict, a.verdict, "message %u of %u", i, n);
			/* The kit's buffer is larger. */
			cr_assert_eq(b.msg[i].response_len, a.len, "message %u of %u: %s", i, n,
				verdict_info(a.verdict)->name);
			cr_assert_eq(memcmp(b.response[i], a.octets, a.len), 0, "message %u of %u",
				i, n);
			ok += a.verdict == VERDICT_REQUEST_OK || a.verdict == VERDICT_RESOLVE_OK;
		}
	}
	cr_assert_gt(ok, 40);
	kit_close(&batch_kit);
}

Test(engine_purity, batch_equals_one_at_a_time_with_openssl)
{
	batch_equals_singles("openssl");
}

Test(engine_purity, batch_equals_one_at_a_time_with_ipsec_mb)
{
	batch_equals_singles("ipsec-mb");
}

Test(engine_purity, empty_batch_is_nothing)
{
	engine_process(k.engine, &k.view, k.now, NULL, 0);
}
