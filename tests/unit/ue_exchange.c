/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/ue_exchange.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/vectors.h"

static const char *draw_name(enum ue_draw what)
{
	switch (what) {
	case UE_DRAW_CSB_ID:
		return "CSB ID";
	case UE_DRAW_RANDR:
		return "RANDR";
	case UE_DRAW_SSRC:
		return "SSRC";
	case UE_DRAW_KEY:
		return "TGK";
	case UE_DRAW_SALT:
		return "salt";
	case UE_DRAW_SPI:
		return "SPI";
	case UE_DRAW_MPK:
		return "MPK";
	case UE_DRAW_MPK_SPI:
		return "MPK SPI";
	case UE_DRAW_TICKET_RAND:
		return "ticket RAND";
	}
	return "";
}

static int same_draw(const char *what, const char *name)
{
	if (strcmp(name, "RANDR") == 0) {
		return strcmp(what, "RANDRi") == 0 || strcmp(what, "RANDRr") == 0;
	}
	return strcmp(what, name) == 0;
}

static int draw(void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len)
{
	struct exchange *x = ((struct user *)arg)->exchange;
	json_t *op;
	size_t i;

	cr_assert(x->step, "no step to draw %s for", draw_name(what));
	json_array_foreach(json_object_get(x->step, "trace"), i, op)
	{
		if (strcmp(vectors_string(op, "op"), "random") != 0 ||
			!same_draw(vectors_string(op, "what"), draw_name(what)) || index-- != 0)
			continue;
		cr_assert_eq(vectors_octets(op, "value", out, len), len, "%s: %s", x->name,
			draw_name(what));
		x->drawn++;
		return 0;
	}
	cr_assert_fail("%s: %s is not drawn in the vector", x->name, draw_name(what));
	return -1;
}

static struct identity text(const json_t *value)
{
	const char *s = json_string_value(value);

	cr_assert(s);
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

static void open_user(struct exchange *x, struct user *u, unsigned int i, struct crypto *crypto)
{
	const json_t *config = json_object_get(x->json, "config");
	const json_t *s = json_array_get(json_object_get(config, "subscribers"), i);
	const json_t *uids = json_object_get(s, "uids");

	ue_init(&u->ue, crypto, draw, u);
	u->exchange = x;
	for (u->ue.n_uids = 0; u->ue.n_uids < json_array_size(uids); u->ue.n_uids++)
		u->uids[u->ue.n_uids] = text(json_array_get(uids, u->ue.n_uids));
	u->ue.uids = u->uids;
	u->ue.psk_id = text(json_object_get(s, "psk_id"));
	u->ue.psk = u->psk;
	u->ue.psk_len = vectors_octets(s, "psk", u->psk, sizeof(u->psk));
	u->ue.kms = text(json_object_get(config, "kms_identity"));
	u->ue.suite = x->suite;
	u->own = (struct ue_tpk){u->ue.psk_id, u->psk, u->ue.psk_len};
}

static json_t *find_step(const struct exchange *x, const char *name)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(x->json, "steps"), i, step)
	{
		if (strcmp(vectors_string(step, "step"), name) == 0)
			return step;
	}
	return NULL;
}

static void load_message(const struct exchange *x, const char *name, struct octets *m)
{
	const json_t *step = find_step(x, name);

	m->len = step ? vectors_octets(step, "message", m->data, sizeof(m->data)) : 0;
}

static void open_at(struct exchange *x, unsigned int i, struct crypto *crypto)
{
	x->json = json_array_get(x->all, i);
	cr_assert(x->json);
	x->name = vectors_string(x->json, "name");
	x->suite = vectors_string(x->json, "suite")[0] == 'A' ? UE_SUITE_A : UE_SUITE_B;
	cr_assert(strncmp(x->name, "mode", 4) == 0);
	x->mode = x->name[4] - '0';
	open_user(x, &x->alice, 0, crypto);
	open_user(x, &x->bob, 1, crypto);
	load_message(x, "REQUEST_INIT", &x->request);
	load_message(x, "REQUEST_RESP", &x->request_resp);
	load_message(x, "TRANSFER_INIT", &x->transfer);
	load_message(x, "RESOLVE_INIT", &x->resolve);
	load_message(x, "RESOLVE_RESP", &x->resolve_resp);
	load_message(x, "TRANSFER_RESP", &x->transfer_resp);
	x->tpk = x->mode == 2 ? x->bob.own : x->alice.own;
	if (x->mode == 4) {
		x->tpk.id = (struct identity){(const uint8_t *)"tpk-ab", 6};
		x->tpk.key = x->shared_tpk;
		x->tpk.len = vectors_octets(json_object_get(x->json, "config"), "tpk_alice_bob",
			x->shared_tpk, sizeof(x->shared_tpk));
	}
	if (strstr(x->name, "ntp_utc_32")) {
		x->alice.ue.ts_type = MIKEY_TS_NTP_UTC_32;
		x->bob.ue.ts_type = MIKEY_TS_NTP_UTC_32;
	}
}

