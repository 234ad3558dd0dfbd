/* SPDX-License-Identifier: BSD-3-Clause */
/* What a UE must not believe: changed octets, peers with the right keys and wrong content, Errors.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "common/ue/accept.h"
#include "tests/unit/ue_exchange.h"
#include "tests/unit/ue_forge.h"

static struct exchange x;
static struct ue_keyset keys;
static struct ue_ticket ticket;
static struct ue_resolved resolved;
static struct ue_sessions sessions;
static struct octets out;
static struct ue_info info;
static struct crypto *c;

static void set_up(void)
{
	c = crypto_open("openssl");
	cr_assert(c);
}

static void tear_down(void)
{
	crypto_close(c);
}

TestSuite(ue_refusals, .init = set_up, .fini = tear_down);

static enum ue_result by_alice(const struct octets *resp)
{
	return ue_request_process(&x.alice.ue, UE_CHANGES_STRICTER, x.request.data, x.request.len,
		resp->data, resp->len, exchange_clock(&x.request_resp), &ticket, &info);
}

static enum ue_result by_bob(const struct octets *transfer, const struct octets *resp)
{
	return ue_resolve_process(&x.bob.ue, transfer->data, transfer->len, x.resolve.data,
		x.resolve.len, resp->data, resp->len, exchange_clock(&x.resolve_resp), &resolved,
		&info);
}

static enum ue_result local_by_bob(const struct octets *transfer)
{
	return ue_resolve_local(&x.bob.ue, transfer->data, transfer->len, &x.tpk,
		exchange_clock(&x.transfer), &resolved);
}

static enum ue_result end_by_alice(const struct octets *resp)
{
	return ue_transfer_process(&x.alice.ue, &x.ticket, x.transfer.data, x.transfer.len,
		resp->data, resp->len, exchange_clock(&x.transfer_resp), &sessions, NULL, NULL,
		&info);
}

/* Calls judge with every octet changed in turn, and with every shorter message. */
static void damage(
	const char *what, const struct octets *m, enum ue_result (*judge)(const struct octets *))
{
	static struct octets d;

	for (size_t i = 0; i < m->len; i++) {
		d = *m;
		d.data[i] ^= (uint8_t)(1 << i % 8);
		cr_assert_neq(judge(&d), UE_OK, "%s: %s with octet %zu changed", x.name, what, i);
		cr_assert_not(info.verified, "%s: %s with octet %zu changed", x.name, what, i);
		d = *m;
		d.len = i;
		cr_assert_neq(judge(&d), UE_OK, "%s: %s cut to %zu octets", x.name, what, i);
	}
	d = *m;
	d.data[d.len++] = 0;
	cr_assert_neq(judge(&d), UE_OK, "%s: %s with an octet more", x.name, what);
	memset(&info, 0, sizeof(info));
	cr_assert_eq(judge(m), UE_OK, "%s: %s unchanged", x.name, what);
}

static enum ue_result resolve_resp_judge(const struct octets *m)
{
	return by_bob(&x.transfer, m);
}

static enum ue_result transfer_judge(const struct octets *m)
{
	enum ue_result r = x.resolve.len ? by_bob(m, &x.resolve_resp) : local_by_bob(m);

	/* The KMS's answer may be genuine all the same: what counts is that nothing comes of it. */
	cr_assert(r == UE_OK || resolved.keys.n == 0);
	info.verified = 0;
	return r;
}

Test(ue_refusals, every_octet_of_every_message_counts, .timeout = 120)
{
	for (unsigned int i = 0; i < EXCHANGES; i++) {
		exchange_open(&x, i, c);
		exchange_run(&x);
		if (x.request.len)
			damage("REQUEST_RESP", &x.request_resp, by_alice);
		damage("TRANSFER_INIT", &x.transfer, transfer_judge);
		if (x.resolve.len)
			damage("RESOLVE_RESP", &x.resolve_resp, resolve_resp_judge);
		if (x.transfer_resp.len)
			damage("TRANSFER_RESP", &x.transfer_resp, end_by_alice);
		exchange_close(&x);
	}
}

/* ---- Ticket Resolve ---- */

