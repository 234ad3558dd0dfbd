/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/keyset.h"

#include <string.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"
#include "common/ue/ue.h"

void ue_keyset_clear(struct ue_keyset *ks)
{
	secret_wipe(ks, sizeof(*ks));
}

enum ue_result ue_keyset_parse(struct ue_keyset *ks)
{
	enum ue_result r = UE_OK;
	if (mikey_parse_keys(ks->key, MIKEY_KEYS_MAX, &ks->n, ks->octets, ks->len) !=
		MIKEY_PARSE_OK) {
		r = UE_KEYS;
	}
	for (unsigned int i = 0; r == UE_OK && i < ks->n; i++) {
		if (!crypto_key_acceptable(ue_keyset_at(ks, ks->key[i].key), ks->key[i].key.len)) {
			r = UE_KEY_WEAK;
		}
	}
	if (r != UE_OK) {
		ue_keyset_clear(ks);
	}
	return r;
}

enum ue_result ue_keyset_set(struct ue_keyset *ks, const uint8_t *octets, size_t len)
{
	ue_keyset_clear(ks);
	if (len > sizeof(ks->octets)) {
		return UE_KEYS;
	}
	if (len != 0) {
		memcpy(ks->octets, octets, len);
	}
	ks->len = (uint16_t)len;
	return ue_keyset_parse(ks);
}

enum ue_result ue_keyset_write(
	struct ue_keyset *ks, const struct mikey_key_spec *specs, unsigned int n)
{
	struct mikey_writer w;
	ue_keyset_clear(ks);
	if (n == 0) {
		return UE_OK;
	}
	mikey_write_begin_keys(&w, ks->octets, sizeof(ks->octets));
	for (unsigned int i = 0; i < n; i++) {
		(void)mikey_write_key(&w, &specs[i]);
	}
	size_t len = mikey_write_end(&w);
	if (len == 0) {
		ue_keyset_clear(ks);
		return UE_KEYS;
	}
	ks->len = (uint16_t)len;
	return ue_keyset_parse(ks);
}

const struct mikey_key *ue_keyset_mpk(const struct ue_keyset *ks, unsigned int i)
{
	for (unsigned int k = 0; k < ks->n; k++) {
		if (ks->key[k].type == MIKEY_MPK && i-- == 0) {
			return &ks->key[k];
		}
	}
	return NULL;
}

const struct mikey_key *ue_keyset_session_key(const struct ue_keyset *ks, unsigned int i)
{
	for (unsigned int k = 0; k < ks->n; k++) {
		if (ks->key[k].type != MIKEY_MPK && i-- == 0) {
			return &ks->key[k];
		}
	}
	return NULL;
}

enum ue_result ue_keyset_check_session_keys(const struct ue_keyset *ks, unsigned int max_len)
{
	const struct mikey_key *a, *b;
	for (unsigned int i = 0; (a = ue_keyset_session_key(ks, i)) != NULL; i++) {
		if (a->key.len > max_len) {
			return UE_KEY_LENGTH;
		}
		if (a->kv != MIKEY_KV_SPI || a->spi.len == 0 || a->spi.len > UE_SPI_MAX) {
			return UE_KEY_SPI;
		}
		for (unsigned int j = 0; j < i; j++) {
			b = ue_keyset_session_key(ks, j);
			if (a->spi.len == b->spi.len &&
				memcmp(ue_keyset_at(ks, a->spi), ue_keyset_at(ks, b->spi),
					a->spi.len) == 0) {
				return UE_KEY_SPI;
			}
		}
	}
	return UE_OK;
}

const char *ue_key_type_name(uint8_t type)
{
	static const char *const names[] = {
		[MIKEY_TGK] = "TGK",
		[MIKEY_TGK_SALT] = "TGK+SALT",
		[MIKEY_TEK] = "TEK",
		[MIKEY_TEK_SALT] = "TEK+SALT",
		[MIKEY_GTGK] = "GTGK",
		[MIKEY_GTGK_SALT] = "GTGK+SALT",
		[MIKEY_MPK] = "MPK",
	};
	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

int ue_key_type_has_salt(uint8_t type)
{
	return type == MIKEY_TGK_SALT || type == MIKEY_TEK_SALT || type == MIKEY_GTGK_SALT;
}
