/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/mikey_mutator.h"

#include <stdbool.h>
#include <string.h>

#include "common/mikey/payload.h"

enum { PIECES_MAX = 64, DATA_MAX = 600, NEW_MAX = DATA_MAX + 8 };

/* A payload: octets of the old message, or of a new payload. */
struct piece {
	const uint8_t *octets;
	size_t len;
	uint16_t kind;
	struct mikey_payload_view view; /* spans count from base */
	const uint8_t *base;
};

/* Payloads one after the other. */
struct chain {
	struct piece pieces[PIECES_MAX];
	unsigned int n;
	unsigned int fixed; /* so many at its beginning stay: THDR has no next-payload value */
};

struct out {
	uint8_t *octets;
	size_t len, cap;
	bool full;
};

struct work {
	uint32_t random;
	struct chain chain, inner;
	uint8_t fresh[2][NEW_MAX]; /* new payloads: of the message and inside a ticket */
	uint8_t result[MIKEY_MESSAGE_MAX], nested[MIKEY_MESSAGE_MAX];
};

/* xorshift32 */
static uint32_t draw(struct work *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return below ? (w->random >> 3) % below : 0;
}

static void put(struct out *o, const uint8_t *octets, size_t len)
{
	if (len > o->cap - o->len) {
		o->full = true;
		return;
	}
	if (len > 0)
		memcpy(o->octets + o->len, octets, len);
	o->len += len;
}

static void put_u8(struct out *o, uint32_t value)
{
	const uint8_t octet = (uint8_t)value;

	put(o, &octet, 1);
}

static void put_u16(struct out *o, size_t value)
{
	put_u8(o, (uint32_t)(value >> 8));
	put_u8(o, (uint32_t)value);
}

static void put_random(struct out *o, struct work *w, size_t len)
{
	while (len-- > 0)
		put_u8(o, draw(w, 256));
}

/* False: it does not parse, is too long a chain, or has SIGN, which nothing can follow. */
static bool chain_read(struct chain *c, struct mikey_cursor *cursor, uint16_t kind)
{
	c->n = 0;
	c->fixed = kind == MIKEY_THDR;
	while (kind != MIKEY_LAST) {
		struct piece *p = &c->pieces[c->n];

		if (c->n == PIECES_MAX || kind == MIKEY_SIGN ||
			!mikey_payload_read(cursor, kind, &p->view))
			return false;
		p->base = cursor->octets;
		p->octets = p->base + p->view.whole.off;
		p->len = p->view.whole.len;
		p->kind = kind;
		c->n++;
		kind = p->view.next;
	}
	return cursor_left(cursor) == 0;
}

static void chain_write(struct out *o, const struct chain *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		put_u8(o, i + 1 < c->n ? c->pieces[i + 1].kind : MIKEY_LAST);
		put(o, c->pieces[i].octets + 1, c->pieces[i].len - 1);
	}
}

static void chain_insert(struct chain *c, unsigned int at, const struct piece *p)
{
	memmove(&c->pieces[at + 1], &c->pieces[at], (c->n - at) * sizeof(*p));
	c->pieces[at] = *p;
	c->n++;
}

/* Octets of the length field right before the variable field; 0: there is none. */
static size_t length_field(uint16_t kind)
{
	switch (kind) {
	case MIKEY_ID:
	case MIKEY_IDR:
	case MIKEY_CERT:
	case MIKEY_KEMAC:
	case MIKEY_SP:
	case MIKEY_GENERAL_EXT:
	case MIKEY_THDR:
		return 2;
	case MIKEY_RAND:
	case MIKEY_RANDR:
		return 1;
	default:
		return 0;
	}
}

/* Lengths on both sides of what code may take for a limit. */
static size_t draw_length(struct work *w, size_t field)
{
	static const uint16_t lengths[] = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127,
		128, 255, 256, 257, DATA_MAX};
	size_t len = lengths[draw(w, sizeof(lengths) / sizeof(lengths[0]))];

	return field == 1 && len > 255 ? 255 : len;
}

