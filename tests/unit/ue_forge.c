/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/ue_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/ue/exchange.h"
#include "common/ue/protect.h"

static struct mikey_message parsed(const struct octets *m)
{
	struct mikey_message p;

	cr_assert_eq(mikey_parse_message(&p, m->data, m->len), MIKEY_PARSE_OK);
	return p;
}

static struct identity span(const struct octets *m, struct mikey_span s)
{
	return (struct identity){m->data + s.off, s.len};
}

static void write_header(const struct forge *f, const struct mikey_message *init,
	struct mikey_writer *w, uint8_t t64[8])
{
	uint8_t map[UE_MAP_OCTETS];
	const size_t len = f->map ? ue_map_encode(f->map, map, sizeof(map)) : 0;

	mikey_write_hdr_map(w, f->type, false, init->prf, init->csb_id ^ f->csb_xor,
		f->map ? (uint8_t)f->map->n : 0, f->map ? MIKEY_MAP_GENERIC_ID : MIKEY_MAP_EMPTY,
		map, len);
	ue_write_now(w, f->ts_type, f->t, t64);
}

static void write_body(struct crypto *ctx, const struct forge *f, const struct ue_keying *k,
	struct mikey_writer *w, const uint8_t t64[8])
{
	if (f->kms.len)
		mikey_write_idr(w, MIKEY_IDRKMS, MIKEY_ID_NAI, f->kms.data, f->kms.len);
	if (f->ticket) {
		ue_ticket_write(w, f->ticket);
		mikey_write_no_initiator_data(w);
	}
	if (f->rand_r.len)
		mikey_write_randr(w, MIKEY_RANDRR, f->rand_r.data, f->rand_r.len);
	if (f->idr_r.len)
		mikey_write_idr(w, MIKEY_IDRR, MIKEY_ID_NAI, f->idr_r.data, f->idr_r.len);
	if (f->rand_kms.len)
		mikey_write_randr(w, MIKEY_RANDRKMS, f->rand_kms.data, f->rand_kms.len);
	if (f->keys && f->encr_alg == MIKEY_ENCR_NULL)
		(void)mikey_write_kemac(w, MIKEY_ENCR_NULL, f->keys->octets, f->keys->len);
	else if (f->keys)
		ue_kemac_write(ctx, k, w, f->encr_alg, t64, f->keys);
	if (f->type == MIKEY_ERROR)
		mikey_write_err(w, f->error);
}

void forge_write(struct crypto *ctx, const struct forge *f, struct octets *out)
{
	const struct mikey_message init = parsed(f->init);
	const uint8_t alg = f->auth_alg ? f->auth_alg : init.v.auth_alg;
	struct ue_keying k = ue_keying_init(&init, f->inkey, (uint16_t)f->inkey_len);
	struct mikey_writer w;
	uint8_t t64[8];
	size_t mac = 0;

	k.csb_id ^= f->csb_xor;
	if (f->type != MIKEY_ERROR)
		k.use = UE_USE_RESP;
	if (f->rand_r.len)
		k.rand_r = (struct kdf_rand){f->rand_r.data, (uint8_t)f->rand_r.len};
	mikey_write_begin(&w, out->data, sizeof(out->data));
	write_header(f, &init, &w, t64);
	write_body(ctx, f, &k, &w, t64);
	if (f->inkey)
		mac = mikey_write_v(&w, alg);
	out->len = mikey_write_end(&w);
	cr_assert(out->len);
	if (!f->inkey)
		return;
	const struct crypto_segment seg[] = {
		{out->data, (uint32_t)mac}, {f->init->data, (uint32_t)f->init->len}};
	ue_mac(ctx, &k, alg, seg, f->type == MIKEY_ERROR ? 1 : 2, out->data + mac);
}

static struct forge from(const struct octets *init, const struct octets *resp)
{
	const struct mikey_message r = parsed(resp);
	struct forge f = {
		.init = init,
		.type = r.data_type,
		.t = exchange_clock(resp),
		.ts_type = r.t.type,
	};

	if (r.idr[MIKEY_IDRKMS].present)
		f.kms = span(resp, r.idr[MIKEY_IDRKMS].data);
	if (r.idr[MIKEY_IDRR].present)
		f.idr_r = span(resp, r.idr[MIKEY_IDRR].data);
	if (r.randr[MIKEY_RANDRKMS].present)
		f.rand_kms = span(resp, r.randr[MIKEY_RANDRKMS].data);
	if (r.randr[MIKEY_RANDRR].present)
		f.rand_r = span(resp, r.randr[MIKEY_RANDRR].data);
	f.encr_alg = r.prf == MIKEY_PRF_MIKEY_1 ? MIKEY_ENCR_AES_CM_128 : MIKEY_ENCR_AES_CM_256;
	return f;
}

static void open_kemac(
	struct forge *f, const struct user *u, const struct octets *resp, struct ue_keyset *keys)
{
	const struct mikey_message i = parsed(f->init), r = parsed(resp);
	struct ue_keying k = ue_keying_init(&i, u->psk, (uint16_t)u->ue.psk_len);
	uint8_t t64[8];

	k.use = UE_USE_RESP;
	mikey_t64(t64, resp->data, &r.t);
	cr_assert_eq(ue_kemac_open(u->ue.crypto, &k, resp->data, &r.kemac, t64, keys), UE_OK);
	f->inkey = u->psk;
	f->inkey_len = u->ue.psk_len;
	f->keys = keys;
}

struct forge forge_resolve_resp(struct exchange *x, struct ue_keyset *keys)
{
	struct forge f = from(&x->resolve, &x->resolve_resp);

	open_kemac(&f, &x->bob, &x->resolve_resp, keys);
	return f;
}

struct forge forge_request_resp(
	struct exchange *x, struct ue_keyset *keys, struct ue_ticket *ticket)
{
	struct forge f = from(&x->request, &x->request_resp);
	const struct mikey_message r = parsed(&x->request_resp);

	open_kemac(&f, &x->alice, &x->request_resp, keys);
	cr_assert_eq(ue_ticket_adopt(ticket, &r), UE_OK);
	f.ticket = ticket;
	return f;
}

struct forge forge_transfer_resp(struct exchange *x, struct ue_map *map)
{
	struct forge f = from(&x->transfer, &x->transfer_resp);
	const struct mikey_message r = parsed(&x->transfer_resp);
	const struct mikey_key *mpk = ue_keyset_mpk(&x->resolved.keys, x->resolved.forked ? 1 : 0);

	f.inkey = ue_keyset_at(&x->resolved.keys, mpk->key);
	f.inkey_len = mpk->key.len;
	cr_assert_eq(ue_map_read(map, &r), UE_OK);
	f.map = map;
	return f;
}
