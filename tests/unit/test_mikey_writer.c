/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "tests/unit/mikey_rebuild.h"
#include "tests/unit/mikey_vectors.h"

enum { ROOM = 80000, CANARY = 0xa5 };

static const uint8_t zeroes[300];
static const struct mikey_ticket_head base_ticket = {.type = 1, .subtype = 1, .version = 1};

Test(mikey_writer, vectors_are_rebuilt_octet_by_octet)
{
	struct mikey_vectors all = mikey_vectors_load();
	unsigned int rebuilt = 0;
	uint8_t out[ROOM];

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		struct mikey_message m;
		struct mikey_tp_data tp;

		if (mikey_parse_message(&m, v->octets, v->len) != MIKEY_PARSE_OK)
			continue;
		if (m.tp.present &&
			mikey_parse_tp_data(&tp, v->octets, m.tp.tp_data) != MIKEY_PARSE_OK)
			continue;
		for (unsigned int how = 0; how < REBUILD_WAYS; how++) {
			size_t len = mikey_rebuild(v->octets, v->len, how, out, sizeof(out));

			cr_expect_eq(len, v->len, "%s: %zu", v->name, len);
			cr_expect_arr_eq(out, v->octets, v->len, "%s", v->name);
		}
		rebuilt++;
	}
	cr_expect_gt(rebuilt, 250);
	mikey_vectors_free(&all);
}

Test(mikey_writer, every_capacity_that_is_too_small_fails_and_stays_inside)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];

		/* one of each kind of message is enough */
		if (strncmp(v->name, "mode1_all_key_types/B", 21) != 0)
			continue;
		for (size_t cap = 0; cap <= v->len; cap++) {
			uint8_t *out = malloc(cap + 16);
			size_t len;

			cr_assert_not_null(out);
			memset(out, CANARY, cap + 16);
			len = mikey_rebuild(v->octets, v->len, REBUILD_PARTS, out, cap);
			cr_expect_eq(len, cap == v->len ? v->len : 0, "%s: %zu", v->name, cap);
			for (size_t k = cap; k < cap + 16; k++)
				cr_assert_eq(out[k], CANARY, "%s: %zu", v->name, cap);
			free(out);
		}
	}
	mikey_vectors_free(&all);
}

static void begin(struct mikey_writer *w, uint8_t out[ROOM])
{
	mikey_write_begin(w, out, ROOM);
	mikey_write_hdr(w, MIKEY_TRANSFER_INIT, MIKEY_PRF_MIKEY_1, 7);
}

Test(mikey_writer, nothing_comes_before_hdr)
{
	struct mikey_writer w;
	uint8_t out[ROOM];

	mikey_write_begin(&w, out, sizeof(out));
	mikey_write_t(&w, MIKEY_TS_NTP_UTC, zeroes);
	cr_expect_eq(mikey_write_end(&w), 0);
	begin(&w, out);
	mikey_write_hdr(&w, MIKEY_TRANSFER_INIT, MIKEY_PRF_MIKEY_1, 7);
	cr_expect_eq(mikey_write_end(&w), 0);
	mikey_write_begin(&w, out, sizeof(out));
	mikey_write_version(&w, 2);
	cr_expect_eq(mikey_write_end(&w), 0);
}

Test(mikey_writer, nothing_comes_after_sign)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];
	size_t len;

	begin(&w, out);
	mikey_write_sign(&w, 1, zeroes, 256);
	len = mikey_write_end(&w);
	cr_expect_eq(len, 10 + 2 + 256);
	cr_expect_eq(mikey_parse_message(&m, out, len), MIKEY_PARSE_OK);
	mikey_write_err(&w, 0);
	cr_expect_eq(mikey_write_end(&w), 0);
}

