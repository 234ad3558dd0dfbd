/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "common/mikey/message.h"
#include "common/mikey/writer.h"

enum { ROOM = 8192 };

static const uint8_t zeroes[300];
static const struct mikey_ticket_head head = {
	.type = 2,
	.subtype = 3,
	.version = 4,
	.prf = 0x55,
	.flags = MIKEY_FLAG_D | MIKEY_FLAG_I | MIKEY_FLAG_O,
	.reserved = 0x15,
};

/* A message that is open for TP Data in a TP. */
struct building {
	struct mikey_writer w;
	struct mikey_nest nest;
	uint8_t out[ROOM];
	struct mikey_message m;
};

static void open_tp(struct building *b)
{
	mikey_write_begin(&b->w, b->out, sizeof(b->out));
	mikey_write_hdr(&b->w, MIKEY_REQUEST_INIT_PSK, 1, 2);
	b->nest = mikey_open_tp(&b->w, MIKEY_TP, &head);
}

static enum mikey_parse close_tp(struct building *b, struct mikey_tp_data *tp)
{
	size_t len;

	mikey_close(&b->w, b->nest);
	mikey_write_v(&b->w, MIKEY_AUTH_HMAC_SHA_256_256);
	len = mikey_write_end(&b->w);
	cr_assert_gt(len, 0);
	cr_assert_eq(mikey_parse_message(&b->m, b->out, len), MIKEY_PARSE_OK);
	cr_assert(b->m.tp.present && b->m.v_last);
	return mikey_parse_tp_data(tp, b->out, b->m.tp.tp_data);
}

Test(mikey_ticket, fields_of_the_head_are_where_the_rfc_has_them)
{
	struct building b;
	struct mikey_tp_data tp;
	const struct mikey_ticket *t = &b.m.tp;

	open_tp(&b);
	cr_expect_eq(close_tp(&b, &tp), MIKEY_PARSE_OK);
	cr_expect(t->type == 2 && t->subtype == 3 && t->version == 4 && t->prf == 0x55);
	cr_expect(t->flags == head.flags && t->reserved == 0x15);
	cr_expect_eq(t->body.off, MIKEY_HDR_LEN + 1);
	cr_expect_eq(t->body.len, 7 + 2 + 1);
	cr_expect_arr_eq(
		b.out + 11, ((const uint8_t[]){0, 2, 3, 4, 0xab, 0x08, 0x35, 0, 1, 0}), 10);
	cr_expect_eq(t->initiator_len_off, 0);
}

Test(mikey_ticket, tp_data_sorts_its_payloads)
{
	struct building b;
	struct mikey_tp_data tp;

	open_tp(&b);
	mikey_write_tr(&b.w, MIKEY_TRE, MIKEY_TS_NTP_UTC_32, zeroes);
	mikey_write_tr(&b.w, MIKEY_TRS, MIKEY_TS_NTP_UTC, zeroes);
	mikey_write_tr(&b.w, MIKEY_TRR, MIKEY_TS_NTP_UTC_32, zeroes);
	mikey_write_idr(&b.w, MIKEY_IDRR, 0, (const uint8_t *)"r1", 2);
	mikey_write_idr(&b.w, MIKEY_IDRAPP, 0, (const uint8_t *)"app", 3);
	mikey_write_idr(&b.w, MIKEY_IDRR, 0, (const uint8_t *)"r2", 2);
	mikey_write_kemac(&b.w, MIKEY_ENCR_NULL, zeroes, 0);
	mikey_write_idr(&b.w, MIKEY_IDRKMS, 0, (const uint8_t *)"kms", 3);
	mikey_write_idr(&b.w, MIKEY_IDRI, 0, (const uint8_t *)"init", 4);
	cr_assert_eq(close_tp(&b, &tp), MIKEY_PARSE_OK);
	cr_expect(!tp.unexpected);
	cr_expect(tp.trs.present && tp.trs.value.len == 8);
	cr_expect(tp.tre.present && tp.trr.present && tp.kemac.present);
	cr_expect(tp.idr_kms.data.len == 3 && tp.idr_i.data.len == 4);
	cr_expect(tp.n_idr_r == 2 && tp.n_idr_app == 1);
	cr_expect_arr_eq(b.out + tp.idr_r[0].data.off, "r1", 2);
	cr_expect_arr_eq(b.out + tp.idr_r[1].data.off, "r2", 2);
}

