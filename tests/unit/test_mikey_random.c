/* SPDX-License-Identifier: BSD-3-Clause */
/* Random messages: what the writer was given is what the parser finds, whatever the order. */
#include <criterion/criterion.h>
#include <string.h>

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "tests/fuzz/mikey_walk.h"
#include "tests/unit/mikey_rebuild.h"

enum { ROOM = 65535, ROUNDS = 3000, DATA = 300 };

/* What the parser should find: the value that was written first. */
struct want {
	bool present;
	uint8_t type;
	size_t len;
	uint8_t data[DATA];
};

struct random {
	uint64_t state;
	struct mikey_writer w;
	uint8_t out[ROOM];
	uint8_t again[ROOM];
};

static uint32_t rnd(struct random *r, uint32_t below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)(r->state >> 32) % below;
}

/* New random data of len octets, remembered in first unless there is something already. */
static const uint8_t *data_of(
	struct random *r, struct want *first, uint8_t type, size_t len, uint8_t data[DATA])
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)rnd(r, 256);
	if (first != NULL && !first->present) {
		*first = (struct want){.present = true, .type = type, .len = len};
		memcpy(first->data, data, len);
	}
	return data;
}

static void check(const struct want *want, bool present, uint8_t type, const uint8_t *octets,
	struct mikey_span s)
{
	cr_assert_eq(present, want->present);
	if (!present)
		return;
	cr_assert_eq(type, want->type);
	cr_assert_eq(s.len, want->len);
	cr_assert_arr_eq(octets + s.off, want->data, want->len);
}

static size_t ts_len(uint8_t type)
{
	return type < MIKEY_TS_COUNTER ? 8 : 4;
}

static size_t some_len(struct random *r)
{
	return rnd(r, 8) == 0 ? 0 : rnd(r, 256);
}

struct want_message {
	struct want t, idr[8], randr[6], kemac, v;
};

static void write_random_payload(struct random *r, struct want_message *want)
{
	uint8_t data[DATA], role, type;
	size_t len = some_len(r), off;

	switch (rnd(r, 10)) {
	case 0:
		type = (uint8_t)rnd(r, 4);
		mikey_write_t(&r->w, type, data_of(r, &want->t, type, ts_len(type), data));
		break;
	case 1:
	case 2:
		role = (uint8_t)rnd(r, 8);
		type = (uint8_t)rnd(r, 256);
		mikey_write_idr(
			&r->w, role, type, data_of(r, &want->idr[role], type, len, data), len);
		break;
	case 3:
		role = (uint8_t)rnd(r, 6);
		mikey_write_randr(&r->w, role, data_of(r, &want->randr[role], 0, len, data), len);
		break;
	case 4:
		type = (uint8_t)rnd(r, 256);
		mikey_write_kemac(&r->w, type, data_of(r, &want->kemac, type, len, data), len);
		break;
	case 5:
		type = (uint8_t)rnd(r, 3);
		off = mikey_write_v(&r->w, type);
		len = (size_t)mikey_mac_len(type);
		if (off != SIZE_MAX)
			memcpy(r->out + off, data_of(r, &want->v, type, len, data), len);
		break;
	case 6:
		mikey_write_sp(&r->w, (uint8_t)rnd(r, 256), 0, data_of(r, NULL, 0, len, data), len);
		break;
	case 7:
		mikey_write_tr(
			&r->w, (uint8_t)rnd(r, 9), MIKEY_TS_COUNTER, data_of(r, NULL, 0, 4, data));
		break;
	case 8:
		mikey_write_general_ext(
			&r->w, (uint8_t)rnd(r, 256), data_of(r, NULL, 0, len, data), len);
		break;
	default:
		mikey_write_rand(&r->w, data_of(r, NULL, 0, len, data), len);
	}
}

static void begin(struct random *r, uint64_t seed, uint32_t csb_id)
{
	r->state = seed * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; i < 8; i++)
		rnd(r, 2);
	mikey_write_begin(&r->w, r->out, sizeof(r->out));
	mikey_write_hdr(&r->w, (uint8_t)rnd(r, 256), (uint8_t)rnd(r, 128), csb_id);
}

