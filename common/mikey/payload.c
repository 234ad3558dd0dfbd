/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/payload.h"

/* A cursor of the caller's stays in registers only if no call takes its address. */
#define INLINE static inline __attribute__((always_inline))

int mikey_mac_len(uint8_t auth_alg)
{
	switch (auth_alg) {
	case MIKEY_AUTH_NULL:
		return 0;
	case MIKEY_AUTH_HMAC_SHA_1_160:
		return 20;
	case MIKEY_AUTH_HMAC_SHA_256_256:
		return 32;
	default:
		return -1;
	}
}

int mikey_ts_len(uint8_t ts_type)
{
	switch (ts_type) {
	case MIKEY_TS_NTP_UTC:
	case MIKEY_TS_NTP:
		return 8;
	case MIKEY_TS_COUNTER:
	case MIKEY_TS_NTP_UTC_32:
		return 4;
	default:
		return -1;
	}
}

int mikey_hash_len(uint8_t hash_func)
{
	switch (hash_func) {
	case MIKEY_HASH_SHA_1:
		return 20;
	case MIKEY_HASH_MD5:
		return 16;
	case MIKEY_HASH_SHA_256:
		return 32;
	default:
		return -1;
	}
}

int mikey_dh_len(uint8_t group)
{
	switch (group) {
	case MIKEY_DH_OAKLEY_5:
		return 192;
	case MIKEY_DH_OAKLEY_1:
		return 96;
	case MIKEY_DH_OAKLEY_2:
		return 128;
	default:
		return -1;
	}
}

INLINE void read_validity(struct mikey_cursor *c, uint8_t kv, struct mikey_validity *v)
{
	*v = (struct mikey_validity){.kv = kv};
	switch (kv) {
	case MIKEY_KV_NULL:
		break;
	case MIKEY_KV_SPI:
		v->spi = cursor_span(c, cursor_u8(c, "SPI length"), "SPI");
		break;
	case MIKEY_KV_INTERVAL:
		v->from = cursor_span(c, cursor_u8(c, "VF length"), "Valid From");
		v->to = cursor_span(c, cursor_u8(c, "VT length"), "Valid To");
		break;
	default:
		cursor_fail(c, c->pos, "KV data: a known KV expected");
	}
}

void mikey_validity_read(struct mikey_cursor *c, uint8_t kv, struct mikey_validity *v)
{
	read_validity(c, kv, v);
}

/* A type octet and a field whose length the type decides. */
INLINE void read_typed(struct mikey_cursor *c, struct mikey_payload_view *p,
	int (*len_of)(uint8_t type), int error_no, const char *field)
{
	size_t type_off = c->pos;
	int len;

	p->type = cursor_u8(c, field);
	len = len_of(p->type);
	if (len < 0) {
		cursor_fail_unknown(c, type_off, field, error_no);
		return;
	}
	p->data = cursor_span(c, (size_t)len, field);
}

INLINE void read_kemac(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	size_t alg_off;
	int len;

	p->type = cursor_u8(c, "Encr alg");
	p->data = cursor_span(c, cursor_u16(c, "Encr data len"), "Encr data");
	alg_off = c->pos;
	p->mac_alg = cursor_u8(c, "Mac alg");
	len = mikey_mac_len(p->mac_alg);
	if (len < 0) {
		cursor_fail_unknown(c, alg_off, "Mac alg of KEMAC", MIKEY_ERR_INVALID_MAC);
		return;
	}
	p->mac = cursor_span(c, (size_t)len, "MAC");
}

INLINE void read_dh(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	uint8_t kv;

	read_typed(c, p, mikey_dh_len, MIKEY_ERR_INVALID_DH, "DH-Group and DH-value");
	kv = cursor_u8(c, "KV") & 0x0f;
	read_validity(c, kv, &p->validity);
}

INLINE void read_pke(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	uint16_t v = cursor_u16(c, "C and Data len");

	p->role = (uint8_t)(v >> 14);
	p->data = cursor_span(c, v & 0x3fff, "PKE data");
}

INLINE void read_sign(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	uint16_t v = cursor_u16(c, "S type and Signature len");

	p->type = (uint8_t)(v >> 12);
	p->data = cursor_span(c, v & 0x0fff, "Signature");
}