Test(mikey_ticket, tp_data_counts_identities_beyond_its_arrays)
{
	struct building b;
	struct mikey_tp_data tp;

	open_tp(&b);
	for (int i = 0; i < 300; i++) {
		mikey_write_idr(&b.w, MIKEY_IDRR, 0, zeroes, 1);
		mikey_write_idr(&b.w, MIKEY_IDRAPP, 0, zeroes, 2);
	}
	cr_assert_eq(close_tp(&b, &tp), MIKEY_PARSE_OK);
	cr_expect(tp.n_idr_r == 300 && tp.n_idr_app == 300 && !tp.unexpected);
	cr_expect(tp.idr_r[MIKEY_IDRR_MAX - 1].data.len == 1);
	cr_expect(tp.idr_app[MIKEY_IDRAPP_MAX - 1].data.len == 2);
}

/* Is what write() adds to TP Data unexpected there? */
static bool unexpected(void (*write)(struct mikey_writer *w))
{
	struct building b;
	struct mikey_tp_data tp;

	open_tp(&b);
	write(&b.w);
	cr_assert_eq(close_tp(&b, &tp), MIKEY_PARSE_OK);
	return tp.unexpected;
}

static void write_two_tre(struct mikey_writer *w)
{
	mikey_write_tr(w, MIKEY_TRE, MIKEY_TS_NTP_UTC_32, zeroes);
	mikey_write_tr(w, MIKEY_TRE, MIKEY_TS_NTP_UTC_32, zeroes);
}

static void write_two_idri(struct mikey_writer *w)
{
	mikey_write_idr(w, MIKEY_IDRI, 0, zeroes, 1);
	mikey_write_idr(w, MIKEY_IDRI, 0, zeroes, 1);
}

static void write_tri(struct mikey_writer *w)
{
	mikey_write_tr(w, MIKEY_TRI, MIKEY_TS_NTP_UTC_32, zeroes);
}

static void write_idrpsk(struct mikey_writer *w)
{
	mikey_write_idr(w, MIKEY_IDRPSK, 0, zeroes, 1);
}

static void write_t(struct mikey_writer *w)
{
	mikey_write_t(w, MIKEY_TS_NTP_UTC_32, zeroes);
}

static void write_nested_tp(struct mikey_writer *w)
{
	mikey_write_tp_raw(w, MIKEY_TP, &head, zeroes, 1);
}

Test(mikey_ticket, tp_data_tells_of_what_it_does_not_expect)
{
	cr_expect(unexpected(write_two_tre));
	cr_expect(unexpected(write_two_idri));
	cr_expect(unexpected(write_tri));
	cr_expect(unexpected(write_idrpsk));
	cr_expect(unexpected(write_t));
	cr_expect(unexpected(write_nested_tp));
}

Test(mikey_ticket, faulty_tp_data_is_malformed)
{
	static const uint8_t octets[] = {
		MIKEY_TR, 0, MIKEY_TRS, MIKEY_TS_NTP_UTC_32, 1, 2, 3, 4, 0};
	uint8_t unknown_ts[] = {MIKEY_TR, 0, MIKEY_TRS, 9, 1, 2, 3, 4};
	static const uint8_t unknown[] = {99, 0, 0};
	static const uint8_t key[] = {MIKEY_KEY_DATA, 0, 0, 0, 0};
	struct mikey_tp_data tp;

	cr_expect_eq(
		mikey_parse_tp_data(&tp, octets, (struct mikey_span){0, 0}), MIKEY_PARSE_MALFORMED);
	for (uint16_t len = 1; len < 8; len++)
		cr_expect_eq(mikey_parse_tp_data(&tp, octets, (struct mikey_span){0, len}),
			MIKEY_PARSE_MALFORMED);
	cr_expect_eq(mikey_parse_tp_data(&tp, octets, (struct mikey_span){0, 8}), MIKEY_PARSE_OK);
	cr_expect_eq(mikey_parse_tp_data(&tp, octets, (struct mikey_span){0, 9}),
		MIKEY_PARSE_MALFORMED, "an octet too many");
	cr_expect_eq(mikey_parse_tp_data(&tp, unknown_ts, (struct mikey_span){0, 8}),
		MIKEY_PARSE_MALFORMED);
	cr_expect_eq(mikey_parse_tp_data(&tp, unknown, (struct mikey_span){0, 3}),
		MIKEY_PARSE_MALFORMED);
	cr_expect_eq(
		mikey_parse_tp_data(&tp, key, (struct mikey_span){0, 5}), MIKEY_PARSE_MALFORMED);
}

