/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/accept.h"

#include "common/crypto/secret.h"
#include "common/ue/exchange.h"
#include "common/ue/policy.h"
#include "common/ue/protect.h"
#include "common/ue/session.h"

static enum ue_result check_message(
	const struct ue *ue, const struct mikey_message *m, uint64_t ntp_now)
{
	const struct mikey_id *i = &m->idr[MIKEY_IDRI], *r = &m->idr[MIKEY_IDRR];
	const struct mikey_randr *rand = &m->randr[MIKEY_RANDRI];
	if (m->data_type != MIKEY_TRANSFER_INIT) {
		return UE_DATA_TYPE;
	}
	if (!m->v.present || !m->v_last) {
		return UE_NO_V;
	}
	enum ue_result res = ue_check_algorithms(m->prf, m->v.auth_alg);
	if (res != UE_OK) {
		return res;
	}
	if (!rand->present || rand->data.len == 0) {
		return UE_NO_RANDR;
	}
	if (!m->ticket.present) {
		return UE_NO_TICKET;
	}
	if ((i->present && i->data.len > IDENTITY_MAX) ||
		(r->present && r->data.len > IDENTITY_MAX)) {
		return UE_IDENTITY;
	}
	return ue_check_fresh(ue, m, ntp_now);
}

static enum ue_result check_app(const struct ue *ue, const struct ue_incoming *in)
{
	if (ue->app.len == 0 || in->tp.n_idr_app == 0) {
		return UE_OK;
	}
	for (unsigned int i = 0; i < in->tp.n_idr_app && i < MIKEY_IDRAPP_MAX; i++) {
		if (identity_equal(ue_identity_at(in->m.octets, &in->tp.idr_app[i]), ue->app)) {
			return UE_OK;
		}
	}
	return UE_NOT_AUTHORISED_APP;
}

static enum ue_result check_identities(const struct ue *ue, const struct ue_incoming *in)
{
	const struct mikey_id *sent = &in->m.idr[MIKEY_IDRI];
	/* Only the one who requested a forked ticket can use it (5.3). */
	if ((in->m.ticket.flags & MIKEY_FLAG_I) && sent->present && in->tp.idr_i.present &&
		!identity_equal(ue_identity_at(in->m.octets, sent),
			ue_identity_at(in->m.octets, &in->tp.idr_i))) {
		return UE_IDENTITY;
	}
	if (!sent->present && !in->tp.idr_i.present) {
		return UE_NO_IDR;
	}
	for (unsigned int i = 0; i < ue->n_uids; i++) {
		if (ue_policy_matches(&in->tp, in->m.octets, ue->uids[i])) {
			return check_app(ue, in);
		}
	}
	return UE_NOT_RECIPIENT;
}

static enum ue_result check_policy(const struct ue *ue, struct ue_incoming *in, uint64_t ntp_now)
{
	const struct mikey_ticket *t = &in->m.ticket;
	enum ue_result r = ue_ticket_type_check(t->type, t->subtype, t->version);
	if (r == UE_OK) {
		/* Whether a TGK is in the ticket only its keys tell. */
		r = ue_flags_check(t->flags, 0);
	}
	if (r != UE_OK) {
		return r;
	}
	if (!(t->flags & MIKEY_FLAG_O)) {
		return UE_SPECIAL;
	}
	if (t->prf != in->m.prf) {
		return ue_prf_hash(t->prf) < 0 ? UE_PRF : UE_MIXED_SUITES;
	}
	if (mikey_parse_tp_data(&in->tp, in->m.octets, t->tp_data) != MIKEY_PARSE_OK ||
		in->tp.n_idr_r > MIKEY_IDRR_MAX || in->tp.kemac.present) {
		return UE_TICKET_POLICY;
	}
	r = ue_times_check(&in->tp);
	if (r == UE_OK) {
		r = ue_validity_check(&in->tp, in->m.octets, ntp_now);
	}
	if (r == UE_OK) {
		r = check_identities(ue, in);
	}
	if (r == UE_OK && in->m.kemac.present && !(t->flags & MIKEY_FLAG_L)) {
		r = UE_KEMAC_FORBIDDEN;
	}
	return r;
}

