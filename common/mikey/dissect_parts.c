/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/dissect.h"

static void emit_session_data(struct dissector *d, const struct mikey_cs *cs)
{
	enum { SSRC_LEN = 4, SSRC_ROC_SEQ_LEN = 10 };
	struct mikey_span s = cs->session_data;

	dissect_octets(d, "Session Data", s);
	if (cs->prot_type != MIKEY_PROT_SRTP || s.len != (cs->s_flag ? SSRC_ROC_SEQ_LEN : SSRC_LEN))
		return;
	dissect_octets(d, "SSRC", (struct mikey_span){s.off, 4});
	if (cs->s_flag) {
		dissect_octets(d, "ROC", (struct mikey_span){(uint16_t)(s.off + 4), 4});
		dissect_octets(d, "SEQ", (struct mikey_span){(uint16_t)(s.off + 8), 2});
	}
}

static struct mikey_span since(const struct mikey_cursor *c, size_t start)
{
	return (struct mikey_span){(uint16_t)start, (uint16_t)(c->pos - start)};
}

static void generic_cs(struct dissector *d, struct mikey_cursor *c)
{
	struct emit *e = d->emit;
	size_t start = c->pos;
	struct mikey_cs cs;

	mikey_cs_read(c, &cs);
	if (c->failed)
		return;
	e->ops->group(e, "GENERIC-ID", since(c, start));
	e->ops->number(e, "CS ID", cs.cs_id);
	emit_code(e, "Prot type", TABLE_PROT, cs.prot_type);
	e->ops->number(e, "S", cs.s_flag);
	e->ops->number(e, "#P", cs.policies.len);
	dissect_octets(d, "Ps", cs.policies);
	emit_session_data(d, &cs);
	dissect_octets(d, "SPI", cs.spi);
	e->ops->group_end(e);
}

static void srtp_cs(struct dissector *d, struct mikey_cursor *c)
{
	struct emit *e = d->emit;
	size_t start = c->pos;
	uint8_t policy_no = cursor_u8(c, "Policy_no");
	struct mikey_span ssrc = cursor_span(c, 4, "SSRC");
	struct mikey_span roc = cursor_span(c, 4, "ROC");

	if (c->failed)
		return;
	e->ops->group(e, "SRTP-ID", since(c, start));
	e->ops->number(e, "Policy_no", policy_no);
	dissect_octets(d, "SSRC", ssrc);
	dissect_octets(d, "ROC", roc);
	e->ops->group_end(e);
}

void dissect_map(struct dissector *d, struct mikey_cursor *c, const struct mikey_message *m)
{
	struct emit *e = d->emit;

	if (m->map_type != MIKEY_MAP_SRTP_ID && m->map_type != MIKEY_MAP_GENERIC_ID) {
		mikey_map_read(c, m->map_type, m->n_cs);
		return;
	}
	e->ops->list(e, "CS ID map info");
	for (unsigned int i = 0; i < m->n_cs && !c->failed; i++) {
		if (m->map_type == MIKEY_MAP_SRTP_ID)
			srtp_cs(d, c);
		else
			generic_cs(d, c);
	}
	e->ops->list_end(e);
}

/* Values of SRTP parameters that are names; the others are numbers. */
static void emit_srtp_value(struct dissector *d, uint8_t type, uint8_t value)
{
	static const enum mikey_table tables[] = {
		[0] = TABLE_SRTP_ENCR,
		[2] = TABLE_SRTP_AUTH,
		[5] = TABLE_SRTP_PRF,
		[7] = TABLE_SWITCH,
		[8] = TABLE_SWITCH,
		[9] = TABLE_SRTP_FEC,
		[10] = TABLE_SWITCH,
	};

	/* The first table is of no SRTP value: unset entries are 0. */
	if (type < sizeof(tables) / sizeof(tables[0]) && tables[type] != TABLE_DATA_TYPE)
		emit_code(d->emit, "meaning", tables[type], value);
	else
		d->emit->ops->number(d->emit, "meaning", value);
}