/* Parts of Ticket Data in the order of the bits. */
enum { WITH_T = 1, WITH_RAND = 2, WITH_KEMAC = 4, WITH_IDRPSK = 8, WITH_V = 16, WITH_ALL = 31 };

static size_t write_ticket(struct building *b, unsigned int parts, bool t_after_v)
{
	mikey_write_begin(&b->w, b->out, sizeof(b->out));
	mikey_write_hdr(&b->w, MIKEY_REQUEST_RESP, 1, 2);
	mikey_write_tp_raw(&b->w, MIKEY_TICKET, &head, zeroes, 1);
	b->nest = mikey_open_ticket_data(&b->w);
	mikey_write_thdr(&b->w, (const uint8_t *)"thdr", 4);
	if (parts & WITH_T && !t_after_v)
		mikey_write_t(&b->w, MIKEY_TS_NTP_UTC, zeroes);
	if (parts & WITH_RAND)
		mikey_write_rand(&b->w, zeroes, 16);
	if (parts & WITH_KEMAC)
		mikey_write_kemac(&b->w, MIKEY_ENCR_AES_CM_128, zeroes, 30);
	if (parts & WITH_IDRPSK)
		mikey_write_idr(&b->w, MIKEY_IDRPSK, MIKEY_ID_BYTES, zeroes, 5);
	if (parts & WITH_V)
		mikey_write_v(&b->w, MIKEY_AUTH_HMAC_SHA_1_160);
	if (parts & WITH_T && t_after_v)
		mikey_write_t(&b->w, MIKEY_TS_NTP_UTC, zeroes);
	mikey_close(&b->w, b->nest);
	mikey_write_no_initiator_data(&b->w);
	cr_assert_gt(mikey_write_end(&b->w), 0);
	cr_assert_eq(mikey_parse_message(&b->m, b->out, mikey_write_end(&b->w)), MIKEY_PARSE_OK);
	return mikey_write_end(&b->w);
}

Test(mikey_ticket, ticket_data_needs_all_but_idrpsk_and_v_at_the_end)
{
	struct mikey_ticket_data td;
	struct building b;

	for (unsigned int parts = 0; parts <= WITH_ALL; parts++) {
		bool whole = (parts | WITH_IDRPSK) == WITH_ALL;

		write_ticket(&b, parts, false);
		cr_expect_eq(mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data),
			whole ? MIKEY_PARSE_OK : MIKEY_PARSE_MALFORMED, "%u", parts);
		cr_expect_eq(td.idr_psk.present, (parts & WITH_IDRPSK) != 0);
		cr_expect_arr_eq(b.out + td.thdr.off, "thdr", 4);
	}
	write_ticket(&b, WITH_ALL, true);
	cr_expect_eq(mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data),
		MIKEY_PARSE_MALFORMED, "V is not last");
}

