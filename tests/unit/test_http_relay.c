/* SPDX-License-Identifier: BSD-3-Clause */
/* The edge's relay: events in, actions out. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/types.h"
#include "dataplane/http/relay.h"

enum { ADDRESSES = 3, PORTS = 8, SENT_MAX = 64, MS = 1000 };

struct sent {
	unsigned int socket;
	const uint8_t *message;
};

struct bed {
	struct relay *relay;
	struct sent sent[SENT_MAX];
	unsigned int n_sent, n_done, n_health;
	struct relay_request *done;
	enum relay_outcome outcome;
	uint8_t answer[64];
	size_t answer_len;
};

static void on_send(void *arg, unsigned int socket, const uint8_t *message, size_t len)
{
	struct bed *b = arg;

	cr_assert_gt(len, 0);
	cr_assert_lt(b->n_sent, SENT_MAX);
	b->sent[b->n_sent++] = (struct sent){socket, message};
}

static void on_done(void *arg, struct relay_request *r, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct bed *b = arg;

	(void)now_us;
	b->n_done++;
	b->done = r;
	b->outcome = outcome;
	b->answer_len = len;
	cr_assert_leq(len, sizeof(b->answer));
	if (len)
		memcpy(b->answer, octets, len);
}

static void on_health(void *arg, unsigned int address)
{
	(void)address;
	((struct bed *)arg)->n_health++;
}

static struct relay_config usual(unsigned int addresses)
{
	return (struct relay_config){
		.addresses = addresses,
		.ports = PORTS,
		.in_flight_max = 16,
		.pairs_max = 64,
		.limit_us = 3000 * MS,
		.wait = {100 * MS, 20 * MS, 1000 * MS},
		.rest = {{2000 * MS, 60000 * MS}},
		.seed = 12345,
	};
}

static struct bed *bed_with(const struct relay_config *config)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct relay_output out = {on_send, on_done, on_health, b};

	cr_assert_not_null(b);
	b->relay = relay_new(config, &out);
	cr_assert_not_null(b->relay);
	return b;
}

static struct bed *bed_new(unsigned int addresses)
{
	struct relay_config config = usual(addresses);

	return bed_with(&config);
}

static void bed_free(struct bed *b)
{
	relay_free(b->relay);
	free(b);
}

static struct relay_request request(uint8_t type, uint32_t csb_id, uint64_t digest)
{
	static const uint8_t message[10] = {1};

	return (struct relay_request){.message = message,
		.len = sizeof(message),
		.client = 3,
		.digest = digest,
		.head = {type, csb_id}};
}

/* Header with one payload. A response: an ID payload stands for its content. */
static size_t answer(uint8_t *out, uint8_t type, uint32_t csb_id)
{
	const uint8_t error[] = {1, 6, 12, 0, (uint8_t)(csb_id >> 24), (uint8_t)(csb_id >> 16),
		(uint8_t)(csb_id >> 8), (uint8_t)csb_id, 0, 0, /* ERR */ 0, 0, 0, 0};
	const uint8_t response[] = {1, type, 6, 0, (uint8_t)(csb_id >> 24), (uint8_t)(csb_id >> 16),
		(uint8_t)(csb_id >> 8), (uint8_t)csb_id, 0, 0, /* ID */ 0, 0, 0, 1, 'x'};

	memcpy(out, type == MIKEY_ERROR ? error : response,
		type == MIKEY_ERROR ? sizeof(error) : sizeof(response));
	return type == MIKEY_ERROR ? sizeof(error) : sizeof(response);
}

static void give(struct bed *b, unsigned int socket, uint8_t type, uint32_t csb_id, uint64_t now)
{
	uint8_t octets[32];
	size_t len = answer(octets, type, csb_id);

	relay_datagram(b->relay, socket, octets, len, now);
}

static void submit(struct bed *b, struct relay_request *r, uint64_t now)
{
	cr_assert_eq(relay_submit(b->relay, r, now), RELAY_ACCEPTED);
}

