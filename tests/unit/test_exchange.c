/* SPDX-License-Identifier: BSD-3-Clause */
/* The load generator's judgement of answers, against exchanges of an independent implementation. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/exchange/exchange.h"
#include "common/mikey/message.h"
#include "tests/unit/vectors.h"

struct scene {
	struct exchanger *e;
	struct parties parties; /* alice, bob, carol */
	struct grant grant;
	struct exchange request, resolve;
	uint8_t request_octets[1024], resolve_octets[1024];
	uint8_t request_resp[1024], resolve_resp[1024];
	size_t request_resp_len, resolve_resp_len;
	uint64_t now;
};

static const char kms[] = "kms@company.example";

static json_t *find_vector(json_t *all, const char *suite)
{
	json_t *vector;
	size_t i;

	json_array_foreach(all, i, vector)
	{
		if (strcmp(vectors_string(vector, "name"), "mode1_forked") == 0 &&
			strcmp(vectors_string(vector, "suite"), suite) == 0)
			return vector;
	}
	cr_assert_fail("no vector mode1_forked of suite %s", suite);
	return NULL;
}

static json_t *find_step(json_t *vector, const char *name)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(vector, "steps"), i, step)
	{
		if (strcmp(vectors_string(step, "step"), name) == 0)
			return step;
	}
	cr_assert_fail("no step %s", name);
	return NULL;
}

/* The vectors' subscribers, through a file as the load generator reads it. */
static void read_parties(struct scene *s, json_t *vector)
{
	char path[] = "/tmp/tkms-test-exchange-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	json_t *subscriber;
	size_t i;

	cr_assert_not_null(f);
	json_array_foreach(
		json_object_get(json_object_get(vector, "config"), "subscribers"), i, subscriber)
	{
		json_dumpf(subscriber, f, JSON_COMPACT);
		fputc('\n', f);
	}
	fclose(f);
	cr_assert_eq(parties_load(&s->parties, exchanger_crypto(s->e), path, SIZE_MAX), 0);
	unlink(path);
	cr_assert_eq(s->parties.n, 3);
}

/* Puts the vector's initial message where exchanger_build() would have. */
static void take_init(struct exchange *x, uint8_t *octets, size_t cap, json_t *step)
{
	struct mikey_message m;
	const struct mikey_randr *r;

	x->octets = octets;
	x->len = (uint16_t)vectors_octets(step, "message", octets, cap);
	cr_assert_eq(mikey_parse_message(&m, octets, x->len), MIKEY_PARSE_OK);
	x->csb_id = m.csb_id;
	r = &m.randr[x->kind == EXCHANGE_REQUEST ? MIKEY_RANDRI : MIKEY_RANDRR];
	memcpy(x->rand, mikey_at(octets, r->data), r->data.len);
}

static void open_scene(struct scene *s, const char *suite)
{
	json_t *all = vectors_load("exchanges.json"), *vector = find_vector(all, suite);
	struct exchange_config config = {
		.suite = *suite == 'A' ? EXCHANGE_SUITE_A : EXCHANGE_SUITE_B,
		.tgks = 1,
		.kms = {(const uint8_t *)kms, sizeof(kms) - 1},
	};
	struct mikey_message m;

	memset(s, 0, sizeof(*s));
	s->e = exchanger_new("openssl", &config, 1);
	cr_assert_not_null(s->e);
	read_parties(s, vector);
	s->request.kind = EXCHANGE_REQUEST;
	s->request.initiator = &s->parties.party[0];
	s->request.responder = &s->parties.party[1];
	take_init(&s->request, s->request_octets, sizeof(s->request_octets),
		find_step(vector, "REQUEST_INIT"));
	s->resolve.kind = EXCHANGE_RESOLVE;
	s->resolve.grant = &s->grant;
	take_init(&s->resolve, s->resolve_octets, sizeof(s->resolve_octets),
		find_step(vector, "RESOLVE_INIT"));
	s->request_resp_len = vectors_octets(find_step(vector, "REQUEST_RESP"), "message",
		s->request_resp, sizeof(s->request_resp));
	s->resolve_resp_len = vectors_octets(find_step(vector, "RESOLVE_RESP"), "message",
		s->resolve_resp, sizeof(s->resolve_resp));
	cr_assert_eq(mikey_parse_message(&m, s->request_resp, s->request_resp_len), MIKEY_PARSE_OK);
	s->now = (uint64_t)mikey_ntp_seconds(s->request_resp, &m.t) << 32;
	json_decref(all);
}

