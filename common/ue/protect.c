/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/protect.h"

#include <string.h>

#include "common/crypto/secret.h"

enum { CM_SALT_LEN = 14, KW_SALT_LEN = 8, KW_OVERHEAD = 8, KEY_256 = 32 };

struct kdf_rand ue_rand(const uint8_t *octets, const struct mikey_randr *r)
{
	if (!r->present) {
		return (struct kdf_rand){NULL, 0};
	}
	return (struct kdf_rand){mikey_at(octets, r->data), (uint8_t)r->data.len};
}

int ue_prf_hash(uint8_t prf)
{
	switch (prf) {
	case MIKEY_PRF_MIKEY_1:
		return CRYPTO_SHA1;
	case MIKEY_PRF_HMAC_SHA_256:
		return CRYPTO_SHA256;
	default:
		return -1;
	}
}

int ue_auth_hash(uint8_t auth_alg)
{
	switch (auth_alg) {
	case MIKEY_AUTH_HMAC_SHA_1_160:
		return CRYPTO_SHA1;
	case MIKEY_AUTH_HMAC_SHA_256_256:
		return CRYPTO_SHA256;
	default:
		return -1;
	}
}

enum ue_result ue_check_algorithms(uint8_t prf, uint8_t auth_alg)
{
	int p = ue_prf_hash(prf), a = ue_auth_hash(auth_alg);
	if (p < 0) {
		return UE_PRF;
	}
	if (a < 0) {
		return UE_AUTH_ALG;
	}
	return p == a ? UE_OK : UE_MIXED_SUITES;
}

static size_t label_write(uint8_t *label, const struct ue_keying *k, enum kdf_key key)
{
	switch ((enum ue_use)k->use) {
	case UE_USE_TICKET:
		return kdf_label_ticket(label, key, k->rand_i);
	case UE_USE_INITIATOR_DATA:
		return kdf_label_initiator_data(label, key);
	case UE_USE_INIT:
		return kdf_label_message(label, key, KDF_INIT, k->csb_id, k->rand_i, k->rand_r);
	case UE_USE_RESP:
	default:
		return kdf_label_message(label, key, KDF_RESP, k->csb_id, k->rand_i, k->rand_r);
	}
}

void ue_derive(struct crypto *ctx, const struct ue_keying *k, enum kdf_key key, uint8_t *out,
	uint16_t out_len)
{
	uint8_t label[CRYPTO_LABEL_MAX];
	const struct crypto_prf_op op = {
		.inkey = k->inkey,
		.inkey_len = k->inkey_len,
		.label = label,
		.label_len = (uint16_t)label_write(label, k, key),
		.out = out,
		.out_len = out_len,
		.hash = (uint8_t)ue_prf_hash(k->prf),
	};
	crypto_prf(ctx, &op, 1);
}

void ue_mac(struct crypto *ctx, const struct ue_keying *k, uint8_t auth_alg,
	const struct crypto_segment *seg, unsigned int n, uint8_t *mac)
{
	uint8_t key[CRYPTO_MAC_MAX];
	struct crypto_mac_op op = {
		.key = key,
		.key_len = (uint16_t)mikey_mac_len(auth_alg),
		.out = mac,
		.n_segments = (uint8_t)n,
		.hash = (uint8_t)ue_auth_hash(auth_alg),
	};
	memcpy(op.seg, seg, n * sizeof(*seg));
	ue_derive(ctx, k, KDF_AUTH, key, op.key_len);
	crypto_mac(ctx, &op, 1);
	secret_wipe(key, sizeof(key));
}

enum ue_result ue_mac_verify(struct crypto *ctx, const struct ue_keying *k, const uint8_t *octets,
	const struct mikey_v *v, const struct crypto_segment *seg, unsigned int n)
{
	uint8_t mac[CRYPTO_MAC_MAX];
	if (ue_auth_hash(v->auth_alg) < 0 || v->mac.len != mikey_mac_len(v->auth_alg)) {
		return UE_AUTH_ALG;
	}
	ue_mac(ctx, k, v->auth_alg, seg, n, mac);
	enum ue_result r = secret_equal(mac, mikey_at(octets, v->mac), v->mac.len) ? UE_OK : UE_MAC;
	secret_wipe(mac, sizeof(mac));
	return r;
}

static void cm_run(struct crypto *ctx, const struct ue_keying *k, uint8_t key_len,
	const uint8_t t64[8], const uint8_t *src, uint8_t *dst, uint16_t len)
{
	uint8_t key[KEY_256], salt[CM_SALT_LEN];
	struct crypto_cm_op op = {
		.key = key, .key_len = key_len, .src = src, .dst = dst, .len = len};
	ue_derive(ctx, k, KDF_ENCR, key, key_len);
	ue_derive(ctx, k, KDF_SALT, salt, sizeof(salt));
	crypto_cm_iv(op.iv, salt, k->csb_id, t64);
	crypto_cm(ctx, &op, 1);
	secret_wipe(key, sizeof(key));
	secret_wipe(salt, sizeof(salt));
	secret_wipe(&op, sizeof(op));
}

static int kw_run(
	struct crypto *ctx, const struct ue_keying *k, const uint8_t *src, size_t len, uint8_t *dst)
{
	uint8_t key[16], iv[KW_SALT_LEN];
	ue_derive(ctx, k, KDF_ENCR, key, sizeof(key));
	ue_derive(ctx, k, KDF_SALT, iv, sizeof(iv));
	int r = crypto_kw_unwrap(key, iv, src, len, dst);
	secret_wipe(key, sizeof(key));
	secret_wipe(iv, sizeof(iv));
	return r;
}

enum ue_result ue_kemac_open(struct crypto *ctx, const struct ue_keying *k, const uint8_t *octets,
	const struct mikey_kemac *kemac, const uint8_t t64[8], struct ue_keyset *out)
{
	const uint8_t *data = mikey_at(octets, kemac->data);
	uint16_t len = kemac->data.len;
	ue_keyset_clear(out);
	if (kemac->mac_alg != MIKEY_AUTH_NULL) {
		return UE_KEMAC;
	}
	switch (kemac->encr_alg) {
	case MIKEY_ENCR_AES_CM_128:
	case MIKEY_ENCR_AES_CM_256:
		if (len > sizeof(out->octets)) {
			return UE_KEYS;
		}
		cm_run(ctx, k, kemac->encr_alg == MIKEY_ENCR_AES_CM_128 ? 16 : KEY_256, t64, data,
			out->octets, len);
		out->len = len;
		break;
	case MIKEY_ENCR_AES_KW_128:
		if (len > sizeof(out->octets) || kw_run(ctx, k, data, len, out->octets) != 0) {
			ue_keyset_clear(out);
			return UE_KEMAC;
		}
		out->len = (uint16_t)(len - KW_OVERHEAD);
		break;
	default: /* NULL would show the keys to everybody */
		return UE_KEMAC;
	}
	return ue_keyset_parse(out);
}

void ue_kemac_write(struct crypto *ctx, const struct ue_keying *k, struct mikey_writer *w,
	uint8_t encr_alg, const uint8_t t64[8], const struct ue_keyset *keys)
{
	size_t off = mikey_write_kemac(w, encr_alg, NULL, keys->len);
	if (off != SIZE_MAX) {
		cm_run(ctx, k, encr_alg == MIKEY_ENCR_AES_CM_128 ? 16 : KEY_256, t64, keys->octets,
			w->buf + off, keys->len);
	}
}
