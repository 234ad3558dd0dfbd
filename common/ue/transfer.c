/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/transfer.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/exchange.h"
#include "common/ue/fork.h"
#include "common/ue/protect.h"

static void offer_session(
	struct ue_offer *offer, const struct ue_keyset *ks, const struct mikey_key *k)
{
	struct ue_cs *cs = &offer->map.cs[offer->map.n];
	cs->cs_id = (uint8_t)++offer->map.n;
	cs->prot_type = UE_PROT_SRTP;
	cs->n_policies = 1;
	if (k != NULL) {
		cs->spi_len = (uint8_t)k->spi.len;
		memcpy(cs->spi, ue_keyset_at(ks, k->spi), k->spi.len);
	}
}

enum ue_result ue_offer_srtp(const struct ue *ue, const struct ue_ticket *ticket,
	struct identity idr_r, const struct ue_keyset *keys, struct ue_offer *offer)
{
	const struct ue_keyset *const sets[] = {&ticket->keys, keys};
	const struct mikey_key *k;
	memset(offer, 0, sizeof(*offer));
	offer->idr_r = idr_r;
	offer->keys = keys;
	offer->n_sp = 1;
	ue_sp_srtp(&offer->sp[0], 0, ue->suite);
	for (unsigned int s = 0; s < 2; s++) {
		for (unsigned int i = 0;
			sets[s] != NULL && (k = ue_keyset_session_key(sets[s], i)) != NULL; i++) {
			if (offer->map.n == UE_CS_MAX || k->spi.len > UE_SPI_MAX) {
				return UE_ARGUMENT;
			}
			offer_session(offer, sets[s], k);
		}
	}
	if (offer->map.n == 0) {
		offer_session(offer, NULL, NULL);
		return UE_OK;
	}
	for (unsigned int i = 0; i < offer->map.n; i++) {
		enum ue_result r = ue_cs_draw_ssrc(ue, &offer->map.cs[i], i);
		if (r != UE_OK) {
			return r;
		}
	}
	return UE_OK;
}

static enum ue_result check_ticket(const struct ue *ue, const struct ue_ticket *t, uint64_t now)
{
	struct mikey_tp_data tp;
	if (t->used && !(t->flags & MIKEY_FLAG_J)) {
		return UE_TICKET_USED;
	}
	if (!(t->flags & MIKEY_FLAG_N)) {
		return UE_SPECIAL;
	}
	if (t->prf != ue_suite_prf(ue->suite)) {
		return UE_MIXED_SUITES;
	}
	enum ue_result r = ue_ticket_policy(t, &tp);
	if (r == UE_OK) {
		r = ue_times_check(&tp);
	}
	return r == UE_OK ? ue_validity_check(&tp, t->body, now) : r;
}

static enum ue_result check_map(const struct ue_ticket *t, const struct ue_map *map)
{
	if (map->n == 0 || map->n > UE_CS_MAX) {
		return UE_ARGUMENT;
	}
	for (unsigned int i = 0; i < map->n; i++) {
		const struct ue_cs *cs = &map->cs[i];
		if (cs->n_policies > UE_CS_POLICIES_MAX ||
			cs->session_data_len > UE_SRTP_DATA_ROC_LEN || cs->spi_len > UE_SPI_MAX) {
			return UE_ARGUMENT;
		}
		/* Nobody could complete the map. */
		if (!(t->flags & MIKEY_FLAG_F) &&
			(cs->n_policies != 1 || cs->session_data_len == 0 || cs->spi_len == 0)) {
			return UE_MAP;
		}
	}
	return UE_OK;
}

static enum ue_result check_offer(
	const struct ue *ue, const struct ue_ticket *t, const struct ue_offer *o, uint64_t now)
{
	enum ue_result r = check_ticket(ue, t, now);
	if (r != UE_OK) {
		return r;
	}
	if (ue->n_uids == 0 || ue->uids[0].len == 0 || ue->uids[0].len > IDENTITY_MAX ||
		o->idr_r.len == 0 || o->idr_r.len > IDENTITY_MAX) {
		return UE_IDENTITY;
	}
	if (o->n_sp > UE_SP_MAX ||
		(ue->ts_type != MIKEY_TS_NTP_UTC && ue->ts_type != MIKEY_TS_NTP_UTC_32)) {
		return UE_ARGUMENT;
	}
	if (o->keys != NULL) {
		if (!(t->flags & MIKEY_FLAG_L)) {
			return UE_KEMAC_FORBIDDEN;
		}
		r = ue_keyset_mpk(o->keys, 0) == NULL
			    ? ue_keyset_check_session_keys(o->keys, CRYPTO_INKEY_MAX)
			    : UE_KEYS;
	}
	return r == UE_OK ? check_map(t, &o->map) : r;
}

/* A TRANSFER_INIT being written. */
struct draft {
	struct mikey_writer w;
	struct ue_keying k;
	uint8_t rand[CRYPTO_INKEY_MAX];
	size_t initiator_data; /* offset of its length field */
	size_t after;	       /* of what follows the TICKET */
	size_t vi, vr;	       /* of the MACs in Initiator Data */
	size_t v;
};