Test(http_relay, an_answer_ends_the_request)
{
	struct bed *b = bed_new(1);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

	submit(b, &r, 1000);
	cr_assert_eq(b->n_sent, 1);
	cr_expect_eq(b->sent[0].socket, 3, "the port of the client's bucket");
	cr_expect_eq(relay_in_flight(b->relay), 1);
	give(b, 3, MIKEY_RESOLVE_RESP, 7, 1500);
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->done, &r);
	cr_expect_eq(b->outcome, RELAY_ANSWERED);
	cr_expect_eq(b->answer[1], MIKEY_RESOLVE_RESP);
	cr_expect_eq(relay_in_flight(b->relay), 0);
	cr_expect_eq(relay_due_us(b->relay), UINT64_MAX);
	bed_free(b);
}

Test(http_relay, only_an_answer_of_the_right_kind_on_the_right_socket_counts)
{
	struct bed *b = bed_new(1);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);
	const uint8_t rubbish[] = {1, 18, 0};

	submit(b, &r, 1000);
	give(b, 4, MIKEY_RESOLVE_RESP, 7, 1100);
	give(b, 3, MIKEY_RESOLVE_RESP, 8, 1100);
	give(b, 3, MIKEY_REQUEST_RESP, 7, 1100);
	give(b, 3, MIKEY_TRANSFER_RESP, 7, 1100);
	give(b, 3, MIKEY_RESOLVE_INIT_PSK, 7, 1100);
	relay_datagram(b->relay, 3, rubbish, sizeof(rubbish), 1100);
	relay_datagram(b->relay, 3, rubbish, 0, 1100);
	cr_expect_eq(b->n_done, 0);
	cr_expect_eq(relay_counters(b->relay)->stray, 3);
	cr_expect_eq(relay_counters(b->relay)->malformed, 4);
	give(b, 3, MIKEY_RESOLVE_RESP, 7, 1200);
	cr_expect_eq(b->n_done, 1);
	bed_free(b);
}

Test(http_relay, another_message_with_the_same_csb_id_takes_another_socket)
{
	struct bed *b = bed_new(1);
	struct relay_request r[6];

	for (unsigned int i = 0; i < 6; i++)
		r[i] = request(i % 2 ? MIKEY_REQUEST_INIT_PSK : MIKEY_RESOLVE_INIT_PSK, 7, 100 + i);
	for (unsigned int i = 0; i < RELAY_PORTS_TRIED; i++) {
		submit(b, &r[i], 1000);
		cr_expect_eq(b->sent[i].socket, 3 + i);
	}
	cr_expect_eq(relay_submit(b->relay, &r[4], 1000), RELAY_REPEAT);
	cr_expect_eq(b->n_sent, RELAY_PORTS_TRIED);
	give(b, 4, MIKEY_REQUEST_RESP, 7, 2000);
	cr_expect_eq(b->done, &r[1], "the answer goes to the message that left from there");
	/* The socket rests: a duplicate of that answer may still come. */
	cr_expect_eq(relay_submit(b->relay, &r[5], 2100), RELAY_REPEAT);
	bed_free(b);
}

Test(http_relay, late_and_duplicate_answers_never_answer_another_request)
{
	struct bed *b = bed_new(1);
	struct relay_request first = request(MIKEY_RESOLVE_INIT_PSK, 7, 1),
			     second = request(MIKEY_RESOLVE_INIT_PSK, 7, 2);

	submit(b, &first, 1000);
	give(b, 3, MIKEY_RESOLVE_RESP, 7, 1500);
	submit(b, &second, 1600);
	cr_expect_eq(b->sent[1].socket, 4);
	give(b, 3, MIKEY_RESOLVE_RESP, 7, 1700);
	cr_expect_eq(b->n_done, 1, "the duplicate went nowhere");
	give(b, 4, MIKEY_RESOLVE_RESP, 7, 1800);
	cr_expect_eq(b->n_done, 2);
	bed_free(b);
}