Test(mikey_ticket, ticket_data_tells_an_unknown_mac_from_malformed)
{
	struct mikey_ticket_data td;
	struct building b;
	size_t len = write_ticket(&b, WITH_ALL, false);

	b.out[len - 2 - 20 - 1] = 77; /* Auth alg, before MAC and Initiator Data length */
	cr_expect_eq(mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data),
		MIKEY_PARSE_UNSUPPORTED);
	cr_expect(td.auth_unknown);
	write_ticket(&b, WITH_ALL, false);
	mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data);
	b.out[td.kemac.data.off + td.kemac.data.len] = 77;
	cr_expect_eq(mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data),
		MIKEY_PARSE_MALFORMED, "MAC of a KEMAC");
	cr_expect(!td.auth_unknown);
	write_ticket(&b, WITH_ALL, false);
	b.out[td.t.value.off - 1] = 77;
	cr_expect_eq(mikey_parse_ticket_data(&td, b.out, b.m.ticket.ticket_data),
		MIKEY_PARSE_MALFORMED, "TS type");
	cr_expect(!td.auth_unknown);
}

Test(mikey_ticket, ticket_fields_of_a_ticket_are_found)
{
	struct building b;
	size_t len = write_ticket(&b, WITH_ALL, false);
	const struct mikey_ticket *t = &b.m.ticket;

	cr_expect_eq(t->body.off + t->body.len, len);
	cr_expect_eq(t->initiator_len_off, len - 2);
	cr_expect(t->initiator_data.off == len && t->initiator_data.len == 0);
	cr_expect_eq(t->ticket_data.off + t->ticket_data.len, len - 2);
}

static enum mikey_parse parse_initiator(
	struct mikey_initiator_data *id, const uint8_t *octets, size_t len)
{
	return mikey_parse_initiator_data(id, octets, (struct mikey_span){0, (uint16_t)len});
}

Test(mikey_ticket, initiator_data_has_vi_and_vr_in_both_readings)
{
	uint8_t octets[1 + 22 + 22 + 1] = {MIKEY_V, MIKEY_V, MIKEY_AUTH_HMAC_SHA_1_160, 0xaa};
	struct mikey_initiator_data id;

	octets[23] = MIKEY_LAST;
	octets[24] = MIKEY_AUTH_HMAC_SHA_1_160;
	octets[25] = 0xbb;
	cr_expect_eq(parse_initiator(&id, octets, 45), MIKEY_PARSE_OK);
	cr_expect(!id.vi_literal && id.vi.mac.off == 3 && id.vr.mac.off == 25);
	cr_expect(id.vi.mac.len == 20 && id.vr.mac.len == 20);
	cr_expect_eq(parse_initiator(&id, octets, 46), MIKEY_PARSE_MALFORMED);
	octets[1] = MIKEY_LAST;
	cr_expect_eq(parse_initiator(&id, octets, 45), MIKEY_PARSE_OK);
	cr_expect(id.vi_literal && id.vi.mac.off == 3 && id.vr.mac.off == 25);
	cr_expect_eq(parse_initiator(&id, octets, 46), MIKEY_PARSE_MALFORMED);
	cr_expect_eq(parse_initiator(&id, octets, 23), MIKEY_PARSE_MALFORMED, "Vi alone");
	for (size_t len = 0; len < 45; len++)
		cr_expect_eq(parse_initiator(&id, octets, len), MIKEY_PARSE_MALFORMED);
	octets[24] = 99;
	cr_expect_eq(parse_initiator(&id, octets, 45), MIKEY_PARSE_UNSUPPORTED);
	cr_expect(id.auth_unknown);
}

Test(mikey_ticket, vr_is_the_last_payload_of_initiator_data)
{
	/* Vi, Vr, then ERR */
	static const uint8_t after[] = {MIKEY_V, MIKEY_V, 0, MIKEY_ERR, 0, MIKEY_LAST, 1, 0, 0};
	/* ERR, Vi, RAND, Vr */
	static const uint8_t between[] = {
		MIKEY_ERR, MIKEY_V, 1, 0, 0, MIKEY_RAND, 0, MIKEY_V, 1, 9, 0, 0};
	struct mikey_initiator_data id;

	cr_expect_eq(parse_initiator(&id, after, sizeof(after)), MIKEY_PARSE_MALFORMED);
	cr_expect_eq(parse_initiator(&id, between, sizeof(between)), MIKEY_PARSE_OK);
	cr_expect(id.vi.present && id.vr.present && id.vr.mac.off == sizeof(between));
}

