/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/session.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/protect.h"

void ue_sessions_clear(struct ue_sessions *s)
{
	secret_wipe(s, sizeof(*s));
}

/* The key with the SPI of a crypto session, in exactly one of the sets. */
static enum ue_result find_key(const struct ue_session_source *src, const struct ue_cs *cs,
	const struct ue_keyset **set, const struct mikey_key **key)
{
	const struct mikey_key *k;
	*key = NULL;
	for (unsigned int s = 0; s < 3; s++) {
		const struct ue_keyset *ks = src->keys[s];
		for (unsigned int i = 0; ks != NULL && (k = ue_keyset_session_key(ks, i)) != NULL;
			i++) {
			if (k->kv != MIKEY_KV_SPI || k->spi.len != cs->spi_len ||
				memcmp(ue_keyset_at(ks, k->spi), cs->spi, cs->spi_len) != 0) {
				continue;
			}
			if (*key != NULL) {
				return UE_KEY_SPI;
			}
			*key = k;
			*set = ks;
		}
	}
	return *key != NULL && cs->spi_len != 0 ? UE_OK : UE_NO_SESSION_KEY;
}

static void derive(struct crypto *ctx, const struct ue_session_source *src,
	const struct ue_keyset *set, const struct mikey_key *key, struct ue_session *s)
{
	uint8_t label[2][CRYPTO_LABEL_MAX];
	struct kdf_rand i = {NULL, 0}, r = {NULL, 0};
	unsigned int n = s->salt_len != 0 ? 1 : 2;
	struct crypto_prf_op op[2];
	if (src->flags & MIKEY_FLAG_H) {
		i = ue_rand(src->init->octets, &src->init->randr[MIKEY_RANDRI]);
	}
	if ((src->flags & MIKEY_FLAG_G) && src->resp != NULL) {
		r = ue_rand(src->resp->octets, &src->resp->randr[MIKEY_RANDRR]);
	}
	for (unsigned int k = 0; k < n; k++) {
		op[k] = (struct crypto_prf_op){
			.inkey = ue_keyset_at(set, key->key),
			.inkey_len = key->key.len,
			.label = label[k],
			.label_len = (uint16_t)kdf_label_session(label[k],
				k == 0 ? KDF_SESSION_TEK : KDF_SESSION_SALT, s->cs_id, i, r),
			.out = k == 0 ? s->tek : s->salt,
			.out_len = k == 0 ? s->srtp.key_len : s->srtp.salt_len,
			.hash = (uint8_t)ue_prf_hash(src->init->prf),
		};
	}
	crypto_prf(ctx, op, n);
	s->tek_len = s->srtp.key_len;
	s->salt_len = s->srtp.salt_len;
}

static enum ue_result take_key(struct crypto *ctx, const struct ue_session_source *src,
	const struct ue_keyset *set, const struct mikey_key *key, struct ue_session *s)
{
	s->key_type = key->type;
	if (ue_key_type_has_salt(key->type)) {
		if (key->salt.len != s->srtp.salt_len) {
			return UE_KEY_LENGTH;
		}
		s->salt_len = (uint8_t)key->salt.len;
		memcpy(s->salt, ue_keyset_at(set, key->salt), key->salt.len);
	}
	if (key->type != MIKEY_TEK && key->type != MIKEY_TEK_SALT) {
		derive(ctx, src, set, key, s);
		return UE_OK;
	}
	if (key->key.len != s->srtp.key_len) {
		return UE_KEY_LENGTH;
	}
	s->tek_len = (uint8_t)key->key.len;
	memcpy(s->tek, ue_keyset_at(set, key->key), key->key.len);
	return UE_OK;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum ue_result take_policy(
	const struct ue_session_source *src, const struct ue_cs *cs, struct ue_session *s)
{
	if (cs->n_policies != 1) {
		return UE_SECURITY_POLICY;
	}
	enum ue_result r = ue_sp_find(src->init, cs->policies[0], &s->srtp);
	if (r != UE_OK && src->resp != NULL) {
		r = ue_sp_find(src->resp, cs->policies[0], &s->srtp);
	}
	/* 12.1: session keys beyond 128 bits are not for the 128-bit suite. */
	if (r == UE_OK && src->init->prf == MIKEY_PRF_MIKEY_1 && s->srtp.key_len > 16) {
		r = UE_SECURITY_POLICY;
	}
	return r;
}

static enum ue_result derive_one(struct crypto *ctx, const struct ue_session_source *src,
	const struct ue_cs *cs, struct ue_session *s)
{
	const struct ue_keyset *set = NULL;
	const struct mikey_key *key;
	enum ue_result r = take_policy(src, cs, s);
	if (r != UE_OK) {
		return r;
	}
	if (cs->session_data_len == 0) {
		return UE_SESSION_DATA;
	}
	s->cs_id = cs->cs_id;
	s->ssrc = be32(cs->session_data);
	s->has_roc = cs->s_flag;
	if (cs->s_flag) {
		s->roc = be32(cs->session_data + 4);
		s->seq = (uint16_t)(cs->session_data[8] << 8 | cs->session_data[9]);
	}
	s->spi_len = cs->spi_len;
	memcpy(s->spi, cs->spi, cs->spi_len);
	r = find_key(src, cs, &set, &key);
	return r == UE_OK ? take_key(ctx, src, set, key, s) : r;
}

enum ue_result ue_sessions_derive(
	struct crypto *ctx, const struct ue_session_source *src, struct ue_sessions *out)
{
	struct ue_map map;
	memset(out, 0, sizeof(*out));
	enum ue_result r = ue_map_read(&map, src->resp != NULL ? src->resp : src->init);
	for (unsigned int i = 0; r == UE_OK && i < map.n; i++) {
		r = derive_one(ctx, src, &map.cs[i], &out->s[i]);
	}
	if (r != UE_OK) {
		ue_sessions_clear(out);
		return r;
	}
	out->n = map.n;
	return UE_OK;
}
