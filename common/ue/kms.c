/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/kms.h"

static enum ue_result check_ue(const struct ue *ue)
{
	if (ue->n_uids == 0 || ue->uids[0].len == 0 || ue->uids[0].len > IDENTITY_MAX ||
		ue->kms.len == 0 || ue->kms.len > IDENTITY_MAX) {
		return UE_IDENTITY;
	}
	if (ue->psk_len < 16 || ue->psk_len > 32 ||
		(ue->ts_type != MIKEY_TS_NTP_UTC && ue->ts_type != MIKEY_TS_NTP_UTC_32)) {
		return UE_ARGUMENT;
	}
	return UE_OK;
}

static enum ue_result draw(const struct ue *ue, struct ue_kms_init *x)
{
	uint8_t csb[4];
	/* 12.1: RANDR at least as long as the PSK. */
	x->rand_len = ue_suite_strength(ue->suite);
	if (ue->psk_len > x->rand_len) {
		x->rand_len = (uint8_t)ue->psk_len;
	}
	enum ue_result r = ue_draw(ue, UE_DRAW_CSB_ID, 0, csb, sizeof(csb));
	if (r == UE_OK) {
		r = ue_draw(ue, UE_DRAW_RANDR, 0, x->rand, x->rand_len);
	}
	if (r == UE_OK) {
		x->csb_id = (uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 |
			    (uint32_t)csb[2] << 8 | csb[3];
	}
	return r;
}

enum ue_result ue_kms_open(const struct ue *ue, uint8_t data_type, uint64_t ntp_now, uint8_t *buf,
	size_t cap, struct ue_kms_init *x)
{
	const int request = data_type == MIKEY_REQUEST_INIT_PSK;
	uint8_t t64[8];
	x->data_type = data_type;
	enum ue_result r = check_ue(ue);
	if (r == UE_OK) {
		r = draw(ue, x);
	}
	if (r != UE_OK) {
		return r;
	}
	mikey_write_begin(&x->w, buf, cap < UE_MESSAGE_MAX ? cap : UE_MESSAGE_MAX);
	mikey_write_hdr_map(&x->w, data_type, true, ue_suite_prf(ue->suite), x->csb_id, 0,
		MIKEY_MAP_EMPTY, NULL, 0);
	ue_write_now(&x->w, ue->ts_type, ntp_now, t64);
	mikey_write_randr(&x->w, request ? MIKEY_RANDRI : MIKEY_RANDRR, x->rand, x->rand_len);
	mikey_write_idr(&x->w, request ? MIKEY_IDRI : MIKEY_IDRR, ue->id_type, ue->uids[0].data,
		ue->uids[0].len);
	mikey_write_idr(&x->w, MIKEY_IDRKMS, ue->id_type, ue->kms.data, ue->kms.len);
	return UE_OK;
}

enum ue_result ue_kms_seal(const struct ue *ue, struct ue_kms_init *x, size_t *len)
{
	const struct kdf_rand rand = {x->rand, x->rand_len}, none = {NULL, 0};
	const int request = x->data_type == MIKEY_REQUEST_INIT_PSK;
	const struct ue_keying k = {
		.inkey = ue->psk,
		.inkey_len = (uint16_t)ue->psk_len,
		.prf = ue_suite_prf(ue->suite),
		.use = UE_USE_INIT,
		.csb_id = x->csb_id,
		.rand_i = request ? rand : none,
		.rand_r = request ? none : rand,
	};
	if (ue->psk_id.len != 0) {
		mikey_write_idr(
			&x->w, MIKEY_IDRPSK, MIKEY_ID_BYTES, ue->psk_id.data, ue->psk_id.len);
	}
	const size_t mac = mikey_write_v(&x->w, ue_suite_auth(ue->suite));
	*len = mikey_write_end(&x->w);
	if (*len == 0) {
		return UE_NO_ROOM;
	}
	const struct crypto_segment seg[] = {
		{x->w.buf, (uint32_t)mac},
		{ue->uids[0].data, ue->uids[0].len},
		{ue->kms.data, ue->kms.len},
	};
	ue_mac(ue->crypto, &k, ue_suite_auth(ue->suite), seg, 3, x->w.buf + mac);
	return UE_OK;
}

enum ue_result ue_kms_answer(const struct ue *ue, struct ue_octets init, uint8_t init_type,
	struct ue_octets resp, uint8_t resp_type, uint64_t ntp_now, struct ue_pair *p,
	struct ue_keying *k, struct ue_info *info)
{
	ue_info_none(info);
	if (ue->psk_len < 16 || ue->psk_len > 32) {
		return UE_ARGUMENT;
	}
	enum ue_result r = ue_pair_open(p, init, init_type, resp, resp_type);
	if (r != UE_OK && r != UE_ERROR_HINT) {
		return r;
	}
	*k = ue_keying_init(&p->init, ue->psk, (uint16_t)ue->psk_len);
	ue_info_time(info, &p->resp, ntp_now);
	if (r == UE_ERROR_HINT) {
		return ue_error_judge(ue->crypto, p, k, info);
	}
	k->use = UE_USE_RESP;
	return UE_OK;
}

static enum ue_result check_kms(const struct ue *ue, const struct mikey_message *m)
{
	const struct mikey_id *id = &m->idr[MIKEY_IDRKMS];
	if (id->present && !identity_equal(ue_identity_at(m->octets, id), ue->kms)) {
		return UE_IDR_KMS;
	}
	return UE_OK;
}

enum ue_result ue_kms_take(const struct ue *ue, const struct ue_pair *p, const struct ue_keying *k,
	uint64_t ntp_now, unsigned int n_mpk, struct ue_keyset *keys, struct ue_info *info)
{
	/* Keys beyond 128 bits are not for the 128-bit suite (12.1). */
	const unsigned int key_max = p->init.prf == MIKEY_PRF_MIKEY_1 ? 16 : CRYPTO_INKEY_MAX;
	uint8_t t64[8];
	enum ue_result r = ue_pair_verify(ue->crypto, p, k);
	if (r != UE_OK) {
		return r;
	}
	info->verified = 1;
	r = ue_check_fresh(ue, &p->resp, ntp_now);
	if (r == UE_OK) {
		r = check_kms(ue, &p->resp);
	}
	if (r == UE_OK && !p->resp.kemac.present) {
		r = UE_NO_KEMAC;
	}
	if (r != UE_OK) {
		return r;
	}
	mikey_t64(t64, p->resp.octets, &p->resp.t);
	r = ue_kemac_open(ue->crypto, k, p->resp.octets, &p->resp.kemac, t64, keys);
	if (r == UE_OK && ue_keyset_mpk(keys, n_mpk - 1) == NULL) {
		r = UE_NO_MPK;
	}
	return r == UE_OK ? ue_keyset_check_session_keys(keys, key_max) : r;
}
