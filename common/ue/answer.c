/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/answer.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/accept.h"
#include "common/ue/exchange.h"
#include "common/ue/policy.h"
#include "common/ue/protect.h"

/* KEMAC of the TRANSFER_INIT, under MPKi. */
static enum ue_result open_theirs(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, struct ue_keyset *theirs)
{
	const struct mikey_key *mpk = ue_keyset_mpk(&res->keys, 0);
	uint8_t t64[8];
	memset(theirs, 0, sizeof(*theirs));
	if (!in->m.kemac.present) {
		return UE_OK;
	}
	const struct ue_keying k =
		ue_keying_init(&in->m, ue_keyset_at(&res->keys, mpk->key), mpk->key.len);
	mikey_t64(t64, in->m.octets, &in->m.t);
	enum ue_result r = ue_kemac_open(ue->crypto, &k, in->m.octets, &in->m.kemac, t64, theirs);
	if (r == UE_OK && ue_keyset_mpk(theirs, 0) != NULL) {
		r = UE_KEYS;
	}
	return r == UE_OK ? ue_keyset_check_session_keys(theirs, CRYPTO_INKEY_MAX) : r;
}

static enum ue_result choose_policy(const struct ue_incoming *in, struct ue_cs *cs)
{
	struct ue_srtp srtp;
	for (unsigned int i = 0; i < cs->n_policies; i++) {
		if (ue_sp_find(&in->m, cs->policies[i], &srtp) == UE_OK) {
			cs->policies[0] = cs->policies[i];
			cs->n_policies = 1;
			return UE_OK;
		}
	}
	return UE_SECURITY_POLICY;
}

/* Completes the map: one policy each, SSRC and SPI. added: no policy was named, ours is used. */
static enum ue_result complete_map(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_keyset *keys, struct ue_map *map, uint8_t own_policy, int *added)
{
	enum ue_result r = ue_map_read(map, &in->m);
	unsigned int n_spi = 0;
	*added = 0;
	for (unsigned int i = 0; r == UE_OK && i < map->n; i++) {
		struct ue_cs *cs = &map->cs[i];
		if (cs->n_policies == 0) {
			cs->policies[0] = own_policy;
			cs->n_policies = 1;
			*added = 1;
		} else {
			r = choose_policy(in, cs);
		}
		if (r == UE_OK && cs->session_data_len == 0) {
			r = ue_cs_draw_ssrc(ue, cs, i);
		}
		if (r == UE_OK && cs->spi_len == 0) {
			const struct mikey_key *k = ue_keyset_session_key(keys, n_spi++);
			if (k == NULL || k->spi.len > UE_SPI_MAX) {
				return UE_NO_SESSION_KEY;
			}
			cs->spi_len = (uint8_t)k->spi.len;
			memcpy(cs->spi, ue_keyset_at(keys, k->spi), k->spi.len);
		}
	}
	return r;
}

/* A policy number that the TRANSFER_INIT does not use. */
static uint8_t free_policy(const struct ue_incoming *in)
{
	struct ue_map map;
	uint8_t no = 0;
	if (ue_map_read(&map, &in->m) != UE_OK) {
		return 0;
	}
	for (unsigned int i = 0; i < map.n; i++) {
		for (unsigned int k = 0; k < map.cs[i].n_policies; k++) {
			no = map.cs[i].policies[k] >= no ? (uint8_t)(map.cs[i].policies[k] + 1)
							 : no;
		}
	}
	return no;
}

/* A TRANSFER_RESP being written. */
struct draft {
	struct mikey_writer w;
	struct ue_keying k;
	struct ue_map map;
	int own_sp;
	uint8_t policy_no;
	uint8_t rand[CRYPTO_INKEY_MAX];
	uint8_t rand_len;
	size_t mac;
};

static enum ue_result prepare(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, const struct ue_keyset *keys, struct draft *d)
{
	const struct mikey_key *mpk = ue_keyset_mpk(&res->keys, res->forked ? 1 : 0);
	if (mpk == NULL) {
		return UE_NO_MPK;
	}
	d->policy_no = free_policy(in);
	enum ue_result r = complete_map(
		ue, in, keys != NULL ? keys : &res->keys, &d->map, d->policy_no, &d->own_sp);
	if (r != UE_OK) {
		return r;
	}
	d->k = ue_keying_init(&in->m, ue_keyset_at(&res->keys, mpk->key), mpk->key.len);
	d->k.use = UE_USE_RESP;
	if (!(in->m.ticket.flags & MIKEY_FLAG_G)) {
		return UE_OK;
	}
	d->rand_len = in->m.prf == MIKEY_PRF_MIKEY_1 ? 16 : 32;
	for (unsigned int i = 0; i < res->keys.n; i++) {
		if (res->keys.key[i].key.len > d->rand_len) {
			d->rand_len = (uint8_t)res->keys.key[i].key.len;
		}
	}
	d->k.rand_r = (struct kdf_rand){d->rand, d->rand_len};
	return ue_draw(ue, UE_DRAW_RANDR, 0, d->rand, d->rand_len);
}

/* Not forked: the first of our identities that the ticket names; the Initiator checks it. */
static struct identity own_recipient(const struct ue *ue, const struct ue_incoming *in)
{
	for (unsigned int i = 0; i < ue->n_uids; i++) {
		if (ue_policy_matches(&in->tp, in->m.octets, ue->uids[i])) {
			return ue->uids[i];
		}
	}
	return ue->uids[0];
}

