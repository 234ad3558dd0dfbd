/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "tests/unit/mikey_vectors.h"

enum { ROOM = 4096, OFF_NEXT = 2, OFF_N_CS = 8, OFF_MAP_TYPE = 9 };

static const uint8_t zeroes[300];

/* What the parser should say of a vector, from what the reference implementation says. */
static enum mikey_parse expected_result(const struct mikey_vector *v)
{
	if (strstr(v->name, "request_version_2") != NULL) /* echoed by the response */
		return MIKEY_PARSE_VERSION;
	if (strstr(v->reason, "unknown TS type") != NULL)
		return MIKEY_PARSE_UNSUPPORTED;
	if (strstr(v->reason, "TP Data: truncated") != NULL)
		return MIKEY_PARSE_OK; /* the message is well formed around it */
	if (strstr(v->reason, "truncated") != NULL)
		return MIKEY_PARSE_MALFORMED;
	return MIKEY_PARSE_OK;
}

Test(mikey_message, vectors_parse_as_the_reference_does)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		struct mikey_message m;
		enum mikey_parse res = mikey_parse_message(&m, v->octets, v->len);

		cr_expect_eq(res, expected_result(v), "%s: %d (%s)", v->name, res, v->reason);
		cr_expect_eq(m.data_type, v->octets[1], "%s", v->name);
		if (res == MIKEY_PARSE_UNSUPPORTED)
			cr_expect(m.ts_unknown && m.unsupported_error == MIKEY_ERR_INVALID_TS);
		cr_expect_eq(mikey_parse_header(&m, v->octets, v->len),
			res == MIKEY_PARSE_VERSION ? res : MIKEY_PARSE_OK, "%s", v->name);
		cr_expect_eq(m.data_type, v->octets[1], "%s", v->name);
	}
	mikey_vectors_free(&all);
}

Test(mikey_message, tickets_of_the_vectors_parse_as_the_reference_does)
{
	struct mikey_vectors all = mikey_vectors_load();
	unsigned int tickets = 0, forked = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		bool garbage = strstr(v->reason, "TP Data: truncated") != NULL;
		struct mikey_ticket_data td;
		struct mikey_initiator_data id;
		struct mikey_tp_data tp;
		struct mikey_message m;

		if (mikey_parse_message(&m, v->octets, v->len) != MIKEY_PARSE_OK)
			continue;
		if (m.tp.present)
			cr_expect_eq(mikey_parse_tp_data(&tp, v->octets, m.tp.tp_data),
				garbage ? MIKEY_PARSE_MALFORMED : MIKEY_PARSE_OK, "%s", v->name);
		if (!m.ticket.present)
			continue;
		tickets++;
		cr_expect_eq(mikey_parse_tp_data(&tp, v->octets, m.ticket.tp_data), MIKEY_PARSE_OK);
		cr_expect(!tp.unexpected && tp.n_idr_r > 0, "%s", v->name);
		cr_expect_eq(mikey_parse_ticket_data(&td, v->octets, m.ticket.ticket_data),
			MIKEY_PARSE_OK, "%s", v->name);
		cr_expect(m.data_type == MIKEY_REQUEST_RESP || v->error_no >= 0 ||
				  (m.ticket.flags & MIKEY_FLAG_I) == 0 ||
				  m.ticket.initiator_data.len > 0,
			"%s", v->name);
		if (m.ticket.initiator_data.len == 0 || v->error_no >= 0)
			continue;
		forked++;
		cr_expect_eq(mikey_parse_initiator_data(&id, v->octets, m.ticket.initiator_data),
			MIKEY_PARSE_OK, "%s", v->name);
		cr_expect(!id.vi_literal, "%s", v->name);
	}
	cr_expect(tickets > 100 && forked > 30, "%u tickets, %u forked", tickets, forked);
	mikey_vectors_free(&all);
}

static void begin(struct mikey_writer *w, uint8_t out[ROOM])
{
	mikey_write_begin(w, out, ROOM);
	mikey_write_hdr(w, MIKEY_TRANSFER_INIT, MIKEY_PRF_MIKEY_1, 0x01020304);
}

/* Parses what was written, in memory of exactly its size. */
static enum mikey_parse parse(struct mikey_writer *w, struct mikey_message *m)
{
	static uint8_t *copy;
	size_t len = mikey_write_end(w);

	cr_assert_gt(len, 0);
	free(copy);
	copy = malloc(len);
	cr_assert_not_null(copy);
	memcpy(copy, w->buf, len);
	return mikey_parse_message(m, copy, len);
}