Test(http_relay, a_port_whose_message_was_never_answered_rests_longer)
{
	struct bed *b = bed_new(1);
	struct relay_request first = request(MIKEY_RESOLVE_INIT_PSK, 7, 1),
			     second = request(MIKEY_RESOLVE_INIT_PSK, 7, 2);
	uint64_t now = 1000, end = 3000 * MS + 1000;

	submit(b, &first, now);
	while (b->n_done == 0) {
		now = relay_due_us(b->relay);
		cr_assert_leq(now, end);
		relay_tick(b->relay, now);
	}
	cr_expect_eq(b->outcome, RELAY_TIMEOUT);
	cr_expect_eq(now, end);
	relay_tick(b->relay, end + 59000 * MS);
	b->n_sent = 0;
	submit(b, &second, end + 59000 * MS);
	cr_expect_eq(b->sent[0].socket, 4, "the port rests");
	give(b, 3, MIKEY_RESOLVE_RESP, 7, end + 59001 * MS);
	cr_expect_eq(b->n_done, 1, "the late answer to the first went nowhere");
	relay_tick(b->relay, end + 60001 * MS);
	bed_free(b);
}

Test(http_relay, copies_of_one_message_share_a_socket_and_its_answers)
{
	struct bed *b = bed_new(1);
	struct relay_request r[3];

	for (unsigned int i = 0; i < 3; i++) {
		r[i] = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);
		submit(b, &r[i], 1000 + i);
		cr_expect_eq(b->sent[i].socket, 3);
	}
	for (unsigned int i = 0; i < 3; i++) {
		give(b, 3, MIKEY_RESOLVE_RESP, 7, 2000);
		cr_expect_eq(b->done, &r[i], "in order");
	}
	cr_expect_eq(relay_in_flight(b->relay), 0);
	bed_free(b);
}

Test(http_relay, silence_leads_to_the_next_address_and_is_remembered)
{
	struct bed *b = bed_new(2);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1), other[4];
	uint64_t now;

	submit(b, &r, 1000);
	cr_expect_eq(b->sent[0].socket / PORTS, 0);
	now = relay_due_us(b->relay);
	cr_expect(now >= 1000 + 75 * MS && now <= 1000 + 125 * MS,
		"a quarter of 100 ms to both sides");
	relay_tick(b->relay, now);
	cr_assert_eq(b->n_sent, 2);
	cr_expect_eq(b->sent[1].socket / PORTS, 1);
	cr_expect_eq(b->n_health, 1);
	give(b, b->sent[1].socket, MIKEY_RESOLVE_RESP, 7, now + 500);
	cr_expect_eq(b->n_done, 1);
	for (unsigned int i = 0; i < 4; i++) {
		other[i] = request(MIKEY_RESOLVE_INIT_PSK, 100 + i, i);
		submit(b, &other[i], now + 1000);
		cr_expect_eq(b->sent[2 + i].socket / PORTS, 1, "the silent one is left out");
	}
	bed_free(b);
}

Test(http_relay, a_silent_address_gets_copies_until_it_answers)
{
	struct bed *b = bed_new(2);
	struct relay_request r[3] = {request(MIKEY_RESOLVE_INIT_PSK, 1, 1),
		request(MIKEY_RESOLVE_INIT_PSK, 2, 2), request(MIKEY_RESOLVE_INIT_PSK, 3, 3)};
	uint64_t now;

	submit(b, &r[0], 1000);
	now = relay_due_us(b->relay);
	relay_tick(b->relay, now);
	give(b, b->sent[1].socket, MIKEY_RESOLVE_RESP, 1, now + 500);
	now += HEALTH_PROBE_FIRST_US;
	b->n_sent = 0;
	submit(b, &r[1], now);
	cr_assert_eq(b->n_sent, 2, "one that counts and a probe");
	cr_expect_eq(b->sent[0].socket / PORTS, 1);
	cr_expect_eq(b->sent[1].socket / PORTS, 0);
	give(b, b->sent[0].socket, MIKEY_RESOLVE_RESP, 2, now + 100);
	cr_expect_eq(b->n_done, 2, "nobody waits for a probe");
	b->n_sent = 0;
	submit(b, &r[2], now + 200);
	cr_expect_eq(b->n_sent, 1, "one probe at a time");
	bed_free(b);
}