static enum ue_result check_vi(const struct ue_incoming *in)
{
	const struct mikey_message *m = &in->m;
	struct mikey_initiator_data id;
	const int forked = (m->ticket.flags & MIKEY_FLAG_I) != 0;
	if (forked != (m->ticket.initiator_data.len != 0)) {
		return UE_INITIATOR_DATA;
	}
	if (!forked) {
		return UE_OK;
	}
	if (mikey_parse_initiator_data(&id, m->octets, m->ticket.initiator_data) !=
			MIKEY_PARSE_OK ||
		!id.vi.present || !id.vr.present) {
		return UE_INITIATOR_DATA;
	}
	if (id.vi.auth_alg != m->v.auth_alg || id.vr.auth_alg != m->v.auth_alg ||
		id.vi.mac.len != m->v.mac.len ||
		!secret_equal(mikey_at(m->octets, id.vi.mac), mikey_at(m->octets, m->v.mac),
			m->v.mac.len)) {
		return UE_VI;
	}
	return UE_OK;
}

static enum ue_result check_sessions(const struct ue_incoming *in)
{
	struct ue_map map;
	struct ue_srtp srtp;
	enum ue_result r = ue_map_read(&map, &in->m);
	const int final = !(in->m.ticket.flags & MIKEY_FLAG_F);
	for (unsigned int i = 0; r == UE_OK && i < map.n; i++) {
		const struct ue_cs *cs = &map.cs[i];
		if (final &&
			(cs->n_policies != 1 || cs->session_data_len == 0 || cs->spi_len == 0)) {
			return UE_MAP;
		}
		r = cs->n_policies == 0 ? UE_OK : UE_SECURITY_POLICY;
		for (unsigned int k = 0; r != UE_OK && k < cs->n_policies; k++) {
			r = ue_sp_find(&in->m, cs->policies[k], &srtp);
		}
	}
	return r;
}

enum ue_result ue_incoming_open(struct ue_incoming *in, const struct ue *ue, const uint8_t *octets,
	size_t len, uint64_t ntp_now)
{
	enum mikey_parse p = len <= UE_MESSAGE_MAX ? mikey_parse_message(&in->m, octets, len)
						   : MIKEY_PARSE_MALFORMED;
	if (p != MIKEY_PARSE_OK) {
		return p == MIKEY_PARSE_VERSION ? UE_VERSION : UE_MALFORMED;
	}
	enum ue_result r = check_message(ue, &in->m, ntp_now);
	if (r == UE_OK) {
		r = check_policy(ue, in, ntp_now);
	}
	if (r == UE_OK) {
		r = check_vi(in);
	}
	return r == UE_OK ? check_sessions(in) : r;
}

enum ue_result ue_transfer_check(
	const struct ue *ue, const uint8_t *octets, size_t len, uint64_t ntp_now)
{
	struct ue_incoming in;
	return ue_incoming_open(&in, ue, octets, len, ntp_now);
}

enum ue_result ue_incoming_verify(
	const struct ue *ue, const struct ue_incoming *in, const struct ue_keyset *keys)
{
	const struct mikey_message *m = &in->m;
	const struct mikey_key *mpk = ue_keyset_mpk(keys, 0);
	if (mpk == NULL) {
		return UE_NO_MPK;
	}
	/* Omitted identities are covered all the same: those that both sides know anyway. */
	const struct mikey_id *i = m->idr[MIKEY_IDRI].present ? &m->idr[MIKEY_IDRI] : &in->tp.idr_i;
	struct identity id_i = ue_identity_at(m->octets, i), id_r = {NULL, 0};
	if (m->idr[MIKEY_IDRR].present) {
		id_r = ue_identity_at(m->octets, &m->idr[MIKEY_IDRR]);
	} else if (ue->n_uids != 0) {
		id_r = ue->uids[0];
	}
	const size_t after = (size_t)m->ticket.initiator_data.off + m->ticket.initiator_data.len;
	const struct crypto_segment seg[] = {
		{m->octets, m->ticket.initiator_len_off},
		{m->octets + after, (uint32_t)(m->v.mac.off - after)},
		{id_i.data, id_i.len},
		{id_r.data, id_r.len},
	};
	const struct ue_keying k = ue_keying_init(m, ue_keyset_at(keys, mpk->key), mpk->key.len);
	if (ue_mac_verify(ue->crypto, &k, m->octets, &m->v, seg, 4) != UE_OK) {
		return UE_TRANSFER_MAC;
	}
	return check_vi(in);
}