Test(mikey_message, fewer_than_ten_octets_are_short)
{
	static const uint8_t hdr[10] = {1, 11, 0, 0, 0, 0, 0, 0, 0, 1};
	struct mikey_message m;

	for (size_t len = 0; len < sizeof(hdr); len++) {
		cr_expect_eq(mikey_parse_message(&m, hdr, len), MIKEY_PARSE_SHORT);
		cr_expect_eq(mikey_parse_header(&m, hdr, len), MIKEY_PARSE_SHORT);
	}
	cr_expect_eq(mikey_parse_message(&m, NULL, 0), MIKEY_PARSE_SHORT);
	cr_expect_eq(mikey_parse_message(&m, hdr, sizeof(hdr)), MIKEY_PARSE_OK);
}

Test(mikey_message, header_of_another_version_or_data_type_is_readable)
{
	static const uint8_t hdr[14] = {2, 99, 200, 0xff, 1, 2, 3, 4, 5, 77};
	static const uint8_t hdr1[14] = {1, 99, 200, 0xff, 1, 2, 3, 4, 5, 77};
	struct mikey_message m;

	cr_expect_eq(mikey_parse_message(&m, hdr, sizeof(hdr)), MIKEY_PARSE_VERSION);
	cr_expect(m.version == 2 && m.data_type == 99 && m.v_flag && m.prf == 127);
	cr_expect(m.csb_id == 0x01020304 && m.n_cs == 5 && m.map_type == 77);
	cr_expect_eq(mikey_parse_header(&m, hdr1, sizeof(hdr1)), MIKEY_PARSE_OK);
	cr_expect_eq(m.data_type, 99);
	cr_expect_eq(mikey_parse_message(&m, hdr1, sizeof(hdr1)), MIKEY_PARSE_MALFORMED);
	cr_expect_eq(m.data_type, 99);
}

Test(mikey_message, over_65535_octets_are_malformed)
{
	static uint8_t big[65536] = {1, 11, MIKEY_CERT, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xf1};
	struct mikey_message m;

	cr_expect_eq(mikey_parse_message(&m, big, sizeof(big) - 1), MIKEY_PARSE_OK);
	cr_expect_eq(mikey_parse_message(&m, big, sizeof(big)), MIKEY_PARSE_MALFORMED);
	cr_expect_eq(mikey_parse_header(&m, big, sizeof(big)), MIKEY_PARSE_MALFORMED);
	cr_expect_eq(m.data_type, 11);
}

Test(mikey_message, payloads_come_in_any_order_and_the_first_of_a_kind_counts)
{
	static const uint8_t t1[8] = {1}, t2[8] = {2};
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	begin(&w, out);
	mikey_write_idr(&w, MIKEY_IDRR, MIKEY_ID_NAI, (const uint8_t *)"b@c", 3);
	mikey_write_idr(&w, MIKEY_IDRI, 7, (const uint8_t *)"a@bc", 4);
	mikey_write_randr(&w, MIKEY_RANDRR, zeroes, 3);
	mikey_write_err(&w, 5);
	mikey_write_t(&w, MIKEY_TS_NTP_UTC, t1);
	mikey_write_t(&w, MIKEY_TS_NTP_UTC, t2);
	mikey_write_randr(&w, MIKEY_RANDRI, zeroes, 0);
	mikey_write_idr(&w, MIKEY_IDRR, MIKEY_ID_NAI, (const uint8_t *)"second", 6);
	mikey_write_randr(&w, MIKEY_RANDRI, zeroes, 9);
	mikey_write_err(&w, 6);
	mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_1_160);
	cr_assert_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.t.present && mikey_at(m.octets, m.t.value)[0] == 1);
	cr_expect(m.idr[MIKEY_IDRR].present && m.idr[MIKEY_IDRR].data.len == 3);
	cr_expect(m.idr[MIKEY_IDRI].present && m.idr[MIKEY_IDRI].type == 7);
	cr_expect(!m.idr[MIKEY_IDRKMS].present && !m.idr[MIKEY_IDRPSK].present);
	cr_expect(m.randr[MIKEY_RANDRI].present && m.randr[MIKEY_RANDRI].data.len == 0);
	cr_expect_eq(m.randr[MIKEY_RANDRR].data.len, 3);
	cr_expect(m.has_err && m.err_no == 5);
	cr_expect(m.v_last);
}

Test(mikey_message, v_is_last_only_if_it_is_the_one_that_counts)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	begin(&w, out);
	mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_1_160);
	mikey_write_t(&w, MIKEY_TS_COUNTER, zeroes);
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.v.present && !m.v_last);
	begin(&w, out);
	mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_1_160);
	mikey_write_v(&w, MIKEY_AUTH_HMAC_SHA_256_256);
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.v.mac.len == 20 && !m.v_last);
	begin(&w, out);
	mikey_write_v(&w, MIKEY_AUTH_NULL);
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.v_last && m.v.present && m.v.auth_alg == MIKEY_AUTH_NULL && m.v.mac.len == 0);
}

