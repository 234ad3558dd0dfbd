/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/dissect.h"

#include <errno.h>
#include <string.h>

enum {
	DEPTH_MAX = 4, /* a TICKET's parts are at 1; tickets in tickets have no meaning */
	TEXT_MAX = 160,
};

void dissect_octets(struct dissector *d, const char *name, struct mikey_span s)
{
	d->emit->ops->octets(d->emit, name, d->octets + s.off, s.len);
}

void dissect_text(struct dissector *d, const char *name, struct mikey_span s)
{
	const uint8_t *p = d->octets + s.off;

	for (size_t i = 0; i < s.len; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e)
			return;
	}
	d->emit->ops->text(d->emit, name, (const char *)p, s.len);
}

static void emit_fault(struct dissector *d, size_t offset, const char *what)
{
	d->faulty = true;
	d->emit->ops->error(d->emit, offset, what);
}

void dissect_error(struct dissector *d, const struct mikey_cursor *c, int kind)
{
	const char *name = kind >= 0 ? mikey_name(TABLE_PAYLOAD, (unsigned int)kind) : NULL;
	char what[TEXT_MAX], prefix[32] = "";

	if (name != NULL)
		snprintf(prefix, sizeof(prefix), "%s: ", name);
	else if (kind >= 0)
		snprintf(prefix, sizeof(prefix), "payload %d: ", kind);
	if (c->error_no != CURSOR_NO_ERROR_NO)
		snprintf(what, sizeof(what), "%s%s: unknown value %u, a known one expected", prefix,
			c->fault, c->octets[c->fault_off]);
	else if (c->fault_want > 0)
		snprintf(what, sizeof(what), "%s%s: %zu octet%s expected, %zu left", prefix,
			c->fault, c->fault_want, c->fault_want == 1 ? "" : "s", c->fault_left);
	else
		snprintf(what, sizeof(what), "%s%s", prefix, c->fault);
	emit_fault(d, c->fault_off, what);
}

static void emit_payload(struct dissector *d, const struct mikey_payload_view *p)
{
	d->emit->ops->group(d->emit, mikey_name(TABLE_PAYLOAD, p->kind), p->whole);
	if (p->kind != MIKEY_SIGN)
		emit_code(d->emit, "Next Payload", TABLE_PAYLOAD, p->next);
	dissect_payload(d, p);
	d->emit->ops->group_end(d->emit);
}

/* What there is of a TICKET that ends early: its parts may say why. */
static void emit_torn_ticket(struct dissector *d, const struct mikey_cursor *c, size_t start,
	const struct mikey_payload_view *p)
{
	struct mikey_span where = {(uint16_t)start, (uint16_t)(c->pos + c->fault_left - start)};

	if ((p->kind != MIKEY_TP && p->kind != MIKEY_TICKET) || p->ticket.tp_data.len == 0)
		return;
	d->emit->ops->group(d->emit, mikey_name(TABLE_PAYLOAD, p->kind), where);
	emit_code(d->emit, "Next Payload", TABLE_PAYLOAD, p->next);
	dissect_payload(d, p);
	d->emit->ops->group_end(d->emit);
}

/* A Vi that was copied from the end of TRANSFER_INIT says that nothing follows, but Vr does. */
static bool vr_follows(enum chain chain, const struct mikey_payload_view *p,
	const struct mikey_cursor *c, unsigned int n_v)
{
	return chain == CHAIN_INITIATOR && p->kind == MIKEY_V && n_v == 1 &&
	       p->next == MIKEY_LAST && cursor_left(c) > 0;
}

