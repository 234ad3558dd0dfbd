/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/message.h"

#include <string.h>

#include "common/mikey/parts.h"
#include "common/mikey/payload.h"

void mikey_hdr_read(struct mikey_cursor *c, struct mikey_message *m)
{
	uint8_t v_and_prf;

	m->version = cursor_u8(c, "version");
	m->data_type = cursor_u8(c, "data type");
	m->first_payload = cursor_u8(c, "next payload");
	v_and_prf = cursor_u8(c, "V and PRF func");
	m->v_flag = v_and_prf >> 7;
	m->prf = v_and_prf & 0x7f;
	m->csb_id = cursor_u32(c, "CSB ID");
	m->n_cs = cursor_u8(c, "#CS");
	m->map_type = cursor_u8(c, "CS ID map type");
}

static enum mikey_parse start(
	struct mikey_message *m, struct mikey_cursor *c, const uint8_t *octets, size_t len)
{
	size_t usable = len < MIKEY_MESSAGE_MAX ? len : MIKEY_MESSAGE_MAX;

	memset(m, 0, sizeof(*m));
	m->octets = octets;
	m->len = (uint16_t)usable;
	cursor_init(c, octets, 0, usable);
	mikey_hdr_read(c, m);
	if (c->failed)
		return MIKEY_PARSE_SHORT;
	if (m->version != MIKEY_VERSION)
		return MIKEY_PARSE_VERSION;
	return len > MIKEY_MESSAGE_MAX ? MIKEY_PARSE_MALFORMED : MIKEY_PARSE_OK;
}

enum mikey_parse mikey_parse_header(struct mikey_message *m, const uint8_t *octets, size_t len)
{
	struct mikey_cursor c;

	return start(m, &c, octets, len);
}

static void take(struct mikey_message *m, const struct mikey_payload_view *p)
{
	switch (p->kind) {
	case MIKEY_T:
		part_set_t(&m->t, p);
		break;
	case MIKEY_IDR:
		if (p->role >= MIKEY_IDRI && p->role <= MIKEY_IDRAPP)
			part_set_id(&m->idr[p->role], p);
		break;
	case MIKEY_RANDR:
		if (p->role >= MIKEY_RANDRI && p->role <= MIKEY_RANDRKMS)
			part_set_rand(&m->randr[p->role], p);
		break;
	case MIKEY_TP:
		part_set_ticket(&m->tp, p);
		break;
	case MIKEY_TICKET:
		part_set_ticket(&m->ticket, p);
		break;
	case MIKEY_KEMAC:
		part_set_kemac(&m->kemac, p);
		break;
	case MIKEY_V:
		m->v_last = !m->v.present && p->next == MIKEY_LAST;
		part_set_v(&m->v, p);
		break;
	case MIKEY_ERR:
		if (!m->has_err)
			m->err_no = p->type;
		m->has_err = true;
		break;
	case MIKEY_SP:
		if (m->sp_off == 0)
			m->sp_off = (uint16_t)(p->whole.off + 1);
		break;
	default:
		break;
	}
}

/* What follows HDR up to the CS ID map type. */
static enum mikey_parse parse_rest(struct mikey_message *m, struct mikey_cursor c)
{
	struct mikey_payload_view p;

	m->map = mikey_map_read(&c, m->map_type, m->n_cs);
	p.kind = MIKEY_LAST;
	p.next = m->first_payload;
	while (p.next != MIKEY_LAST && mikey_payload_read(&c, p.next, &p))
		take(m, &p);
	cursor_finish(&c, "octets after the last payload");
	if (!c.failed)
		return MIKEY_PARSE_OK;
	if (c.error_no == CURSOR_NO_ERROR_NO)
		return MIKEY_PARSE_MALFORMED;
	m->unsupported_error = (uint8_t)c.error_no;
	m->ts_unknown = c.error_no == MIKEY_ERR_INVALID_TS;
	m->auth_unknown = c.error_no == MIKEY_ERR_INVALID_MAC;
	return MIKEY_PARSE_UNSUPPORTED;
}

enum mikey_parse mikey_parse_message(struct mikey_message *m, const uint8_t *octets, size_t len)
{
	struct mikey_cursor c;
	enum mikey_parse res = start(m, &c, octets, len);

	return res == MIKEY_PARSE_OK ? parse_rest(m, c) : res;
}

enum mikey_parse mikey_parse_payloads(struct mikey_message *m)
{
	struct mikey_cursor c;

	cursor_init(&c, m->octets, MIKEY_HDR_LEN, (size_t)(m->len - MIKEY_HDR_LEN));
	return parse_rest(m, c);
}
