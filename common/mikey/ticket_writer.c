/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/put.h"

static void put_head(struct mikey_writer *w, const struct mikey_ticket_head *head)
{
	uint32_t bits = (uint32_t)head->prf << 17 | (uint32_t)head->flags << 5 | head->reserved;

	put_require(w, head->prf < 0x80 && head->flags < 0x1000 && head->reserved < 0x20);
	put_u16(w, head->type);
	put_u8(w, head->subtype);
	put_u8(w, head->version);
	put_u8(w, (uint8_t)(bits >> 16));
	put_u16(w, (uint16_t)bits);
}

static struct mikey_nest open_part(struct mikey_writer *w, enum put_part part)
{
	struct mikey_nest nest = {
		.len_off = w->len,
		.outer_next_off = w->next_off,
		.part = (uint8_t)part,
	};

	put_u16(w, 0);
	w->due = PART_NONE;
	w->depth++;
	if (part == PART_TICKET_DATA) {
		w->next_off = CHAIN_NEEDS_THDR;
		return nest;
	}
	w->next_off = w->len;
	put_u8(w, MIKEY_LAST); /* First Payload */
	return nest;
}

struct mikey_nest mikey_open_tp(struct mikey_writer *w, enum mikey_payload tp_or_ticket,
	const struct mikey_ticket_head *head)
{
	put_require(w, tp_or_ticket == MIKEY_TP || tp_or_ticket == MIKEY_TICKET);
	put_payload(w, (uint8_t)tp_or_ticket);
	put_head(w, head);
	return open_part(w, tp_or_ticket == MIKEY_TP ? PART_TP_OF_TP : PART_TP_OF_TICKET);
}

void mikey_write_tp_raw(struct mikey_writer *w, enum mikey_payload tp_or_ticket,
	const struct mikey_ticket_head *head, const uint8_t *tp_data, size_t len)
{
	put_require(w, tp_or_ticket == MIKEY_TP || tp_or_ticket == MIKEY_TICKET);
	put_require(w, len <= UINT16_MAX);
	put_payload(w, (uint8_t)tp_or_ticket);
	put_head(w, head);
	put_u16(w, (uint16_t)len);
	put_octets(w, tp_data, len);
	if (tp_or_ticket == MIKEY_TICKET)
		w->due = PART_TICKET_DATA;
}

struct mikey_nest mikey_open_ticket_data(struct mikey_writer *w)
{
	put_require(w, w->due == PART_TICKET_DATA);
	return open_part(w, PART_TICKET_DATA);
}

void mikey_write_ticket_data_raw(struct mikey_writer *w, const uint8_t *ticket_data, size_t len)
{
	put_require(w, w->due == PART_TICKET_DATA && len <= UINT16_MAX);
	put_u16(w, (uint16_t)len);
	put_octets(w, ticket_data, len);
	w->due = PART_INITIATOR_DATA;
}

struct mikey_nest mikey_open_initiator_data(struct mikey_writer *w)
{
	put_require(w, w->due == PART_INITIATOR_DATA);
	return open_part(w, PART_INITIATOR_DATA);
}

void mikey_write_no_initiator_data(struct mikey_writer *w)
{
	put_require(w, w->due == PART_INITIATOR_DATA);
	put_u16(w, 0);
	w->due = PART_NONE;
}

void mikey_close(struct mikey_writer *w, struct mikey_nest nest)
{
	static const uint8_t due_after[] = {
		[PART_TP_OF_TP] = PART_NONE,
		[PART_TP_OF_TICKET] = PART_TICKET_DATA,
		[PART_TICKET_DATA] = PART_INITIATOR_DATA,
		[PART_INITIATOR_DATA] = PART_NONE,
	};
	size_t len;

	put_require(w, w->depth > 0 && w->due == PART_NONE && w->next_off != CHAIN_NEEDS_THDR);
	if (w->failed)
		return;
	len = w->len - nest.len_off - 2;
	w->buf[nest.len_off] = (uint8_t)(len >> 8);
	w->buf[nest.len_off + 1] = (uint8_t)len;
	w->next_off = nest.outer_next_off;
	w->due = due_after[nest.part];
	w->depth--;
}

void mikey_write_ticket_raw(struct mikey_writer *w, const uint8_t *body, size_t len)
{
	put_payload(w, MIKEY_TICKET);
	put_octets(w, body, len);
}
