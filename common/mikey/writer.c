/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/writer.h"

#include <string.h>

#include "common/mikey/message.h"
#include "common/mikey/put.h"

static void begin(struct mikey_writer *w, uint8_t *buf, size_t cap, size_t next_off)
{
	*w = (struct mikey_writer){
		.buf = buf,
		.cap = cap < MIKEY_MESSAGE_MAX ? cap : MIKEY_MESSAGE_MAX,
		.next_off = next_off,
	};
}

void mikey_write_begin(struct mikey_writer *w, uint8_t *buf, size_t cap)
{
	begin(w, buf, cap, CHAIN_NEEDS_HDR);
}

void mikey_write_begin_keys(struct mikey_writer *w, uint8_t *buf, size_t cap)
{
	begin(w, buf, cap, CHAIN_NEEDS_KEY);
}

size_t mikey_write_end(struct mikey_writer *w)
{
	if (w->depth != 0 || w->due != PART_NONE)
		w->failed = true;
	return w->failed ? 0 : w->len;
}

void mikey_write_hdr(struct mikey_writer *w, uint8_t data_type, uint8_t prf, uint32_t csb_id)
{
	mikey_write_hdr_map(w, data_type, false, prf, csb_id, 0, MIKEY_MAP_EMPTY, NULL, 0);
}

void mikey_write_hdr_map(struct mikey_writer *w, uint8_t data_type, bool v_flag, uint8_t prf,
	uint32_t csb_id, uint8_t n_cs, uint8_t map_type, const uint8_t *map, size_t map_len)
{
	size_t start = w->len;

	put_require(w, w->next_off == CHAIN_NEEDS_HDR && start == 0 && prf < 0x80);
	put_u8(w, MIKEY_VERSION);
	put_u8(w, data_type);
	put_u8(w, MIKEY_LAST);
	put_u8(w, (uint8_t)((v_flag ? 0x80 : 0) | prf));
	put_u32(w, csb_id);
	put_u8(w, n_cs);
	put_u8(w, map_type);
	put_octets(w, map, map_len);
	if (!w->failed)
		w->next_off = start + 2;
}

void mikey_write_version(struct mikey_writer *w, uint8_t version)
{
	put_require(w, w->len >= MIKEY_HDR_LEN);
	if (!w->failed)
		w->buf[0] = version;
}

void put_payload(struct mikey_writer *w, uint8_t kind)
{
	put_require(w, w->due == PART_NONE && w->next_off < CHAIN_SPECIAL);
	if (w->failed)
		return;
	w->buf[w->next_off] = kind;
	w->next_off = w->len;
	put_u8(w, MIKEY_LAST);
}

/* Octets whose length was checked to fit the field of the length in bits. */
static void put_sized(struct mikey_writer *w, unsigned int bits, const uint8_t *data, size_t len)
{
	put_require(w, len < (size_t)1 << bits);
	if (bits == 8)
		put_u8(w, (uint8_t)len);
	else
		put_u16(w, (uint16_t)len);
	put_octets(w, data, len);
}

static void put_ts(struct mikey_writer *w, uint8_t ts_type, const uint8_t *value)
{
	int len = mikey_ts_len(ts_type);

	put_require(w, len >= 0);
	put_u8(w, ts_type);
	if (len >= 0)
		put_octets(w, value, (size_t)len);
}

void mikey_write_t(struct mikey_writer *w, uint8_t ts_type, const uint8_t *value)
{
	put_payload(w, MIKEY_T);
	put_ts(w, ts_type, value);
}

void mikey_write_tr(struct mikey_writer *w, uint8_t role, uint8_t ts_type, const uint8_t *value)
{
	put_payload(w, MIKEY_TR);
	put_u8(w, role);
	put_ts(w, ts_type, value);
}

void mikey_write_rand(struct mikey_writer *w, const uint8_t *rand, size_t len)
{
	put_payload(w, MIKEY_RAND);
	put_sized(w, 8, rand, len);
}

void mikey_write_randr(struct mikey_writer *w, uint8_t role, const uint8_t *rand, size_t len)
{
	put_payload(w, MIKEY_RANDR);
	put_u8(w, role);
	put_sized(w, 8, rand, len);
}

void mikey_write_id(struct mikey_writer *w, uint8_t id_type, const uint8_t *id, size_t len)
{
	put_payload(w, MIKEY_ID);
	put_u8(w, id_type);
	put_sized(w, 16, id, len);
}

void mikey_write_idr(
	struct mikey_writer *w, uint8_t role, uint8_t id_type, const uint8_t *id, size_t len)
{
	put_payload(w, MIKEY_IDR);
	put_u8(w, role);
	put_u8(w, id_type);
	put_sized(w, 16, id, len);
}

void mikey_write_err(struct mikey_writer *w, uint8_t err_no)
{
	put_payload(w, MIKEY_ERR);
	put_u8(w, err_no);
	put_u16(w, 0);
}

