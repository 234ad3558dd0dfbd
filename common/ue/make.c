/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/make.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/exchange.h"
#include "common/ue/tpk.h"

enum { DRAWN_SPI_LEN = 4 };

/* A ticket alone in a message, which is what the parser reads. */
struct carrier {
	size_t len;
	uint8_t octets[UE_MESSAGE_MAX];
};

/* What is drawn for a new ticket. */
struct material {
	unsigned int n;
	struct mikey_key_spec spec[1 + UE_KEYS_MAX]; /* MPK first */
	uint8_t key[1 + UE_KEYS_MAX][CRYPTO_INKEY_MAX];
	uint8_t salt[1 + UE_KEYS_MAX][CRYPTO_INKEY_MAX];
	uint8_t spi[1 + UE_KEYS_MAX][UE_SPI_MAX];
	uint8_t rand[CRYPTO_INKEY_MAX];
	uint8_t rand_len;
};

static enum ue_result draw_key(
	const struct ue *ue, struct material *mat, unsigned int i, const struct ue_key_wish *wish)
{
	struct mikey_key_spec *s = &mat->spec[1 + i];
	s->type = wish->type;
	s->kv = MIKEY_KV_SPI;
	s->key = mat->key[1 + i];
	s->key_len = wish->key_len;
	s->salt = mat->salt[1 + i];
	s->salt_len = wish->salt_len;
	s->spi = mat->spi[1 + i];
	s->spi_len = wish->spi_len != 0 ? wish->spi_len : DRAWN_SPI_LEN;
	memcpy(mat->spi[1 + i], wish->spi, wish->spi_len);
	enum ue_result r = ue_draw(ue, UE_DRAW_KEY, i, mat->key[1 + i], wish->key_len);
	if (r == UE_OK && wish->salt_len != 0) {
		r = ue_draw(ue, UE_DRAW_SALT, i, mat->salt[1 + i], wish->salt_len);
	}
	if (r == UE_OK && wish->spi_len == 0) {
		r = ue_draw(ue, UE_DRAW_SPI, i, mat->spi[1 + i], DRAWN_SPI_LEN);
	}
	return r;
}

static enum ue_result draw(
	const struct ue *ue, const struct ue_policy *p, size_t tpk_len, struct material *mat)
{
	const uint8_t strength = ue_suite_strength(ue->suite);
	const struct ue_key_wish usual = {.type = MIKEY_TGK, .key_len = strength};
	unsigned int n = p->key_list == UE_KEYS_DEFAULT ? 1 : p->n_keys;
	enum ue_result r = UE_OK;
	for (unsigned int i = 0; r == UE_OK && i < n; i++) {
		r = draw_key(ue, mat, i, p->key_list == UE_KEYS_DEFAULT ? &usual : &p->keys[i]);
	}
	mat->n = 1 + n;
	mat->spec[0] = (struct mikey_key_spec){
		.type = MIKEY_MPK,
		.kv = MIKEY_KV_SPI,
		.key = mat->key[0],
		.key_len = strength,
		.spi = mat->spi[0],
		.spi_len = DRAWN_SPI_LEN,
	};
	mat->rand_len = (uint8_t)(tpk_len > strength ? tpk_len : strength);
	if (r == UE_OK) {
		r = ue_draw(ue, UE_DRAW_MPK, 0, mat->key[0], strength);
	}
	if (r == UE_OK) {
		r = ue_draw(ue, UE_DRAW_MPK_SPI, 0, mat->spi[0], DRAWN_SPI_LEN);
	}
	if (r == UE_OK) {
		r = ue_draw(ue, UE_DRAW_TICKET_RAND, 0, mat->rand, mat->rand_len);
	}
	return r;
}

static enum ue_result adopt(struct ue_ticket *t, const struct carrier *c)
{
	struct mikey_message m;
	if (mikey_parse_message(&m, c->octets, c->len) != MIKEY_PARSE_OK) {
		return UE_TICKET_DATA;
	}
	return ue_ticket_adopt(t, &m);
}