Test(http_relay, the_answer_to_a_probe_brings_an_address_back)
{
	struct bed *b = bed_new(2);
	struct relay_request r[3] = {request(MIKEY_RESOLVE_INIT_PSK, 1, 1),
		request(MIKEY_RESOLVE_INIT_PSK, 2, 2), request(MIKEY_RESOLVE_INIT_PSK, 3, 3)};
	uint64_t now;

	submit(b, &r[0], 1000);
	now = relay_due_us(b->relay);
	relay_tick(b->relay, now);
	give(b, b->sent[1].socket, MIKEY_RESOLVE_RESP, 1, now + 500);
	now += HEALTH_PROBE_FIRST_US;
	submit(b, &r[1], now);
	give(b, b->sent[3].socket, MIKEY_RESOLVE_RESP, 2, now + 100);
	cr_expect_eq(b->n_done, 2);
	cr_expect_not(relay_health(b->relay)->address[0].silent);
	bed_free(b);
}

Test(http_relay, an_answer_to_a_probe_counts_after_the_request_is_done_too)
{
	struct bed *b = bed_new(2);
	struct relay_request r[2] = {
		request(MIKEY_RESOLVE_INIT_PSK, 1, 1), request(MIKEY_RESOLVE_INIT_PSK, 2, 2)};
	uint64_t now;

	submit(b, &r[0], 1000);
	now = relay_due_us(b->relay);
	relay_tick(b->relay, now);
	give(b, b->sent[1].socket, MIKEY_RESOLVE_RESP, 1, now + 500);
	now += HEALTH_PROBE_FIRST_US;
	submit(b, &r[1], now);
	give(b, b->sent[2].socket, MIKEY_RESOLVE_RESP, 2, now + 100);
	cr_assert_eq(b->n_done, 2);
	cr_expect(relay_health(b->relay)->address[0].silent);
	give(b, b->sent[3].socket, MIKEY_RESOLVE_RESP, 2, now + 200);
	cr_expect_eq(b->n_done, 2);
	cr_expect_not(relay_health(b->relay)->address[0].silent);
	bed_free(b);
}

Test(http_relay, an_unvouched_error_has_one_other_address_asked)
{
	struct bed *b = bed_new(3);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

	submit(b, &r, 1000);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1100);
	cr_expect_eq(b->n_done, 0);
	cr_assert_eq(b->n_sent, 2);
	cr_expect_neq(b->sent[1].socket / PORTS, b->sent[0].socket / PORTS);
	give(b, b->sent[1].socket, MIKEY_RESOLVE_RESP, 7, 1200);
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->answer[1], MIKEY_RESOLVE_RESP, "the better answer");
	bed_free(b);
}

Test(http_relay, two_unvouched_errors_are_believed)
{
	struct bed *b = bed_new(3);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

	submit(b, &r, 1000);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1100);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1110);
	cr_expect_eq(b->n_done, 0, "the same one twice does not count");
	give(b, b->sent[1].socket, MIKEY_ERROR, 7, 1200);
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->answer[1], MIKEY_ERROR);
	cr_expect_eq(b->n_sent, 2, "no third one is asked");
	bed_free(b);
}

Test(http_relay, an_unvouched_error_is_passed_on_when_the_other_address_is_silent)
{
	struct bed *b = bed_new(2);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

	submit(b, &r, 1000);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1100);
	relay_tick(b->relay, relay_due_us(b->relay));
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->outcome, RELAY_ANSWERED);
	cr_expect_eq(b->answer[1], MIKEY_ERROR);
	bed_free(b);
}

