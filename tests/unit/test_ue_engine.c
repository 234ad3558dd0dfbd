/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole calls of random kinds between two UEs and the engine: whatever it grants, both ends get the
 * same keys. */
#include <criterion/criterion.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/answer.h"
#include "common/ue/finish.h"
#include "common/ue/make.h"
#include "common/ue/request.h"
#include "common/ue/resolve.h"
#include "common/ue/transfer.h"
#include "tests/unit/engine_kit.h"

enum { CALLS = 3000, MESSAGE_MAX = UE_MESSAGE_MAX };

struct party {
	struct ue ue;
	struct identity uids[2];
	uint8_t psk[32];
};

static struct kit kit;
static struct party alice, bob;
static struct ue_ticket ticket;
static struct ue_resolved resolved;
static struct ue_sessions sessions_a, sessions_b;
static struct kit_answer answer;
static uint64_t state = 88172645463325252u;

/* Repeatable: a failing call can be found again. */
static unsigned int pick(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 11) % n;
}

static void open_party(
	struct party *p, const char *name, const char *uid, const char *second, size_t psk_len)
{
	ue_init(&p->ue, kit.crypto, ue_random_system, NULL);
	cr_assert_eq(secret_random(p->psk, sizeof(p->psk)), 0);
	p->uids[0] = kit_text(uid);
	p->uids[1] = kit_text(second);
	p->ue.uids = p->uids;
	p->ue.n_uids = 2;
	p->ue.psk_id = kit_text(name);
	p->ue.psk = p->psk;
	p->ue.psk_len = psk_len;
	p->ue.kms = kit_text("kms@tkms.example");
	kit_subscriber(&kit, name, p->psk, psk_len, p->uids, 2, 0, 0);
}

static void open_all(enum policy_profile profile, size_t psk_len)
{
	uint8_t key[32];

	kit_open(&kit, "openssl");
	cr_assert_eq(secret_random(key, sizeof(key)), 0);
	kit_sealing_key(&kit, "tpk-1", key, sizeof(key), SEALING_ACTIVE);
	kit.policy.kms_identity = kit_text("kms@tkms.example");
	kit.policy.profile = profile;
	kit.now = 0xed00378000000000u;
	kit_keyring(&kit);
	open_party(&alice, "alice", "alice@tkms.example", "a@tkms.example", psk_len);
	open_party(&bob, "bob", "bob@tkms.example", "b.group@tkms.example", psk_len);
}

static void random_keys(struct ue_policy *p, enum ue_suite suite)
{
	p->key_list = UE_KEYS_LISTED;
	p->n_keys = 1 + pick(5);
	for (unsigned int i = 0; i < p->n_keys; i++) {
		struct ue_key_wish *k = &p->keys[i];

		memset(k, 0, sizeof(*k));
		k->type = (uint8_t)pick(6);
		k->key_len = suite == UE_SUITE_A ? 16 : 32;
		if (k->type != MIKEY_TEK && k->type != MIKEY_TEK_SALT && suite == UE_SUITE_B)
			k->key_len = (uint8_t)(16 + pick(49));
		k->salt_len = ue_key_type_has_salt(k->type) ? 14 : 0;
		k->spi_len = (uint8_t)pick(3);
		k->spi[0] = (uint8_t)(i + 1);
		k->spi[1] = (uint8_t)pick(256);
	}
}

static void random_policy(struct ue_policy *p, enum ue_suite suite, int mode, int free_flags)
{
	static struct identity recipients[3];
	static struct identity apps[2];

	ue_policy_default(p, kit.now);
	recipients[0] = kit_text(pick(2) ? "bob@tkms.example" : "?.group@tkms.example");
	recipients[1] = kit_text("nobody@other.example");
	recipients[2] = kit_text("?@elsewhere.example");
	p->recipients = recipients;
	p->n_recipients = 1 + pick(3);
	apps[0] = kit_text("voice");
	apps[1] = kit_text("video");
	p->apps = apps;
	p->n_apps = pick(3);
	if (pick(2)) {
		p->type = 2;
		p->subtype = 0;
		p->version = 0;
	}
	if (pick(2))
		random_keys(p, suite);
	if (pick(4) == 0)
		p->omit = (uint8_t)pick(4);
	if (pick(4) == 0 && mode == 1)
		p->trs.present = 0;
	if (mode == 1 && pick(4) == 0)
		p->tre.present = 0;
	if (mode == 3) {
		p->flags = (p->flags & ~MIKEY_FLAG_D) | MIKEY_FLAG_L;
		p->omit = 0;
	}
	if (free_flags && pick(2)) {
		p->flags &= (uint16_t)~MIKEY_FLAG_I;
		if (pick(2))
			p->flags ^= MIKEY_FLAG_H;
		if (pick(3) == 0)
			p->flags = (p->flags & ~(MIKEY_FLAG_F | MIKEY_FLAG_G)) | MIKEY_FLAG_H;
	}
	if (free_flags && pick(3) == 0)
		p->flags |= MIKEY_FLAG_J;
}

