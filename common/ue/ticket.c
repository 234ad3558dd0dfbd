/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/ticket.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/protect.h"

/* A ticket alone in a message, which is what the parser reads. */
struct carrier {
	size_t len;
	uint8_t octets[UE_MESSAGE_MAX];
};

void ue_ticket_clear(struct ue_ticket *t)
{
	secret_wipe(t, sizeof(*t));
}

enum ue_result ue_ticket_policy(const struct ue_ticket *t, struct mikey_tp_data *tp)
{
	return mikey_parse_tp_data(tp, t->body, t->tp_data) == MIKEY_PARSE_OK ? UE_OK
									      : UE_TICKET_POLICY;
}

enum ue_result ue_ticket_adopt(struct ue_ticket *t, const struct mikey_message *m)
{
	const struct mikey_ticket *k = &m->ticket;
	struct mikey_tp_data tp;
	if (k->initiator_data.len != 0) {
		return UE_INITIATOR_DATA;
	}
	const uint16_t start = k->body.off;
	const uint16_t len = (uint16_t)(k->initiator_len_off - start);
	if (len > sizeof(t->body)) {
		return UE_NO_ROOM;
	}
	t->type = k->type;
	t->subtype = k->subtype;
	t->version = k->version;
	t->prf = k->prf;
	t->flags = k->flags;
	t->reserved = k->reserved;
	t->body_len = len;
	memcpy(t->body, m->octets + start, len);
	t->tp_data = (struct mikey_span){(uint16_t)(k->tp_data.off - start), k->tp_data.len};
	t->ticket_data =
		(struct mikey_span){(uint16_t)(k->ticket_data.off - start), k->ticket_data.len};
	return ue_prf_hash(t->prf) < 0 ? UE_PRF : ue_ticket_policy(t, &tp);
}

void ue_ticket_write(struct mikey_writer *w, const struct ue_ticket *t)
{
	const struct mikey_ticket_head head = {
		.type = t->type,
		.subtype = t->subtype,
		.version = t->version,
		.prf = t->prf,
		.flags = t->flags,
		.reserved = t->reserved,
	};
	mikey_write_tp_raw(w, MIKEY_TICKET, &head, mikey_at(t->body, t->tp_data), t->tp_data.len);
	mikey_write_ticket_data_raw(w, mikey_at(t->body, t->ticket_data), t->ticket_data.len);
}

/* Reads a message with nothing but a TICKET in it. */
static enum ue_result adopt(struct ue_ticket *t, const struct carrier *c)
{
	struct mikey_message m;
	if (mikey_parse_message(&m, c->octets, c->len) != MIKEY_PARSE_OK || !m.ticket.present) {
		return UE_TICKET_DATA;
	}
	return ue_ticket_adopt(t, &m);
}

enum ue_result ue_ticket_load(struct ue_ticket *t, const uint8_t *body, size_t body_len,
	const uint8_t *keys, size_t keys_len)
{
	uint8_t whole[UE_TICKET_MAX + 2];
	struct carrier c;
	struct mikey_writer w;
	ue_ticket_clear(t);
	if (body_len > UE_TICKET_MAX) {
		return UE_NO_ROOM;
	}
	memcpy(whole, body, body_len);
	memset(whole + body_len, 0, 2); /* no Initiator Data */
	mikey_write_begin(&w, c.octets, sizeof(c.octets));
	mikey_write_hdr(&w, MIKEY_REQUEST_RESP, MIKEY_PRF_HMAC_SHA_256, 0);
	mikey_write_ticket_raw(&w, whole, body_len + 2);
	c.len = mikey_write_end(&w);
	enum ue_result r = c.len == 0 ? UE_NO_ROOM : adopt(t, &c);
	if (r == UE_OK) {
		r = ue_keyset_set(&t->keys, keys, keys_len);
	}
	if (r == UE_OK &&
		(ue_keyset_mpk(&t->keys, 0) == NULL ||
			((t->flags & MIKEY_FLAG_I) && ue_keyset_mpk(&t->keys, 1) == NULL))) {
		r = UE_NO_MPK;
	}
	if (r != UE_OK) {
		ue_ticket_clear(t);
	}
	return r;
}
