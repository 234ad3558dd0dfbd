/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/mikey/parts.h"
#include "common/mikey/payload.h"

static bool take_tp_idr(struct mikey_tp_data *tp, const struct mikey_payload_view *p)
{
	switch (p->role) {
	case MIKEY_IDRKMS:
		return part_set_id(&tp->idr_kms, p);
	case MIKEY_IDRI:
		return part_set_id(&tp->idr_i, p);
	case MIKEY_IDRAPP:
		if (tp->n_idr_app < MIKEY_IDRAPP_MAX)
			part_set_id(&tp->idr_app[tp->n_idr_app], p);
		tp->n_idr_app++;
		return true;
	case MIKEY_IDRR:
		if (tp->n_idr_r < MIKEY_IDRR_MAX)
			part_set_id(&tp->idr_r[tp->n_idr_r], p);
		tp->n_idr_r++;
		return true;
	default:
		return false;
	}
}

static bool take_tp_tr(struct mikey_tp_data *tp, const struct mikey_payload_view *p)
{
	switch (p->role) {
	case MIKEY_TRS:
		return part_set_t(&tp->trs, p);
	case MIKEY_TRE:
		return part_set_t(&tp->tre, p);
	case MIKEY_TRR:
		return part_set_t(&tp->trr, p);
	default:
		return false;
	}
}

enum mikey_parse mikey_parse_tp_data(
	struct mikey_tp_data *tp, const uint8_t *octets, struct mikey_span data)
{
	struct mikey_payload_view p;
	struct mikey_cursor c;
	bool expected;

	memset(tp, 0, sizeof(*tp));
	cursor_init(&c, octets, data.off, data.len);
	p.next = cursor_u8(&c, "First Payload");
	while (p.next != MIKEY_LAST && mikey_payload_read(&c, p.next, &p)) {
		if (p.kind == MIKEY_IDR)
			expected = take_tp_idr(tp, &p);
		else if (p.kind == MIKEY_TR)
			expected = take_tp_tr(tp, &p);
		else if (p.kind == MIKEY_KEMAC)
			expected = part_set_kemac(&tp->kemac, &p);
		else
			expected = false;
		if (!expected)
			tp->unexpected = true;
	}
	cursor_finish(&c, "octets after the last payload of TP Data");
	return c.failed ? MIKEY_PARSE_MALFORMED : MIKEY_PARSE_OK;
}

/* An unknown MAC algorithm of a V is told apart from what is merely malformed. */
static enum mikey_parse failure(const struct mikey_cursor *c, uint16_t kind, bool *auth_unknown)
{
	*auth_unknown = kind == MIKEY_V && c->error_no == MIKEY_ERR_INVALID_MAC;
	return *auth_unknown ? MIKEY_PARSE_UNSUPPORTED : MIKEY_PARSE_MALFORMED;
}

enum mikey_parse mikey_parse_ticket_data(
	struct mikey_ticket_data *td, const uint8_t *octets, struct mikey_span data)
{
	struct mikey_payload_view p;
	struct mikey_cursor c;
	bool v_last = false;

	memset(td, 0, sizeof(*td));
	cursor_init(&c, octets, data.off, data.len);
	if (!mikey_payload_read(&c, MIKEY_THDR, &p))
		return MIKEY_PARSE_MALFORMED;
	td->thdr = p.data;
	while (p.next != MIKEY_LAST && mikey_payload_read(&c, p.next, &p)) {
		v_last = false;
		if (p.kind == MIKEY_T)
			part_set_t(&td->t, &p);
		else if (p.kind == MIKEY_RAND)
			part_set_rand(&td->rand, &p);
		else if (p.kind == MIKEY_KEMAC)
			part_set_kemac(&td->kemac, &p);
		else if (p.kind == MIKEY_IDR && p.role == MIKEY_IDRPSK)
			part_set_id(&td->idr_psk, &p);
		else if (p.kind == MIKEY_V)
			v_last = part_set_v(&td->v, &p);
	}
	cursor_finish(&c, "octets after the last payload of Ticket Data");
	if (c.failed)
		return failure(&c, p.kind, &td->auth_unknown);
	if (!v_last || !td->t.present || !td->rand.present || !td->kemac.present)
		return MIKEY_PARSE_MALFORMED;
	return MIKEY_PARSE_OK;
}

enum mikey_parse mikey_parse_initiator_data(
	struct mikey_initiator_data *id, const uint8_t *octets, struct mikey_span data)
{
	struct mikey_payload_view p;
	struct mikey_cursor c;
	bool vr_last = false;

	memset(id, 0, sizeof(*id));
	cursor_init(&c, octets, data.off, data.len);
	p.kind = MIKEY_LAST;
	p.next = cursor_u8(&c, "First Payload");
	while (p.next != MIKEY_LAST && mikey_payload_read(&c, p.next, &p)) {
		vr_last = false;
		if (p.kind != MIKEY_V)
			continue;
		if (part_set_v(&id->vi, &p)) {
			/* Vi copied from the last payload of TRANSFER_INIT says that nothing
			 * follows. */
			id->vi_literal = p.next == MIKEY_LAST && cursor_left(&c) > 0;
			if (id->vi_literal)
				p.next = MIKEY_V;
		} else {
			id->vr = (struct mikey_v){
				.present = true, .auth_alg = p.type, .mac = p.data};
			vr_last = true;
		}
	}
	cursor_finish(&c, "octets after the last payload of Initiator Data");
	if (c.failed)
		return failure(&c, p.kind, &id->auth_unknown);
	return vr_last ? MIKEY_PARSE_OK : MIKEY_PARSE_MALFORMED;
}
