/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/payload.h"

enum { SRTP_ID_CS_LEN = 9 }; /* policy no, SSRC, ROC */

void mikey_cs_read(struct mikey_cursor *c, struct mikey_cs *cs)
{
	uint8_t s_and_p;

	cs->cs_id = cursor_u8(c, "CS ID");
	cs->prot_type = cursor_u8(c, "Prot type");
	s_and_p = cursor_u8(c, "S and #P");
	cs->s_flag = s_and_p >> 7;
	cs->policies = cursor_span(c, s_and_p & 0x7f, "Ps");
	cs->session_data = cursor_span(c, cursor_u16(c, "Session Data Length"), "Session Data");
	cs->spi = cursor_span(c, cursor_u8(c, "SPI Length"), "SPI");
}

struct mikey_span mikey_map_read(struct mikey_cursor *c, uint8_t map_type, uint8_t n_cs)
{
	struct mikey_span map = {(uint16_t)c->pos, 0};
	struct mikey_cs cs;

	switch (map_type) {
	case MIKEY_MAP_EMPTY:
		break;
	case MIKEY_MAP_SRTP_ID:
		map = cursor_span(c, (size_t)n_cs * SRTP_ID_CS_LEN, "CS ID map info");
		break;
	case MIKEY_MAP_GENERIC_ID:
		for (unsigned int i = 0; i < n_cs && !c->failed; i++)
			mikey_cs_read(c, &cs);
		map.len = (uint16_t)(c->pos - map.off);
		break;
	default:
		cursor_fail(c, c->pos - 1, "CS ID map type: a known one expected");
	}
	return map;
}

bool mikey_cs_get(const struct mikey_message *m, unsigned int i, struct mikey_cs *cs)
{
	struct mikey_cursor c;

	if (m->map_type != MIKEY_MAP_GENERIC_ID || i >= m->n_cs)
		return false;
	cursor_init(&c, m->octets, m->map.off, m->map.len);
	for (unsigned int k = 0; k <= i && !c.failed; k++)
		mikey_cs_read(&c, cs);
	return !c.failed;
}