Test(http_relay, an_unvouched_error_of_the_only_address_is_passed_on)
{
	struct bed *b = bed_new(1);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

	submit(b, &r, 1000);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1100);
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->answer[1], MIKEY_ERROR);
	bed_free(b);
}

Test(http_relay, an_unvouched_error_that_is_too_long_to_be_held_is_ignored)
{
	struct bed *b = bed_new(2);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);
	/* ERR, then a General Extension of 300 octets. */
	uint8_t octets[400] = {1, 6, 12, 0, 0, 0, 0, 7, 0, 0, /* ERR */ 21, 0, 0, 0,
		/* EXT */ 0, 1, 300 >> 8, 300 & 0xff};
	struct wire_head head;

	cr_assert_eq(wire_answer(octets, 318, &head), WIRE_UNVOUCHED);
	submit(b, &r, 1000);
	relay_datagram(b->relay, b->sent[0].socket, octets, 318, 1100);
	cr_expect_eq(b->n_done, 0);
	cr_expect_eq(b->n_sent, 1);
	cr_expect_eq(relay_counters(b->relay)->malformed, 1);
	give(b, b->sent[0].socket, MIKEY_RESOLVE_RESP, 7, 1200);
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->answer[1], MIKEY_RESOLVE_RESP);
	bed_free(b);
}

Test(http_relay, an_unvouched_error_waits_for_an_address_that_was_asked_before)
{
	/* Either of two addresses, when both have been asked. */
	for (unsigned int from = 0; from < 2; from++) {
		struct bed *b = bed_new(2);
		struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);
		uint64_t now;

		submit(b, &r, 1000);
		now = relay_due_us(b->relay);
		relay_tick(b->relay, now);
		cr_assert_eq(b->n_sent, 2);
		give(b, b->sent[from].socket, MIKEY_ERROR, 7, now + 100);
		cr_expect_eq(b->n_done, 0, "the other one's answer is on its way");
		cr_expect_gt(relay_due_us(b->relay), now + 100);
		give(b, b->sent[1 - from].socket, MIKEY_RESOLVE_RESP, 7, now + 200);
		cr_assert_eq(b->n_done, 1);
		cr_expect_eq(b->answer[1], MIKEY_RESOLVE_RESP);
		bed_free(b);
	}
}

Test(http_relay, an_unvouched_error_is_passed_on_when_the_awaited_address_stays_silent)
{
	struct bed *b = bed_new(2);
	struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);
	uint64_t now;

	submit(b, &r, 1000);
	now = relay_due_us(b->relay);
	relay_tick(b->relay, now);
	give(b, b->sent[0].socket, MIKEY_ERROR, 7, now + 100);
	relay_tick(b->relay, relay_due_us(b->relay));
	cr_assert_eq(b->n_done, 1);
	cr_expect_eq(b->answer[1], MIKEY_ERROR);
	cr_expect_eq(b->n_sent, 2, "nothing is sent again for it");
	bed_free(b);
}

Test(http_relay, the_real_answer_behind_a_forged_error_is_taken)
{
	/* V payload: MAC of HMAC-SHA-1-160. */
	uint8_t vouched[64] = {1, 6, 12, 0, 0, 0, 0, 7, 0, 0, /* ERR */ 9, 0, 0, 0, /* V */ 0, 1};
	struct wire_head head;

	cr_assert_eq(wire_answer(vouched, 36, &head), WIRE_ANSWER);
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct bed *b = bed_new(2);
		struct relay_request r = request(MIKEY_RESOLVE_INIT_PSK, 7, 1);

		submit(b, &r, 1000);
		give(b, b->sent[0].socket, MIKEY_ERROR, 7, 1100);
		cr_expect_eq(b->n_done, 0);
		if (kind == 0)
			give(b, b->sent[0].socket, MIKEY_RESOLVE_RESP, 7, 1200);
		else
			relay_datagram(b->relay, b->sent[0].socket, vouched, 36, 1200);
		cr_assert_eq(b->n_done, 1);
		cr_expect_eq(b->answer[1], kind == 0 ? MIKEY_RESOLVE_RESP : MIKEY_ERROR);
		cr_expect_eq(b->answer_len, kind == 0 ? 15 : 36);
		bed_free(b);
	}
}