static enum ue_result resolve_with(const struct forge *f)
{
	forge_write(c, f, &out);
	enum ue_result r = resolve_resp_judge(&out);
	cr_assert(r == UE_OK || resolved.keys.n == 0, "keys are kept after %s", ue_strerror(r));
	return r;
}

static struct forge open_resolve(const char *name, char suite)
{
	exchange_open_named(&x, name, suite, c);
	return forge_resolve_resp(&x, &keys);
}

Test(ue_refusals, the_forger_can_make_the_genuine_answer)
{
	const struct forge f = open_resolve("mode1_forked", 'B');

	cr_assert_eq(resolve_with(&f), UE_OK);
	cr_assert(info.verified);
}

Test(ue_refusals, another_mpki_does_not_verify_the_transfer)
{
	const struct forge f = open_resolve("mode1_forked", 'B');

	keys.octets[ue_keyset_mpk(&keys, 0)->key.off] ^= 1;
	cr_assert_eq(resolve_with(&f), UE_TRANSFER_MAC);
	cr_assert(info.verified);
}

Test(ue_refusals, keys_without_mpkr_are_refused_when_forked)
{
	struct forge f = open_resolve("mode1_not_forked", 'B');
	static struct ue_keyset one;

	one = keys;
	exchange_close(&x);
	f = open_resolve("mode1_forked", 'B');
	f.keys = &one;
	cr_assert_eq(resolve_with(&f), UE_NO_MPK);
}

Test(ue_refusals, the_modifier_must_be_there_and_ours_and_in_the_ticket)
{
	struct forge f = open_resolve("mode1_forked", 'B');
	const struct identity good = f.idr_r, rand = f.rand_kms;

	f.idr_r = x.alice.uids[0];
	cr_assert_eq(resolve_with(&f), UE_RESPONDER);
	f.idr_r = x.bob.uids[1]; /* ours, but the ticket does not name it */
	cr_assert_eq(resolve_with(&f), UE_RESPONDER);
	f.idr_r.len = 0;
	cr_assert_eq(resolve_with(&f), UE_NO_IDR);
	f.idr_r = good;
	f.rand_kms.len = 0;
	cr_assert_eq(resolve_with(&f), UE_NO_RANDR);
	f.rand_kms = rand;
	cr_assert_eq(resolve_with(&f), UE_OK);
}

Test(ue_refusals, answers_of_the_wrong_time_kms_or_suite_are_refused)
{
	struct forge f = open_resolve("mode1_forked", 'B');
	const uint64_t t = f.t, s = UINT64_C(1) << 32;

	f.t = t + 301 * s;
	cr_assert_eq(resolve_with(&f), UE_SKEW);
	cr_assert(info.verified && info.offset_us == 301000000, "%ld", (long)info.offset_us);
	f.t = t - 301 * s;
	cr_assert_eq(resolve_with(&f), UE_SKEW);
	cr_assert_eq(info.offset_us, -301000000);
	f.t = t + 300 * s;
	cr_assert_eq(resolve_with(&f), UE_OK);
	f.t = t;
	f.ts_type = MIKEY_TS_COUNTER;
	cr_assert_eq(resolve_with(&f), UE_NO_T);
	f.ts_type = MIKEY_TS_NTP_UTC;
	f.kms = x.alice.uids[0];
	cr_assert_eq(resolve_with(&f), UE_IDR_KMS);
	f.kms = x.bob.ue.kms;
	f.auth_alg = MIKEY_AUTH_HMAC_SHA_1_160;
	cr_assert_eq(resolve_with(&f), UE_AUTH_ALG);
	f.auth_alg = 0;
	f.csb_xor = 1;
	cr_assert_eq(resolve_with(&f), UE_CSB_ID);
	f.csb_xor = 0;
	f.type = MIKEY_REQUEST_RESP;
	cr_assert_eq(resolve_with(&f), UE_DATA_TYPE);
}