/* Another length of the variable field; what is missing is made up. */
static bool resize(struct work *w, struct piece *p, uint8_t *fresh)
{
	const size_t field = length_field(p->kind), len = draw_length(w, field);
	const uint8_t *data = p->base + p->view.data.off, *end = p->octets + p->len;
	struct out o = {.octets = fresh, .cap = NEW_MAX};

	if (field == 0)
		return false;
	put(&o, p->octets, (size_t)(data - p->octets) - field);
	if (field == 2)
		put_u16(&o, len);
	else
		put_u8(&o, (uint32_t)len);
	put(&o, data, len < p->view.data.len ? len : p->view.data.len);
	put_random(&o, w, len < p->view.data.len ? 0 : len - p->view.data.len);
	put(&o, data + p->view.data.len, (size_t)(end - data) - p->view.data.len);
	p->octets = fresh;
	p->len = o.len;
	return !o.full;
}

/* The fixed part and the variable field of a payload that was not there. */
static void put_fresh(struct out *o, struct work *w, uint16_t kind)
{
	static const uint8_t ts_len[] = {8, 8, 4, 4}, mac_len[] = {0, 20, 32};
	const size_t len = draw_length(w, length_field(kind));
	uint32_t type = draw(w, 4);

	put_u8(o, MIKEY_LAST);
	if (kind == MIKEY_TR || kind == MIKEY_IDR || kind == MIKEY_RANDR || kind == MIKEY_SP)
		put_u8(o, 1 + draw(w, 5));
	if (kind == MIKEY_V)
		type %= 3;
	if (kind != MIKEY_RAND && kind != MIKEY_RANDR)
		put_u8(o, type);
	if (kind == MIKEY_T || kind == MIKEY_TR) {
		put_random(o, w, ts_len[type]);
	} else if (kind == MIKEY_V) {
		put_random(o, w, mac_len[type]);
	} else if (kind == MIKEY_ERR) {
		put_u16(o, 0);
	} else {
		if (length_field(kind) == 2)
			put_u16(o, len);
		else
			put_u8(o, (uint32_t)len);
		put_random(o, w, len);
	}
	if (kind == MIKEY_KEMAC) {
		type = draw(w, 3);
		put_u8(o, type);
		put_random(o, w, mac_len[type]);
	}
}

static bool make_fresh(struct work *w, struct piece *p, uint8_t *fresh)
{
	static const uint16_t kinds[] = {MIKEY_T, MIKEY_TR, MIKEY_ID, MIKEY_IDR, MIKEY_RAND,
		MIKEY_RANDR, MIKEY_KEMAC, MIKEY_V, MIKEY_ERR, MIKEY_SP, MIKEY_CERT,
		MIKEY_GENERAL_EXT};
	struct out o = {.octets = fresh, .cap = NEW_MAX};

	memset(p, 0, sizeof(*p));
	p->kind = kinds[draw(w, sizeof(kinds) / sizeof(kinds[0]))];
	put_fresh(&o, w, p->kind);
	p->octets = fresh;
	p->len = o.len;
	return !o.full;
}

/* Another role or algorithm: one of the octets that follow the next payload. */
static bool change_octet(struct work *w, struct piece *p, uint8_t *fresh)
{
	const size_t at = 1 + draw(w, 2);

	if (p->len > NEW_MAX || at >= p->len || p->kind == MIKEY_THDR)
		return false;
	memcpy(fresh, p->octets, p->len);
	fresh[at] = (uint8_t)draw(w, 8);
	p->octets = fresh;
	return true;
}

