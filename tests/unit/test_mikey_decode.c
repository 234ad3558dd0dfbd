/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/decode.h"
#include "common/mikey/message.h"
#include "common/mikey/names.h"
#include "common/mikey/writer.h"
#include "tests/unit/mikey_vectors.h"

typedef int (*decoder)(FILE *out, const uint8_t *octets, size_t len);

/* The output, to be freed. */
static char *run(decoder decode, const uint8_t *octets, size_t len, int expected)
{
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);

	cr_assert_not_null(out);
	cr_expect_eq(decode(out, octets, len), expected);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static json_t *run_json(const uint8_t *octets, size_t len, int expected)
{
	char *text = run(mikey_decode_json, octets, len, expected);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(root, "%s", text);
	free(text);
	return root;
}

static void expect_in(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

static size_t count_named(const json_t *value, const char *name)
{
	const char *own = json_string_value(json_object_get(value, "name"));
	size_t n =
		own != NULL && strcmp(own, name) == 0 && json_object_get(value, "offset") != NULL;
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)(uintptr_t)value, key, child) n +=
			count_named(child, name);
	}
	json_array_foreach(value, i, child) n += count_named(child, name);
	return n;
}

Test(mikey_decode, vectors_that_parse_are_dissected_without_an_error)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		bool inner = strstr(v->reason, "TP Data: truncated") != NULL;
		struct mikey_message m;
		bool whole = mikey_parse_message(&m, v->octets, v->len) == MIKEY_PARSE_OK && !inner;
		char *text = run(mikey_decode_text, v->octets, v->len, whole ? 0 : -EBADMSG);
		json_t *root = run_json(v->octets, v->len, whole ? 0 : -EBADMSG);

		cr_expect_eq(strstr(text, "ERROR at offset") == NULL, whole, "%s", v->name);
		if (v->step[0] != '\0' && strcmp(v->step, "ERROR") != 0)
			cr_expect(strstr(text, "(unknown)") == NULL, "%s\n%s", v->name, text);
		cr_expect_eq(
			json_integer_value(json_object_get(root, "length")), (json_int_t)v->len);
		json_decref(root);
		free(text);
	}
	mikey_vectors_free(&all);
}

Test(mikey_decode, a_ticket_is_dissected_to_its_leaves)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		const json_t *hdr;
		json_t *root;
		char *text;

		if (strcmp(v->name, "mode1_all_key_types/B/TRANSFER_INIT") != 0)
			continue;
		root = run_json(v->octets, v->len, 0);
		hdr = json_object_get(root, "hdr");
		cr_expect_eq(json_array_size(json_object_get(hdr, "cs_id_map_info")), v->octets[8]);
		cr_expect_eq(count_named(root, "TICKET"), 1);
		cr_expect_eq(count_named(root, "THDR"), 1);
		cr_expect_eq(count_named(root, "KEMAC"), 1);
		cr_expect_eq(count_named(root, "V"), 4, "message, ticket, Vi, Vr");
		json_decref(root);
		text = run(mikey_decode_text, v->octets, v->len, 0);
		expect_in(text, "data type: 14 (TRANSFER_INIT)");
		expect_in(text, "PRF Func: 1 (PRF-HMAC-SHA-256)");
		expect_in(text, "flags: DEFGHI");
		expect_in(text, "text: alice@company.example");
		expect_in(text, "Type: 0 (Encryption algorithm)");
		expect_in(text, "meaning: 1 (AES-CM)");
		expect_in(text, "Encr alg: 3 (AES-CM-256)");
		expect_in(text, "ID Role: 4 (IDRpsk)");
		expect_in(text, "SSRC (4 octets): 11110000");
		expect_in(text, "time: 2026-01-01T");
		free(text);
	}
	mikey_vectors_free(&all);
}

Test(mikey_decode, plain_keys_in_tp_data_are_dissected)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		char *text;

		if (strcmp(v->name, "mode1_all_key_types/A/REQUEST_INIT") != 0)
			continue;
		text = run(mikey_decode_text, v->octets, v->len, 0);
		expect_in(text, "Type: 0 (TGK)");
		expect_in(text, "Type: 1 (TGK+SALT)");
		expect_in(text, "Type: 5 (GTGK+SALT)");
		expect_in(text, "KV: 1 (SPI)");
		free(text);
	}
	mikey_vectors_free(&all);
}