Test(mikey_message, known_payloads_in_the_wrong_place_are_passed_over)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	begin(&w, out);
	mikey_write_id(&w, MIKEY_ID_URI, zeroes, 4);
	mikey_write_cert(&w, 0, zeroes, 5);
	mikey_write_chash(&w, MIKEY_HASH_SHA_1, zeroes, 20);
	mikey_write_chash(&w, MIKEY_HASH_MD5, zeroes, 16);
	mikey_write_chash(&w, MIKEY_HASH_SHA_256, zeroes, 32);
	mikey_write_pke(&w, 2, zeroes, 256);
	mikey_write_dh(&w, MIKEY_DH_OAKLEY_5, zeroes, 192);
	mikey_write_dh(&w, MIKEY_DH_OAKLEY_1, zeroes, 96);
	mikey_write_dh(&w, MIKEY_DH_OAKLEY_2, zeroes, 128);
	mikey_write_sp(&w, 1, 0, zeroes, 6);
	mikey_write_rand(&w, zeroes, 16);
	mikey_write_tr(&w, 77, MIKEY_TS_NTP, zeroes);
	mikey_write_idr(&w, 0, 0, zeroes, 1);
	mikey_write_idr(&w, 6, 0, zeroes, 1);
	mikey_write_randr(&w, 0, zeroes, 1);
	mikey_write_randr(&w, 4, zeroes, 1);
	mikey_write_general_ext(&w, 9, zeroes, 2);
	mikey_write_kemac(&w, 200, zeroes, 3);
	mikey_write_t(&w, MIKEY_TS_NTP, zeroes);
	mikey_write_sign(&w, 15, zeroes, 7);
	cr_assert_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.t.present && m.kemac.present && m.kemac.encr_alg == 200);
	cr_expect(m.sp_off > 0 && m.octets[m.sp_off] == 1);
	cr_expect(!m.v.present && !m.v_last);
}

Test(mikey_message, octets_after_the_last_payload_are_malformed)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		struct mikey_message m;
		uint8_t *longer;

		if (expected_result(v) != MIKEY_PARSE_OK)
			continue;
		longer = calloc(1, v->len + 1);
		cr_assert_not_null(longer);
		memcpy(longer, v->octets, v->len);
		cr_expect_eq(mikey_parse_message(&m, longer, v->len + 1), MIKEY_PARSE_MALFORMED);
		free(longer);
	}
	mikey_vectors_free(&all);
}

Test(mikey_message, unknown_payloads_and_key_data_are_malformed)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	for (unsigned int kind = 1; kind < 256; kind++) {
		bool known = kind <= MIKEY_TICKET || kind == MIKEY_GENERAL_EXT;

		begin(&w, out);
		mikey_write_t(&w, MIKEY_TS_NTP_UTC, zeroes);
		if (known)
			continue;
		out[MIKEY_HDR_LEN] = (uint8_t)kind;
		memset(out + w.len, 0, 64);
		w.len += 64;
		cr_expect_eq(parse(&w, &m), MIKEY_PARSE_MALFORMED, "%u", kind);
		cr_expect_eq(m.unsupported_error, 0);
	}
}

Test(mikey_message, octets_after_sign_are_malformed)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	begin(&w, out);
	mikey_write_sign(&w, 0, zeroes, 128);
	w.len++;
	out[w.len - 1] = MIKEY_LAST;
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_MALFORMED);
}

/* out has HDR and one payload; its octet at off gets the value 200. */
static enum mikey_parse parse_patched(struct mikey_writer *w, size_t off, struct mikey_message *m)
{
	w->buf[MIKEY_HDR_LEN + off] = 200;
	return parse(w, m);
}