Test(ue_refusals, keys_in_clear_or_none_are_refused)
{
	struct forge f = open_resolve("mode1_forked", 'B');

	f.encr_alg = MIKEY_ENCR_NULL;
	cr_assert_eq(resolve_with(&f), UE_KEMAC);
	f.keys = NULL;
	cr_assert_eq(resolve_with(&f), UE_NO_KEMAC);
}

Test(ue_refusals, weak_long_and_nameless_keys_are_refused)
{
	struct forge f = open_resolve("mode1_forked", 'A');
	struct mikey_key_spec spec[3];
	static struct ue_keyset other;
	static const uint8_t octets[64] = {1, 2, 3};

	for (unsigned int i = 0; i < 3; i++) {
		spec[i] = (struct mikey_key_spec){.type = i < 2 ? MIKEY_MPK : MIKEY_TGK,
			.kv = MIKEY_KV_SPI,
			.key = ue_keyset_at(&keys, keys.key[i].key),
			.key_len = keys.key[i].key.len,
			.spi = octets,
			.spi_len = 1};
	}
	f.keys = &other;
	cr_assert_eq(ue_keyset_write(&other, spec, 3), UE_OK);
	cr_assert_eq(resolve_with(&f), UE_OK);
	spec[2].kv = MIKEY_KV_NULL;
	cr_assert_eq(ue_keyset_write(&other, spec, 3), UE_OK);
	cr_assert_eq(resolve_with(&f), UE_KEY_SPI);
	/* More than 128 bits under the 128-bit suite. */
	spec[2].kv = MIKEY_KV_SPI;
	spec[2].key = octets;
	spec[2].key_len = 32;
	cr_assert_eq(ue_keyset_write(&other, spec, 3), UE_OK);
	cr_assert_eq(resolve_with(&f), UE_KEY_LENGTH);
	/* Too short, and two equal halves that cancel in the PRF. */
	spec[2].key_len = 15;
	cr_assert_eq(ue_keyset_write(&other, spec, 3), UE_KEY_WEAK);
	spec[2].key_len = 64;
	static uint8_t twice[64];
	spec[2].key = twice;
	cr_assert_eq(ue_keyset_write(&other, spec, 3), UE_KEY_WEAK);
}

Test(ue_refusals, an_answer_for_another_ticket_is_refused)
{
	exchange_open_named(&x, "mode1_forked", 'B', c);
	/* Vr is under no MAC that the responder can check: the KMS does. It has to be what the KMS
	 * was asked. */
	static struct octets t;
	struct mikey_message m;

	t = x.transfer;
	cr_assert_eq(mikey_parse_message(&m, t.data, t.len), MIKEY_PARSE_OK);
	t.data[m.ticket.initiator_data.off + m.ticket.initiator_data.len - 1] ^= 1;
	cr_assert_eq(by_bob(&t, &x.resolve_resp), UE_TICKET_OTHER);
}

/* ---- TRANSFER_INIT before the KMS is asked ---- */

Test(ue_refusals, transfers_are_refused_early)
{
	uint8_t buf[MESSAGE_MAX];
	size_t len;
	const uint64_t hour = UINT64_C(3600) << 32;
	static struct octets t;

	exchange_open_named(&x, "mode1_forked", 'B', c);
	const uint64_t now = exchange_clock(&x.transfer);
	struct ue *bob = &x.bob.ue;

	cr_assert_eq(ue_transfer_check(bob, x.transfer.data, x.transfer.len, now), UE_OK);
	cr_assert_eq(ue_transfer_check(bob, x.transfer.data, x.transfer.len, now + hour), UE_SKEW);
	bob->max_skew_s = 86400;
	cr_assert_eq(ue_transfer_check(bob, x.transfer.data, x.transfer.len, now + 2 * hour),
		UE_TICKET_TIME);
	cr_assert_eq(ue_transfer_check(bob, x.transfer.data, x.transfer.len, now - hour),
		UE_TICKET_TIME);
	cr_assert_eq(ue_transfer_check(&x.alice.ue, x.transfer.data, x.transfer.len, now),
		UE_NOT_RECIPIENT);
	cr_assert_eq(ue_resolve_build(&x.alice.ue, x.transfer.data, x.transfer.len, now, buf,
			     sizeof(buf), &len),
		UE_NOT_RECIPIENT);
	t = x.transfer;
	struct mikey_message m;
	cr_assert_eq(mikey_parse_message(&m, t.data, t.len), MIKEY_PARSE_OK);
	t.data[t.len - 1] ^= 1;
	cr_assert_eq(ue_transfer_check(bob, t.data, t.len, now), UE_VI);
	t = x.transfer;
	t.data[m.ticket.body.off + 2] = 9; /* subtype */
	cr_assert_eq(ue_transfer_check(bob, t.data, t.len, now), UE_TICKET_TYPE);
	t = x.transfer;
	t.data[m.ticket.body.off + 4] ^= 1 << 1; /* PRF Func */
	cr_assert_eq(ue_transfer_check(bob, t.data, t.len, now), UE_MIXED_SUITES);
	cr_assert_eq(local_by_bob(&x.transfer), UE_MUST_RESOLVE);
}

