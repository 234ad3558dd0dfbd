/* SPDX-License-Identifier: BSD-3-Clause */
/* Initial messages: REQUEST_INIT_PSK, RESOLVE_INIT_PSK and the Initiator Data of tickets. */
#include <string.h>

#include "bench/exchange/internal.h"
#include "common/mikey/writer.h"

enum {
	FLAGS_FORKED = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H |
		       MIKEY_FLAG_I | MIKEY_FLAG_N | MIKEY_FLAG_O,
	FLAGS_NOT_FORKED = FLAGS_FORKED & ~MIKEY_FLAG_I,
	BACKDATED_S = 60, /* TRs lies before T, so that clocks may differ a little */
};

static void put_be32(uint8_t out[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_be64(uint8_t out[8], uint64_t v)
{
	put_be32(out, (uint32_t)(v >> 32));
	put_be32(out + 4, (uint32_t)v);
}

static void write_id(struct mikey_writer *w, uint8_t role, uint8_t type, struct identity id)
{
	mikey_write_idr(w, role, type, id.data, id.len);
}

/* The keys asked for, as zeroes (readings N43). One TGK is the KMS's default and is asked for by
 * saying nothing. */
static void write_wanted_keys(struct exchanger *e, struct mikey_writer *w)
{
	uint8_t buf[1024];
	struct mikey_writer keys;
	size_t len;

	if (e->config.tgks == 1)
		return;
	mikey_write_begin_keys(&keys, buf, sizeof(buf));
	for (unsigned int i = 0; i < e->config.tgks; i++) {
		struct mikey_key_spec spec = {
			.type = MIKEY_TGK,
			.kv = MIKEY_KV_NULL,
			.key_len = e->suite->key_len,
		};

		mikey_write_key(&keys, &spec);
	}
	len = mikey_write_end(&keys);
	mikey_write_kemac(w, MIKEY_ENCR_NULL, buf, len);
}

static void write_policy(
	struct exchanger *e, struct mikey_writer *w, const struct exchange *x, uint64_t ntp_now)
{
	struct mikey_ticket_head head = {
		.type = 1,
		.subtype = 1,
		.version = 1,
		.prf = e->suite->prf,
		.flags = e->config.forking == EXCHANGE_FORKED ? FLAGS_FORKED : FLAGS_NOT_FORKED,
	};
	struct mikey_nest nest = mikey_open_tp(w, MIKEY_TP, &head);
	uint32_t seconds = (uint32_t)(ntp_now >> 32);
	uint8_t t[4];

	write_id(w, MIKEY_IDRKMS, MIKEY_ID_NAI, e->config.kms);
	write_id(w, MIKEY_IDRI, MIKEY_ID_NAI, x->initiator->uid);
	put_be32(t, seconds - BACKDATED_S);
	mikey_write_tr(w, MIKEY_TRS, MIKEY_TS_NTP_UTC_32, t);
	put_be32(t, seconds + e->config.lifetime_s);
	mikey_write_tr(w, MIKEY_TRE, MIKEY_TS_NTP_UTC_32, t);
	write_wanted_keys(e, w);
	write_id(w, MIKEY_IDRR, MIKEY_ID_NAI, x->responder->uid);
	mikey_close(w, nest);
}

/* The message with a zeroed MAC; returns the offset of the MAC, 0 when it did not fit. */
static size_t write_message(struct exchanger *e, struct exchange *x, uint64_t ntp_now)
{
	const struct party *sender = exchange_sender(x);
	struct mikey_writer w;
	uint8_t t64[8];
	size_t mac_off;

	put_be64(t64, ntp_now);
	rng_fill(&e->rng, x->rand, sizeof(x->rand));
	mikey_write_begin(&w, x->octets, x->cap);
	mikey_write_hdr_map(&w,
		x->kind == EXCHANGE_REQUEST ? MIKEY_REQUEST_INIT_PSK : MIKEY_RESOLVE_INIT_PSK, true,
		e->suite->prf, x->csb_id, 0, MIKEY_MAP_EMPTY, NULL, 0);
	mikey_write_t(&w, MIKEY_TS_NTP_UTC, t64);
	mikey_write_randr(&w, x->kind == EXCHANGE_REQUEST ? MIKEY_RANDRI : MIKEY_RANDRR, x->rand,
		e->suite->key_len);
	write_id(&w, x->kind == EXCHANGE_REQUEST ? MIKEY_IDRI : MIKEY_IDRR, MIKEY_ID_NAI,
		sender->uid);
	write_id(&w, MIKEY_IDRKMS, MIKEY_ID_NAI, e->config.kms);
	if (x->kind == EXCHANGE_REQUEST)
		write_policy(e, &w, x, ntp_now);
	else
		mikey_write_ticket_raw(&w, x->grant->ticket, x->grant->ticket_len);
	write_id(&w, MIKEY_IDRPSK, MIKEY_ID_BYTES, sender->psk_id);
	mac_off = mikey_write_v(&w, e->suite->auth_alg);
	x->len = (uint16_t)mikey_write_end(&w);
	return x->len ? mac_off : 0;
}

void exchanger_build(
	struct exchanger *e, struct exchange *const *x, unsigned int n, uint64_t ntp_now)
{
	size_t mac_off[EXCHANGE_BATCH_MAX];
	const uint8_t *auth_key[EXCHANGE_BATCH_MAX];
	unsigned int n_mac = 0;

	for (unsigned int i = 0; i < n; i++) {
		mac_off[i] = write_message(e, x[i], ntp_now);
		auth_key[i] = exchanger_derive_psk(e, x[i], KDF_AUTH, KDF_INIT, e->suite->mac_len);
	}
	exchanger_derive_all(e);
	for (unsigned int i = 0; i < n; i++) {
		const struct party *sender = exchange_sender(x[i]);

		if (mac_off[i] == 0)
			continue;
		e->mac_op[n_mac++] = (struct crypto_mac_op){
			.key = auth_key[i],
			.key_len = e->suite->mac_len,
			.hash = e->suite->hash,
			.n_segments = 3,
			.seg = {{x[i]->octets, (uint32_t)mac_off[i]},
				{sender->uid.data, sender->uid.len},
				{e->config.kms.data, e->config.kms.len}},
			.out = x[i]->octets + mac_off[i],
		};
	}
	if (n_mac > 0)
		crypto_mac(e->crypto, e->mac_op, n_mac);
}

/* First Payload, Vi, Vr (6.10) after the ticket's body; returns where the MAC of Vr goes. */
static uint8_t *append_initiator_data(struct exchanger *e, struct grant *g)
{
	uint8_t *data = g->ticket + g->ticket_len + 2, *p = data;
	size_t len = 1U + 2U * (2U + e->suite->mac_len);

	if (g->ticket_len + 2U + len > sizeof(g->ticket))
		return NULL;
	g->ticket[g->ticket_len] = (uint8_t)(len >> 8);
	g->ticket[g->ticket_len + 1] = (uint8_t)len;
	*p++ = MIKEY_V;
	*p++ = MIKEY_V;
	*p++ = e->suite->auth_alg;
	rng_fill(&e->rng, p, e->suite->mac_len);
	p += e->suite->mac_len;
	*p++ = MIKEY_LAST;
	*p++ = e->suite->auth_alg;
	g->ticket_len = (uint16_t)(g->ticket_len + 2 + len);
	return p;
}

static void append_nothing(struct grant *g)
{
	if (g->ticket_len + 2U > sizeof(g->ticket))
		return;
	memset(g->ticket + g->ticket_len, 0, 2);
	g->ticket_len = (uint16_t)(g->ticket_len + 2);
}

void exchanger_finish_tickets(struct exchanger *e, struct grant *const *g, unsigned int n)
{
	uint8_t *vr[EXCHANGE_BATCH_MAX];
	unsigned int n_mac = 0;

	for (unsigned int i = 0; i < n; i++) {
		size_t body_len = g[i]->ticket_len;

		if (g[i]->mpk_r.len == 0) {
			append_nothing(g[i]);
			continue;
		}
		vr[n_mac] = append_initiator_data(e, g[i]);
		if (!vr[n_mac])
			continue;
		const uint8_t *data = g[i]->ticket + body_len + 2;
		const uint8_t *key = exchanger_derive(e, g[i]->mpk_r.octets, g[i]->mpk_r.len,
			g[i]->prf, kdf_label_initiator_data(exchanger_next(e)->label, KDF_AUTH),
			e->suite->mac_len);

		e->mac_op[n_mac] = (struct crypto_mac_op){
			.key = key,
			.key_len = e->suite->mac_len,
			.hash = e->suite->hash,
			.n_segments = 1,
			.seg = {{data, (uint32_t)(vr[n_mac] - data)}},
			.out = vr[n_mac],
		};
		n_mac++;
	}
	exchanger_derive_all(e);
	if (n_mac > 0)
		crypto_mac(e->crypto, e->mac_op, n_mac);
}
