/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever a KMS or the other UE may say, with a correct MAC: the first octet chooses who listens,
 * the rest is the message. CSB ID and PRF are made those of the exchange, the KEMAC is taken as
 * plain text and encrypted, the MAC is computed, so that the checks behind the MAC are reached.
 */
#include <stdlib.h>
#include <string.h>

#include "common/ue/accept.h"
#include "common/ue/answer.h"
#include "common/ue/exchange.h"
#include "common/ue/finish.h"
#include "common/ue/fork.h"
#include "common/ue/make.h"
#include "common/ue/request.h"
#include "common/ue/resolve.h"
#include "common/ue/transfer.h"
#include "tests/fuzz/fuzz.h"

enum { HDR_PRF = 3, HDR_PRF_TO_CSB = 5 };

struct message {
	size_t len;
	uint8_t data[UE_MESSAGE_MAX];
};

static struct {
	struct crypto *crypto; /* of one input: a leak is found where it is made */
	struct ue alice, bob;
	struct ue_ticket ticket; /* of alice, forked */
	struct message request, transfer, resolve;
	struct ue_ticket out_ticket;
	struct ue_resolved out_resolved;
	struct ue_sessions out_sessions;
} f;

static const uint64_t now =
	0xed00378100000000u; /* as in the vectors, which the corpus is made of */

static struct identity text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static int same_draw(void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len)
{
	(void)arg;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(1 + 16 * what + index + i);
	return 0;
}

static void must(enum ue_result r)
{
	if (r != UE_OK)
		abort();
}

static void set_up(void)
{
	static const uint8_t psk[32] = {1, 2, 3};
	static struct identity uids[2][2];
	static struct identity recipient;
	struct ue_policy policy;
	struct ue_offer offer;

	uids[0][0] = uids[0][1] = text("alice@company.example");
	uids[1][0] = text("bob@company.example");
	uids[1][1] = text("user1.department@company.example");
	recipient = text("?@company.example");
	ue_init(&f.alice, f.crypto, same_draw, NULL);
	f.alice.psk = psk;
	f.alice.psk_len = sizeof(psk);
	f.alice.kms = text("kms@company.example");
	f.bob = f.alice;
	f.alice.uids = uids[0];
	f.bob.uids = uids[1];
	f.alice.n_uids = f.bob.n_uids = 2;
	ue_policy_default(&policy, now);
	policy.recipients = &recipient;
	policy.n_recipients = 1;
	policy.flags |= MIKEY_FLAG_M | MIKEY_FLAG_L;
	must(ue_request_build(
		&f.alice, &policy, now, f.request.data, sizeof(f.request.data), &f.request.len));
	policy.flags &= (uint16_t)~MIKEY_FLAG_D;
	const struct ue_tpk tpk = {text("alice"), psk, sizeof(psk)};
	must(ue_ticket_make(&f.alice, &policy, &tpk, now, &f.ticket));
	must(ue_offer_srtp(&f.alice, &f.ticket, uids[1][0], NULL, &offer));
	must(ue_transfer_build(&f.alice, &f.ticket, &offer, now, f.transfer.data,
		sizeof(f.transfer.data), &f.transfer.len));
	must(ue_resolve_build(&f.bob, f.transfer.data, f.transfer.len, now, f.resolve.data,
		sizeof(f.resolve.data), &f.resolve.len));
}

static void encrypt(const struct ue_keying *k, uint8_t *data, const struct mikey_message *m)
{
	uint8_t key[32], salt[14];
	struct crypto_cm_op op = {.key = key,
		.key_len = m->kemac.encr_alg == MIKEY_ENCR_AES_CM_128 ? 16 : 32,
		.src = data + m->kemac.data.off,
		.dst = data + m->kemac.data.off,
		.len = m->kemac.data.len};
	uint8_t t64[8];

	ue_derive(f.crypto, k, KDF_ENCR, key, op.key_len);
	ue_derive(f.crypto, k, KDF_SALT, salt, sizeof(salt));
	mikey_t64(t64, data, &m->t);
	crypto_cm_iv(op.iv, salt, k->csb_id, t64);
	crypto_cm(f.crypto, &op, 1);
}