Test(ue_refusals, flags_of_a_transfer_are_looked_at)
{
	static struct octets t;
	struct mikey_message m;

	exchange_open_named(&x, "mode1_not_forked", 'B', c);
	const uint64_t now = exchange_clock(&x.transfer);
	cr_assert_eq(mikey_parse_message(&m, x.transfer.data, x.transfer.len), MIKEY_PARSE_OK);
	const size_t off = m.ticket.body.off + 5u;
	const struct {
		uint16_t flip;
		enum ue_result result;
	} cases[] = {
		{MIKEY_FLAG_O, UE_SPECIAL}, {MIKEY_FLAG_F, UE_TICKET_FLAGS}, /* G without F */
		{MIKEY_FLAG_I, UE_INITIATOR_DATA}, {MIKEY_FLAG_G | MIKEY_FLAG_H, UE_TICKET_FLAGS},
		{MIKEY_FLAG_D, UE_TICKET_FLAGS}, /* neither D nor L */
	};
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t = x.transfer;
		/* 7 bits PRF, 12 flags, 5 reserved bits from the fifth octet on */
		const uint32_t flip = (uint32_t)cases[i].flip << 5;
		t.data[off - 1] ^= (uint8_t)(flip >> 16);
		t.data[off] ^= (uint8_t)(flip >> 8);
		t.data[off + 1] ^= (uint8_t)flip;
		cr_assert_eq(ue_transfer_check(&x.bob.ue, t.data, t.len, now), cases[i].result,
			"case %u: %s", i,
			ue_strerror(ue_transfer_check(&x.bob.ue, t.data, t.len, now)));
	}
}

Test(ue_refusals, local_resolving_needs_the_right_key)
{
	exchange_open_named(&x, "mode2", 'B', c);
	struct ue_tpk tpk = x.tpk;

	cr_assert_eq(local_by_bob(&x.transfer), UE_OK);
	x.tpk.id = x.alice.ue.psk_id;
	cr_assert_eq(local_by_bob(&x.transfer), UE_TICKET_KEY);
	x.tpk = tpk;
	x.tpk.key = x.alice.psk;
	cr_assert_eq(local_by_bob(&x.transfer), UE_TICKET_MAC);
	cr_assert_eq(resolved.keys.n, 0);
}

/* ---- Ticket Request ---- */

static enum ue_result request_with(const struct forge *f)
{
	static struct octets o;

	forge_write(c, f, &o);
	enum ue_result r = by_alice(&o);
	cr_assert(r == UE_OK || (ticket.keys.n == 0 && ticket.body_len == 0));
	return r;
}

static struct ue_ticket granted;

static struct forge open_request(const char *name, char suite)
{
	exchange_open_named(&x, name, suite, c);
	return forge_request_resp(&x, &keys, &granted);
}