static void close_scene(struct scene *s)
{
	exchanger_free(s->e);
	parties_clear(&s->parties);
}

static struct exchange_answer judge(
	struct scene *s, struct exchange *x, const uint8_t *octets, size_t len, uint64_t now)
{
	struct exchange_answer a = {
		.x = x,
		.octets = octets,
		.len = (uint32_t)len,
		.grant = x->kind == EXCHANGE_REQUEST ? &s->grant : NULL,
	};

	exchanger_check(s->e, &a, 1, now);
	return a;
}

/* A ticket granted, then the RESOLVE of it: what the vector's KMS answered is what the UEs expect.
 */
static void grant_and_resolve(struct scene *s)
{
	struct exchange_answer a =
		judge(s, &s->request, s->request_resp, s->request_resp_len, s->now);

	cr_assert_eq(a.result, EXCHANGE_OK, "REQUEST_RESP: %s", exchange_result_text(a.result));
	cr_assert_eq(s->grant.n_keys, 1);
	cr_assert(s->grant.mpk_r.len > 0);
	a = judge(s, &s->resolve, s->resolve_resp, s->resolve_resp_len, s->now);
	cr_assert_eq(a.result, EXCHANGE_OK, "RESOLVE_RESP: %s", exchange_result_text(a.result));
}

static const char *const suites[] = {"A", "B"};

Test(exchange, answers_of_the_vectors_are_accepted)
{
	static struct scene s;

	for (int i = 0; i < 2; i++) {
		open_scene(&s, suites[i]);
		grant_and_resolve(&s);
		close_scene(&s);
	}
}

Test(exchange, an_answer_with_any_octet_changed_is_refused)
{
	static struct scene s;

	for (int i = 0; i < 2; i++) {
		open_scene(&s, suites[i]);
		grant_and_resolve(&s);
		for (size_t at = 0; at < s.resolve_resp_len; at++) {
			s.resolve_resp[at] ^= 0x40;
			cr_expect_neq(
				judge(&s, &s.resolve, s.resolve_resp, s.resolve_resp_len, s.now)
					.result,
				EXCHANGE_OK, "suite %s, octet %zu of RESOLVE_RESP", suites[i], at);
			s.resolve_resp[at] ^= 0x40;
		}
		for (size_t at = 0; at < s.request_resp_len; at++) {
			s.request_resp[at] ^= 0x40;
			cr_expect_neq(
				judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now)
					.result,
				EXCHANGE_OK, "suite %s, octet %zu of REQUEST_RESP", suites[i], at);
			s.request_resp[at] ^= 0x40;
		}
		close_scene(&s);
	}
}

Test(exchange, a_truncated_answer_is_refused)
{
	static struct scene s;

	open_scene(&s, "B");
	grant_and_resolve(&s);
	for (size_t len = 0; len < s.resolve_resp_len; len++)
		cr_expect_neq(
			judge(&s, &s.resolve, s.resolve_resp, len, s.now).result, EXCHANGE_OK);
	close_scene(&s);
}

Test(exchange, keys_that_the_initiator_does_not_have_are_refused)
{
	static struct scene s;

	open_scene(&s, "B");
	grant_and_resolve(&s);
	s.grant.key[0].octets[3] ^= 1;
	cr_expect_eq(judge(&s, &s.resolve, s.resolve_resp, s.resolve_resp_len, s.now).result,
		EXCHANGE_KEYS);
	s.grant.key[0].octets[3] ^= 1;
	s.grant.mpk_r.octets[31] ^= 1;
	cr_expect_eq(judge(&s, &s.resolve, s.resolve_resp, s.resolve_resp_len, s.now).result,
		EXCHANGE_KEYS);
	s.grant.mpk_r.octets[31] ^= 1;
	s.grant.mpk_i.octets[0] ^= 1;
	cr_expect_eq(judge(&s, &s.resolve, s.resolve_resp, s.resolve_resp_len, s.now).result,
		EXCHANGE_KEYS);
	close_scene(&s);
}