void exchange_open(struct exchange *x, unsigned int i, struct crypto *crypto)
{
	memset(x, 0, sizeof(*x));
	x->all = vectors_load("exchanges.json");
	cr_assert_eq(json_array_size(x->all), EXCHANGES);
	open_at(x, i, crypto);
}

void exchange_open_named(struct exchange *x, const char *name, char suite, struct crypto *crypto)
{
	json_t *e;
	size_t i;

	memset(x, 0, sizeof(*x));
	x->all = vectors_load("exchanges.json");
	json_array_foreach(x->all, i, e)
	{
		if (strcmp(vectors_string(e, "name"), name) == 0 &&
			vectors_string(e, "suite")[0] == suite) {
			open_at(x, (unsigned int)i, crypto);
			return;
		}
	}
	cr_assert_fail("no exchange %s in suite %c", name, suite);
}

void exchange_close(struct exchange *x)
{
	json_decref(x->all);
}

void exchange_step(struct exchange *x, const char *step)
{
	x->step = find_step(x, step);
	x->drawn = 0;
	cr_assert(x->step, "%s has no step %s", x->name, step);
}

/* Every random string of the step was asked for, none twice. */
static void all_drawn(const struct exchange *x)
{
	unsigned int n = 0;
	json_t *op;
	size_t i;

	json_array_foreach(json_object_get(x->step, "trace"), i, op)
	{
		n += strcmp(vectors_string(op, "op"), "random") == 0;
	}
	cr_assert_eq(x->drawn, n, "%s: %u of %u draws", x->name, x->drawn, n);
}

static uint64_t t64_value(const uint8_t t64[8])
{
	uint64_t t = 0;

	for (unsigned int i = 0; i < 8; i++)
		t = t << 8 | t64[i];
	return t;
}

uint64_t exchange_clock(const struct octets *m)
{
	struct mikey_message p;
	uint8_t t64[8];

	cr_assert_eq(mikey_parse_message(&p, m->data, m->len), MIKEY_PARSE_OK);
	cr_assert(p.t.present);
	mikey_t64(t64, m->data, &p.t);
	return t64_value(t64);
}

static struct ue_time time_of(const uint8_t *octets, const struct mikey_t *t)
{
	struct ue_time out = {.present = t->present, .type = t->type};

	if (t->present)
		memcpy(out.value, mikey_at(octets, t->value), t->value.len);
	return out;
}

static void wishes_of(const uint8_t *octets, const struct mikey_kemac *kemac, struct ue_policy *p)
{
	struct mikey_key key[MIKEY_KEYS_MAX];
	const uint8_t *data = mikey_at(octets, kemac->data);

	p->key_list = UE_KEYS_LISTED;
	cr_assert_eq(mikey_parse_keys(key, MIKEY_KEYS_MAX, &p->n_keys, data, kemac->data.len),
		MIKEY_PARSE_OK);
	for (unsigned int i = 0; i < p->n_keys; i++) {
		p->keys[i] = (struct ue_key_wish){
			.type = key[i].type,
			.key_len = (uint8_t)key[i].key.len,
			.salt_len = (uint8_t)key[i].salt.len,
			.spi_len = (uint8_t)key[i].spi.len,
		};
		memcpy(p->keys[i].spi, data + key[i].spi.off, key[i].spi.len);
	}
}

static unsigned int ids_of(
	const uint8_t *octets, const struct mikey_id *ids, unsigned int n, struct identity *out)
{
	for (unsigned int i = 0; i < n; i++)
		out[i] = (struct identity){mikey_at(octets, ids[i].data), ids[i].data.len};
	return n;
}

