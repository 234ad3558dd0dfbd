/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mikey_rebuild.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/payload.h"
#include "common/mikey/writer.h"

struct rebuild {
	struct mikey_writer w;
	const uint8_t *octets;
	enum mikey_rebuild how;
};

static void write_chain(struct rebuild *r, struct mikey_span part, uint16_t kind);

/* A failed writer says SIZE_MAX: nothing to fill in then. */
static void fill(struct rebuild *r, size_t off, struct mikey_span from)
{
	if (off != SIZE_MAX)
		memcpy(r->w.buf + off, r->octets + from.off, from.len);
}

static void write_kemac(struct rebuild *r, const struct mikey_payload_view *p)
{
	size_t off = mikey_write_kemac(&r->w, p->type, NULL, p->data.len);

	cr_assert_eq(p->mac_alg, MIKEY_AUTH_NULL);
	fill(r, off, p->data);
}

static void write_v(struct rebuild *r, const struct mikey_payload_view *p)
{
	fill(r, mikey_write_v(&r->w, p->type), p->data);
}

static void write_initiator_data(struct rebuild *r, struct mikey_span data)
{
	struct mikey_nest nest;

	if (data.len == 0) {
		mikey_write_no_initiator_data(&r->w);
		return;
	}
	nest = mikey_open_initiator_data(&r->w);
	write_chain(r, data, MIKEY_LAST);
	mikey_close(&r->w, nest);
}

static void write_parts(struct rebuild *r, enum mikey_payload kind,
	const struct mikey_ticket_head *head, const struct mikey_ticket *t)
{
	struct mikey_nest nest = mikey_open_tp(&r->w, kind, head);

	write_chain(r, t->tp_data, MIKEY_LAST);
	mikey_close(&r->w, nest);
	if (kind == MIKEY_TP)
		return;
	nest = mikey_open_ticket_data(&r->w);
	write_chain(r, t->ticket_data, MIKEY_THDR);
	mikey_close(&r->w, nest);
	write_initiator_data(r, t->initiator_data);
}

static void write_ticket(struct rebuild *r, const struct mikey_payload_view *p)
{
	const struct mikey_ticket *t = &p->ticket;
	const struct mikey_ticket_head head = {
		.type = t->type,
		.subtype = t->subtype,
		.version = t->version,
		.prf = t->prf,
		.flags = t->flags,
		.reserved = t->reserved,
	};

	if (r->how == REBUILD_PARTS) {
		write_parts(r, p->kind, &head, t);
	} else if (r->how == REBUILD_RAW_TICKETS && p->kind == MIKEY_TICKET) {
		mikey_write_ticket_raw(&r->w, r->octets + t->body.off, t->body.len);
	} else {
		mikey_write_tp_raw(
			&r->w, p->kind, &head, r->octets + t->tp_data.off, t->tp_data.len);
		if (p->kind == MIKEY_TP)
			return;
		mikey_write_ticket_data_raw(
			&r->w, r->octets + t->ticket_data.off, t->ticket_data.len);
		write_initiator_data(r, t->initiator_data);
	}
}

static void write_payload(struct rebuild *r, const struct mikey_payload_view *p)
{
	struct mikey_writer *w = &r->w;
	const uint8_t *data = r->octets + p->data.off;
	size_t len = p->data.len;

	switch (p->kind) {
	case MIKEY_KEMAC:
		write_kemac(r, p);
		break;
	case MIKEY_PKE:
		mikey_write_pke(w, p->role, data, len);
		break;
	case MIKEY_DH:
		mikey_write_dh(w, p->type, data, len);
		break;
	case MIKEY_SIGN:
		mikey_write_sign(w, p->type, data, len);
		break;
	case MIKEY_T:
		mikey_write_t(w, p->type, data);
		break;
	case MIKEY_TR:
		mikey_write_tr(w, p->role, p->type, data);
		break;
	case MIKEY_ID:
		mikey_write_id(w, p->type, data, len);
		break;
	case MIKEY_IDR:
		mikey_write_idr(w, p->role, p->type, data, len);
		break;
	case MIKEY_CERT:
		mikey_write_cert(w, p->type, data, len);
		break;
	case MIKEY_CHASH:
		mikey_write_chash(w, p->type, data, len);
		break;
	case MIKEY_V:
		write_v(r, p);
		break;
	case MIKEY_SP:
		mikey_write_sp(w, p->role, p->type, data, len);
		break;
	case MIKEY_RAND:
		mikey_write_rand(w, data, len);
		break;
	case MIKEY_RANDR:
		mikey_write_randr(w, p->role, data, len);
		break;
	case MIKEY_ERR:
		mikey_write_err(w, p->type);
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		write_ticket(r, p);
		break;
	case MIKEY_GENERAL_EXT:
		mikey_write_general_ext(w, p->type, data, len);
		break;
	default:
		cr_assert_eq(p->kind, MIKEY_THDR);
		mikey_write_thdr(w, data, len);
	}
}

/* kind MIKEY_LAST: part begins with a First Payload octet. */
static void write_chain(struct rebuild *r, struct mikey_span part, uint16_t kind)
{
	struct mikey_payload_view p;
	struct mikey_cursor c;

	cursor_init(&c, r->octets, part.off, part.len);
	if (kind == MIKEY_LAST)
		kind = cursor_u8(&c, "First Payload");
	while (kind != MIKEY_LAST) {
		cr_assert(mikey_payload_read(&c, kind, &p), "%s", c.fault);
		write_payload(r, &p);
		kind = p.next;
	}
	cr_assert(!c.failed && cursor_left(&c) == 0);
}

size_t mikey_rebuild(
	const uint8_t *octets, size_t len, enum mikey_rebuild how, uint8_t *out, size_t cap)
{
	struct rebuild r = {.octets = octets, .how = how};
	struct mikey_payload_view p;
	struct mikey_message m;
	struct mikey_cursor c;

	cr_assert_eq(mikey_parse_message(&m, octets, len), MIKEY_PARSE_OK);
	mikey_write_begin(&r.w, out, cap);
	mikey_write_hdr_map(&r.w, m.data_type, m.v_flag, m.prf, m.csb_id, m.n_cs, m.map_type,
		octets + m.map.off, m.map.len);
	cursor_init(&c, octets, MIKEY_HDR_LEN + m.map.len, len - MIKEY_HDR_LEN - m.map.len);
	for (p.next = m.first_payload; p.next != MIKEY_LAST;) {
		cr_assert(mikey_payload_read(&c, p.next, &p), "%s", c.fault);
		write_payload(&r, &p);
	}
	return mikey_write_end(&r.w);
}
