/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers: REQUEST_RESP, RESOLVE_RESP and Errors, judged as a UE does (RFC
 * 6043 4.2.1.6, 4.2.3.6, 5.4). */
#include <string.h>

#include "bench/exchange/internal.h"
#include "common/crypto/secret.h"

enum { SKEW_S = 300 };

/* Where the results of an answer's derivations will be. */
struct response_keys {
	const uint8_t *auth, *encr, *salt;
};

static enum exchange_result open_answer(
	struct exchanger *e, struct exchange_answer *a, struct mikey_message *m, uint64_t ntp_now)
{
	uint8_t t64[8];
	uint64_t t = 0;

	a->error_no = -1;
	if (mikey_parse_message(m, a->octets, a->len) != MIKEY_PARSE_OK)
		return EXCHANGE_MALFORMED;
	if (m->csb_id != a->x->csb_id || m->prf != e->suite->prf)
		return EXCHANGE_HEADER;
	if (m->data_type == MIKEY_ERROR) {
		a->error_no = m->has_err ? m->err_no : -1;
		return m->v.present && m->v_last && m->v.auth_alg == e->suite->auth_alg
			       ? EXCHANGE_ERROR_VERIFIED
			       : EXCHANGE_ERROR_HINT;
	}
	if (m->data_type != (a->x->kind == EXCHANGE_REQUEST ? MIKEY_REQUEST_RESP
							    : MIKEY_RESOLVE_RESP) ||
		!m->t.present || !m->kemac.present || !m->v.present || !m->v_last ||
		m->v.auth_alg != e->suite->auth_alg)
		return EXCHANGE_HEADER;
	mikey_t64(t64, a->octets, &m->t);
	for (int i = 0; i < 8; i++)
		t = t << 8 | t64[i];
	if (t - ntp_now + ((uint64_t)SKEW_S << 32) > (uint64_t)SKEW_S << 33)
		return EXCHANGE_SKEW;
	return EXCHANGE_OK;
}

/* MAC of a response covers the initial message too, that of an Error only itself and uses the key
 * of the initial message. */
static void verify_macs(struct exchanger *e, struct exchange_answer *a, unsigned int n,
	const struct response_keys *keys)
{
	unsigned int n_mac = 0;

	for (unsigned int i = 0; i < n; i++) {
		bool error = a[i].result == EXCHANGE_ERROR_VERIFIED;

		if (a[i].result != EXCHANGE_OK && !error)
			continue;
		e->mac_op[n_mac++] = (struct crypto_mac_op){
			.key = keys[i].auth,
			.key_len = e->suite->mac_len,
			.hash = e->suite->hash,
			.n_segments = error ? 1 : 2,
			.seg = {{a[i].octets, e->parsed[i].v.mac.off},
				{a[i].x->octets, a[i].x->len}},
			.out = e->mac[i],
		};
	}
	if (n_mac > 0)
		crypto_mac(e->crypto, e->mac_op, n_mac);
	for (unsigned int i = 0; i < n; i++) {
		const struct mikey_message *m = &e->parsed[i];

		if (a[i].result != EXCHANGE_OK && a[i].result != EXCHANGE_ERROR_VERIFIED)
			continue;
		if (!secret_equal(e->mac[i], mikey_at(a[i].octets, m->v.mac), e->suite->mac_len))
			a[i].result =
				a[i].result == EXCHANGE_OK ? EXCHANGE_MAC : EXCHANGE_ERROR_HINT;
	}
}

static void decrypt(struct exchanger *e, struct exchange_answer *a, unsigned int n,
	const struct response_keys *keys)
{
	unsigned int n_cm = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct mikey_message *m = &e->parsed[i];
		struct crypto_cm_op *op = &e->cm[n_cm];
		uint8_t t64[8];

		if (a[i].result != EXCHANGE_OK)
			continue;
		if (m->kemac.encr_alg != e->suite->encr_alg ||
			m->kemac.data.len > sizeof(e->plain[i])) {
			a[i].result = EXCHANGE_KEMAC;
			continue;
		}
		mikey_t64(t64, a[i].octets, &m->t);
		op->key = keys[i].encr;
		op->key_len = e->suite->key_len;
		op->src = mikey_at(a[i].octets, m->kemac.data);
		op->dst = e->plain[i];
		op->len = m->kemac.data.len;
		crypto_cm_iv(op->iv, keys[i].salt, m->csb_id, t64);
		n_cm++;
	}
	if (n_cm > 0)
		crypto_cm(e->crypto, e->cm, n_cm);
}