void exchange_policy(struct exchange *x, const struct octets *m, struct ue_policy *policy)
{
	struct mikey_message p;
	struct mikey_tp_data tp;

	cr_assert_eq(mikey_parse_message(&p, m->data, m->len), MIKEY_PARSE_OK);
	const struct mikey_ticket *t = p.tp.present ? &p.tp : &p.ticket;
	cr_assert_eq(mikey_parse_tp_data(&tp, m->data, t->tp_data), MIKEY_PARSE_OK);
	memset(policy, 0, sizeof(*policy));
	policy->type = t->type;
	policy->subtype = t->subtype;
	policy->version = t->version;
	policy->flags = t->flags;
	policy->omit = (uint8_t)((tp.idr_kms.present ? 0 : UE_OMIT_IDR_KMS) |
				 (tp.idr_i.present ? 0 : UE_OMIT_IDR_I));
	policy->trs = time_of(m->data, &tp.trs);
	policy->tre = time_of(m->data, &tp.tre);
	policy->trr = time_of(m->data, &tp.trr);
	if (tp.kemac.present)
		wishes_of(m->data, &tp.kemac, policy);
	policy->recipients = x->recipients;
	policy->n_recipients = ids_of(m->data, tp.idr_r, tp.n_idr_r, x->recipients);
	policy->apps = x->apps;
	policy->n_apps = ids_of(m->data, tp.idr_app, tp.n_idr_app, x->apps);
}

static const json_t *kemac_of(const struct exchange *x, const char *step)
{
	json_t *op;
	size_t i;

	json_array_foreach(json_object_get(find_step(x, step), "trace"), i, op)
	{
		if (strcmp(vectors_string(op, "op"), "kemac") == 0)
			return op;
	}
	return NULL;
}

int exchange_responder_keys(struct exchange *x, struct ue_keyset *keys)
{
	const json_t *op = x->transfer_resp.len ? kemac_of(x, "TRANSFER_RESP") : NULL;
	uint8_t plain[1024];

	if (!op)
		return 0;
	size_t len = vectors_octets(op, "plaintext", plain, sizeof(plain));
	cr_assert_eq(ue_keyset_set(keys, plain, len), UE_OK);
	return 1;
}

static void same(const struct exchange *x, const char *what, const struct octets *expected,
	const uint8_t *got, size_t len)
{
	cr_assert_eq(len, expected->len, "%s %s: %zu octets, not %zu", x->name, what, len,
		expected->len);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(got[i], expected->data[i], "%s %s: octet %zu", x->name, what, i);
}

static void ok(const struct exchange *x, const char *what, enum ue_result r)
{
	cr_assert_eq(r, UE_OK, "%s suite %d, %s: %s", x->name, x->suite, what, ue_strerror(r));
}

static void request(struct exchange *x)
{
	struct ue_policy policy;
	struct ue_info info;
	uint8_t buf[MESSAGE_MAX];
	size_t len;

	exchange_policy(x, &x->request, &policy);
	exchange_step(x, "REQUEST_INIT");
	ok(x, "request",
		ue_request_build(&x->alice.ue, &policy, exchange_clock(&x->request), buf,
			sizeof(buf), &len));
	all_drawn(x);
	same(x, "REQUEST_INIT", &x->request, buf, len);
	ok(x, "REQUEST_RESP",
		ue_request_process(&x->alice.ue, UE_CHANGES_STRICTER, x->request.data,
			x->request.len, x->request_resp.data, x->request_resp.len,
			exchange_clock(&x->request_resp), &x->ticket, &info));
	cr_assert(info.verified && info.has_time && info.offset_us == 0 && info.error_no == -1);
}

static void make(struct exchange *x)
{
	struct ue_policy policy;
	uint8_t t64[8];

	exchange_policy(x, &x->transfer, &policy);
	exchange_step(x, "create ticket");
	vectors_octets(kemac_of(x, "create ticket"), "t64", t64, sizeof(t64));
	ok(x, "ticket", ue_ticket_make(&x->alice.ue, &policy, &x->tpk, t64_value(t64), &x->ticket));
	all_drawn(x);
}

void exchange_get_ticket(struct exchange *x)
{
	if (x->mode <= 2)
		request(x);
	else
		make(x);
}