Test(exchange, a_ticket_for_somebody_else_is_refused)
{
	static struct scene s;

	open_scene(&s, "B");
	s.request.responder = &s.parties.party[2];
	cr_expect_eq(judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now).result,
		EXCHANGE_POLICY);
	close_scene(&s);
}

Test(exchange, a_stale_answer_is_refused)
{
	static struct scene s;

	open_scene(&s, "B");
	cr_expect_eq(
		judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now + (299ULL << 32))
			.result,
		EXCHANGE_OK);
	cr_expect_eq(
		judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now - (299ULL << 32))
			.result,
		EXCHANGE_OK);
	cr_expect_eq(
		judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now + (302ULL << 32))
			.result,
		EXCHANGE_SKEW);
	cr_expect_eq(
		judge(&s, &s.request, s.request_resp, s.request_resp_len, s.now - (302ULL << 32))
			.result,
		EXCHANGE_SKEW);
	close_scene(&s);
}

Test(exchange, an_error_without_mac_is_a_hint_with_its_number)
{
	static struct scene s;
	struct exchange_answer a;
	/* HDR of an Error, T, ERR 14 */
	uint8_t error[] = {
		1, 6, 5, 1, 0, 0, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 0, 0};

	open_scene(&s, "B");
	for (int i = 0; i < 4; i++)
		error[4 + i] = (uint8_t)(s.request.csb_id >> (24 - 8 * i));
	a = judge(&s, &s.request, error, sizeof(error), s.now);
	cr_expect_eq(a.result, EXCHANGE_ERROR_HINT, "%s", exchange_result_text(a.result));
	cr_expect_eq(a.error_no, 14);
	close_scene(&s);
}

Test(exchange, built_messages_parse_and_differ)
{
	static struct scene s;
	static uint8_t octets[EXCHANGE_BATCH_MAX][EXCHANGE_MESSAGE_MAX];
	static struct exchange exchange[EXCHANGE_BATCH_MAX];
	struct exchange *x[EXCHANGE_BATCH_MAX];
	struct grant *g = &s.grant;
	struct mikey_message m;

	open_scene(&s, "B");
	grant_and_resolve(&s);
	exchanger_finish_tickets(s.e, &g, 1);
	for (unsigned int i = 0; i < EXCHANGE_BATCH_MAX; i++) {
		exchange[i] = i % 2 ? s.resolve : s.request;
		exchange[i].csb_id = i;
		exchange[i].octets = octets[i];
		exchange[i].cap = sizeof(octets[i]);
		x[i] = &exchange[i];
	}
	exchanger_build(s.e, x, EXCHANGE_BATCH_MAX, s.now);
	for (unsigned int i = 0; i < EXCHANGE_BATCH_MAX; i++) {
		struct mikey_initiator_data data;

		cr_assert_eq(mikey_parse_message(&m, octets[i], exchange[i].len), MIKEY_PARSE_OK,
			"message %u", i);
		cr_assert(m.v.present && m.v_last);
		cr_assert_eq(m.csb_id, i);
		cr_assert_eq(m.data_type, i % 2 ? MIKEY_RESOLVE_INIT_PSK : MIKEY_REQUEST_INIT_PSK);
		if (i % 2)
			cr_assert_eq(mikey_parse_initiator_data(
					     &data, octets[i], m.ticket.initiator_data),
				MIKEY_PARSE_OK);
		for (unsigned int k = 0; k < i; k++)
			cr_assert_neq(memcmp(exchange[i].rand, exchange[k].rand, 32), 0);
	}
	close_scene(&s);
}

Test(exchange, a_message_that_does_not_fit_has_length_0)
{
	static struct scene s;
	struct exchange *x = &s.request;

	open_scene(&s, "B");
	x->cap = 100;
	exchanger_build(s.e, &x, 1, s.now);
	cr_assert_eq(x->len, 0);
	close_scene(&s);
}