static int copy_key(struct exchange_key *out, const uint8_t *plain, const struct mikey_key *k)
{
	if (k->key.len > sizeof(out->octets) ||
		!crypto_key_acceptable(plain + k->key.off, k->key.len))
		return -1;
	out->type = k->type;
	out->len = (uint8_t)k->key.len;
	memcpy(out->octets, plain + k->key.off, k->key.len);
	return 0;
}

/* MPKi, [MPKr], then the session keys. */
static enum exchange_result read_keys(struct grant *g, const uint8_t *plain, size_t len)
{
	struct mikey_key key[MIKEY_KEYS_MAX];
	unsigned int n = 0, i = 1;

	g->mpk_r.len = 0;
	g->n_keys = 0;
	if (mikey_parse_keys(key, MIKEY_KEYS_MAX, &n, plain, len) != MIKEY_PARSE_OK)
		return EXCHANGE_KEMAC;
	if (n < 2 || key[0].type != MIKEY_MPK || copy_key(&g->mpk_i, plain, &key[0]) < 0)
		return EXCHANGE_KEYS;
	if (key[1].type == MIKEY_MPK && copy_key(&g->mpk_r, plain, &key[i++]) < 0)
		return EXCHANGE_KEYS;
	for (; i < n; i++) {
		if (key[i].type == MIKEY_MPK || key[i].spi.len == 0 ||
			g->n_keys == EXCHANGE_KEYS_MAX ||
			copy_key(&g->key[g->n_keys++], plain, &key[i]) < 0)
			return EXCHANGE_KEYS;
	}
	return EXCHANGE_OK;
}

/* The ticket as granted: for the responder asked for, forked as asked for, and what to hand on of
 * it. */
static enum exchange_result read_ticket(struct exchanger *e, const struct exchange_answer *a,
	const struct mikey_message *m, struct grant *g)
{
	const struct mikey_ticket *t = &m->ticket;
	bool forked = t->flags & MIKEY_FLAG_I;
	struct mikey_tp_data tp;
	struct identity recipient;
	uint16_t len;

	if (!t->present || mikey_parse_tp_data(&tp, a->octets, t->tp_data) != MIKEY_PARSE_OK ||
		tp.n_idr_r != 1)
		return EXCHANGE_POLICY;
	recipient = (struct identity){mikey_at(a->octets, tp.idr_r[0].data), tp.idr_r[0].data.len};
	if (!identity_equal(recipient, a->x->responder->uid) ||
		forked != (e->config.forking == EXCHANGE_FORKED) || forked != (g->mpk_r.len > 0) ||
		t->prf != e->suite->prf || t->initiator_data.len != 0)
		return EXCHANGE_POLICY;
	if (g->n_keys != e->config.tgks)
		return EXCHANGE_KEYS;
	len = (uint16_t)(t->initiator_len_off - t->body.off);
	if (len > sizeof(g->ticket))
		return EXCHANGE_POLICY;
	g->initiator = a->x->initiator;
	g->responder = a->x->responder;
	g->prf = t->prf;
	g->ticket_len = len;
	memcpy(g->ticket, mikey_at(a->octets, t->body), len);
	return EXCHANGE_OK;
}

/* Derives what the Initiator would have: MPKr' and TGK' from its own keys and the modifier of the
 * response. */