static void write_identity(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, struct mikey_writer *w)
{
	if (res->forked) {
		mikey_write_idr(w, MIKEY_IDRR, res->id_type, res->id, res->id_len);
		mikey_write_randr(w, MIKEY_RANDRKMS, res->rand, res->rand_len);
	} else {
		const struct identity id = own_recipient(ue, in);
		mikey_write_idr(w, MIKEY_IDRR, ue->id_type, id.data, id.len);
	}
}

static size_t write(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, const struct ue_keyset *keys, uint64_t now, uint8_t *buf,
	size_t cap, struct draft *d)
{
	uint8_t map[UE_MAP_OCTETS], t64[8];
	const size_t map_len = ue_map_encode(&d->map, map, sizeof(map));
	struct ue_sp sp;
	mikey_write_begin(&d->w, buf,
		map_len == 0	       ? 0
		: cap < UE_MESSAGE_MAX ? cap
				       : UE_MESSAGE_MAX);
	mikey_write_hdr_map(&d->w, MIKEY_TRANSFER_RESP, false, in->m.prf, in->m.csb_id,
		(uint8_t)d->map.n, MIKEY_MAP_GENERIC_ID, map, map_len);
	ue_write_now(&d->w,
		in->m.t.type == MIKEY_TS_NTP_UTC_32 ? MIKEY_TS_NTP_UTC_32 : MIKEY_TS_NTP_UTC, now,
		t64);
	if (d->rand_len != 0) {
		mikey_write_randr(&d->w, MIKEY_RANDRR, d->rand, d->rand_len);
	}
	write_identity(ue, in, res, &d->w);
	if (d->own_sp) {
		ue_sp_srtp(&sp, d->policy_no,
			in->m.prf == MIKEY_PRF_MIKEY_1 ? UE_SUITE_A : UE_SUITE_B);
		mikey_write_sp(&d->w, sp.policy_no, sp.prot_type, sp.params, sp.len);
	}
	if (keys != NULL) {
		const uint8_t encr = in->m.prf == MIKEY_PRF_MIKEY_1 ? MIKEY_ENCR_AES_CM_128
								    : MIKEY_ENCR_AES_CM_256;
		ue_kemac_write(ue->crypto, &d->k, &d->w, encr, t64, keys);
	}
	d->mac = mikey_write_v(&d->w, in->m.v.auth_alg);
	return mikey_write_end(&d->w);
}

static enum ue_result derive(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, const struct mikey_message *resp,
	const struct ue_keyset *own, struct ue_sessions *sessions)
{
	struct ue_keyset theirs;
	const struct ue_session_source src = {
		.init = &in->m,
		.resp = resp,
		.flags = in->m.ticket.flags,
		.keys = {&res->keys, &theirs, own},
	};
	enum ue_result r = open_theirs(ue, in, res, &theirs);
	if (r == UE_OK) {
		r = ue_sessions_derive(ue->crypto, &src, sessions);
	}
	ue_keyset_clear(&theirs);
	return r;
}

static enum ue_result build(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_resolved *res, const struct ue_keyset *keys, uint64_t now, uint8_t *buf,
	size_t cap, size_t *len, struct ue_sessions *sessions)
{
	struct draft d;
	struct mikey_message m;
	memset(&d, 0, sizeof(d));
	enum ue_result r = prepare(ue, in, res, keys, &d);
	if (r != UE_OK) {
		return r;
	}
	*len = write(ue, in, res, keys, now, buf, cap, &d);
	if (*len == 0) {
		return UE_NO_ROOM;
	}
	const struct crypto_segment seg[] = {
		{buf, (uint32_t)d.mac},
		{in->m.octets, in->m.len},
	};
	ue_mac(ue->crypto, &d.k, in->m.v.auth_alg, seg, 2, buf + d.mac);
	if (mikey_parse_message(&m, buf, *len) != MIKEY_PARSE_OK) {
		return UE_MALFORMED;
	}
	return derive(ue, in, res, &m, keys, sessions);
}

/* Parses again what was checked before, and makes sure that it belongs to the ticket resolved. */
static enum ue_result reopen(const struct ue *ue, const struct ue_resolved *res,
	const uint8_t *transfer, size_t len, uint64_t now, struct ue_incoming *in)
{
	enum ue_result r = ue_incoming_open(in, ue, transfer, len, now);
	return r == UE_OK ? ue_incoming_verify(ue, in, &res->keys) : r;
}

enum ue_result ue_answer_build(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, const struct ue_keyset *keys,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len, struct ue_sessions *sessions)
{
	struct ue_incoming in;
	ue_sessions_clear(sessions);
	enum ue_result r = reopen(ue, resolved, transfer, transfer_len, ntp_now, &in);
	if (r == UE_OK && !(in.m.ticket.flags & MIKEY_FLAG_F)) {
		r = UE_NOT_EXPECTED;
	}
	if (r == UE_OK && keys != NULL) {
		r = in.m.ticket.flags & MIKEY_FLAG_M
			    ? ue_keyset_check_session_keys(keys, CRYPTO_INKEY_MAX)
			    : UE_KEMAC_FORBIDDEN;
	}
	return r == UE_OK ? build(ue, &in, resolved, keys, ntp_now, buf, cap, len, sessions) : r;
}

enum ue_result ue_answer_one_way(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, uint64_t ntp_now,
	struct ue_sessions *sessions)
{
	struct ue_incoming in;
	ue_sessions_clear(sessions);
	enum ue_result r = reopen(ue, resolved, transfer, transfer_len, ntp_now, &in);
	if (r == UE_OK && (in.m.ticket.flags & MIKEY_FLAG_F)) {
		r = UE_RESPONSE_NEEDED;
	}
	return r == UE_OK ? derive(ue, &in, resolved, NULL, NULL, sessions) : r;
}