/* Makes x a response to init that is protected as it should be, as far as it parses. */
static void protect(struct message *x, const struct message *init, struct ue_keying *k)
{
	struct mikey_message i, m;

	if (mikey_parse_message(&i, init->data, init->len) != MIKEY_PARSE_OK ||
		x->len < MIKEY_HDR_LEN)
		return;
	memcpy(x->data + HDR_PRF, init->data + HDR_PRF, HDR_PRF_TO_CSB);
	if (mikey_parse_message(&m, x->data, x->len) != MIKEY_PARSE_OK || !m.v.present ||
		!m.v_last || ue_auth_hash(m.v.auth_alg) < 0)
		return;
	const uint8_t *inkey = k->inkey;
	const uint16_t inkey_len = k->inkey_len;

	*k = ue_keying_init(&i, inkey, inkey_len);
	if (m.data_type != MIKEY_ERROR)
		k->use = UE_USE_RESP;
	if (m.data_type == MIKEY_TRANSFER_RESP)
		k->rand_r = ue_rand(x->data, &m.randr[MIKEY_RANDRR]);
	if (m.kemac.present && m.t.present &&
		(m.kemac.encr_alg == MIKEY_ENCR_AES_CM_128 ||
			m.kemac.encr_alg == MIKEY_ENCR_AES_CM_256))
		encrypt(k, x->data, &m);
	const struct crypto_segment seg[] = {
		{x->data, m.v.mac.off}, {init->data, (uint32_t)init->len}};
	ue_mac(f.crypto, k, m.v.auth_alg, seg, m.data_type == MIKEY_ERROR ? 1 : 2,
		x->data + m.v.mac.off);
}

static void by_requester(struct message *x)
{
	struct ue_keying k = {.inkey = f.alice.psk, .inkey_len = (uint16_t)f.alice.psk_len};
	struct ue_info info;

	protect(x, &f.request, &k);
	if (ue_request_process(&f.alice, UE_CHANGES_STRICTER, f.request.data, f.request.len,
		    x->data, x->len, now, &f.out_ticket, &info) == UE_OK &&
		(!info.verified || ue_keyset_mpk(&f.out_ticket.keys, 0) == NULL))
		abort();
}

static void by_resolver(struct message *x)
{
	struct ue_keying k = {.inkey = f.bob.psk, .inkey_len = (uint16_t)f.bob.psk_len};
	struct ue_info info;

	protect(x, &f.resolve, &k);
	if (ue_resolve_process(&f.bob, f.transfer.data, f.transfer.len, f.resolve.data,
		    f.resolve.len, x->data, x->len, now, &f.out_resolved, &info) == UE_OK &&
		(!info.verified || f.out_resolved.keys.n < 2))
		abort();
}

/* The key of the MAC depends on the modifier in the message. */
static void by_caller(struct message *x)
{
	static struct ue_keyset keys;
	struct ue_keying k;
	struct mikey_message m;
	struct ue_info info;

	keys = f.ticket.keys;
	if (mikey_parse_message(&m, x->data, x->len) == MIKEY_PARSE_OK && m.idr[MIKEY_IDRR].present)
		(void)ue_fork(f.crypto, f.ticket.prf, ue_identity_at(x->data, &m.idr[MIKEY_IDRR]),
			ue_rand(x->data, &m.randr[MIKEY_RANDRKMS]), &keys);
	const struct mikey_key *mpk = ue_keyset_mpk(&keys, 1);
	k = (struct ue_keying){.inkey = ue_keyset_at(&keys, mpk->key), .inkey_len = mpk->key.len};
	protect(x, &f.transfer, &k);
	if (ue_transfer_process(&f.alice, &f.ticket, f.transfer.data, f.transfer.len, x->data,
		    x->len, now, &f.out_sessions, NULL, NULL, &info) == UE_OK &&
		(!info.verified || f.out_sessions.n == 0))
		abort();
}

static void by_callee(struct message *x)
{
	uint8_t buf[UE_MESSAGE_MAX];
	size_t len;

	if (ue_transfer_check(&f.bob, x->data, x->len, now) == UE_OK &&
		ue_resolve_build(&f.bob, x->data, x->len, now, buf, sizeof(buf), &len) == UE_OK &&
		len > sizeof(buf))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const listeners[])(struct message *) = {
		by_requester, by_resolver, by_caller, by_callee};
	static struct message x;
	static int ready;

	if (size < 1 || size - 1 > sizeof(x.data))
		return 0;
	f.crypto = crypto_open("openssl");
	if (f.crypto == NULL)
		abort();
	if (!ready) {
		set_up();
		ready = 1;
	}
	f.alice.crypto = f.bob.crypto = f.crypto;
	x.len = size - 1;
	memcpy(x.data, data + 1, x.len);
	listeners[data[0] % 4](&x);
	crypto_close(f.crypto);
	return 0;
}