static enum exchange_result derive_fork(struct exchanger *e, const struct exchange_answer *a,
	const struct mikey_message *m, const uint8_t **want)
{
	const struct grant *g = a->x->grant;
	const struct mikey_id *idr = &m->idr[MIKEY_IDRR];
	const struct mikey_randr *r = &m->randr[MIKEY_RANDRKMS];
	struct kdf_rand rand = {mikey_at(a->octets, r->data), (uint8_t)r->data.len};
	struct identity id = {mikey_at(a->octets, idr->data), idr->data.len};

	if (!idr->present || !r->present || r->data.len < e->suite->key_len ||
		!identity_equal(id, g->responder->uid))
		return EXCHANGE_HEADER;
	want[0] = exchanger_derive(e, g->mpk_r.octets, g->mpk_r.len, g->prf,
		kdf_label_fork(exchanger_next(e)->label, KDF_FORK_MPKR, id.data, id.len, rand),
		g->mpk_r.len);
	for (unsigned int k = 0; k < g->n_keys; k++) {
		const struct exchange_key *key = &g->key[k];

		if (key->type != MIKEY_TGK && key->type != MIKEY_TGK_SALT)
			want[1 + k] = key->octets;
		else
			want[1 + k] = exchanger_derive(e, key->octets, key->len, g->prf,
				kdf_label_fork(exchanger_next(e)->label, KDF_FORK_TGK, id.data,
					id.len, rand),
				key->len);
	}
	return EXCHANGE_OK;
}

static bool same_key(
	const struct exchange_key *got, const struct exchange_key *granted, const uint8_t *want)
{
	return got->type == granted->type && got->len == granted->len &&
	       secret_equal(got->octets, want, got->len);
}

static enum exchange_result compare(
	const struct grant *got, const struct grant *granted, const uint8_t *const *want)
{
	bool same = got->n_keys == granted->n_keys && got->mpk_r.len == granted->mpk_r.len &&
		    same_key(&got->mpk_i, &granted->mpk_i, granted->mpk_i.octets);

	if (same && granted->mpk_r.len > 0)
		same = same_key(&got->mpk_r, &granted->mpk_r, want[0]);
	for (unsigned int k = 0; same && k < got->n_keys; k++)
		same = same_key(&got->key[k], &granted->key[k], want[1 + k]);
	return same ? EXCHANGE_OK : EXCHANGE_KEYS;
}

static void judge_keys(struct exchanger *e, struct exchange_answer *a, unsigned int n)
{
	const uint8_t *want[EXCHANGE_BATCH_MAX][EXCHANGE_KEYS_MAX + 1];

	for (unsigned int i = 0; i < n; i++) {
		const struct grant *granted = a[i].x->grant;
		struct grant *g = a[i].grant ? a[i].grant : &e->scratch[i];

		if (a[i].result == EXCHANGE_OK)
			a[i].result = read_keys(g, e->plain[i], e->parsed[i].kemac.data.len);
		if (a[i].result != EXCHANGE_OK)
			continue;
		if (a[i].x->kind == EXCHANGE_REQUEST) {
			a[i].result = read_ticket(e, &a[i], &e->parsed[i], g);
			continue;
		}
		for (unsigned int k = 0; k < granted->n_keys; k++)
			want[i][1 + k] = granted->key[k].octets;
		if (granted->mpk_r.len > 0)
			a[i].result = derive_fork(e, &a[i], &e->parsed[i], want[i]);
	}
	exchanger_derive_all(e);
	for (unsigned int i = 0; i < n; i++) {
		if (a[i].result == EXCHANGE_OK && a[i].x->kind == EXCHANGE_RESOLVE)
			a[i].result = compare(
				a[i].grant ? a[i].grant : &e->scratch[i], a[i].x->grant, want[i]);
	}
}

void exchanger_check(
	struct exchanger *e, struct exchange_answer *a, unsigned int n, uint64_t ntp_now)
{
	struct response_keys keys[EXCHANGE_BATCH_MAX];

	for (unsigned int i = 0; i < n; i++) {
		a[i].result = open_answer(e, &a[i], &e->parsed[i], ntp_now);
		if (a[i].result == EXCHANGE_ERROR_VERIFIED) {
			keys[i].auth = exchanger_derive_psk(
				e, a[i].x, KDF_AUTH, KDF_INIT, e->suite->mac_len);
		} else if (a[i].result == EXCHANGE_OK) {
			keys[i].auth = exchanger_derive_psk(
				e, a[i].x, KDF_AUTH, KDF_RESP, e->suite->mac_len);
			keys[i].encr = exchanger_derive_psk(
				e, a[i].x, KDF_ENCR, KDF_RESP, e->suite->key_len);
			keys[i].salt =
				exchanger_derive_psk(e, a[i].x, KDF_SALT, KDF_RESP, SALT_LEN);
		}
	}
	exchanger_derive_all(e);
	verify_macs(e, a, n, keys);
	decrypt(e, a, n, keys);
	judge_keys(e, a, n);
}