static enum ue_result draw(const struct ue *ue, const struct ue_ticket *t, struct draft *d)
{
	const struct mikey_key *mpk = ue_keyset_mpk(&t->keys, 0);
	uint8_t csb[4];
	size_t len = ue_suite_strength(ue->suite);
	if (mpk == NULL) {
		return UE_NO_MPK;
	}
	/* 12.1: RANDs as long as the longest key they are mixed with. */
	for (unsigned int i = 0; i < t->keys.n; i++) {
		len = t->keys.key[i].key.len > len ? t->keys.key[i].key.len : len;
	}
	enum ue_result r = ue_draw(ue, UE_DRAW_CSB_ID, 0, csb, sizeof(csb));
	if (r == UE_OK) {
		r = ue_draw(ue, UE_DRAW_RANDR, 0, d->rand, len);
	}
	d->k = (struct ue_keying){
		.inkey = ue_keyset_at(&t->keys, mpk->key),
		.inkey_len = mpk->key.len,
		.prf = ue_suite_prf(ue->suite),
		.use = UE_USE_INIT,
		.csb_id = (uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 | (uint32_t)csb[2] << 8 |
			  csb[3],
		.rand_i = {d->rand, (uint8_t)len},
	};
	return r;
}

static void write_ticket(const struct ue *ue, const struct ue_ticket *t, struct draft *d)
{
	const uint8_t alg = ue_suite_auth(ue->suite);
	ue_ticket_write(&d->w, t);
	d->initiator_data = d->w.len;
	if (t->flags & MIKEY_FLAG_I) {
		struct mikey_nest nest = mikey_open_initiator_data(&d->w);
		d->vi = mikey_write_v(&d->w, alg);
		d->vr = mikey_write_v(&d->w, alg);
		mikey_close(&d->w, nest);
	} else {
		mikey_write_no_initiator_data(&d->w);
	}
	d->after = d->w.len;
}

static enum ue_result write(const struct ue *ue, const struct ue_ticket *t,
	const struct ue_offer *o, uint64_t now, uint8_t *buf, size_t cap, struct draft *d)
{
	uint8_t map[UE_MAP_OCTETS], t64[8];
	const size_t map_len = ue_map_encode(&o->map, map, sizeof(map));
	if (map_len == 0) {
		return UE_NO_ROOM;
	}
	mikey_write_begin(&d->w, buf, cap < UE_MESSAGE_MAX ? cap : UE_MESSAGE_MAX);
	mikey_write_hdr_map(&d->w, MIKEY_TRANSFER_INIT, (t->flags & MIKEY_FLAG_F) != 0, d->k.prf,
		d->k.csb_id, (uint8_t)o->map.n, MIKEY_MAP_GENERIC_ID, map, map_len);
	ue_write_now(&d->w, ue->ts_type, now, t64);
	mikey_write_randr(&d->w, MIKEY_RANDRI, d->rand, d->k.rand_i.len);
	mikey_write_idr(&d->w, MIKEY_IDRI, ue->id_type, ue->uids[0].data, ue->uids[0].len);
	if (!o->omit_idr_r) {
		mikey_write_idr(&d->w, MIKEY_IDRR, ue->id_type, o->idr_r.data, o->idr_r.len);
	}
	for (unsigned int i = 0; i < o->n_sp; i++) {
		const struct ue_sp *sp = &o->sp[i];
		mikey_write_sp(&d->w, sp->policy_no, sp->prot_type, sp->params, sp->len);
	}
	write_ticket(ue, t, d);
	if (o->keys != NULL) {
		ue_kemac_write(ue->crypto, &d->k, &d->w, ue_suite_encr(ue->suite), t64, o->keys);
	}
	d->v = mikey_write_v(&d->w, ue_suite_auth(ue->suite));
	return UE_OK;
}

/* V over all but Initiator Data and its length, then Vi = V, then Vr. */
static void seal(const struct ue *ue, const struct ue_ticket *t, const struct ue_offer *o,
	const struct draft *d)
{
	const uint8_t alg = ue_suite_auth(ue->suite);
	uint8_t *buf = d->w.buf;
	const struct crypto_segment all[] = {
		{buf, (uint32_t)d->initiator_data},
		{buf + d->after, (uint32_t)(d->v - d->after)},
		{ue->uids[0].data, ue->uids[0].len},
		{o->idr_r.data, o->idr_r.len},
	};
	ue_mac(ue->crypto, &d->k, alg, all, 4, buf + d->v);
	const struct mikey_key *mpk_r = ue_keyset_mpk(&t->keys, 1);
	if (!(t->flags & MIKEY_FLAG_I) || mpk_r == NULL) {
		return;
	}
	memcpy(buf + d->vi, buf + d->v, (size_t)mikey_mac_len(alg));
	const size_t start = d->initiator_data + 2;
	const struct crypto_segment id = {buf + start, (uint32_t)(d->vr - start)};
	const struct ue_keying k = {
		.inkey = ue_keyset_at(&t->keys, mpk_r->key),
		.inkey_len = mpk_r->key.len,
		.prf = t->prf,
		.use = UE_USE_INITIATOR_DATA,
	};
	ue_mac(ue->crypto, &k, alg, &id, 1, buf + d->vr);
}

enum ue_result ue_transfer_build(const struct ue *ue, struct ue_ticket *ticket,
	const struct ue_offer *offer, uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len)
{
	struct draft d;
	memset(&d, 0, sizeof(d));
	enum ue_result r = check_offer(ue, ticket, offer, ntp_now);
	if (r == UE_OK) {
		r = draw(ue, ticket, &d);
	}
	if (r == UE_OK) {
		r = write(ue, ticket, offer, ntp_now, buf, cap, &d);
	}
	if (r != UE_OK) {
		return r;
	}
	*len = mikey_write_end(&d.w);
	if (*len == 0) {
		return UE_NO_ROOM;
	}
	seal(ue, ticket, offer, &d);
	ticket->used = 1;
	return UE_OK;
}
