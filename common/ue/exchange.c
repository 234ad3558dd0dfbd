/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/exchange.h"

#include <string.h>

static enum ue_result parse(struct mikey_message *m, struct ue_octets o)
{
	if (o.len > UE_MESSAGE_MAX) {
		return UE_MALFORMED;
	}
	switch (mikey_parse_message(m, o.data, o.len)) {
	case MIKEY_PARSE_OK:
		return UE_OK;
	case MIKEY_PARSE_VERSION:
		return UE_VERSION;
	case MIKEY_PARSE_SHORT:
	case MIKEY_PARSE_MALFORMED:
	default:
		return UE_MALFORMED;
	}
}

static int is_ntp(const struct mikey_message *m)
{
	return m->t.present && (m->t.type == MIKEY_TS_NTP_UTC || m->t.type == MIKEY_TS_NTP ||
				       m->t.type == MIKEY_TS_NTP_UTC_32);
}

static enum ue_result check_response(const struct ue_pair *p)
{
	const struct mikey_message *i = &p->init, *r = &p->resp;
	if (i->data_type != MIKEY_TRANSFER_INIT &&
		(r->n_cs != i->n_cs || r->map_type != i->map_type)) {
		return UE_MAP;
	}
	if (!is_ntp(r)) {
		return UE_NO_T;
	}
	if (!r->v.present || !r->v_last) {
		return UE_NO_V;
	}
	return r->v.auth_alg == i->v.auth_alg ? UE_OK : UE_AUTH_ALG;
}

enum ue_result ue_pair_open(struct ue_pair *p, struct ue_octets init, uint8_t init_type,
	struct ue_octets resp, uint8_t resp_type)
{
	enum ue_result r = parse(&p->init, init);
	if (r != UE_OK || p->init.data_type != init_type || !p->init.v.present || !p->init.v_last) {
		return UE_ARGUMENT;
	}
	r = ue_check_algorithms(p->init.prf, p->init.v.auth_alg);
	if (r != UE_OK) {
		return r;
	}
	r = parse(&p->resp, resp);
	if (r != UE_OK) {
		return r;
	}
	if (p->resp.csb_id != p->init.csb_id) {
		return UE_CSB_ID;
	}
	if (p->resp.data_type != MIKEY_ERROR && p->resp.data_type != resp_type) {
		return UE_DATA_TYPE;
	}
	if (p->resp.prf != p->init.prf) {
		return UE_PRF;
	}
	return p->resp.data_type == MIKEY_ERROR ? UE_ERROR_HINT : check_response(p);
}

enum ue_result ue_pair_verify(
	struct crypto *ctx, const struct ue_pair *p, const struct ue_keying *k)
{
	const struct crypto_segment seg[] = {
		{p->resp.octets, p->resp.v.mac.off},
		{p->init.octets, p->init.len},
	};
	return ue_mac_verify(ctx, k, p->resp.octets, &p->resp.v, seg, 2);
}

enum ue_result ue_error_judge(struct crypto *ctx, const struct ue_pair *p,
	const struct ue_keying *k, struct ue_info *info)
{
	const struct mikey_message *e = &p->resp;
	const struct crypto_segment seg = {e->octets, e->v.mac.off};
	if (!e->has_err) {
		return UE_MALFORMED;
	}
	info->error_no = e->err_no;
	if (!e->v.present || !e->v_last || e->v.auth_alg != p->init.v.auth_alg) {
		return UE_ERROR_HINT;
	}
	if (ue_mac_verify(ctx, k, e->octets, &e->v, &seg, 1) != UE_OK) {
		return UE_ERROR_HINT;
	}
	info->verified = 1;
	return UE_ERROR_VERIFIED;
}

static uint64_t t_of(const struct mikey_message *m)
{
	uint8_t t64[8];
	uint64_t t = 0;
	mikey_t64(t64, m->octets, &m->t);
	for (unsigned int i = 0; i < sizeof(t64); i++) {
		t = t << 8 | t64[i];
	}
	return t;
}

void ue_info_none(struct ue_info *info)
{
	*info = (struct ue_info){.error_no = -1};
}

void ue_info_time(struct ue_info *info, const struct mikey_message *m, uint64_t ntp_now)
{
	if (!is_ntp(m)) {
		return;
	}
	/* The difference modulo 2^64 is right across the change of era. */
	int64_t d = (int64_t)(t_of(m) - ntp_now);
	info->has_time = 1;
	info->offset_us =
		(d >> 32) * 1000000 + (int64_t)(((uint64_t)(d & 0xFFFFFFFF) * 1000000) >> 32);
}

enum ue_result ue_check_fresh(const struct ue *ue, const struct mikey_message *m, uint64_t ntp_now)
{
	if (!is_ntp(m)) {
		return UE_NO_T;
	}
	uint64_t d = t_of(m) - ntp_now;
	if (d >> 63) {
		d = 0 - d;
	}
	return d <= (uint64_t)ue->max_skew_s << 32 ? UE_OK : UE_SKEW;
}

struct ue_keying ue_keying_init(
	const struct mikey_message *init, const uint8_t *key, uint16_t key_len)
{
	return (struct ue_keying){
		.inkey = key,
		.inkey_len = key_len,
		.prf = init->prf,
		.use = UE_USE_INIT,
		.csb_id = init->csb_id,
		.rand_i = ue_rand(init->octets, &init->randr[MIKEY_RANDRI]),
		.rand_r = init->data_type == MIKEY_TRANSFER_INIT
				  ? (struct kdf_rand){NULL, 0}
				  : ue_rand(init->octets, &init->randr[MIKEY_RANDRR]),
	};
}

void ue_write_now(struct mikey_writer *w, uint8_t ts_type, uint64_t ntp_now, uint8_t t64[8])
{
	for (unsigned int i = 0; i < 8; i++) {
		t64[i] = (uint8_t)(ntp_now >> (56 - 8 * i));
	}
	mikey_write_t(w, ts_type, t64);
	if (ts_type == MIKEY_TS_NTP_UTC_32) {
		memset(t64 + 4, 0, 4);
	}
}

enum ue_result ue_draw(
	const struct ue *ue, enum ue_draw what, unsigned int index, void *out, size_t len)
{
	return ue->random(ue->random_arg, what, index, out, len) == 0 ? UE_OK : UE_RANDOM;
}

struct identity ue_identity_at(const uint8_t *octets, const struct mikey_id *id)
{
	return (struct identity){mikey_at(octets, id->data), id->data.len};
}

int ue_is_own(const struct ue *ue, struct identity id)
{
	for (unsigned int i = 0; i < ue->n_uids; i++) {
		if (identity_equal(ue->uids[i], id)) {
			return 1;
		}
	}
	return 0;
}