static enum ue_result write_ticket(const struct ue *ue, const struct ue_policy *p,
	const struct ue_tpk *tpk, uint64_t ntp_now, const struct material *mat,
	const struct ue_keyset *plain, struct carrier *c)
{
	uint8_t t64[8];
	struct mikey_writer w;
	const struct mikey_ticket_head head = ue_policy_head(p, ue->suite);
	const struct ue_keying k =
		ue_tpk_keying(tpk, head.prf, (struct kdf_rand){mat->rand, mat->rand_len});
	mikey_write_begin(&w, c->octets, sizeof(c->octets));
	mikey_write_hdr(&w, MIKEY_REQUEST_RESP, head.prf, 0);
	/* The MAC of the ticket begins after Next Payload. */
	const size_t body = w.len + 1;
	struct mikey_nest tp = mikey_open_tp(&w, MIKEY_TICKET, &head);
	ue_policy_write(&w, ue, p, UE_WITHOUT_KEMAC);
	mikey_close(&w, tp);
	struct mikey_nest td = mikey_open_ticket_data(&w);
	mikey_write_thdr(&w, NULL, 0);
	ue_write_now(&w, MIKEY_TS_NTP_UTC, ntp_now, t64);
	mikey_write_rand(&w, mat->rand, mat->rand_len);
	ue_kemac_write(ue->crypto, &k, &w, ue_suite_encr(ue->suite), t64, plain);
	if (tpk->id.len != 0) {
		mikey_write_idr(&w, MIKEY_IDRPSK, MIKEY_ID_BYTES, tpk->id.data, tpk->id.len);
	}
	size_t mac = mikey_write_v(&w, ue_suite_auth(ue->suite));
	mikey_close(&w, td);
	mikey_write_no_initiator_data(&w);
	c->len = mikey_write_end(&w);
	if (c->len == 0) {
		return UE_NO_ROOM;
	}
	const struct crypto_segment seg = {c->octets + body, (uint32_t)(mac - body)};
	ue_mac(ue->crypto, &k, ue_suite_auth(ue->suite), &seg, 1, c->octets + mac);
	return UE_OK;
}

static enum ue_result make(const struct ue *ue, const struct ue_policy *p, const struct ue_tpk *tpk,
	uint64_t ntp_now, struct material *mat, struct ue_keyset *plain, struct ue_ticket *t)
{
	struct carrier c;
	enum ue_result r = draw(ue, p, tpk->len, mat);
	if (r == UE_OK) {
		r = ue_keyset_write(plain, mat->spec, mat->n);
	}
	if (r == UE_OK) {
		r = ue_keyset_check_session_keys(plain, CRYPTO_INKEY_MAX);
	}
	if (r == UE_OK) {
		r = write_ticket(ue, p, tpk, ntp_now, mat, plain, &c);
	}
	if (r == UE_OK) {
		r = adopt(t, &c);
	}
	if (r == UE_OK) {
		r = ue_tpk_split(ue->crypto, t->prf, (struct kdf_rand){mat->rand, mat->rand_len},
			(t->flags & MIKEY_FLAG_I) != 0, plain, &t->keys);
	}
	return r;
}

enum ue_result ue_ticket_make(const struct ue *ue, const struct ue_policy *policy,
	const struct ue_tpk *tpk, uint64_t ntp_now, struct ue_ticket *t)
{
	struct material mat;
	struct ue_keyset plain;
	ue_ticket_clear(t);
	memset(&mat, 0, sizeof(mat));
	memset(&plain, 0, sizeof(plain));
	enum ue_result r = ue_policy_check(policy, ue->suite);
	if (r == UE_OK && ((policy->flags & MIKEY_FLAG_D) || tpk->len < 16 || tpk->len > 32)) {
		r = UE_ARGUMENT;
	}
	if (r == UE_OK) {
		r = make(ue, policy, tpk, ntp_now, &mat, &plain, t);
	}
	if (r != UE_OK) {
		ue_ticket_clear(t);
	}
	secret_wipe(&mat, sizeof(mat));
	ue_keyset_clear(&plain);
	return r;
}