Test(mikey_writer, values_that_fields_cannot_hold_fail)
{
	static const uint8_t big[65536];
	struct mikey_writer w;
	uint8_t out[ROOM];
	struct mikey_key_spec key = {.type = 7};
	size_t off;

	begin(&w, out), mikey_write_t(&w, 4, zeroes);
	cr_expect_eq(mikey_write_end(&w), 0, "unknown TS type");
	begin(&w, out), mikey_write_tr(&w, MIKEY_TRS, 9, zeroes);
	cr_expect_eq(mikey_write_end(&w), 0, "unknown TS type");
	begin(&w, out), mikey_write_rand(&w, zeroes, 256);
	cr_expect_eq(mikey_write_end(&w), 0, "RAND of 256 octets");
	begin(&w, out), mikey_write_idr(&w, 1, 0, big, sizeof(big));
	cr_expect_eq(mikey_write_end(&w), 0, "identity of 65536 octets");
	begin(&w, out), off = mikey_write_v(&w, 3);
	cr_expect_eq(off, SIZE_MAX);
	cr_expect_eq(mikey_write_end(&w), 0, "unknown MAC");
	begin(&w, out), mikey_write_chash(&w, MIKEY_HASH_SHA_256, zeroes, 20);
	cr_expect_eq(mikey_write_end(&w), 0, "hash of a wrong length");
	begin(&w, out), mikey_write_dh(&w, MIKEY_DH_OAKLEY_5, zeroes, 191);
	cr_expect_eq(mikey_write_end(&w), 0, "DH value of a wrong length");
	begin(&w, out), mikey_write_pke(&w, 4, zeroes, 1);
	cr_expect_eq(mikey_write_end(&w), 0, "C of 3 bits");
	begin(&w, out), mikey_write_pke(&w, 0, big, 1 << 14);
	cr_expect_eq(mikey_write_end(&w), 0, "envelope key of 2^14 octets");
	begin(&w, out), mikey_write_sign(&w, 0, big, 1 << 12);
	cr_expect_eq(mikey_write_end(&w), 0, "signature of 2^12 octets");
	mikey_write_begin(&w, out, sizeof(out));
	mikey_write_hdr(&w, MIKEY_ERROR, 0x80, 0);
	cr_expect_eq(mikey_write_end(&w), 0, "PRF of 8 bits");
	mikey_write_begin_keys(&w, out, sizeof(out));
	cr_expect_eq(mikey_write_key(&w, &key), SIZE_MAX);
	key = (struct mikey_key_spec){.type = MIKEY_TGK, .kv = 3};
	mikey_write_begin_keys(&w, out, sizeof(out));
	cr_expect_eq(mikey_write_key(&w, &key), SIZE_MAX);
}

Test(mikey_writer, lengths_of_pke_and_sign_use_all_their_bits)
{
	static const uint8_t big[1 << 14];
	struct mikey_writer w;
	uint8_t out[ROOM], again[ROOM];
	size_t len;

	begin(&w, out);
	mikey_write_pke(&w, 3, big, (1 << 14) - 1);
	mikey_write_sign(&w, 15, big, (1 << 12) - 1);
	len = mikey_write_end(&w);
	cr_assert_eq(len, 10 + 3 + 16383 + 2 + 4095);
	cr_expect_eq(mikey_rebuild(out, len, REBUILD_PARTS, again, sizeof(again)), len);
	cr_expect_arr_eq(again, out, len);
}

Test(mikey_writer, messages_over_65535_octets_fail)
{
	static uint8_t out[80000];
	static const uint8_t cert[65536 - 10 - 4];
	struct mikey_writer w;

	mikey_write_begin(&w, out, sizeof(out));
	mikey_write_hdr(&w, MIKEY_TRANSFER_INIT, 0, 0);
	mikey_write_cert(&w, 0, cert, sizeof(cert));
	cr_expect_eq(mikey_write_end(&w), 0);
	mikey_write_begin(&w, out, sizeof(out));
	mikey_write_hdr(&w, MIKEY_TRANSFER_INIT, 0, 0);
	mikey_write_cert(&w, 0, cert, sizeof(cert) - 1);
	cr_expect_eq(mikey_write_end(&w), 65535);
}

Test(mikey_writer, parts_of_a_ticket_must_be_complete_and_in_order)
{
	struct mikey_writer w;
	struct mikey_nest nest;
	uint8_t out[ROOM];

	begin(&w, out), mikey_open_tp(&w, MIKEY_TP, &base_ticket);
	cr_expect_eq(mikey_write_end(&w), 0, "left open");
	begin(&w, out), mikey_write_tp_raw(&w, MIKEY_TICKET, &base_ticket, zeroes, 1);
	cr_expect_eq(mikey_write_end(&w), 0, "no Ticket Data");
	begin(&w, out), mikey_write_tp_raw(&w, MIKEY_TICKET, &base_ticket, zeroes, 1);
	mikey_write_err(&w, 0);
	cr_expect(w.failed, "payload where Ticket Data is due");
	begin(&w, out), mikey_write_tp_raw(&w, MIKEY_TICKET, &base_ticket, zeroes, 1);
	nest = mikey_open_ticket_data(&w);
	mikey_close(&w, nest);
	cr_expect(w.failed, "Ticket Data without THDR");
	begin(&w, out), mikey_write_tp_raw(&w, MIKEY_TICKET, &base_ticket, zeroes, 1);
	mikey_write_ticket_data_raw(&w, zeroes, 3);
	cr_expect_eq(mikey_write_end(&w), 0, "no Initiator Data length");
	begin(&w, out), mikey_write_thdr(&w, zeroes, 1);
	cr_expect(w.failed, "THDR outside Ticket Data");
	begin(&w, out), mikey_open_ticket_data(&w);
	cr_expect(w.failed, "Ticket Data without TICKET");
	begin(&w, out), mikey_open_initiator_data(&w);
	cr_expect(w.failed, "Initiator Data without TICKET");
	begin(&w, out), mikey_write_no_initiator_data(&w);
	cr_expect(w.failed, "Initiator Data length without TICKET");
	begin(&w, out), mikey_open_tp(&w, MIKEY_T, &base_ticket);
	cr_expect(w.failed, "neither TP nor TICKET");
}