/* Parses, and writes what was parsed once more. */
static void parse(struct random *r, struct mikey_message *m)
{
	size_t len = mikey_write_end(&r->w);

	cr_assert_gt(len, 0);
	cr_assert_eq(mikey_parse_message(m, r->out, len), MIKEY_PARSE_OK);
	mikey_walk(r->out, len);
	for (unsigned int how = 0; how < REBUILD_WAYS; how++) {
		cr_assert_eq(mikey_rebuild(r->out, len, how, r->again, sizeof(r->again)), len);
		cr_assert_arr_eq(r->again, r->out, len);
	}
}

Test(mikey_random, messages_come_back)
{
	static struct random r;

	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct want_message want;
		struct mikey_message m;

		memset(&want, 0, sizeof(want));
		begin(&r, seed, seed);
		for (uint32_t n = rnd(&r, 30); n > 0; n--)
			write_random_payload(&r, &want);
		parse(&r, &m);
		cr_assert_eq(m.csb_id, seed);
		check(&want.t, m.t.present, m.t.type, r.out, m.t.value);
		for (unsigned int i = MIKEY_IDRI; i <= MIKEY_IDRAPP; i++)
			check(&want.idr[i], m.idr[i].present, m.idr[i].type, r.out, m.idr[i].data);
		for (unsigned int i = MIKEY_RANDRI; i <= MIKEY_RANDRKMS; i++)
			check(&want.randr[i], m.randr[i].present, 0, r.out, m.randr[i].data);
		check(&want.kemac, m.kemac.present, m.kemac.encr_alg, r.out, m.kemac.data);
		check(&want.v, m.v.present, m.v.auth_alg, r.out, m.v.mac);
	}
}

struct want_ticket {
	struct mikey_ticket_head head;
	struct want idr_kms, idr_i, tre, idr_r[6];
	struct want rand, kemac, idr_psk, v, vi, vr;
	unsigned int n_idr_r;
};

static void write_tp_data(struct random *r, struct want_ticket *want)
{
	uint8_t data[DATA];
	size_t len = some_len(r);

	if (rnd(r, 2))
		mikey_write_idr(
			&r->w, MIKEY_IDRKMS, 0, data_of(r, &want->idr_kms, 0, len, data), len);
	want->n_idr_r = rnd(r, 6);
	for (unsigned int i = 0; i < want->n_idr_r; i++) {
		len = some_len(r);
		mikey_write_idr(
			&r->w, MIKEY_IDRR, 1, data_of(r, &want->idr_r[i], 1, len, data), len);
	}
	if (rnd(r, 2))
		mikey_write_tr(&r->w, MIKEY_TRE, 3, data_of(r, &want->tre, 3, 4, data));
	if (rnd(r, 2))
		mikey_write_idr(&r->w, MIKEY_IDRI, 0, data_of(r, &want->idr_i, 0, len, data), len);
}

static void write_mac(struct random *r, uint8_t alg, struct want *want)
{
	size_t off = mikey_write_v(&r->w, alg), len = (size_t)mikey_mac_len(alg);
	uint8_t data[DATA];

	cr_assert_neq(off, SIZE_MAX);
	memcpy(r->out + off, data_of(r, want, alg, len, data), len);
}

static void write_ticket_data(struct random *r, struct want_ticket *want)
{
	uint8_t data[DATA];
	size_t len = some_len(r);
	struct mikey_nest nest = mikey_open_ticket_data(&r->w);

	mikey_write_thdr(&r->w, data_of(r, NULL, 0, len, data), len);
	mikey_write_rand(&r->w, data_of(r, &want->rand, 0, len, data), len);
	if (rnd(r, 2))
		mikey_write_idr(
			&r->w, MIKEY_IDRPSK, 2, data_of(r, &want->idr_psk, 2, len, data), len);
	mikey_write_kemac(&r->w, 3, data_of(r, &want->kemac, 3, len, data), len);
	mikey_write_t(&r->w, 0, data_of(r, NULL, 0, 8, data));
	write_mac(r, (uint8_t)rnd(r, 3), &want->v);
	mikey_close(&r->w, nest);
}