Test(http_relay, too_much_in_flight_is_refused)
{
	struct bed *b = bed_new(1);
	struct relay_request r[17];

	for (unsigned int i = 0; i < 16; i++) {
		r[i] = request(MIKEY_RESOLVE_INIT_PSK, i, i);
		submit(b, &r[i], 1000);
	}
	r[16] = request(MIKEY_RESOLVE_INIT_PSK, 99, 99);
	cr_expect_eq(relay_submit(b->relay, &r[16], 1000), RELAY_FULL);
	give(b, b->sent[5].socket, MIKEY_RESOLVE_RESP, 5, 1100);
	cr_expect_eq(relay_submit(b->relay, &r[16], 1200), RELAY_ACCEPTED);
	bed_free(b);
}

Test(http_relay, in_a_full_table_what_has_rested_longest_gives_way)
{
	struct relay_config config = usual(1);
	struct relay_request r[9];
	struct bed *b;

	config.pairs_max = 4;
	b = bed_with(&config);
	for (unsigned int i = 0; i < 9; i++)
		r[i] = request(MIKEY_RESOLVE_INIT_PSK, i, i);
	for (unsigned int i = 0; i < 4; i++) {
		submit(b, &r[i], 1000);
		give(b, b->sent[i].socket, MIKEY_RESOLVE_RESP, i, 1100 + i);
	}
	submit(b, &r[4], 1200);
	cr_expect_eq(relay_evicted(b->relay), 1);
	/* 0 is forgotten: another message may take its socket. 3 still rests. */
	r[0].digest = 100;
	submit(b, &r[0], 1300);
	cr_expect_eq(b->sent[5].socket, 3);
	r[3].digest = 103;
	submit(b, &r[3], 1400);
	cr_expect_eq(b->sent[6].socket, 4);
	submit(b, &r[5], 1500);
	cr_expect_eq(relay_pairs(b->relay), 4);
	/* What is in flight gives way to nothing. */
	cr_expect_eq(relay_submit(b->relay, &r[6], 1600), RELAY_FULL);
	give(b, b->sent[4].socket, MIKEY_RESOLVE_RESP, 4, 1700);
	submit(b, &r[7], 1800);
	cr_expect_eq(b->n_done, 5);
	bed_free(b);
}

Test(http_relay, after_an_outage_there_is_room_at_once)
{
	enum { MANY = 16 };
	struct relay_config config = usual(2);
	struct relay_request r[2 * MANY];
	uint64_t now = 1000;
	struct bed *b;

	config.pairs_max = 2 * MANY;
	b = bed_with(&config);
	for (unsigned int i = 0; i < MANY; i++) {
		r[i] = request(MIKEY_RESOLVE_INIT_PSK, i, i);
		b->n_sent = 0;
		submit(b, &r[i], now);
	}
	while (b->n_done < MANY) {
		b->n_sent = 0;
		now = relay_due_us(b->relay);
		relay_tick(b->relay, now);
	}
	cr_expect_eq(relay_pairs(b->relay), 2 * MANY, "all rest, for a long time");
	for (unsigned int i = MANY; i < 2 * MANY; i++) {
		r[i] = request(MIKEY_RESOLVE_INIT_PSK, i, i);
		b->n_sent = 0;
		submit(b, &r[i], now + 1);
		give(b, b->sent[0].socket, MIKEY_RESOLVE_RESP, i, now + 2);
	}
	cr_expect_eq(b->n_done, 2 * MANY);
	bed_free(b);
}