Test(mikey_writer, a_version_can_be_echoed)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];
	size_t len;

	begin(&w, out);
	mikey_write_err(&w, MIKEY_ERR_UNSPECIFIED);
	mikey_write_version(&w, 2);
	len = mikey_write_end(&w);
	cr_expect_eq(len, 14);
	cr_expect_eq(mikey_parse_message(&m, out, len), MIKEY_PARSE_VERSION);
	cr_expect_eq(m.version, 2);
	cr_expect_eq(m.csb_id, 7);
}

static void check_key(const uint8_t *data, const struct mikey_key *k,
	const struct mikey_key_spec *spec, size_t off)
{
	cr_expect_eq(k->type, spec->type);
	cr_expect_eq(k->kv, spec->kv);
	cr_expect_eq(k->key.off, off);
	cr_expect_eq(k->key.len, spec->key_len);
	cr_expect_arr_eq(data + k->key.off, spec->key, spec->key_len);
	cr_expect_eq(k->salt.len, mikey_key_has_salt(spec->type) ? spec->salt_len : 0);
	cr_expect_arr_eq(data + k->salt.off, spec->salt, k->salt.len);
	cr_expect_eq(k->spi.len, spec->kv == MIKEY_KV_SPI ? spec->spi_len : 0);
	cr_expect_arr_eq(data + k->spi.off, spec->spi, k->spi.len);
	cr_expect_eq(k->valid_from.len, spec->kv == MIKEY_KV_INTERVAL ? spec->valid_from_len : 0);
	cr_expect_arr_eq(data + k->valid_from.off, spec->valid_from, k->valid_from.len);
	cr_expect_eq(k->valid_to.len, spec->kv == MIKEY_KV_INTERVAL ? spec->valid_to_len : 0);
	cr_expect_arr_eq(data + k->valid_to.off, spec->valid_to, k->valid_to.len);
}

Test(mikey_writer, keys_of_every_type_and_validity_come_back)
{
	struct mikey_key_spec spec = {
		.key = (const uint8_t *)"0123456789abcdef",
		.key_len = 16,
		.salt = (const uint8_t *)"saltsaltsalts!",
		.salt_len = 14,
		.spi = (const uint8_t *)"spi!",
		.spi_len = 4,
		.valid_from = (const uint8_t *)"from--",
		.valid_from_len = 6,
		.valid_to = (const uint8_t *)"to---",
		.valid_to_len = 5,
	};
	struct mikey_key keys[2];
	struct mikey_writer w;
	uint8_t out[ROOM];
	size_t len, off[2];
	unsigned int n;

	for (spec.type = MIKEY_TGK; spec.type <= MIKEY_MPK; spec.type++) {
		for (spec.kv = MIKEY_KV_NULL; spec.kv <= MIKEY_KV_INTERVAL; spec.kv++) {
			mikey_write_begin_keys(&w, out, sizeof(out));
			off[0] = mikey_write_key(&w, &spec);
			off[1] = mikey_write_key(&w, &spec);
			len = mikey_write_end(&w);
			cr_assert_eq(mikey_parse_keys(keys, 2, &n, out, len), MIKEY_PARSE_OK);
			cr_assert_eq(n, 2);
			check_key(out, &keys[0], &spec, off[0]);
			check_key(out, &keys[1], &spec, off[1]);
			cr_expect_eq(
				mikey_parse_keys(keys, 1, &n, out, len), MIKEY_PARSE_MALFORMED);
			cr_expect_eq(
				mikey_parse_keys(keys, 2, &n, out, len - 1), MIKEY_PARSE_MALFORMED);
			out[len] = 0;
			cr_expect_eq(
				mikey_parse_keys(keys, 2, &n, out, len + 1), MIKEY_PARSE_MALFORMED);
			out[off[1] - 4] = MIKEY_ID; /* Next Payload of the last key */
			cr_expect_eq(
				mikey_parse_keys(keys, 2, &n, out, len), MIKEY_PARSE_MALFORMED);
		}
	}
}

Test(mikey_writer, zeroes_stand_in_for_data_that_is_filled_in_later)
{
	struct mikey_writer w;
	uint8_t out[ROOM];
	size_t kemac, mac;

	memset(out, 0xff, sizeof(out));
	begin(&w, out);
	kemac = mikey_write_kemac(&w, MIKEY_ENCR_AES_CM_128, NULL, 40);
	mac = mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_256_256);
	cr_expect_eq(mikey_write_end(&w), mac + 32);
	cr_expect_arr_eq(out + kemac, zeroes, 40);
	cr_expect_arr_eq(out + mac, zeroes, 32);
}