INLINE void read_ticket(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	struct mikey_ticket *t = &p->ticket;
	size_t start = c->pos;
	uint32_t bits;

	*t = (struct mikey_ticket){0};
	t->type = cursor_u16(c, "Ticket Type");
	t->subtype = cursor_u8(c, "Subtype");
	t->version = cursor_u8(c, "Version");
	bits = cursor_u24(c, "PRF Func and flags");
	t->prf = (uint8_t)(bits >> 17);
	t->flags = (bits >> 5) & 0x0fff;
	t->reserved = bits & 0x1f;
	t->tp_data = cursor_span(c, cursor_u16(c, "TP Data length"), "TP Data");
	if (p->kind == MIKEY_TICKET) {
		t->ticket_data = cursor_span(c, cursor_u16(c, "Ticket Data length"), "Ticket Data");
		t->initiator_len_off = (uint16_t)c->pos;
		t->initiator_data =
			cursor_span(c, cursor_u16(c, "Initiator Data length"), "Initiator Data");
	}
	t->body.off = (uint16_t)start;
	t->body.len = (uint16_t)(c->pos - start);
	t->present = !c->failed;
}

/* Everything after the Next Payload octet (SIGN: everything). */
INLINE void read_body(struct mikey_cursor *c, struct mikey_payload_view *p)
{
	switch (p->kind) {
	case MIKEY_KEMAC:
		read_kemac(c, p);
		break;
	case MIKEY_PKE:
		read_pke(c, p);
		break;
	case MIKEY_DH:
		read_dh(c, p);
		break;
	case MIKEY_SIGN:
		read_sign(c, p);
		break;
	case MIKEY_TR:
		p->role = cursor_u8(c, "TS Role");
		/* fallthrough */
	case MIKEY_T:
		read_typed(c, p, mikey_ts_len, MIKEY_ERR_INVALID_TS, "TS type and TS value");
		break;
	case MIKEY_IDR:
		p->role = cursor_u8(c, "ID Role");
		/* fallthrough */
	case MIKEY_ID:
	case MIKEY_CERT:
		p->type = cursor_u8(c, p->kind == MIKEY_CERT ? "Cert Type" : "ID Type");
		p->data = cursor_span(c, cursor_u16(c, "ID/Cert len"), "ID/Certificate Data");
		break;
	case MIKEY_CHASH:
		read_typed(c, p, mikey_hash_len, MIKEY_ERR_INVALID_HA, "Hash func and Hash");
		break;
	case MIKEY_V:
		read_typed(c, p, mikey_mac_len, MIKEY_ERR_INVALID_MAC, "Auth alg and Ver data");
		break;
	case MIKEY_SP:
		p->role = cursor_u8(c, "Policy no");
		p->type = cursor_u8(c, "Prot type");
		p->data = cursor_span(c, cursor_u16(c, "Policy param length"), "Policy param");
		break;
	case MIKEY_RANDR:
		p->role = cursor_u8(c, "RAND Role");
		/* fallthrough */
	case MIKEY_RAND:
		p->data = cursor_span(c, cursor_u8(c, "RAND length"), "RAND");
		break;
	case MIKEY_ERR:
		p->type = cursor_u8(c, "Error no");
		p->data = cursor_span(c, 2, "Reserved");
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		read_ticket(c, p);
		break;
	case MIKEY_GENERAL_EXT:
		p->type = cursor_u8(c, "Type of General Ext.");
		p->data = cursor_span(c, cursor_u16(c, "Length"), "Data of General Ext.");
		break;
	case MIKEY_THDR:
		p->data = cursor_span(c, cursor_u16(c, "THDR Data length"), "THDR Data");
		break;
	default:
		cursor_fail(c, c->pos - 1, "a known payload type expected");
	}
}

INLINE bool read_payload(struct mikey_cursor *c, uint16_t kind, struct mikey_payload_view *p)
{
	size_t start = c->pos;

	p->kind = kind;
	p->next = MIKEY_LAST;
	p->role = 0;
	p->data = (struct mikey_span){0, 0};
	if (kind != MIKEY_SIGN)
		p->next = cursor_u8(c, "Next Payload");
	read_body(c, p);
	if (c->failed)
		return false;
	p->whole.off = (uint16_t)start;
	p->whole.len = (uint16_t)(c->pos - start);
	return true;
}

static __attribute__((noinline, cold)) bool read_to_find_fault(
	struct mikey_cursor *c, uint16_t kind, struct mikey_payload_view *p)
{
	return read_payload(c, kind, p);
}

bool mikey_payload_read(struct mikey_cursor *c, uint16_t kind, struct mikey_payload_view *p)
{
	size_t pos = c->pos;

	/* Loaded by itself: together with end it would wait until its store has left the store
	 * buffer. */
	__asm__("" : "+r"(pos));
	struct mikey_cursor ahead = {.octets = c->octets, .pos = pos, .end = c->end, .quiet = true};

	if (!read_payload(&ahead, kind, p))
		return read_to_find_fault(c, kind, p);
	c->pos = ahead.pos;
	return true;
}