Test(mikey_ticket, timestamps_are_padded_to_64_bits)
{
	static const uint8_t octets[] = {0xe0, 1, 2, 3, 4, 5, 6, 7};
	static const uint8_t counter[] = {0, 0, 0, 0, 0xe0, 1, 2, 3},
			     ntp32[] = {0xe0, 1, 2, 3, 0, 0, 0, 0};
	struct mikey_t t = {.present = true, .type = MIKEY_TS_NTP_UTC, .value = {0, 8}};
	uint8_t t64[8];

	mikey_t64(t64, octets, &t);
	cr_expect_arr_eq(t64, octets, 8);
	t.type = MIKEY_TS_COUNTER;
	mikey_t64(t64, octets, &t);
	cr_expect_arr_eq(t64, counter, 8);
	t.type = MIKEY_TS_NTP_UTC_32;
	mikey_t64(t64, octets, &t);
	cr_expect_arr_eq(t64, ntp32, 8);
}

Test(mikey_ticket, ntp_seconds_without_their_first_bit_are_of_the_next_era)
{
	static const uint8_t low[] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t high[] = {0x80, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t last[] = {0xff, 0xff, 0xff, 0xff}, first[] = {0, 0, 0, 0};
	struct mikey_t t = {.present = true, .type = MIKEY_TS_NTP_UTC_32, .value = {0, 4}};

	cr_expect_eq(mikey_ntp_seconds(high, &t), 0x80000000);
	cr_expect_eq(mikey_ntp_seconds(last, &t), 0xffffffff);
	cr_expect_eq(mikey_ntp_seconds(first, &t), 0x100000000);
	cr_expect_eq(mikey_ntp_seconds(low, &t), 0x17fffffff);
	t = (struct mikey_t){.present = true, .type = MIKEY_TS_NTP_UTC, .value = {0, 8}};
	cr_expect_eq(mikey_ntp_seconds(low, &t), 0x17fffffff);
	t.type = MIKEY_TS_NTP;
	cr_expect_eq(mikey_ntp_seconds(high, &t), 0x80000000);
	t = (struct mikey_t){.present = true, .type = MIKEY_TS_COUNTER, .value = {0, 4}};
	cr_expect_eq(mikey_ntp_seconds(high, &t), -1);
	cr_expect_eq(mikey_ntp_seconds(high, &(struct mikey_t){0}), -1);
}

Test(mikey_ticket, no_keys_are_an_empty_list)
{
	struct mikey_key keys[1];
	unsigned int n = 7;

	cr_expect_eq(mikey_parse_keys(keys, 1, &n, NULL, 0), MIKEY_PARSE_OK);
	cr_expect_eq(n, 0);
}

Test(mikey_ticket, unknown_types_of_keys_and_validity_are_malformed)
{
	uint8_t key[] = {0, 0x70, 0, 1, 5};
	struct mikey_key keys[1];
	unsigned int n;

	cr_expect_eq(mikey_parse_keys(keys, 1, &n, key, sizeof(key)), MIKEY_PARSE_MALFORMED);
	key[1] = 0x03;
	cr_expect_eq(mikey_parse_keys(keys, 1, &n, key, sizeof(key)), MIKEY_PARSE_MALFORMED);
	key[1] = 0x60;
	cr_expect_eq(mikey_parse_keys(keys, 1, &n, key, sizeof(key)), MIKEY_PARSE_OK);
	cr_expect(n == 1 && keys[0].type == MIKEY_MPK);
}

Test(mikey_ticket, length_of_a_mac_is_known_or_refused)
{
	cr_expect_eq(mikey_mac_len(MIKEY_AUTH_NULL), 0);
	cr_expect_eq(mikey_mac_len(MIKEY_AUTH_HMAC_SHA_1_160), 20);
	cr_expect_eq(mikey_mac_len(MIKEY_AUTH_HMAC_SHA_256_256), 32);
	for (unsigned int alg = 3; alg < 256; alg++)
		cr_expect_eq(mikey_mac_len((uint8_t)alg), -1);
}