/* fresh: room for what a payload becomes. */
static bool chain_change(struct work *w, struct chain *c, uint8_t *fresh)
{
	const unsigned int movable = c->n - c->fixed;
	const unsigned int i = c->fixed + draw(w, movable), j = c->fixed + draw(w, movable);
	struct piece p;

	if (movable == 0)
		return false;
	switch (draw(w, 6)) {
	case 0:
		if (movable == 1)
			return false;
		c->n--;
		memmove(&c->pieces[i], &c->pieces[i + 1], (c->n - i) * sizeof(p));
		return true;
	case 1:
		p = c->pieces[i];
		break;
	case 2:
		p = c->pieces[i];
		c->pieces[i] = c->pieces[j];
		c->pieces[j] = p;
		return i != j;
	case 3:
		return resize(w, &c->pieces[i], fresh);
	case 4:
		return change_octet(w, &c->pieces[i], fresh);
	default:
		if (!make_fresh(w, &p, fresh))
			return false;
	}
	if (c->n == PIECES_MAX)
		return false;
	chain_insert(c, j, &p);
	return true;
}

/* Changes what is inside a TP or TICKET; the result is the new payload. */
static bool ticket_change(struct work *w, struct piece *p)
{
	const struct mikey_ticket *t = &p->view.ticket;
	const struct mikey_span parts[] = {t->tp_data, t->ticket_data, t->initiator_data};
	const unsigned int which = p->kind == MIKEY_TICKET ? draw(w, 3) : 0;
	const uint8_t *data = p->base + parts[which].off, *end = data + parts[which].len;
	const bool implicit = which == 1;
	struct out o = {.octets = w->nested, .cap = sizeof(w->nested)};
	struct mikey_cursor cursor;

	cursor_init(&cursor, p->base, parts[which].off, parts[which].len);
	if (!chain_read(&w->inner, &cursor,
		    implicit ? MIKEY_THDR : cursor_u8(&cursor, "First Payload")) ||
		!chain_change(w, &w->inner, w->fresh[1]))
		return false;
	put(&o, p->octets, (size_t)(data - p->octets));
	const size_t start = o.len;

	if (!implicit)
		put_u8(&o, w->inner.pieces[0].kind);
	chain_write(&o, &w->inner);
	w->nested[start - 2] = (uint8_t)((o.len - start) >> 8);
	w->nested[start - 1] = (uint8_t)(o.len - start);
	put(&o, end, (size_t)(p->octets + p->len - end));
	p->octets = w->nested;
	p->len = o.len;
	return !o.full;
}

static bool change(struct work *w)
{
	struct piece *p = &w->chain.pieces[draw(w, w->chain.n)];

	if ((p->kind == MIKEY_TP || p->kind == MIKEY_TICKET) || draw(w, 3) == 0) {
		for (unsigned int i = 0; i < w->chain.n; i++) {
			p = &w->chain.pieces[i];
			if (p->kind == MIKEY_TP || p->kind == MIKEY_TICKET)
				return ticket_change(w, p);
		}
	}
	return chain_change(w, &w->chain, w->fresh[0]);
}

size_t mikey_mutate(uint8_t *data, size_t size, size_t max, uint32_t seed)
{
	static struct work w;
	struct mikey_message m;
	struct mikey_cursor cursor;
	struct out o = {.octets = w.result, .cap = max < sizeof(w.result) ? max : sizeof(w.result)};

	if (size < MIKEY_HDR_LEN || size > MIKEY_MESSAGE_MAX)
		return 0;
	w.random = seed ? seed : 1;
	cursor_init(&cursor, data, 0, size);
	mikey_hdr_read(&cursor, &m);
	(void)mikey_map_read(&cursor, m.map_type, m.n_cs);
	const size_t head = cursor.pos;

	if (cursor.failed || !chain_read(&w.chain, &cursor, m.first_payload) || w.chain.n == 0 ||
		!change(&w))
		return 0;
	put(&o, data, head);
	chain_write(&o, &w.chain);
	if (o.full)
		return 0;
	memcpy(data, w.result, o.len);
	data[2] = (uint8_t)w.chain.pieces[0].kind;
	return o.len;
}