void dissect_chain(struct dissector *d, struct mikey_cursor *c, uint8_t first, enum chain chain)
{
	struct mikey_payload_view p = {.next = first};
	uint16_t kind = chain == CHAIN_THDR ? MIKEY_THDR : first;
	unsigned int n_v = 0;
	size_t start = c->pos;

	d->emit->ops->list(d->emit, "payloads");
	while (kind != MIKEY_LAST && mikey_payload_read(c, kind, &p)) {
		emit_payload(d, &p);
		n_v += p.kind == MIKEY_V;
		kind = vr_follows(chain, &p, c, n_v) ? MIKEY_V : p.next;
		start = c->pos;
	}
	if (c->failed)
		emit_torn_ticket(d, c, start, &p);
	d->emit->ops->list_end(d->emit);
	if (c->failed)
		dissect_error(d, c, kind);
	cursor_finish(c, "end expected, octets after the last payload");
	if (c->failed && kind == MIKEY_LAST)
		dissect_error(d, c, -1);
}

void dissect_part(struct dissector *d, const char *name, struct mikey_span part, enum chain chain)
{
	struct mikey_cursor c;
	uint8_t first = MIKEY_LAST;

	d->emit->ops->group(d->emit, name, part);
	cursor_init(&c, d->octets, part.off, part.len);
	if (part.len == 0 && chain == CHAIN_INITIATOR) {
		d->emit->ops->group_end(d->emit);
		return;
	}
	if (d->depth >= DEPTH_MAX) {
		dissect_octets(d, "octets", part);
		d->emit->ops->group_end(d->emit);
		return;
	}
	d->depth++;
	if (chain != CHAIN_THDR) {
		first = cursor_u8(&c, "First Payload");
		if (!c.failed)
			emit_code(d->emit, "First Payload", TABLE_PAYLOAD, first);
	}
	if (c.failed)
		dissect_error(d, &c, -1);
	else
		dissect_chain(d, &c, first, chain);
	d->depth--;
	d->emit->ops->group_end(d->emit);
}

static void dissect_hdr(struct dissector *d, struct mikey_cursor *c, struct mikey_message *m)
{
	struct emit *e = d->emit;
	struct mikey_cursor ahead;
	struct mikey_span where = {0, 0};

	mikey_hdr_read(c, m);
	if (c->failed) {
		dissect_octets(
			d, "octets", (struct mikey_span){0, (uint16_t)(c->pos + c->fault_left)});
		dissect_error(d, c, -1);
		return;
	}
	ahead = *c;
	if (m->version == MIKEY_VERSION)
		m->map = mikey_map_read(&ahead, m->map_type, m->n_cs);
	where.len = (uint16_t)ahead.pos;
	e->ops->group(e, "HDR", where);
	e->ops->number(e, "version", m->version);
	emit_code(e, "data type", TABLE_DATA_TYPE, m->data_type);
	emit_code(e, "next payload", TABLE_PAYLOAD, m->first_payload);
	e->ops->number(e, "V", m->v_flag);
	emit_code(e, "PRF func", TABLE_PRF, m->prf);
	dissect_octets(d, "CSB ID", (struct mikey_span){4, 4});
	e->ops->number(e, "#CS", m->n_cs);
	emit_code(e, "CS ID map type", TABLE_MAP, m->map_type);
	if (m->version == MIKEY_VERSION)
		dissect_map(d, c, m);
	else
		cursor_fail(c, 0, "version: 1 expected");
	if (c->failed)
		dissect_error(d, c, -1);
	e->ops->group_end(e);
}

int dissect(struct emit *e, const uint8_t *octets, size_t len)
{
	struct dissector d = {.emit = e, .octets = len > 0 ? octets : (const uint8_t *)""};
	struct mikey_message m;
	struct mikey_cursor c;

	memset(&m, 0, sizeof(m));
	e->ops->number(e, "length", (uint32_t)len);
	cursor_init(&c, d.octets, 0, len < MIKEY_MESSAGE_MAX ? len : MIKEY_MESSAGE_MAX);
	if (len > MIKEY_MESSAGE_MAX) {
		emit_fault(&d, MIKEY_MESSAGE_MAX, "at most 65535 octets expected");
		return -EBADMSG;
	}
	dissect_hdr(&d, &c, &m);
	if (!c.failed)
		dissect_chain(&d, &c, m.first_payload, CHAIN_FIRST_PAYLOAD);
	return d.faulty ? -EBADMSG : 0;
}
