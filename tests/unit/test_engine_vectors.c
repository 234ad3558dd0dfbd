/* SPDX-License-Identifier: BSD-3-Clause */
/* The independent implementation's exchanges and errors, from the KMS's side, octet by octet. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/engine_kit.h"
#include "tests/unit/vectors.h"

enum { T_OFF = 12 };

/* What a step drew, in the order of the trace. */
struct drawn {
	const json_t *trace;
	const uint8_t *response;
};

static const char *const key_names[] = {"TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT"};

static bool is_key(const char *what)
{
	for (size_t i = 0; i < sizeof(key_names) / sizeof(key_names[0]); i++) {
		if (strcmp(what, key_names[i]) == 0)
			return true;
	}
	return false;
}

/* The value drawn for a purpose; index: of the session key it belongs to. */
static const char *drawn_value(const json_t *trace, enum engine_generated what, unsigned int index)
{
	static const char *const names[] = {
		[ENGINE_GEN_MPK] = "MPK",
		[ENGINE_GEN_MPK_SPI] = "MPK SPI",
		[ENGINE_GEN_SALT] = "salt",
		[ENGINE_GEN_SPI] = "SPI",
		[ENGINE_GEN_TICKET_RAND] = "ticket RAND",
		[ENGINE_GEN_RANDRKMS] = "RANDRkms",
	};
	const json_t *entry;
	int key = -1;
	size_t i;

	json_array_foreach(trace, i, entry)
	{
		if (strcmp(vectors_string(entry, "op"), "random") != 0)
			continue;
		const char *name = vectors_string(entry, "what");

		key += is_key(name);
		if (what == ENGINE_GEN_KEY
				? is_key(name) && key == (int)index
				: strcmp(name, names[what]) == 0 &&
					  ((what != ENGINE_GEN_SALT && what != ENGINE_GEN_SPI) ||
						  key == (int)index))
			return vectors_string(entry, "value");
	}
	cr_assert_fail("the vector drew nothing for %d, %u", (int)what, index);
	return NULL;
}

static const char *ticket_t64(const json_t *trace)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(trace, i, entry)
	{
		if (strcmp(vectors_string(entry, "op"), "kemac") == 0 &&
			strcmp(vectors_string(entry, "csb_id"), "ffffffff") == 0)
			return vectors_string(entry, "t64");
	}
	cr_assert_fail("no ticket in the trace");
	return NULL;
}

static void replay(void *arg, unsigned int msg, enum engine_generated what, unsigned int index,
	uint8_t *out, size_t len)
{
	const struct drawn *d = arg;

	cr_assert_eq(msg, 0);
	if (what == ENGINE_GEN_RESPONSE_T) {
		memcpy(out, d->response + T_OFF, len);
		return;
	}
	const char *hex = what == ENGINE_GEN_TICKET_T ? ticket_t64(d->trace)
						      : drawn_value(d->trace, what, index);

	cr_assert_eq(strlen(hex), 2 * len, "length of what is generated: readings N25, N46");
	vectors_hex(hex, out, len);
}

static const json_t *step_of(const json_t *exchange, const char *name)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(exchange, "steps"), i, step)
	{
		if (strcmp(vectors_string(step, "step"), name) == 0)
			return step;
	}
	return NULL;
}

static void compare(struct kit *k, const json_t *exchange, const char *init, const char *resp)
{
	static uint8_t request[4096], response[4096];
	static struct kit_answer a;
	const json_t *step = step_of(exchange, init);
	struct drawn d = {NULL, response};

	if (!step || !step_of(exchange, resp))
		return;
	const size_t request_len = vectors_octets(step, "message", request, sizeof(request));

	step = step_of(exchange, resp);
	const size_t response_len = vectors_octets(step, "message", response, sizeof(response));

	d.trace = json_object_get(step, "trace");
	for (unsigned int i = 0; i < 8; i++)
		k->now = k->now << 8 | response[T_OFF + i];
	engine_test_generated(k->engine, replay, &d);
	kit_send(k, request, request_len, &a);
	cr_assert_eq(a.verdict,
		request[1] == MIKEY_REQUEST_INIT_PSK ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK,
		"%s", verdict_info(a.verdict)->name);
	cr_assert_eq(a.len, response_len);
	for (size_t i = 0; i < a.len; i++)
		cr_assert_eq(a.octets[i], response[i], "octet %zu: %02x instead of %02x", i,
			a.octets[i], response[i]);
}