void exchange_transfer(struct exchange *x)
{
	struct mikey_message m;
	struct ue_offer offer;
	uint8_t buf[MESSAGE_MAX];
	size_t len;
	struct ue_map map;

	cr_assert_eq(mikey_parse_message(&m, x->transfer.data, x->transfer.len), MIKEY_PARSE_OK);
	ok(x, "map", ue_map_read(&map, &m));
	exchange_step(x, "TRANSFER_INIT");
	const struct identity idr_r = {
		mikey_at(x->transfer.data, m.idr[MIKEY_IDRR].data), m.idr[MIKEY_IDRR].data.len};
	if (map.cs[0].s_flag) {
		/* Session data that the vector's user chose: not drawn. */
		memset(&offer, 0, sizeof(offer));
		offer.idr_r = idr_r;
		offer.n_sp = 1;
		ue_sp_srtp(&offer.sp[0], 0, x->suite);
		offer.map = map;
	} else {
		ok(x, "offer", ue_offer_srtp(&x->alice.ue, &x->ticket, idr_r, NULL, &offer));
	}
	ok(x, "transfer",
		ue_transfer_build(&x->alice.ue, &x->ticket, &offer, exchange_clock(&x->transfer),
			buf, sizeof(buf), &len));
	all_drawn(x);
	same(x, "TRANSFER_INIT", &x->transfer, buf, len);
}

void exchange_resolve(struct exchange *x)
{
	struct ue_info info;
	uint8_t buf[MESSAGE_MAX];
	size_t len;

	if (!x->resolve.len) {
		ok(x, "local",
			ue_resolve_local(&x->bob.ue, x->transfer.data, x->transfer.len, &x->tpk,
				exchange_clock(&x->transfer), &x->resolved));
		return;
	}
	exchange_step(x, "RESOLVE_INIT");
	ok(x, "resolve",
		ue_resolve_build(&x->bob.ue, x->transfer.data, x->transfer.len,
			exchange_clock(&x->resolve), buf, sizeof(buf), &len));
	all_drawn(x);
	same(x, "RESOLVE_INIT", &x->resolve, buf, len);
	ok(x, "RESOLVE_RESP",
		ue_resolve_process(&x->bob.ue, x->transfer.data, x->transfer.len, x->resolve.data,
			x->resolve.len, x->resolve_resp.data, x->resolve_resp.len,
			exchange_clock(&x->resolve_resp), &x->resolved, &info));
	cr_assert(info.verified);
}

void exchange_answer(struct exchange *x)
{
	static struct ue_keyset keys;
	uint8_t buf[MESSAGE_MAX];
	size_t len;

	if (!x->transfer_resp.len) {
		ok(x, "one way",
			ue_answer_one_way(&x->bob.ue, &x->resolved, x->transfer.data,
				x->transfer.len, exchange_clock(&x->transfer), &x->sessions_b));
		return;
	}
	const int own = exchange_responder_keys(x, &keys);
	exchange_step(x, "TRANSFER_RESP");
	ok(x, "answer",
		ue_answer_build(&x->bob.ue, &x->resolved, x->transfer.data, x->transfer.len,
			own ? &keys : NULL, exchange_clock(&x->transfer_resp), buf, sizeof(buf),
			&len, &x->sessions_b));
	all_drawn(x);
	same(x, "TRANSFER_RESP", &x->transfer_resp, buf, len);
}

void exchange_finish(struct exchange *x)
{
	struct ue_info info;
	uint8_t peer[IDENTITY_MAX], peer_len;

	if (!x->transfer_resp.len) {
		ok(x, "one way",
			ue_transfer_one_way(&x->alice.ue, &x->ticket, x->transfer.data,
				x->transfer.len, &x->sessions_a));
		return;
	}
	ok(x, "TRANSFER_RESP",
		ue_transfer_process(&x->alice.ue, &x->ticket, x->transfer.data, x->transfer.len,
			x->transfer_resp.data, x->transfer_resp.len,
			exchange_clock(&x->transfer_resp), &x->sessions_a, peer, &peer_len, &info));
	cr_assert(info.verified);
	cr_assert(identity_match(x->recipients[0], (struct identity){peer, peer_len}));
}

void exchange_run(struct exchange *x)
{
	exchange_get_ticket(x);
	exchange_transfer(x);
	exchange_resolve(x);
	exchange_answer(x);
	exchange_finish(x);
}