static void must(enum ue_result r, const char *what, unsigned int call)
{
	cr_assert_eq(r, UE_OK, "call %u, %s: %s", call, what, ue_strerror(r));
}

static void get_ticket(const struct ue_policy *p, int mode, unsigned int call)
{
	uint8_t init[MESSAGE_MAX];
	struct ue_info info;
	size_t len;

	if (mode == 3) {
		const struct ue_tpk tpk = {alice.ue.psk_id, alice.psk, alice.ue.psk_len};
		must(ue_ticket_make(&alice.ue, p, &tpk, kit.now, &ticket), "make", call);
		return;
	}
	must(ue_request_build(&alice.ue, p, kit.now, init, sizeof(init), &len), "request", call);
	kit_send(&kit, init, len, &answer);
	must(ue_request_process(&alice.ue, UE_CHANGES_STRICTER, init, len, answer.octets,
		     answer.len, kit.now, &ticket, &info),
		"REQUEST_RESP", call);
}

static void set_up_session(unsigned int call)
{
	uint8_t init[MESSAGE_MAX], resolve[MESSAGE_MAX], resp[MESSAGE_MAX];
	size_t len, resolve_len, resp_len;
	struct ue_offer offer;
	struct ue_info info;

	must(ue_offer_srtp(&alice.ue, &ticket, kit_text("somebody@tkms.example"), NULL, &offer),
		"offer", call);
	must(ue_transfer_build(&alice.ue, &ticket, &offer, kit.now, init, sizeof(init), &len),
		"transfer", call);
	must(ue_resolve_build(&bob.ue, init, len, kit.now, resolve, sizeof(resolve), &resolve_len),
		"resolve", call);
	kit_send(&kit, resolve, resolve_len, &answer);
	must(ue_resolve_process(&bob.ue, init, len, resolve, resolve_len, answer.octets, answer.len,
		     kit.now, &resolved, &info),
		"RESOLVE_RESP", call);
	if (!(ticket.flags & MIKEY_FLAG_F)) {
		must(ue_answer_one_way(&bob.ue, &resolved, init, len, kit.now, &sessions_b),
			"one way", call);
		must(ue_transfer_one_way(&alice.ue, &ticket, init, len, &sessions_a), "one way",
			call);
		return;
	}
	must(ue_answer_build(&bob.ue, &resolved, init, len, NULL, kit.now, resp, sizeof(resp),
		     &resp_len, &sessions_b),
		"answer", call);
	must(ue_transfer_process(&alice.ue, &ticket, init, len, resp, resp_len, kit.now,
		     &sessions_a, NULL, NULL, &info),
		"TRANSFER_RESP", call);
}

static void calls(enum policy_profile profile, size_t psk_len)
{
	struct ue_policy policy;

	open_all(profile, psk_len);
	for (unsigned int i = 0; i < CALLS; i++) {
		const enum ue_suite suite = pick(2) ? UE_SUITE_B : UE_SUITE_A;
		const int mode = pick(3) == 0 ? 3 : 1;

		alice.ue.suite = bob.ue.suite = suite;
		alice.ue.ts_type = pick(2) ? MIKEY_TS_NTP_UTC : MIKEY_TS_NTP_UTC_32;
		bob.ue.ts_type = pick(2) ? MIKEY_TS_NTP_UTC : MIKEY_TS_NTP_UTC_32;
		random_policy(&policy, suite, mode, profile == POLICY_RFC6043);
		get_ticket(&policy, mode, i);
		set_up_session(i);
		cr_assert(sessions_a.n != 0);
		cr_assert(memcmp(&sessions_a, &sessions_b, sizeof(sessions_a)) == 0, "call %u", i);
	}
	kit_close(&kit);
}

Test(ue_engine, calls_under_the_3gpp_profile, .timeout = 120)
{
	calls(POLICY_3GPP, 32);
}

Test(ue_engine, calls_under_plain_rfc6043, .timeout = 120)
{
	calls(POLICY_RFC6043, 32);
}

Test(ue_engine, calls_with_short_keys, .timeout = 120)
{
	calls(POLICY_RFC6043, 16);
}