/* Replaces the policy of the ticket granted. */
static void grant(struct ue_policy *p)
{
	static struct octets o;
	struct mikey_message m;
	struct mikey_writer w;
	const struct mikey_ticket_head head = ue_policy_head(p, x.suite);

	mikey_write_begin(&w, o.data, sizeof(o.data));
	mikey_write_hdr(&w, MIKEY_REQUEST_RESP, head.prf, 0);
	struct mikey_nest nest = mikey_open_tp(&w, MIKEY_TICKET, &head);
	ue_policy_write(&w, &x.alice.ue, p, UE_WITH_KEMAC);
	mikey_close(&w, nest);
	mikey_write_ticket_data_raw(
		&w, mikey_at(granted.body, granted.ticket_data), granted.ticket_data.len);
	mikey_write_no_initiator_data(&w);
	o.len = mikey_write_end(&w);
	cr_assert_eq(mikey_parse_message(&m, o.data, o.len), MIKEY_PARSE_OK);
	cr_assert_eq(ue_ticket_adopt(&granted, &m), UE_OK);
}

Test(ue_refusals, a_changed_policy_needs_flag_k)
{
	struct forge f = open_request("mode1_forked", 'B');
	struct ue_policy p;
	struct identity two[2];

	exchange_policy(&x, &x.request, &p);
	grant(&p);
	cr_assert_eq(request_with(&f), UE_OK);
	p.flags |= MIKEY_FLAG_J;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_K);
	p.flags &= (uint16_t)~MIKEY_FLAG_J;
	p.tre.value[3]--;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_K);
	p.tre.value[3]++;
	two[0] = x.recipients[0];
	two[1] = x.alice.uids[0];
	p.recipients = two;
	p.n_recipients = 2;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_K);
}

Test(ue_refusals, with_flag_k_only_stricter_grants_are_taken)
{
	struct forge f = open_request("mode1_forked", 'B');
	struct ue_policy asked, p;
	struct identity two[2];

	exchange_policy(&x, &x.request, &asked);
	asked.flags |= MIKEY_FLAG_K;
	p = asked;
	p.tre.value[3]--;
	p.trs.value[3]++;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_OK);
	p.tre.value[2]++;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_TIME);
	p = asked;
	p.trs.value[3]--;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_TIME);
	p = asked;
	p.tre.present = 0;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_TIME);
	const struct {
		uint16_t flip;
		enum ue_result result;
	} flags[] = {
		{MIKEY_FLAG_I, UE_GRANT_FLAGS},
		{MIKEY_FLAG_J, UE_GRANT_FLAGS},
		{MIKEY_FLAG_L, UE_GRANT_FLAGS},
		{MIKEY_FLAG_M, UE_GRANT_FLAGS},
		{MIKEY_FLAG_G, UE_GRANT_FLAGS},
		{MIKEY_FLAG_H, UE_GRANT_FLAGS},
		{MIKEY_FLAG_N, UE_SPECIAL},
		{MIKEY_FLAG_O, UE_OK},
	};
	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		p = asked;
		p.flags ^= flags[i].flip;
		grant(&p);
		cr_assert_eq(request_with(&f), flags[i].result, "flag %u", i);
	}
	p = asked;
	two[0] = x.recipients[0];
	two[1] = x.alice.uids[0];
	p.recipients = two;
	p.n_recipients = 2;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_RECIPIENTS);
	p.n_recipients = 0;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_RECIPIENTS);
	p = asked;
	p.subtype = 0;
	p.type = 2;
	p.version = 0;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_TICKET_TYPE);
	p = asked;
	p.key_list = UE_KEYS_LISTED; /* a KEMAC in the granted policy */
	grant(&p);
	cr_assert_eq(request_with(&f), UE_TICKET_POLICY);
}

Test(ue_refusals, changes_are_refused_when_none_are_accepted)
{
	exchange_open_named(&x, "mode1_policy_changed", 'B', c);
	cr_assert_eq(by_alice(&x.request_resp), UE_OK);
	cr_assert_eq(ue_request_process(&x.alice.ue, UE_CHANGES_NONE, x.request.data, x.request.len,
			     x.request_resp.data, x.request_resp.len,
			     exchange_clock(&x.request_resp), &ticket, &info),
		UE_GRANT_CHANGED);
	exchange_close(&x);
	exchange_open_named(&x, "mode1_forked", 'B', c);
	cr_assert_eq(ue_request_process(&x.alice.ue, UE_CHANGES_NONE, x.request.data, x.request.len,
			     x.request_resp.data, x.request_resp.len,
			     exchange_clock(&x.request_resp), &ticket, &info),
		UE_OK);
}

