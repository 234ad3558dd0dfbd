/* SPDX-License-Identifier: BSD-3-Clause */
/* Small texts of the control process: times, durations, hex, subscribers as JSON and as records. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "control/clock.h"
#include "control/duration.h"
#include "control/hex.h"
#include "control/record.h"
#include "control/subscriber_json.h"

Test(control_text, durations_have_a_number_and_a_unit)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"200ms", 200}, {"0s", 0}, {"300s", 300000}, {"10m", 600000}, {"24h", 86400000},
		{"7d", 604800000}};
	static const char *const bad[] = {
		"", "s", "5", "5 s", " 5s", "-5s", "5sec", "1.5h", "5S", "+1s"};
	uint64_t ms;
	char text[32];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(duration_parse(good[i].text, &ms), 0);
		cr_assert_eq(ms, good[i].ms, "%s", good[i].text);
		duration_format(ms, text, sizeof(text));
		cr_assert_eq(duration_parse(text, &ms), 0);
		cr_assert_eq(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(duration_parse(bad[i], &ms), -EINVAL, "%s", bad[i]);
	cr_assert_eq(duration_parse("18446744073709551616s", &ms), -ERANGE);
	cr_assert_eq(duration_parse("18446744073709551615s", &ms), -ERANGE);
	duration_format(90 * 60000, text, sizeof(text));
	cr_assert_str_eq(text, "90m");
}

Test(control_text, times_are_rfc_3339_and_count_on_beyond_2036)
{
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {
		{"1900-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00Z", 2208988800},
		{"1970-01-01T01:00:00+01:00", 2208988800},
		{"1969-12-31t23:30:00.999-00:30", 2208988800},
		{"2036-02-07T06:28:16Z", 4294967296},
		{"2016-12-31T23:59:60Z", 2208988800 + 1483228800},
		{"2024-02-29T00:00:00Z", 2208988800 + 1709164800},
	};
	static const char *const bad[] = {"", "2026", "2026-11-21", "2026-11-21T05:10:00",
		"2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00Zx",
		"2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00.Z", "1899-12-31T23:59:59Z",
		"1900-01-01T00:00:00+01:00", "20x6-01-01T00:00:00Z"};
	char text[CLOCK_TEXT_MAX];
	int64_t s;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(clock_parse(good[i].text, &s), 0, "%s", good[i].text);
		cr_assert_eq(s, good[i].s, "%s: %lld", good[i].text, (long long)s);
		clock_format(s, text);
		cr_assert_eq(clock_parse(text, &s), 0);
		cr_assert_eq(s, good[i].s);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(clock_parse(bad[i], &s), -EINVAL, "%s", bad[i]);
}

Test(control_text, hex_goes_both_ways)
{
	uint8_t octets[3];
	char text[7];

	cr_assert_eq(hex_decode("00aBfF", 6, octets), 0);
	cr_assert_arr_eq(octets, ((uint8_t[]){0, 0xab, 0xff}), 3);
	hex_encode(octets, 3, text);
	cr_assert_str_eq(text, "00abff");
	cr_assert_eq(hex_decode("0", 1, octets), -EINVAL);
	cr_assert_eq(hex_decode("0g", 2, octets), -EINVAL);
}

#define PSK			  "000102030405060708090a0b0c0d0e0f"
#define WITH(id, psk, uids, more) "{\"psk_id\": " id ", \"psk\": " psk ", \"uids\": " uids more "}"

static int parse(const char *text, struct subscriber_input *in, json_t **json, struct reason *why)
{
	*json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(*json, "%s", text);
	return subscriber_from_json(*json, in, why);
}

Test(control_text, subscribers_are_read_whole)
{
	struct subscriber_input in;
	struct reason why;
	json_t *json, *back;

	cr_assert_eq(
		parse(WITH("\"hex:00ff\"", "\"" PSK "\"", "[\"a@b\", \"c@d\"]",
			      ", \"expires\": \"2036-02-07T06:28:16Z\", \"roles\": [\"function\"]"),
			&in, &json, &why),
		0);
	cr_assert_eq(in.subscriber.psk_id.len, 2);
	cr_assert_arr_eq(in.subscriber.psk_id.data, ((uint8_t[]){0, 0xff}), 2);
	cr_assert_eq(in.subscriber.psk.len, 16);
	cr_assert_eq(in.subscriber.psk.data[15], 15);
	cr_assert_eq(in.subscriber.n_uids, 2);
	cr_assert_eq(in.subscriber.expires, 4294967296);
	cr_assert_eq(in.subscriber.roles, SUBSCRIBER_ROLE_FUNCTION);
	back = subscriber_to_json(&in.subscriber);
	cr_assert_str_eq(json_string_value(json_object_get(back, "psk_id")), "hex:00ff");
	cr_assert_null(json_object_get(back, "psk"), "a PSK is never shown");
	cr_assert_eq(json_integer_value(json_object_get(back, "psk_octets")), 16);
	json_decref(back);
	json_decref(json);
}

Test(control_text, wrong_subscribers_are_refused_with_the_member_named)
{
	static const struct {
		const char *text, *what;
	} bad[] = {
		{"[]", "not a JSON object"},
		{"{}", "psk_id is missing"},
		{"{\"psk_id\": \"a\", \"uids\": [\"a@b\"]}", "psk is missing"},
		{"{\"psk_id\": \"a\", \"psk\": \"" PSK "\"}", "uids is missing"},
		{WITH("7", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"\"", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"hex:\"", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"hex:0\"", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"tpk-1\"", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"hex:74706b2d31\"", "\"" PSK "\"", "[\"a@b\"]", ""), "psk_id: "},
		{WITH("\"a\"", "\"00\"", "[\"a@b\"]", ""), "psk: "},
		{WITH("\"a\"", "\"" PSK "0\"", "[\"a@b\"]", ""), "psk: "},
		{WITH("\"a\"", "\"" PSK PSK "00\"", "[\"a@b\"]", ""), "psk: "},
		{WITH("\"a\"", "\"x" PSK "x\"", "[\"a@b\"]", ""), "psk: "},
		{WITH("\"a\"", "3", "[\"a@b\"]", ""), "psk: "},
		{WITH("\"a\"", "\"" PSK "\"", "\"a@b\"", ""), "uids: "},
		{WITH("\"a\"", "\"" PSK "\"", "[]", ""), "uids: "},
		{WITH("\"a\"", "\"" PSK "\"", "[7]", ""), "uids: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a?@b\"]", ""), "uids: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\", \"a@b\"]", ""), "twice"},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\"]", ", \"expires\": \"soon\""), "expires: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\"]", ", \"expires\": 7"), "expires: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\"]", ", \"roles\": [\"king\"]"), "roles: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\"]", ", \"roles\": \"function\""), "roles: "},
		{WITH("\"a\"", "\"" PSK "\"", "[\"a@b\"]", ", \"expire\": 1"),
			"unknown member \"expire\""},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct subscriber_input in;
		struct reason why;
		json_t *json;

		cr_assert_eq(parse(bad[i].text, &in, &json, &why), -EINVAL, "%s", bad[i].text);
		cr_assert(strstr(why.text, bad[i].what), "%s: %s", bad[i].text, why.text);
		cr_assert_null(strstr(why.text, PSK), "a PSK in a message");
		json_decref(json);
	}
}

Test(control_text, psk_ids_that_are_no_text_or_look_like_hex_come_back)
{
	static const char *const ids[] = {
		"plain", "with blank", "hex:", "hex:00", "\x01", "\xff\xfe", "umlaut \xc3\xa4"};
	uint8_t octets[IDENTITY_MAX];
	char text[PSK_ID_TEXT_MAX];
	struct identity id;
	struct reason why;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		psk_id_format(
			(struct identity){(const uint8_t *)ids[i], (uint16_t)strlen(ids[i])}, text);
		cr_assert_eq(psk_id_parse(text, strlen(text), octets, &id, &why), 0, "%s", text);
		cr_assert_eq(id.len, strlen(ids[i]));
		cr_assert_arr_eq(id.data, ids[i], id.len);
	}
}

Test(control_text, records_come_back_and_survive_truncation_and_flips)
{
	struct ipc_subscriber s = {.psk = {(const uint8_t *)"0123456789abcdef", 16},
		.expires = 5,
		.roles = 1,
		.n_uids = 2,
		.uids = {{(const uint8_t *)"a@b", 3}, {(const uint8_t *)"c@d", 3}}};
	struct ipc_subscriber back = {.n_uids = 0};
	const struct record_stamp stamp = {77, 0xfedcba9876543210};
	struct record_stamp seen;
	uint64_t suspended;
	uint8_t buf[256];
	size_t len = record_encode(&s, stamp, 2, buf, sizeof(buf));

	cr_assert(len);
	cr_assert_eq(record_encode(&s, stamp, 2, buf, len - 1), 0);
	cr_assert_eq(record_encode(&s, stamp, 2, buf, len), len);
	cr_assert_eq(record_decode(&back, &seen, &suspended, buf, len), 0);
	cr_assert(record_equal(&s, &back));
	cr_assert_eq(record_stamp_compare(stamp, seen), 0);
	cr_assert_eq(suspended, 2);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, buf, cut);
		cr_assert_lt(record_decode(&back, &seen, &suspended, copy, cut), 0);
		free(copy);
	}
	cr_assert_eq(record_decode(&back, &seen, &suspended, buf, len + 1), -EBADMSG);
	for (size_t i = 0; i < len * 8; i++) {
		uint8_t *copy = malloc(len);

		memcpy(copy, buf, len);
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
		if (record_decode(&back, &seen, &suspended, copy, len) == 0)
			cr_assert_not(record_equal(&s, &back) && suspended == 2 &&
					      record_stamp_compare(stamp, seen) == 0,
				"bit %zu is ignored", i);
		free(copy);
	}
	buf[0] = 3;
	cr_assert_eq(record_decode(&back, &seen, &suspended, buf, len), -EPROTONOSUPPORT);
}

Test(control_text, records_from_before_there_were_stamps_are_read)
{
	static const uint8_t old[] = {1, 1};
	struct ipc_subscriber back;
	struct record_stamp seen = {1, 1};
	uint64_t suspended = 1;

	cr_assert_eq(record_decode(&back, &seen, &suspended, old, sizeof(old)), 0);
	cr_assert(back.remove);
	cr_assert_eq(seen.time + seen.origin + suspended, 0);
}