static size_t begin(struct mikey_writer *w, uint8_t *out, size_t cap)
{
	mikey_write_begin(w, out, cap);
	mikey_write_hdr(w, MIKEY_TRANSFER_INIT, MIKEY_PRF_MIKEY_1, 7);
	return w->len;
}

Test(mikey_decode, every_payload_has_its_name)
{
	static const uint8_t zeroes[300], key_id[] = {1, 2, 'i', 'd'};
	static const char *const names[] = {"KEMAC", "PKE", "DH", "SIGN", "T", "ID", "CERT",
		"CHASH", "V", "SP", "RAND", "ERR", "TR", "IDR", "RANDR", "TP", "TICKET",
		"General Ext.", "THDR", "Key ID", "parameter"};
	const struct mikey_ticket_head head = {.type = 1};
	struct mikey_writer w;
	struct mikey_nest nest;
	uint8_t out[2048];
	size_t len;
	json_t *root;

	begin(&w, out, sizeof(out));
	mikey_write_kemac(&w, 1, zeroes, 3);
	mikey_write_pke(&w, 1, zeroes, 3);
	mikey_write_dh(&w, MIKEY_DH_OAKLEY_1, zeroes, 96);
	mikey_write_t(&w, 2, zeroes);
	mikey_write_id(&w, 0, zeroes, 3);
	mikey_write_cert(&w, 0, zeroes, 3);
	mikey_write_chash(&w, 0, zeroes, 20);
	mikey_write_v(&w, 0);
	mikey_write_sp(&w, 0, 0, (const uint8_t *)"\x07\x01\x01", 3);
	mikey_write_rand(&w, zeroes, 3);
	mikey_write_err(&w, 15);
	mikey_write_tr(&w, MIKEY_TRR, MIKEY_TS_NTP_UTC_32, (const uint8_t *)"\0\0\x0e\x10");
	mikey_write_idr(&w, 1, 0, zeroes, 3);
	mikey_write_randr(&w, 1, zeroes, 3);
	mikey_write_tp_raw(&w, MIKEY_TP, &head, zeroes, 1);
	mikey_write_tp_raw(&w, MIKEY_TICKET, &head, zeroes, 1);
	nest = mikey_open_ticket_data(&w);
	mikey_write_thdr(&w, zeroes, 0);
	mikey_close(&w, nest);
	mikey_write_no_initiator_data(&w);
	mikey_write_general_ext(&w, 3, key_id, sizeof(key_id));
	mikey_write_sign(&w, 1, zeroes, 3);
	len = mikey_write_end(&w);
	root = run_json(out, len, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_eq(count_named(root, names[i]), 1, "%s", names[i]);
	json_decref(root);
	free(run(mikey_decode_text, out, len, 0));
}

Test(mikey_decode, rekeying_interval_is_a_number_of_seconds)
{
	struct mikey_writer w;
	uint8_t out[64];
	char *text;

	begin(&w, out, sizeof(out));
	mikey_write_tr(&w, MIKEY_TRR, MIKEY_TS_NTP_UTC_32, (const uint8_t *)"\0\0\x0e\x10");
	text = run(mikey_decode_text, out, mikey_write_end(&w), 0);
	expect_in(text, "seconds: 3600");
	free(text);
}

/* Octets after HDR and what the dissector has to say of them. */
static void expect_error(const uint8_t *octets, size_t len, const char *error)
{
	char *text = run(mikey_decode_text, octets, len, -EBADMSG);
	char *json = run(mikey_decode_json, octets, len, -EBADMSG);

	expect_in(text, error);
	expect_in(json, "\"error\"");
	free(text);
	free(json);
}

#define OCTETS(...)	     (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define HDR(next, n_cs, map) 1, 14, next, 0, 0, 0, 0, 7, n_cs, map

Test(mikey_decode, errors_name_the_offset_and_what_was_expected)
{
	expect_error(NULL, 0, "ERROR at offset 0: version: 1 octet expected, 0 left");
	expect_error(
		OCTETS(1, 14, 0), "ERROR at offset 3: V and PRF func: 1 octet expected, 0 left");
	expect_error(
		OCTETS(2, 14, 0, 0, 0, 0, 0, 7, 0, 1), "ERROR at offset 0: version: 1 expected");
	expect_error(
		OCTETS(HDR(0, 0, 9)), "ERROR at offset 9: CS ID map type: a known one expected");
	expect_error(OCTETS(HDR(0, 1, 2), 1, 0),
		"ERROR at offset 12: S and #P: 1 octet expected, 0 left");
	expect_error(OCTETS(HDR(0, 1, 0), 1, 0, 0),
		"ERROR at offset 11: SSRC: 4 octets expected, 2 left");
	expect_error(OCTETS(HDR(99, 0, 1), 0, 0),
		"ERROR at offset 10: payload 99: a known payload type expected");
	expect_error(OCTETS(HDR(20, 0, 1), 0, 0),
		"ERROR at offset 10: Key data: a known payload type expected");
	expect_error(OCTETS(HDR(5, 0, 1)),
		"ERROR at offset 10: T: Next Payload: 1 octet expected, 0 left");
	expect_error(OCTETS(HDR(5, 0, 1), 0, 0, 1, 2),
		"ERROR at offset 12: T: TS type and TS value: 8 octets expected, 2 left");
	expect_error(OCTETS(HDR(5, 0, 1), 0, 9), "ERROR at offset 11: T: TS type and TS value: "
						 "unknown value 9, a known one expected");
	expect_error(OCTETS(HDR(0, 0, 1), 7),
		"ERROR at offset 10: end expected, octets after the last payload");
	expect_error(OCTETS(HDR(10, 0, 1), 0, 0, 0, 0, 3, 1, 9, 9),
		"ERROR at offset 17: Value: 9 octets expected, 1 left");
	expect_error(OCTETS(HDR(1, 0, 1), 0, 0, 0, 5, 0, 0x70, 0, 0, 0, 0),
		"ERROR at offset 15: Key data: Type: a known one expected");
	expect_error(OCTETS(HDR(16, 0, 1), 0, 0, 1, 1, 1, 0, 0, 0, 0, 0),
		"ERROR at offset 20: First Payload: 1 octet expected, 0 left");
}

Test(mikey_decode, a_faulty_part_does_not_stop_what_follows)
{
	static const uint8_t octets[] = {
		HDR(16, 0, 1), 12, 0, 1, 1, 1, 0, 0, 0, 0, 1, 99, 0, 7, 0, 0};
	char *text = run(mikey_decode_text, octets, sizeof(octets), -EBADMSG);

	expect_in(text, "payload 99");
	expect_in(text, "Error no: 7 (Invalid ID)");
	free(text);
}

Test(mikey_decode, a_ticket_that_ends_early_shows_its_policy)
{
	static const uint8_t octets[] = {
		HDR(17, 0, 1), 0, 0, 1, 1, 1, 0, 0, 0, 0, 5, 15, 0, 1, 1, 9, 0, 50};
	char *text = run(mikey_decode_text, octets, sizeof(octets), -EBADMSG);

	expect_in(text, "RANDRi");
	expect_in(text, "ERROR at offset 27: TICKET: Ticket Data: 50 octets expected, 0 left");
	free(text);
}

/* A TP in the TP Data of a TP and so on, as deep as a message can be. */
Test(mikey_decode, nesting_is_bounded)
{
	enum { LEVELS = 6000 };
	static uint8_t octets[10 + LEVELS * 10 + 1] = {HDR(16, 0, 1)};

	for (size_t i = 0; i < LEVELS; i++) {
		size_t off = 10 + i * 11, left = sizeof(octets) - off - 10;

		if (off + 11 > sizeof(octets))
			break;
		octets[off + 8] = (uint8_t)(left >> 8);
		octets[off + 9] = (uint8_t)left;
		octets[off + 10] = MIKEY_TP;
	}
	free(run(mikey_decode_text, octets, sizeof(octets), 0));
	json_decref(run_json(octets, sizeof(octets), 0));
}

Test(mikey_decode, over_65535_octets_are_refused)
{
	static const uint8_t big[65536] = {1};

	expect_error(big, sizeof(big), "at most 65535 octets expected");
}

Test(mikey_decode, output_that_cannot_be_written_is_an_error)
{
	static const uint8_t octets[] = {HDR(0, 0, 1)};
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	cr_expect_eq(mikey_decode_text(full, octets, sizeof(octets)), -EIO);
	cr_expect_eq(mikey_decode_json(full, octets, sizeof(octets)), -EIO);
	setvbuf(full, NULL, _IONBF, 0);
	cr_expect_eq(mikey_decode_text(full, octets, sizeof(octets)), -EIO, "unbuffered");
	fclose(full);
}

static void expect_input(
	const char *in, size_t len, enum mikey_input form, const char *octets, size_t n)
{
	uint8_t out[64];
	enum mikey_input found = MIKEY_INPUT_BINARY;
	ssize_t got = mikey_decode_input((const uint8_t *)in, len, out, sizeof(out), &found);

	cr_assert_eq(got, (ssize_t)n, "%s: %zd", in, got);
	cr_expect_eq(found, form, "%s", in);
	cr_expect_arr_eq(out, octets, n, "%s", in);
}

static void expect_text_input(const char *in, enum mikey_input form, const char *octets, size_t n)
{
	expect_input(in, strlen(in), form, octets, n);
}

Test(mikey_decode, input_is_binary_hex_base64_or_sdp)
{
	static const char binary[] = {1, 14, 0, 'a', '=', '\n'};

	expect_input(binary, sizeof(binary), MIKEY_INPUT_BINARY, binary, sizeof(binary));
	expect_text_input("010e00ff", MIKEY_INPUT_HEX, "\x01\x0e\x00\xff", 4);
	expect_text_input(" 0x01 0E\n00:fF \r\n", MIKEY_INPUT_HEX, "\x01\x0e\x00\xff", 4);
	expect_text_input("AQ4A/w==", MIKEY_INPUT_BASE64, "\x01\x0e\x00\xff", 4);
	expect_text_input("AQ4A\n /w\n", MIKEY_INPUT_BASE64, "\x01\x0e\x00\xff", 4);
	expect_text_input("AQ4AAQ4=", MIKEY_INPUT_BASE64, "\x01\x0e\x00\x01\x0e", 5);
	expect_text_input("AQ4A", MIKEY_INPUT_BASE64, "\x01\x0e\x00", 3);
	expect_text_input("a=key-mgmt:mikey AQ4A/w==", MIKEY_INPUT_SDP, "\x01\x0e\x00\xff", 4);
	expect_text_input("v=0\r\ns=caf\xc3\xa9\r\na=key-mgmt:other AAAA\r\n"
			  "a=key-mgmt: MIKEY AQ4A/w==\r\nm=audio\r\n",
		MIKEY_INPUT_SDP, "\x01\x0e\x00\xff", 4);
}

static ssize_t input(const char *in, size_t cap)
{
	uint8_t out[64];

	return mikey_decode_input((const uint8_t *)in, strlen(in), out, cap, NULL);
}

Test(mikey_decode, input_of_no_known_form_is_refused)
{
	static const char *const bad[] = {"", " \n", "010", "hello world!", "AQ4A/",
		"AQ4A/w=", "AQ4A/w===", "AQ=A", "AQ4A====", "====", "a=key-mgmt:mikey ",
		"a=key-mgmt:mikey AQ4*", "a=key-mgmt:keyp1 AQ4A"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(input(bad[i], 64), -EINVAL, "%s", bad[i]);
}

Test(mikey_decode, input_that_does_not_fit_is_refused)
{
	cr_expect_eq(input("010e00ff", 3), -EMSGSIZE);
	cr_expect_eq(input("010e00ff", 4), 4);
	cr_expect_eq(input("AQ4A/w==", 3), -EMSGSIZE);
	cr_expect_eq(input("AQ4A/w==", 4), 4);
	cr_expect_eq(input("\x01\x02\x03\x04", 3), -EMSGSIZE);
	cr_expect_eq(input("\x01\x02\x03\x04", 4), 4);
}

Test(mikey_decode, names_are_known_for_assigned_values_only)
{
	cr_expect_str_eq(mikey_name(TABLE_DATA_TYPE, 18), "RESOLVE_RESP");
	cr_expect_null(mikey_name(TABLE_DATA_TYPE, 19));
	cr_expect_str_eq(mikey_name(TABLE_ERROR, 14), "Invalid TICKET");
	cr_expect_null(mikey_name(TABLE_ERROR, 13));
}