static void write_ticket(struct random *r, struct want_ticket *want)
{
	struct mikey_nest nest;

	want->head = (struct mikey_ticket_head){
		.type = (uint16_t)rnd(r, 65536),
		.subtype = (uint8_t)rnd(r, 256),
		.version = (uint8_t)rnd(r, 256),
		.prf = (uint8_t)rnd(r, 128),
		.flags = (uint16_t)rnd(r, 4096),
		.reserved = (uint8_t)rnd(r, 32),
	};
	nest = mikey_open_tp(&r->w, MIKEY_TICKET, &want->head);
	write_tp_data(r, want);
	mikey_close(&r->w, nest);
	write_ticket_data(r, want);
	if (rnd(r, 2)) {
		mikey_write_no_initiator_data(&r->w);
		return;
	}
	nest = mikey_open_initiator_data(&r->w);
	write_mac(r, 2, &want->vi);
	write_mac(r, 1, &want->vr);
	mikey_close(&r->w, nest);
}

static void check_ticket(
	const uint8_t *octets, const struct mikey_ticket *t, const struct want_ticket *want)
{
	struct mikey_initiator_data id;
	struct mikey_ticket_data td;
	struct mikey_tp_data tp;

	cr_assert(t->type == want->head.type && t->subtype == want->head.subtype);
	cr_assert(t->version == want->head.version && t->prf == want->head.prf);
	cr_assert(t->flags == want->head.flags && t->reserved == want->head.reserved);
	cr_assert_eq(mikey_parse_tp_data(&tp, octets, t->tp_data), MIKEY_PARSE_OK);
	check(&want->idr_kms, tp.idr_kms.present, tp.idr_kms.type, octets, tp.idr_kms.data);
	check(&want->idr_i, tp.idr_i.present, tp.idr_i.type, octets, tp.idr_i.data);
	check(&want->tre, tp.tre.present, tp.tre.type, octets, tp.tre.value);
	cr_assert_eq(tp.n_idr_r, want->n_idr_r);
	for (unsigned int i = 0; i < tp.n_idr_r; i++)
		check(&want->idr_r[i], true, tp.idr_r[i].type, octets, tp.idr_r[i].data);
	cr_assert_eq(mikey_parse_ticket_data(&td, octets, t->ticket_data), MIKEY_PARSE_OK);
	check(&want->rand, td.rand.present, 0, octets, td.rand.data);
	check(&want->kemac, true, td.kemac.encr_alg, octets, td.kemac.data);
	check(&want->idr_psk, td.idr_psk.present, td.idr_psk.type, octets, td.idr_psk.data);
	check(&want->v, true, td.v.auth_alg, octets, td.v.mac);
	cr_assert_eq(t->initiator_data.len > 0, want->vi.present);
	if (!want->vi.present)
		return;
	cr_assert_eq(mikey_parse_initiator_data(&id, octets, t->initiator_data), MIKEY_PARSE_OK);
	check(&want->vi, true, id.vi.auth_alg, octets, id.vi.mac);
	check(&want->vr, true, id.vr.auth_alg, octets, id.vr.mac);
}

Test(mikey_random, tickets_come_back)
{
	static struct random r;

	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct want_message around;
		struct want_ticket want;
		struct mikey_message m;

		memset(&around, 0, sizeof(around));
		memset(&want, 0, sizeof(want));
		begin(&r, seed, seed);
		for (uint32_t n = rnd(&r, 4); n > 0; n--)
			write_random_payload(&r, &around);
		write_ticket(&r, &want);
		for (uint32_t n = rnd(&r, 4); n > 0; n--)
			write_random_payload(&r, &around);
		parse(&r, &m);
		cr_assert(m.ticket.present);
		check_ticket(r.out, &m.ticket, &want);
		check(&around.t, m.t.present, m.t.type, r.out, m.t.value);
		check(&around.v, m.v.present, m.v.auth_alg, r.out, m.v.mac);
	}
}
