/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/engine/request.h"

/* 12.1: session keys of more than 128 bits must not go under 128-bit algorithms. */
static bool weak_anywhere(const struct slot *s)
{
	return hash_is_weak(s->hash) || hash_is_weak(s->grant.hash);
}

static bool spi_used(const struct grant *g, const uint8_t *spi, size_t len)
{
	for (unsigned int i = 0; i < g->n_keys; i++) {
		if (!g->keys[i].spi_generated && g->keys[i].spi_len == len &&
			memcmp(g->keys[i].spi, spi, len) == 0)
			return true;
	}
	return false;
}

static enum verdict check_size(const struct slot *s, const struct mikey_key *k)
{
	if (k->key.len < KEY_MIN || k->key.len > KEY_MAX)
		return VERDICT_REQUEST_KEY_SIZE;
	if (mikey_key_has_salt(k->type) && (k->salt.len < 1 || k->salt.len > SALT_MAX))
		return VERDICT_REQUEST_KEY_SIZE;
	if (k->key.len > KEY_MIN && weak_anywhere(s))
		return VERDICT_REQUEST_KEY_STRENGTH;
	return VERDICT_PENDING;
}

/* KV Null: an SPI is generated, since each key must have one. Interval could not carry it (readings
 * N44). */
static enum verdict check_validity(
	const struct slot *s, const struct mikey_key *k, const uint8_t *data)
{
	if (k->kv == MIKEY_KV_INTERVAL)
		return VERDICT_REQUEST_KEY_VALIDITY;
	if (k->kv == MIKEY_KV_SPI &&
		(k->spi.len == 0 || spi_used(&s->grant, mikey_at(data, k->spi), k->spi.len)))
		return VERDICT_REQUEST_SPI;
	return VERDICT_PENDING;
}

static enum verdict take_key(struct slot *s, const struct mikey_key *k, const uint8_t *data)
{
	struct grant *g = &s->grant;

	if (k->type == MIKEY_MPK)
		return VERDICT_REQUEST_KEY_MPK;
	const enum verdict v = check_size(s, k) ?: check_validity(s, k, data);

	if (v != VERDICT_PENDING)
		return v;
	const bool generated = k->kv != MIKEY_KV_SPI;

	g->keys[g->n_keys++] = (struct granted_key){
		.type = k->type,
		.len = (uint8_t)k->key.len,
		.salt_len = (uint8_t)k->salt.len,
		.spi_len = generated ? SPI_GENERATED_LEN : (uint8_t)k->spi.len,
		.spi_generated = generated,
		.spi = generated ? NULL : mikey_at(data, k->spi),
	};
	g->spi_added |= generated;
	return VERDICT_PENDING;
}

/* Key data are zeroes that are ignored: type, length and validity count (readings N43). */
static enum verdict take_keys(struct engine *e, struct slot *s)
{
	const struct mikey_kemac *kemac = &s->tp.kemac;
	const uint8_t *data = mikey_at(s->m.octets, kemac->data);
	struct mikey_key keys[MIKEY_KEYS_MAX];
	unsigned int n;

	if (kemac->encr_alg != MIKEY_ENCR_NULL || kemac->mac_alg != MIKEY_AUTH_NULL)
		return VERDICT_REQUEST_KEMAC;
	if (mikey_parse_keys(keys, MIKEY_KEYS_MAX, &n, data, kemac->data.len) != MIKEY_PARSE_OK)
		return VERDICT_REQUEST_KEYS_MALFORMED;
	if (n > e->policy->max_keys || n > POLICY_KEYS_MAX)
		return VERDICT_REQUEST_KEYS;
	for (unsigned int i = 0; i < n; i++) {
		const enum verdict v = take_key(s, &keys[i], data);

		if (v != VERDICT_PENDING)
			return v;
	}
	return VERDICT_PENDING;
}

enum verdict request_check_keys(struct engine *e, struct slot *s)
{
	if (s->tp.kemac.present)
		return take_keys(e, s);
	s->grant.keys[0] = (struct granted_key){
		.type = MIKEY_TGK,
		.len = weak_anywhere(s) ? 16 : 32,
		.spi_len = SPI_GENERATED_LEN,
		.spi_generated = true,
	};
	s->grant.n_keys = 1;
	return VERDICT_PENDING;
}
