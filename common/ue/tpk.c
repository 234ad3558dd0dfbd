/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/tpk.h"

#include "common/crypto/secret.h"
#include "common/ue/exchange.h"

enum { NO_CSB = 0xFFFFFFFF };

/* A.2.2: MPKi and MPKr take the place of MPK. */
enum ue_result ue_tpk_split(struct crypto *ctx, uint8_t prf, struct kdf_rand rand, int forked,
	const struct ue_keyset *in, struct ue_keyset *out)
{
	uint8_t mpk[2][CRYPTO_INKEY_MAX], label[2][CRYPTO_LABEL_MAX];
	struct mikey_key_spec spec[2 + MIKEY_KEYS_MAX];
	struct crypto_prf_op op[2];
	const struct mikey_key *k = ue_keyset_mpk(in, 0);
	unsigned int n = forked ? 2 : 1;
	if (k == NULL) {
		return UE_NO_MPK;
	}
	for (unsigned int i = 0; i < n; i++) {
		op[i] = (struct crypto_prf_op){
			.inkey = ue_keyset_at(in, k->key),
			.inkey_len = k->key.len,
			.label = label[i],
			.label_len = (uint16_t)kdf_label_mpk(
				label[i], i == 0 ? KDF_MPKI : KDF_MPKR, rand),
			.out = mpk[i],
			.out_len = k->key.len,
			.hash = (uint8_t)ue_prf_hash(prf),
		};
		spec[i] = (struct mikey_key_spec){
			.type = MIKEY_MPK,
			.kv = k->kv,
			.key = mpk[i],
			.key_len = k->key.len,
			.spi = ue_keyset_at(in, k->spi),
			.spi_len = (uint8_t)k->spi.len,
		};
	}
	if (k->kv == MIKEY_KV_INTERVAL) {
		return UE_KEYS;
	}
	crypto_prf(ctx, op, n);
	const struct mikey_key *s;
	for (unsigned int i = 0; (s = ue_keyset_session_key(in, i)) != NULL; i++, n++) {
		spec[n] = (struct mikey_key_spec){
			.type = s->type,
			.kv = s->kv,
			.key = ue_keyset_at(in, s->key),
			.key_len = s->key.len,
			.salt = ue_keyset_at(in, s->salt),
			.salt_len = s->salt.len,
			.spi = ue_keyset_at(in, s->spi),
			.spi_len = (uint8_t)s->spi.len,
		};
	}
	enum ue_result r = ue_keyset_write(out, spec, n);
	secret_wipe(mpk, sizeof(mpk));
	return r;
}

struct ue_keying ue_tpk_keying(const struct ue_tpk *tpk, uint8_t prf, struct kdf_rand rand)
{
	return (struct ue_keying){
		.inkey = tpk->key,
		.inkey_len = (uint16_t)tpk->len,
		.prf = prf,
		.use = UE_USE_TICKET,
		.csb_id = NO_CSB,
		.rand_i = rand,
	};
}

struct identity ue_ticket_key_id(const struct mikey_message *m)
{
	struct mikey_ticket_data td;
	if (!m->ticket.present ||
		mikey_parse_ticket_data(&td, m->octets, m->ticket.ticket_data) != MIKEY_PARSE_OK) {
		return (struct identity){NULL, 0};
	}
	if (!td.idr_psk.present) {
		return (struct identity){NULL, 0};
	}
	return ue_identity_at(m->octets, &td.idr_psk);
}

static enum ue_result check_ticket_data(const struct mikey_message *m, struct mikey_ticket_data *td)
{
	if (mikey_parse_ticket_data(td, m->octets, m->ticket.ticket_data) != MIKEY_PARSE_OK ||
		!td->t.present || !td->rand.present || !td->kemac.present || !td->v.present) {
		return UE_TICKET_DATA;
	}
	return ue_check_algorithms(m->ticket.prf, td->v.auth_alg);
}

enum ue_result ue_ticket_open(struct crypto *ctx, const struct mikey_message *m,
	const struct ue_tpk *tpk, struct ue_keyset *keys)
{
	struct mikey_ticket_data td;
	struct ue_keyset plain;
	uint8_t t64[8];
	ue_keyset_clear(keys);
	if (tpk->len < 16 || tpk->len > 32) {
		return UE_ARGUMENT;
	}
	enum ue_result r = check_ticket_data(m, &td);
	if (r != UE_OK) {
		return r;
	}
	const struct kdf_rand rand = ue_rand(m->octets, &td.rand);
	const struct ue_keying k = ue_tpk_keying(tpk, m->ticket.prf, rand);
	const struct crypto_segment seg = {
		mikey_at(m->octets, m->ticket.body), (uint32_t)(td.v.mac.off - m->ticket.body.off)};
	if (ue_mac_verify(ctx, &k, m->octets, &td.v, &seg, 1) != UE_OK) {
		return UE_TICKET_MAC;
	}
	mikey_t64(t64, m->octets, &td.t);
	r = ue_kemac_open(ctx, &k, m->octets, &td.kemac, t64, &plain);
	if (r == UE_OK) {
		r = ue_tpk_split(ctx, m->ticket.prf, rand, (m->ticket.flags & MIKEY_FLAG_I) != 0,
			&plain, keys);
	}
	ue_keyset_clear(&plain);
	return r;
}
