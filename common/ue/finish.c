/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/finish.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/exchange.h"
#include "common/ue/fork.h"
#include "common/ue/protect.h"

/* Secret working memory of one call. */
struct work {
	struct ue_keyset ticket; /* forked */
	struct ue_keyset own;	 /* KEMAC of TRANSFER_INIT */
	struct ue_keyset theirs; /* KEMAC of TRANSFER_RESP */
};

static struct ue_keying mpk_keying(
	const struct mikey_message *init, const struct ue_keyset *keys, unsigned int which)
{
	const struct mikey_key *mpk = ue_keyset_mpk(keys, which);
	return ue_keying_init(init, ue_keyset_at(keys, mpk->key), mpk->key.len);
}

/* Our own KEMAC, read back: the exchange needs no state but its initial message. */
static enum ue_result own_keys(struct crypto *ctx, const struct mikey_message *init,
	const struct ue_keying *k, struct work *w)
{
	uint8_t t64[8];
	if (!init->kemac.present) {
		return UE_OK;
	}
	mikey_t64(t64, init->octets, &init->t);
	return ue_kemac_open(ctx, k, init->octets, &init->kemac, t64, &w->own);
}

/* Forks the keys with the modifier of the response; UE_RESPONDER if its identity may not resolve
 * the ticket. */
static enum ue_result apply_modifier(const struct ue *ue, const struct ue_ticket *t,
	const struct mikey_message *resp, struct work *w)
{
	const struct mikey_id *id = &resp->idr[MIKEY_IDRR];
	const struct mikey_randr *rand = &resp->randr[MIKEY_RANDRKMS];
	struct mikey_tp_data tp;
	enum ue_result r = ue_ticket_policy(t, &tp);
	if (r != UE_OK) {
		return r;
	}
	if (id->present &&
		(id->data.len > IDENTITY_MAX ||
			!ue_policy_matches(&tp, t->body, ue_identity_at(resp->octets, id)))) {
		return UE_RESPONDER;
	}
	if (!(t->flags & MIKEY_FLAG_I)) {
		return UE_OK;
	}
	if (!id->present) {
		return UE_NO_IDR;
	}
	if (!rand->present || rand->data.len == 0) {
		return UE_NO_RANDR;
	}
	return ue_fork(ue->crypto, t->prf, ue_identity_at(resp->octets, id),
		ue_rand(resp->octets, rand), &w->ticket);
}

/* Keying of the response: MPKr' or MPKi, RANDRi always, RANDRr with flag G. */
static enum ue_result resp_keying(const struct ue_ticket *t, const struct ue_pair *p,
	const struct work *w, struct ue_keying *k)
{
	*k = mpk_keying(&p->init, &w->ticket, t->flags & MIKEY_FLAG_I ? 1 : 0);
	k->use = UE_USE_RESP;
	if (t->flags & MIKEY_FLAG_G) {
		k->rand_r = ue_rand(p->resp.octets, &p->resp.randr[MIKEY_RANDRR]);
		return k->rand_r.len != 0 ? UE_OK : UE_NO_RANDR;
	}
	return UE_OK;
}

static enum ue_result their_keys(struct crypto *ctx, const struct ue_ticket *t,
	const struct mikey_message *resp, const struct ue_keying *k, struct work *w)
{
	uint8_t t64[8];
	if (!resp->kemac.present) {
		return UE_OK;
	}
	if (!(t->flags & MIKEY_FLAG_M)) {
		return UE_KEMAC_FORBIDDEN;
	}
	mikey_t64(t64, resp->octets, &resp->t);
	enum ue_result r = ue_kemac_open(ctx, k, resp->octets, &resp->kemac, t64, &w->theirs);
	if (r == UE_OK && ue_keyset_mpk(&w->theirs, 0) != NULL) {
		r = UE_KEYS;
	}
	return r == UE_OK ? ue_keyset_check_session_keys(&w->theirs, CRYPTO_INKEY_MAX) : r;
}

/* Every crypto session offered is still there; others may have been added (4.2.2.3). */
static enum ue_result check_map(const struct ue_pair *p)
{
	struct ue_map asked, got;
	enum ue_result r = ue_map_read(&asked, &p->init);
	if (r == UE_OK) {
		r = ue_map_read(&got, &p->resp);
	}
	for (unsigned int i = 0; r == UE_OK && i < asked.n; i++) {
		unsigned int k = 0;
		while (k < got.n && got.cs[k].cs_id != asked.cs[i].cs_id) {
			k++;
		}
		if (k == got.n) {
			r = UE_MAP;
		}
	}
	return r;
}

