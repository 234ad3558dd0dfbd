/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/derive.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

static void derive_keys(struct engine *e, struct slot *s)
{
	const struct grant *g = &s->grant;
	const struct kdf_rand rand = {g->rand, g->rand_len};
	const struct ticket_algorithms alg = {
		.prf_hash = g->hash,
		.encr_len = hash_encr_len(g->hash),
		.mac_hash = g->hash,
	};

	derive_ticket(e, s, g->tpk, alg, rand);
	derive_mpk(e, KDF_MPKI, g->hash, g->mpk, g->mpk_len, rand, s->keys.mpki);
	if (g->flags & MIKEY_FLAG_I)
		derive_mpk(e, KDF_MPKR, g->hash, g->mpk, g->mpk_len, rand, s->keys.mpkr);
	derive_response(e, s);
}

static void write_mpk(struct mikey_writer *w, const struct grant *g, const uint8_t *octets)
{
	const struct mikey_key_spec spec = {
		.type = MIKEY_MPK,
		.kv = MIKEY_KV_SPI,
		.key = octets,
		.key_len = g->mpk_len,
		.spi = g->mpk_spi,
		.spi_len = SPI_GENERATED_LEN,
	};

	mikey_write_key(w, &spec);
}

static void write_session_keys(struct mikey_writer *w, const struct grant *g)
{
	for (unsigned int i = 0; i < g->n_keys; i++) {
		const struct granted_key *k = &g->keys[i];
		const struct mikey_key_spec spec = {
			.type = k->type,
			.kv = MIKEY_KV_SPI,
			.key = k->key,
			.key_len = k->len,
			.salt = k->salt,
			.salt_len = k->salt_len,
			.spi = k->spi,
			.spi_len = k->spi_len,
		};

		mikey_write_key(w, &spec);
	}
}

/* MPK || {TEK|TGK|GTGK} (A.1). */
static void write_ticket_keys(struct engine *e, struct slot *s)
{
	struct grant *g = &s->grant;
	struct mikey_writer w;

	mikey_write_begin_keys(&w, scratch_top(e), SCRATCH_TOP_MAX);
	write_mpk(&w, g, g->mpk);
	write_session_keys(&w, g);
	g->plain_len = mikey_write_end(&w);
	g->plain = scratch_take(e, g->plain_len);
	if (g->plain_len == 0)
		s->verdict = VERDICT_RESPONSE_SIZE;
}

/* MPKi || [MPKr] || {TEK|TGK|GTGK} (4.2.1.5). */
static void write_response_keys(struct engine *e, struct slot *s)
{
	struct mikey_writer w;

	mikey_write_begin_keys(&w, scratch_top(e), SCRATCH_TOP_MAX);
	write_mpk(&w, &s->grant, s->keys.mpki);
	if (s->grant.flags & MIKEY_FLAG_I)
		write_mpk(&w, &s->grant, s->keys.mpkr);
	write_session_keys(&w, &s->grant);
	s->plain_len = mikey_write_end(&w);
	s->plain = scratch_take(e, s->plain_len);
	if (s->plain_len == 0)
		s->verdict = VERDICT_RESPONSE_SIZE;
}

/* THDR, T, RAND, KEMAC, IDRpsk, V (A.1). T is that of the request as NTP-UTC (R2). */
static void write_ticket_data(struct engine *e, struct slot *s)
{
	struct grant *g = &s->grant;
	struct mikey_writer *w = &s->w;
	const struct mikey_nest nest = mikey_open_ticket_data(w);

	mikey_t64(g->t64, s->m.octets, &s->m.t);
	slot_generated(e, s, ENGINE_GEN_TICKET_T, 0, g->t64, TIMESTAMP_LEN);
	mikey_write_thdr(w, NULL, 0);
	mikey_write_t(w, MIKEY_TS_NTP_UTC, g->t64);
	mikey_write_rand(w, g->rand, g->rand_len);
	g->kemac_off = mikey_write_kemac(w, hash_encr_alg(g->hash), NULL, g->plain_len);
	mikey_write_idr(w, MIKEY_IDRPSK, MIKEY_ID_BYTES, g->tpk_id.data, g->tpk_id.len);
	g->mac_off = mikey_write_v(w, hash_auth_alg(g->hash));
	mikey_close(w, nest);
	mikey_write_no_initiator_data(w);
	if (w->failed)
		s->verdict = VERDICT_RESPONSE_SIZE;
}

/* The key belongs to this RAND, and RAND to this plaintext: the IV is not met twice. */
static void encrypt(struct engine *e, struct slot *s)
{
	const struct grant *g = &s->grant;
	struct crypto_cm_op *op = ops_cm(e);

	*op = (struct crypto_cm_op){
		.key = s->keys.ticket.encr,
		.key_len = hash_encr_len(g->hash),
		.src = g->plain,
		.dst = s->msg->response + g->kemac_off,
		.len = (uint16_t)g->plain_len,
	};

	crypto_cm_iv(op->iv, s->keys.ticket.salt, (uint32_t)NO_CSB_ID, g->t64);
}

/* From Ticket Type to the Auth alg of V (readings N15). */
static void compute_mac(struct engine *e, struct slot *s)
{
	const struct grant *g = &s->grant;

	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.ticket.auth,
		.key_len = hash_len(g->hash),
		.seg = {{s->msg->response + g->body_off, (uint32_t)(g->mac_off - g->body_off)}},
		.n_segments = 1,
		.out = s->msg->response + g->mac_off,
		.hash = g->hash,
	};
}

void stage_seal(struct engine *e)
{
	slots_each(e, SLOT_REQUEST, derive_keys);
	ops_prf_run(e);
	slots_each(e, SLOT_REQUEST, write_ticket_keys);
	slots_each(e, SLOT_REQUEST, write_response_keys);
	slots_each(e, SLOT_REQUEST, write_ticket_data);
	slots_each(e, SLOT_REQUEST, encrypt);
	ops_cm_run(e);
	slots_each(e, SLOT_REQUEST, compute_mac);
	ops_mac_run(e);
}