Test(ue_refusals, applications_stay_within_those_asked_for)
{
	struct forge f = open_request("mode1_applications", 'B');
	struct ue_policy asked, p;
	const struct identity other = {(const uint8_t *)"other", 5};

	exchange_policy(&x, &x.request, &asked);
	asked.flags |= MIKEY_FLAG_K;
	p = asked;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_OK);
	p.n_apps = 0; /* would authorise all */
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_APPS);
	p.apps = &other;
	p.n_apps = 1;
	grant(&p);
	cr_assert_eq(request_with(&f), UE_GRANT_APPS);
}

Test(ue_refusals, the_keys_granted_are_those_asked_for)
{
	struct forge f = open_request("mode1_all_key_types", 'B');

	cr_assert_eq(request_with(&f), UE_OK);
	static struct ue_keyset other;
	exchange_close(&x);
	f = open_request("mode1_forked", 'B');
	other = keys;
	exchange_close(&x);
	f = open_request("mode1_all_key_types", 'B');
	f.keys = &other;
	cr_assert_eq(request_with(&f), UE_GRANT_KEYS);
	exchange_close(&x);
	f = open_request("mode1_all_key_types", 'B');
	keys.octets[ue_keyset_session_key(&keys, 0)->spi.off] ^= 0x80;
	cr_assert_eq(request_with(&f), UE_GRANT_KEYS);
}

/* ---- end of the Ticket Transfer ---- */

static enum ue_result end_with(const struct forge *f)
{
	static struct octets o;

	forge_write(c, f, &o);
	enum ue_result r = end_by_alice(&o);
	cr_assert(r == UE_OK || sessions.n == 0);
	return r;
}

static struct ue_map map;

static struct forge open_end(const char *name)
{
	exchange_open_named(&x, name, 'B', c);
	exchange_run(&x);
	return forge_transfer_resp(&x, &map);
}

Test(ue_refusals, a_replaced_modifier_breaks_the_mac_or_the_ticket)
{
	struct forge f = open_end("mode1_forked");
	uint8_t other[32] = {0};

	cr_assert_eq(end_with(&f), UE_OK);
	const struct identity rand = f.rand_kms;
	f.rand_kms.data = other;
	cr_assert_eq(end_with(&f), UE_MAC);
	f.rand_kms.len = 0;
	cr_assert_eq(end_with(&f), UE_NO_RANDR);
	f.rand_kms = rand;
	f.idr_r = x.bob.uids[1];
	cr_assert_eq(end_with(&f), UE_RESPONDER);
	f.idr_r.len = 0;
	cr_assert_eq(end_with(&f), UE_NO_IDR);
}

Test(ue_refusals, one_of_a_group_cannot_speak_for_another)
{
	struct forge f = open_end("mode1_group_wildcard");
	static const char other[] = "user2.department@company.example";

	f.idr_r = (struct identity){(const uint8_t *)other, sizeof(other) - 1};
	cr_assert_eq(end_with(&f), UE_MAC);
}

Test(ue_refusals, randr_of_the_responder_is_mandatory_with_flag_g)
{
	struct forge f = open_end("mode1_forked");

	f.rand_r.len = 0;
	cr_assert_eq(end_with(&f), UE_NO_RANDR);
}

Test(ue_refusals, maps_of_the_responder_are_checked)
{
	struct forge f = open_end("mode1_forked");
	const struct ue_map good = map;

	map.cs[0].cs_id = 7; /* the one offered is gone */
	cr_assert_eq(end_with(&f), UE_MAP);
	map = good;
	map.cs[0].n_policies = 0;
	cr_assert_eq(end_with(&f), UE_SECURITY_POLICY);
	map = good;
	map.cs[0].policies[0] = 9; /* nobody offered it */
	cr_assert_eq(end_with(&f), UE_SECURITY_POLICY);
	map = good;
	map.cs[0].session_data_len = 0;
	cr_assert_eq(end_with(&f), UE_SESSION_DATA);
	map = good;
	map.cs[0].spi[0] ^= 1;
	cr_assert_eq(end_with(&f), UE_NO_SESSION_KEY);
	map = good;
	map.n = 2;
	map.cs[1] = map.cs[0]; /* a CS ID twice */
	cr_assert_eq(end_with(&f), UE_MAP);
	map.cs[1].cs_id = 2; /* a session added: allowed */
	cr_assert_eq(end_with(&f), UE_OK);
	cr_assert_eq(sessions.n, 2);
	f.map = NULL;
	cr_assert_eq(end_with(&f), UE_MAP);
}