Test(mikey_message, types_that_hide_a_length_are_unsupported_with_their_error)
{
	struct mikey_writer w;
	struct mikey_message m;
	uint8_t out[ROOM];

	begin(&w, out), mikey_write_t(&w, 0, zeroes);
	cr_expect_eq(parse_patched(&w, 1, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect(m.unsupported_error == MIKEY_ERR_INVALID_TS && m.ts_unknown && !m.auth_unknown);
	cr_expect(!m.t.present);
	begin(&w, out), mikey_write_tr(&w, MIKEY_TRS, 0, zeroes);
	cr_expect_eq(parse_patched(&w, 2, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect_eq(m.unsupported_error, MIKEY_ERR_INVALID_TS);
	begin(&w, out), mikey_write_v(&w, 1);
	cr_expect_eq(parse_patched(&w, 1, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect(m.unsupported_error == MIKEY_ERR_INVALID_MAC && !m.ts_unknown && m.auth_unknown);
	cr_expect(!m.v.present && !m.v_last);
	begin(&w, out), mikey_write_kemac(&w, 0, zeroes, 4);
	cr_expect_eq(parse_patched(&w, 8, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect(m.unsupported_error == MIKEY_ERR_INVALID_MAC && m.auth_unknown);
	begin(&w, out), mikey_write_chash(&w, 0, zeroes, 20);
	cr_expect_eq(parse_patched(&w, 1, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect_eq(m.unsupported_error, MIKEY_ERR_INVALID_HA);
	begin(&w, out), mikey_write_dh(&w, MIKEY_DH_OAKLEY_1, zeroes, 96);
	cr_expect_eq(parse_patched(&w, 1, &m), MIKEY_PARSE_UNSUPPORTED);
	cr_expect_eq(m.unsupported_error, MIKEY_ERR_INVALID_DH);
	begin(&w, out), mikey_write_kemac(&w, 0, zeroes, 4);
	cr_expect_eq(parse_patched(&w, 1, &m), MIKEY_PARSE_OK, "the length is explicit");
}

Test(mikey_message, kemac_with_a_mac_and_dh_with_validity_parse)
{
	static const uint8_t kemac[] = {1, 6, MIKEY_KEMAC, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 7, 7, 1,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	uint8_t dh[10 + 2 + 96 + 1 + 5] = {
		1, 6, MIKEY_DH, 0, 0, 0, 0, 0, 0, 1, 0, MIKEY_DH_OAKLEY_1};
	struct mikey_message m;

	cr_expect_eq(mikey_parse_message(&m, kemac, sizeof(kemac)), MIKEY_PARSE_OK);
	cr_expect(m.kemac.mac_alg == MIKEY_AUTH_HMAC_SHA_1_160 && m.kemac.mac.len == 20);
	cr_expect(m.kemac.data.off == 14 && m.kemac.data.len == 2);
	dh[108] = MIKEY_KV_SPI;
	dh[109] = 4;
	cr_expect_eq(mikey_parse_message(&m, dh, sizeof(dh)), MIKEY_PARSE_OK);
	dh[108] = 0xf0 | MIKEY_KV_INTERVAL;
	dh[109] = 1;
	dh[111] = 2;
	cr_expect_eq(mikey_parse_message(&m, dh, sizeof(dh)), MIKEY_PARSE_OK);
	dh[108] = 3;
	cr_expect_eq(mikey_parse_message(&m, dh, sizeof(dh)), MIKEY_PARSE_MALFORMED);
}

Test(mikey_message, maps_parse_by_their_type)
{
	static const uint8_t generic[] = {
		1, MIKEY_PROT_SRTP, 0x82, 4, 5, 0, 3, 'a', 'b', 'c', 2, 8, 9, 2, 0, 0, 0, 0, 0};
	static const uint8_t srtp_id[18] = {0};
	struct mikey_writer w;
	struct mikey_message m;
	struct mikey_cs cs;
	uint8_t out[ROOM];

	mikey_write_begin(&w, out, ROOM);
	mikey_write_hdr_map(&w, 14, true, 1, 9, 2, MIKEY_MAP_GENERIC_ID, generic, sizeof(generic));
	mikey_write_err(&w, 3);
	cr_assert_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.map.off == 10 && m.map.len == sizeof(generic) && m.has_err && m.v_flag);
	cr_assert(mikey_cs_get(&m, 0, &cs));
	cr_expect(cs.cs_id == 1 && cs.s_flag && cs.policies.len == 2 && cs.spi.len == 2);
	cr_expect(cs.session_data.len == 3 && mikey_at(m.octets, cs.session_data)[2] == 'c');
	cr_assert(mikey_cs_get(&m, 1, &cs));
	cr_expect(cs.cs_id == 2 && !cs.s_flag && cs.policies.len == 0 && cs.spi.len == 0);
	cr_expect(!mikey_cs_get(&m, 2, &cs));
	mikey_write_begin(&w, out, ROOM);
	mikey_write_hdr_map(&w, 14, false, 1, 9, 2, MIKEY_MAP_SRTP_ID, srtp_id, sizeof(srtp_id));
	mikey_write_err(&w, 3);
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_OK);
	cr_expect(m.map.len == 18 && m.has_err && !mikey_cs_get(&m, 0, &cs));
	begin(&w, out);
	out[OFF_N_CS] = 200;
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_OK, "the Empty map has no info");
	begin(&w, out);
	out[OFF_MAP_TYPE] = 3;
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_MALFORMED);
	begin(&w, out);
	out[OFF_N_CS] = 1;
	out[OFF_MAP_TYPE] = MIKEY_MAP_GENERIC_ID;
	cr_expect_eq(parse(&w, &m), MIKEY_PARSE_MALFORMED);
}