static enum ue_result finish(const struct ue *ue, const struct ue_ticket *t,
	const struct ue_pair *p, uint64_t ntp_now, struct work *w, struct ue_sessions *sessions,
	struct ue_info *info)
{
	struct ue_keying k, k_init = mpk_keying(&p->init, &w->ticket, 0);
	enum ue_result r = apply_modifier(ue, t, &p->resp, w);
	if (r == UE_OK) {
		r = resp_keying(t, p, w, &k);
	}
	if (r == UE_OK) {
		r = ue_pair_verify(ue->crypto, p, &k);
	}
	if (r != UE_OK) {
		return r;
	}
	info->verified = 1;
	r = ue_check_fresh(ue, &p->resp, ntp_now);
	if (r == UE_OK) {
		r = own_keys(ue->crypto, &p->init, &k_init, w);
	}
	if (r == UE_OK) {
		r = their_keys(ue->crypto, t, &p->resp, &k, w);
	}
	if (r == UE_OK) {
		r = check_map(p);
	}
	const struct ue_session_source src = {
		.init = &p->init,
		.resp = &p->resp,
		.flags = t->flags,
		.keys = {&w->ticket, &w->own, &w->theirs},
	};
	return r == UE_OK ? ue_sessions_derive(ue->crypto, &src, sessions) : r;
}

static void copy_peer(const struct mikey_message *resp, uint8_t *peer, uint8_t *peer_len)
{
	const struct mikey_id *id = &resp->idr[MIKEY_IDRR];
	if (peer == NULL || peer_len == NULL) {
		return;
	}
	*peer_len = id->present ? (uint8_t)id->data.len : 0;
	memcpy(peer, mikey_at(resp->octets, id->data), *peer_len);
}

enum ue_result ue_transfer_process(const struct ue *ue, const struct ue_ticket *ticket,
	const uint8_t *init, size_t init_len, const uint8_t *resp, size_t resp_len,
	uint64_t ntp_now, struct ue_sessions *sessions, uint8_t *peer, uint8_t *peer_len,
	struct ue_info *info)
{
	struct ue_pair p;
	struct work w;
	ue_info_none(info);
	ue_sessions_clear(sessions);
	if (ue_keyset_mpk(&ticket->keys, ticket->flags & MIKEY_FLAG_I ? 1 : 0) == NULL) {
		return UE_NO_MPK;
	}
	enum ue_result r = ue_pair_open(&p, (struct ue_octets){init, init_len}, MIKEY_TRANSFER_INIT,
		(struct ue_octets){resp, resp_len}, MIKEY_TRANSFER_RESP);
	if (r != UE_OK && r != UE_ERROR_HINT) {
		return r;
	}
	ue_info_time(info, &p.resp, ntp_now);
	if (r == UE_ERROR_HINT) {
		const struct ue_keying k = mpk_keying(&p.init, &ticket->keys, 0);
		return ue_error_judge(ue->crypto, &p, &k, info);
	}
	if (!(ticket->flags & MIKEY_FLAG_F)) {
		return UE_NOT_EXPECTED;
	}
	memset(&w, 0, sizeof(w));
	w.ticket = ticket->keys;
	r = finish(ue, ticket, &p, ntp_now, &w, sessions, info);
	secret_wipe(&w, sizeof(w));
	if (r == UE_OK) {
		copy_peer(&p.resp, peer, peer_len);
	}
	return r;
}

enum ue_result ue_transfer_one_way(const struct ue *ue, const struct ue_ticket *ticket,
	const uint8_t *init, size_t init_len, struct ue_sessions *sessions)
{
	struct mikey_message m;
	struct work w;
	ue_sessions_clear(sessions);
	if (ticket->flags & MIKEY_FLAG_F) {
		return UE_RESPONSE_NEEDED;
	}
	if (ue_keyset_mpk(&ticket->keys, 0) == NULL) {
		return UE_NO_MPK;
	}
	if (mikey_parse_message(&m, init, init_len) != MIKEY_PARSE_OK ||
		m.data_type != MIKEY_TRANSFER_INIT || ue_prf_hash(m.prf) < 0) {
		return UE_ARGUMENT;
	}
	memset(&w, 0, sizeof(w));
	const struct ue_keying k = mpk_keying(&m, &ticket->keys, 0);
	enum ue_result r = own_keys(ue->crypto, &m, &k, &w);
	const struct ue_session_source src = {
		.init = &m,
		.flags = ticket->flags,
		.keys = {&ticket->keys, &w.own, NULL},
	};
	if (r == UE_OK) {
		r = ue_sessions_derive(ue->crypto, &src, sessions);
	}
	secret_wipe(&w, sizeof(w));
	return r;
}