Test(ue_refusals, keys_of_the_responder_need_flag_m)
{
	struct forge f = open_end("mode1_forked");

	f.keys = &x.resolved.keys;
	cr_assert_eq(end_with(&f), UE_KEMAC_FORBIDDEN);
	exchange_close(&x);
	f = open_end("mode1_preencrypted");
	f.keys = &x.resolved.keys; /* allowed, but MPKs have no business here */
	cr_assert_eq(end_with(&f), UE_KEYS);
}

Test(ue_refusals, no_response_is_taken_when_none_is_due)
{
	static struct ue_map m;

	exchange_open_named(&x, "mode1_one_way", 'B', c);
	exchange_run(&x);
	struct mikey_message t;
	cr_assert_eq(mikey_parse_message(&t, x.transfer.data, x.transfer.len), MIKEY_PARSE_OK);
	cr_assert_eq(ue_map_read(&m, &t), UE_OK);
	const struct mikey_key *mpk = ue_keyset_mpk(&x.resolved.keys, 0);
	x.transfer_resp = x.transfer; /* for the clock */
	const struct forge f = {.init = &x.transfer,
		.type = MIKEY_TRANSFER_RESP,
		.t = exchange_clock(&x.transfer),
		.inkey = ue_keyset_at(&x.resolved.keys, mpk->key),
		.inkey_len = mpk->key.len,
		.map = &m};
	cr_assert_eq(end_with(&f), UE_NOT_EXPECTED);
	uint8_t buf[MESSAGE_MAX];
	size_t len;
	cr_assert_eq(ue_answer_build(&x.bob.ue, &x.resolved, x.transfer.data, x.transfer.len, NULL,
			     f.t, buf, sizeof(buf), &len, &sessions),
		UE_NOT_EXPECTED);
	exchange_close(&x);
	exchange_open_named(&x, "mode1_forked", 'B', c);
	exchange_run(&x);
	cr_assert_eq(ue_transfer_one_way(
			     &x.alice.ue, &x.ticket, x.transfer.data, x.transfer.len, &sessions),
		UE_RESPONSE_NEEDED);
}

/* ---- Errors ---- */

Test(ue_refusals, an_error_without_mac_is_a_hint_and_one_with_mac_is_final)
{
	struct forge f = open_resolve("mode1_forked", 'B');
	const uint8_t wrong[32] = {0};

	f = (struct forge){.init = &x.resolve, .type = MIKEY_ERROR, .t = f.t, .error = 7};
	cr_assert_eq(resolve_with(&f), UE_ERROR_HINT);
	cr_assert(info.error_no == 7 && !info.verified);
	f.inkey = wrong;
	f.inkey_len = sizeof(wrong);
	cr_assert_eq(resolve_with(&f), UE_ERROR_HINT);
	cr_assert_not(info.verified);
	f.inkey = x.bob.psk;
	f.inkey_len = x.bob.ue.psk_len;
	cr_assert_eq(resolve_with(&f), UE_ERROR_VERIFIED);
	cr_assert(info.error_no == 7 && info.verified);
	/* Of another exchange: not even a hint. */
	f.csb_xor = 1;
	cr_assert_eq(resolve_with(&f), UE_CSB_ID);
	f.csb_xor = 0;
	f.init = &x.request;
	f.inkey = x.alice.psk;
	forge_write(c, &f, &out);
	cr_assert_eq(by_alice(&out), UE_ERROR_VERIFIED);
	cr_assert_eq(resolve_resp_judge(&out), UE_CSB_ID);
}