Test(http_relay, waits_follow_the_measured_round_trips)
{
	struct bed *b = bed_new(1);
	struct relay_request r;

	for (uint32_t i = 0; i < 20; i++) {
		r = request(MIKEY_RESOLVE_INIT_PSK, i, i);
		b->n_sent = 0;
		submit(b, &r, (uint64_t)i * 1000 * MS + 1);
		give(b, b->sent[0].socket, MIKEY_RESOLVE_RESP, i, (uint64_t)i * 1000 * MS + 301);
	}
	cr_expect_eq(health_wait_us(relay_health(b->relay), 0), 20 * MS, "not below the least");
	bed_free(b);
}

static uint32_t csb_of(const uint8_t *m)
{
	return (uint32_t)m[4] << 24 | (uint32_t)m[5] << 16 | (uint32_t)m[6] << 8 | m[7];
}

/* Whatever happens in whatever order: every request ends exactly once, with an answer to its own
 * message or none. */
Test(http_relay, random_events_never_mix_up_requests)
{
	enum { REQUESTS = 3000, LIVE = 16 };
	static const uint8_t messages[LIVE][10];
	struct bed *b = bed_new(ADDRESSES);
	struct relay_request r[LIVE];
	uint32_t left[LIVE] = {0}; /* sockets that the message left from, a bit each */
	uint32_t csb[LIVE] = {0};
	int live[LIVE] = {0};
	uint64_t now = 1000, rng = 88172645463325252;
	unsigned int submitted = 0, refused = 0, answered = 0;

	while (submitted < REQUESTS) {
		unsigned int i, before = b->n_done, given = UINT32_MAX;
		uint8_t type = 0;

		rng ^= rng << 13;
		rng ^= rng >> 7;
		rng ^= rng << 17;
		i = (unsigned int)(rng >> 8) % LIVE;
		now += (rng >> 20) % 20000;
		b->n_sent = 0;
		if (!live[i]) {
			csb[i] = (uint32_t)(rng >> 40) % 40;
			r[i] = request(rng & 1 ? MIKEY_RESOLVE_INIT_PSK : MIKEY_REQUEST_INIT_PSK,
				csb[i], rng >> 33);
			r[i].client = rng >> 50;
			r[i].message = messages[i];
			left[i] = 0;
			submitted++;
			live[i] = relay_submit(b->relay, &r[i], now) == RELAY_ACCEPTED;
			refused += !live[i];
		} else {
			type = (uint8_t[]){
				MIKEY_RESOLVE_RESP, MIKEY_REQUEST_RESP, MIKEY_ERROR, 18}[rng & 3];
			given = (unsigned int)(rng >> 30) % (ADDRESSES * PORTS);
			give(b, given, type, csb[i], now);
		}
		if (given != UINT32_MAX && b->n_done > before) {
			ptrdiff_t k = b->done - r;

			/* Against what the test knows, not what the relay noted. */
			cr_assert(b->n_done == before + 1 && k >= 0 && k < LIVE && live[k]);
			cr_assert_eq(b->outcome, RELAY_ANSWERED);
			cr_assert_eq(b->answer[1], type);
			cr_assert_eq(csb_of(b->answer), csb[k]);
			cr_assert(wire_answers(type, r[k].head.type));
			cr_assert(left[k] >> given & 1, "it did not leave from that socket");
			answered++;
		}
		if (b->n_done == before)
			relay_tick(b->relay, now);
		for (unsigned int k = 0; k < b->n_sent; k++)
			left[(b->sent[k].message - messages[0]) / 10] |= UINT32_C(1)
									 << b->sent[k].socket;
		for (unsigned int k = 0; k < LIVE; k++)
			live[k] = live[k] && r[k].heap_at != 0;
	}
	while (relay_in_flight(b->relay)) {
		b->n_sent = 0;
		relay_tick(b->relay, relay_due_us(b->relay));
	}
	cr_expect_eq(b->n_done + refused, submitted);
	cr_expect_gt(answered, 20);
	bed_free(b);
}