/* Exchanges with T as NTP-UTC-32 are answered with NTP-UTC here (R3): compared as a UE does,
 * elsewhere. */
static bool comparable(const char *name)
{
	return strcmp(name, "mode1_ntp_utc_32") != 0;
}

static void exchange_run(const char *backend, const json_t *exchange)
{
	struct kit k;

	kit_open(&k, backend);
	kit_configure(&k, json_object_get(exchange, "config"));
	if (strcmp(vectors_string(exchange, "name"), "mode1_policy_changed") == 0)
		k.policy.max_lifetime_s = 600;
	compare(&k, exchange, "REQUEST_INIT", "REQUEST_RESP");
	compare(&k, exchange, "RESOLVE_INIT", "RESOLVE_RESP");
	kit_close(&k);
}

static void exchanges_run(const char *backend)
{
	json_t *all = vectors_load("exchanges.json");
	const json_t *exchange;
	unsigned int run = 0;
	size_t i;

	json_array_foreach(all, i, exchange)
	{
		if (!comparable(vectors_string(exchange, "name")))
			continue;
		cr_log_info("%s %s", vectors_string(exchange, "name"),
			vectors_string(exchange, "suite"));
		exchange_run(backend, exchange);
		run++;
	}
	cr_assert_eq(run, 28);
	json_decref(all);
}

Test(engine_vectors, responses_equal_the_vectors_with_openssl)
{
	exchanges_run("openssl");
}

Test(engine_vectors, responses_equal_the_vectors_with_ipsec_mb)
{
	exchanges_run("ipsec-mb");
}

static void error_run(struct kit *k, const json_t *json)
{
	static uint8_t message[4096], response[64];
	static struct kit_answer a;
	const char *name = vectors_string(json, "name");
	const size_t len = vectors_octets(json, "message", message, sizeof(message));
	const json_t *acceptable = json_object_get(json, "acceptable"), *number;
	bool accepted = false;
	size_t i;

	k->now = kit_ntp(vectors_string(json, "kms_clock_ntp"));
	kit_send(k, message, len, &a);
	const int got = a.len == 0 ? -1 : a.octets[21];

	json_array_foreach(acceptable, i, number)
	{
		accepted |= json_integer_value(number) == got;
	}
	cr_assert(accepted, "%s: %s, Error %d", name, verdict_info(a.verdict)->name, got);
	cr_assert(a.len == 0 || a.octets[1] == MIKEY_ERROR);
	/* Errors are deterministic but for the numbers that the readings leave open. */
	cr_assert_eq(got, vectors_int(json, "oracle_error_no"), "%s: %s", name,
		verdict_info(a.verdict)->name);
	cr_assert_eq(
		a.len, vectors_octets(json, "response", response, sizeof(response)), "%s", name);
	cr_assert_eq(memcmp(a.octets, response, a.len), 0, "%s", name);
}

static void errors_run(const char *backend)
{
	json_t *all = vectors_load("errors.json");
	const json_t *json;
	size_t i;

	cr_assert_gt(json_array_size(all), 70);
	json_array_foreach(all, i, json)
	{
		struct kit k;

		kit_open(&k, backend);
		kit_configure(&k, json_object_get(json, "config"));
		error_run(&k, json);
		kit_close(&k);
	}
	json_decref(all);
}

Test(engine_vectors, errors_equal_the_vectors_with_openssl)
{
	errors_run("openssl");
}

Test(engine_vectors, errors_equal_the_vectors_with_ipsec_mb)
{
	errors_run("ipsec-mb");
}
