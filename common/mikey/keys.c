/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/payload.h"

bool mikey_key_has_salt(uint8_t key_type)
{
	return key_type == MIKEY_TGK_SALT || key_type == MIKEY_TEK_SALT ||
	       key_type == MIKEY_GTGK_SALT;
}

uint8_t mikey_key_read(struct mikey_cursor *c, struct mikey_key *key)
{
	struct mikey_validity v;
	uint8_t next, type_and_kv;
	uint16_t key_len;

	*key = (struct mikey_key){0};
	next = cursor_u8(c, "Next Payload of Key data");
	type_and_kv = cursor_u8(c, "Type and KV");
	key->type = type_and_kv >> 4;
	key->kv = type_and_kv & 0x0f;
	if (key->type > MIKEY_MPK)
		cursor_fail(c, c->pos - 1, "Type: a known one expected");
	key_len = cursor_u16(c, "Key data len");
	key->key = cursor_span(c, key_len, "Key data");
	if (mikey_key_has_salt(key->type))
		key->salt = cursor_span(c, cursor_u16(c, "Salt len"), "Salt data");
	mikey_validity_read(c, key->kv, &v);
	key->spi = v.spi;
	key->valid_from = v.from;
	key->valid_to = v.to;
	return next;
}

enum mikey_parse mikey_parse_keys(
	struct mikey_key *keys, unsigned int max, unsigned int *n, const uint8_t *data, size_t len)
{
	struct mikey_cursor c;
	uint8_t next = MIKEY_KEY_DATA;

	*n = 0;
	if (len == 0)
		return MIKEY_PARSE_OK;
	if (len > MIKEY_MESSAGE_MAX)
		return MIKEY_PARSE_MALFORMED;
	cursor_init(&c, data, 0, len);
	while (next == MIKEY_KEY_DATA && *n < max) {
		next = mikey_key_read(&c, &keys[*n]);
		if (c.failed)
			return MIKEY_PARSE_MALFORMED;
		(*n)++;
	}
	cursor_finish(&c, "octets after the last Key data");
	return next == MIKEY_LAST && !c.failed ? MIKEY_PARSE_OK : MIKEY_PARSE_MALFORMED;
}
