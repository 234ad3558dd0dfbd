/* SPDX-License-Identifier: BSD-3-Clause */
/* What the writer's parts are made of. Internal to common/mikey. */
#ifndef TKMS_MIKEY_PUT_H
#define TKMS_MIKEY_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/mikey/payload.h"
#include "common/mikey/writer.h"

/* Values of next_off that are no offset: what has to come next, or that nothing may. */
#define CHAIN_SPECIAL	 (SIZE_MAX - 3)
#define CHAIN_NEEDS_HDR	 (SIZE_MAX - 3)
#define CHAIN_NEEDS_KEY	 (SIZE_MAX - 2)
#define CHAIN_ENDED	 (SIZE_MAX - 1)
#define CHAIN_NEEDS_THDR SIZE_MAX

/* Parts of TP and TICKET: the one that is open (struct mikey_nest) or due next (struct
 * mikey_writer). */
enum put_part {
	PART_NONE,
	PART_TP_OF_TP,
	PART_TP_OF_TICKET,
	PART_TICKET_DATA,
	PART_INITIATOR_DATA
};

/* A caller's mistake fails the message like a buffer that is too small. */
static inline void put_require(struct mikey_writer *w, bool ok)
{
	if (!ok)
		w->failed = true;
}

/* Room for n octets, or NULL (and failed). */
static inline uint8_t *put_room(struct mikey_writer *w, size_t n)
{
	uint8_t *p;

	if (w->failed || n > w->cap - w->len) {
		w->failed = true;
		return NULL;
	}
	p = w->buf + w->len;
	w->len += n;
	return p;
}

static inline void put_u8(struct mikey_writer *w, uint8_t v)
{
	uint8_t *p = put_room(w, 1);

	if (p != NULL)
		p[0] = v;
}

static inline void put_u16(struct mikey_writer *w, uint16_t v)
{
	uint8_t *p = put_room(w, 2);

	if (p != NULL) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void put_u32(struct mikey_writer *w, uint32_t v)
{
	put_u16(w, (uint16_t)(v >> 16));
	put_u16(w, (uint16_t)v);
}

/* data NULL: zeroes. */
static inline void put_octets(struct mikey_writer *w, const uint8_t *data, size_t len)
{
	uint8_t *p;

	if (len == 0)
		return;
	p = put_room(w, len);
	if (p == NULL)
		return;
	if (data != NULL)
		memcpy(p, data, len);
	else
		memset(p, 0, len);
}

/* Begins a payload: enters its kind into the chain and writes its Next Payload octet. */
void put_payload(struct mikey_writer *w, uint8_t kind);

#endif