void mikey_write_thdr(struct mikey_writer *w, const uint8_t *data, size_t len)
{
	put_require(w, w->due == PART_NONE && w->next_off == CHAIN_NEEDS_THDR);
	if (!w->failed)
		w->next_off = w->len;
	put_u8(w, MIKEY_LAST);
	put_sized(w, 16, data, len);
}

void mikey_write_sp(struct mikey_writer *w, uint8_t policy_no, uint8_t prot_type,
	const uint8_t *params, size_t len)
{
	put_payload(w, MIKEY_SP);
	put_u8(w, policy_no);
	put_u8(w, prot_type);
	put_sized(w, 16, params, len);
}

void mikey_write_general_ext(struct mikey_writer *w, uint8_t type, const uint8_t *data, size_t len)
{
	put_payload(w, MIKEY_GENERAL_EXT);
	put_u8(w, type);
	put_sized(w, 16, data, len);
}

void mikey_write_cert(struct mikey_writer *w, uint8_t type, const uint8_t *cert, size_t len)
{
	put_payload(w, MIKEY_CERT);
	put_u8(w, type);
	put_sized(w, 16, cert, len);
}

void mikey_write_chash(struct mikey_writer *w, uint8_t hash, const uint8_t *digest, size_t len)
{
	put_payload(w, MIKEY_CHASH);
	put_require(w, mikey_hash_len(hash) == (int)len);
	put_u8(w, hash);
	put_octets(w, digest, len);
}

void mikey_write_pke(struct mikey_writer *w, uint8_t c, const uint8_t *data, size_t len)
{
	put_payload(w, MIKEY_PKE);
	put_require(w, c < 4 && len < 1 << 14);
	put_u16(w, (uint16_t)(c << 14 | len));
	put_octets(w, data, len);
}

void mikey_write_dh(struct mikey_writer *w, uint8_t group, const uint8_t *value, size_t len)
{
	put_payload(w, MIKEY_DH);
	put_require(w, mikey_dh_len(group) == (int)len);
	put_u8(w, group);
	put_octets(w, value, len);
	put_u8(w, MIKEY_KV_NULL);
}

void mikey_write_sign(struct mikey_writer *w, uint8_t type, const uint8_t *sig, size_t len)
{
	put_require(w, w->due == PART_NONE && w->next_off < CHAIN_SPECIAL);
	put_require(w, type < 16 && len < 1 << 12);
	if (!w->failed) {
		w->buf[w->next_off] = MIKEY_SIGN;
		w->next_off = CHAIN_ENDED;
	}
	put_u16(w, (uint16_t)(type << 12 | len));
	put_octets(w, sig, len);
}

size_t mikey_write_kemac(struct mikey_writer *w, uint8_t encr_alg, const uint8_t *data, size_t len)
{
	size_t off;

	put_payload(w, MIKEY_KEMAC);
	put_u8(w, encr_alg);
	put_sized(w, 16, data, len);
	off = w->len - len;
	put_u8(w, MIKEY_AUTH_NULL);
	return w->failed ? SIZE_MAX : off;
}

size_t mikey_write_v(struct mikey_writer *w, uint8_t auth_alg)
{
	int len = mikey_mac_len(auth_alg);

	put_payload(w, MIKEY_V);
	put_require(w, len >= 0);
	put_u8(w, auth_alg);
	if (len >= 0)
		put_octets(w, NULL, (size_t)len);
	return w->failed ? SIZE_MAX : w->len - (size_t)len;
}

static void put_validity(struct mikey_writer *w, const struct mikey_key_spec *key)
{
	switch (key->kv) {
	case MIKEY_KV_NULL:
		break;
	case MIKEY_KV_SPI:
		put_sized(w, 8, key->spi, key->spi_len);
		break;
	case MIKEY_KV_INTERVAL:
		put_sized(w, 8, key->valid_from, key->valid_from_len);
		put_sized(w, 8, key->valid_to, key->valid_to_len);
		break;
	default:
		put_require(w, false);
	}
}

size_t mikey_write_key(struct mikey_writer *w, const struct mikey_key_spec *key)
{
	size_t next = w->len, off;

	put_require(w, key->type <= MIKEY_MPK);
	put_require(w, w->next_off == CHAIN_NEEDS_KEY || w->next_off < CHAIN_SPECIAL);
	put_require(w, w->depth == 0);
	put_u8(w, MIKEY_LAST);
	if (!w->failed && w->next_off != CHAIN_NEEDS_KEY)
		w->buf[w->next_off] = MIKEY_KEY_DATA;
	put_u8(w, (uint8_t)(key->type << 4 | key->kv));
	put_sized(w, 16, key->key, key->key_len);
	off = w->len - key->key_len;
	if (mikey_key_has_salt(key->type))
		put_sized(w, 16, key->salt, key->salt_len);
	put_validity(w, key);
	if (w->failed)
		return SIZE_MAX;
	w->next_off = next;
	return off;
}