void dissect_policy(struct dissector *d, uint8_t prot_type, struct mikey_span params)
{
	struct emit *e = d->emit;
	struct mikey_cursor c;

	cursor_init(&c, d->octets, params.off, params.len);
	e->ops->list(e, "parameters");
	while (cursor_left(&c) > 0 && !c.failed) {
		size_t start = c.pos;
		uint8_t type = cursor_u8(&c, "Type");
		uint8_t len = cursor_u8(&c, "Length");
		struct mikey_span value = cursor_span(&c, len, "Value");

		if (c.failed)
			break;
		e->ops->group(e, "parameter", since(&c, start));
		if (prot_type == MIKEY_PROT_SRTP)
			emit_code(e, "Type", TABLE_SRTP_PARAM, type);
		else
			e->ops->number(e, "Type", type);
		dissect_octets(d, "Value", value);
		if (prot_type == MIKEY_PROT_SRTP && len == 1)
			emit_srtp_value(d, type, d->octets[value.off]);
		e->ops->group_end(e);
	}
	e->ops->list_end(e);
	if (c.failed)
		dissect_error(d, &c, -1);
}

void dissect_key_ids(struct dissector *d, struct mikey_span data)
{
	struct emit *e = d->emit;
	struct mikey_cursor c;

	cursor_init(&c, d->octets, data.off, data.len);
	e->ops->list(e, "key IDs");
	while (cursor_left(&c) > 0 && !c.failed) {
		size_t start = c.pos;
		uint8_t type = cursor_u8(&c, "Key ID Type");
		struct mikey_span id = cursor_span(&c, cursor_u8(&c, "Key ID Length"), "Key ID");

		if (c.failed)
			break;
		e->ops->group(e, "Key ID", since(&c, start));
		emit_code(e, "Key ID Type", TABLE_KEY_ID, type);
		dissect_octets(d, "Key ID", id);
		e->ops->group_end(e);
	}
	e->ops->list_end(e);
	if (c.failed)
		dissect_error(d, &c, -1);
}

static void emit_key(
	struct dissector *d, const struct mikey_key *key, struct mikey_span where, uint8_t next)
{
	struct emit *e = d->emit;

	e->ops->group(e, "Key data", where);
	emit_code(e, "Next Payload", TABLE_PAYLOAD, next);
	emit_code(e, "Type", TABLE_KEY, key->type);
	emit_code(e, "KV", TABLE_KV, key->kv);
	dissect_octets(d, "Key data", key->key);
	if (mikey_key_has_salt(key->type))
		dissect_octets(d, "Salt data", key->salt);
	if (key->kv == MIKEY_KV_SPI)
		dissect_octets(d, "SPI", key->spi);
	if (key->kv == MIKEY_KV_INTERVAL) {
		dissect_octets(d, "Valid From", key->valid_from);
		dissect_octets(d, "Valid To", key->valid_to);
	}
	e->ops->group_end(e);
}

void dissect_keys(struct dissector *d, struct mikey_span data)
{
	struct emit *e = d->emit;
	struct mikey_cursor c;
	uint8_t next = data.len > 0 ? MIKEY_KEY_DATA : MIKEY_LAST;

	cursor_init(&c, d->octets, data.off, data.len);
	e->ops->list(e, "keys");
	while (next == MIKEY_KEY_DATA) {
		size_t start = c.pos;
		struct mikey_key key;

		next = mikey_key_read(&c, &key);
		if (c.failed)
			break;
		emit_key(d, &key, since(&c, start), next);
	}
	e->ops->list_end(e);
	if (!c.failed && next != MIKEY_LAST && next != MIKEY_KEY_DATA)
		cursor_fail(&c, c.pos, "Key data or the end expected");
	cursor_finish(&c, "end expected, octets after the last Key data");
	if (c.failed)
		dissect_error(d, &c, MIKEY_KEY_DATA);
}