Test(ue_refusals, an_error_from_the_responder_is_verified_with_mpki)
{
	struct forge f = open_end("mode1_forked");
	const struct mikey_key *mpk = ue_keyset_mpk(&x.resolved.keys, 0);

	f = (struct forge){.init = &x.transfer,
		.type = MIKEY_ERROR,
		.t = f.t,
		.error = 9,
		.inkey = ue_keyset_at(&x.resolved.keys, mpk->key),
		.inkey_len = mpk->key.len};
	cr_assert_eq(end_with(&f), UE_ERROR_VERIFIED);
	f.inkey = NULL;
	cr_assert_eq(end_with(&f), UE_ERROR_HINT);
}

/* ---- callers ---- */

Test(ue_refusals, requests_that_make_no_sense_are_not_built)
{
	uint8_t buf[MESSAGE_MAX];
	struct ue_policy asked, p;
	size_t len;

	exchange_open_named(&x, "mode1_forked", 'A', c);
	const uint64_t now = exchange_clock(&x.request);
	struct ue *ue = &x.alice.ue;
	ue->random = ue_random_system;
	exchange_policy(&x, &x.request, &asked);
	p = asked;
	p.n_recipients = 0;
	cr_assert_eq(ue_request_build(ue, &p, now, buf, sizeof(buf), &len), UE_ARGUMENT);
	p = asked;
	p.flags &= (uint16_t)~MIKEY_FLAG_F;
	cr_assert_eq(ue_request_build(ue, &p, now, buf, sizeof(buf), &len), UE_TICKET_FLAGS);
	p = asked;
	p.key_list = UE_KEYS_LISTED;
	p.n_keys = 1;
	p.keys[0] = (struct ue_key_wish){.type = MIKEY_TGK, .key_len = 32};
	cr_assert_eq(ue_request_build(ue, &p, now, buf, sizeof(buf), &len), UE_KEY_LENGTH);
	cr_assert_eq(ue_request_build(ue, &asked, now, buf, 100, &len), UE_NO_ROOM);
	ue->kms.len = 0;
	cr_assert_eq(ue_request_build(ue, &asked, now, buf, sizeof(buf), &len), UE_IDENTITY);
}

static int no_random(void *arg, enum ue_draw what, unsigned int index, uint8_t *o, size_t len)
{
	(void)arg;
	(void)what;
	(void)index;
	(void)o;
	(void)len;
	return -5;
}

Test(ue_refusals, nothing_is_built_without_random_numbers)
{
	uint8_t buf[MESSAGE_MAX];
	struct ue_policy p;
	struct ue_offer offer;
	size_t len;

	exchange_open_named(&x, "mode3_forked", 'B', c);
	exchange_run(&x);
	const uint64_t now = exchange_clock(&x.transfer);
	exchange_policy(&x, &x.transfer, &p);
	const struct identity bob = x.bob.uids[0];
	x.alice.ue.random = ue_random_system;
	cr_assert_eq(ue_offer_srtp(&x.alice.ue, &x.ticket, bob, NULL, &offer), UE_OK);
	x.alice.ue.random = no_random;
	x.bob.ue.random = no_random;
	x.ticket.used = 0;
	cr_assert_eq(ue_transfer_build(&x.alice.ue, &x.ticket, &offer, now, buf, sizeof(buf), &len),
		UE_RANDOM);
	cr_assert_eq(ue_offer_srtp(&x.alice.ue, &x.ticket, bob, NULL, &offer), UE_RANDOM);
	cr_assert_eq(ue_ticket_make(&x.alice.ue, &p, &x.tpk, now, &ticket), UE_RANDOM);
	cr_assert_eq(ticket.keys.n, 0);
	cr_assert_eq(ue_resolve_build(&x.bob.ue, x.transfer.data, x.transfer.len, now, buf,
			     sizeof(buf), &len),
		UE_RANDOM);
	cr_assert_eq(ue_answer_build(&x.bob.ue, &x.resolved, x.transfer.data, x.transfer.len, NULL,
			     now, buf, sizeof(buf), &len, &sessions),
		UE_RANDOM);
}
