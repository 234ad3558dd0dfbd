/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine behind its MACs. The input is a MIKEY message, or a batch of them (engine_batch.h);
 * its CSB ID says what is put right before the engine sees it (engine_repair.h), so that mutations
 * reach what only an authenticated message reaches. Both backends must give the same, in a batch
 * and alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mikey/message.h"
#include "dataplane/engine/engine.h"
#include "tests/fuzz/engine_batch.h"
#include "tests/fuzz/engine_repair.h"
#include "tests/fuzz/fuzz.h"

struct request {
	uint8_t *octets;
	size_t len;
};

static struct fuzz_state {
	struct crypto *crypto[2];
	struct engine *engine[2];
	struct subscriber_table *subscribers;
	struct keyring keyring;
	struct policy policy;
	struct policy_rule rule;
} state;

/* Their memory is locked, where leak checkers do not look. */
static void teardown(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		engine_free(state.engine[i]);
		crypto_close(state.crypto[i]);
	}
	subscriber_table_free(state.subscribers);
	keyring_clear(&state.keyring);
}

static void setup(void)
{
	static const char *const backends[] = {"openssl", "ipsec-mb"};
	uint8_t key[KEY_LEN];
	int rc = 0;

	state.subscribers = subscriber_table_new(PEOPLE);
	for (unsigned int i = 0; i < 2; i++) {
		state.crypto[i] = crypto_open(backends[i]);
		state.engine[i] = state.crypto[i] ? engine_new(state.crypto[i]) : NULL;
		if (!state.engine[i] || !state.subscribers)
			abort();
	}
	for (unsigned int i = 0; i < PEOPLE; i++) {
		const struct identity uids[] = {
			fuzz_text(fuzz_people[i].uid), fuzz_text(fuzz_people[i].other_uid)};
		const struct subscriber_spec spec = {
			.psk_id = fuzz_text(fuzz_people[i].psk_id),
			.psk = key,
			.psk_len = KEY_LEN,
			.uids = uids,
			.n_uids = 2,
			.roles = fuzz_people[i].roles,
		};

		fuzz_key(i, key);
		rc |= subscriber_table_put(state.subscribers, state.crypto[0], &spec);
	}
	fuzz_key(PEOPLE, key);
	const struct sealing_key_spec sealing = {.id = fuzz_text(TPK_ID),
		.key = key,
		.len = KEY_LEN,
		.resolves_until = INT64_C(1) << 33,
		.state = SEALING_ACTIVE};

	rc |= keyring_build(&state.keyring, state.crypto[0], 1, &sealing, 1);
	if (rc != 0 || atexit(teardown) != 0)
		abort();
	state.rule = (struct policy_rule){fuzz_text("alice@?"), fuzz_text("?b?@?"), false};
}

static void set_policy(uint32_t bits)
{
	struct policy *p = &state.policy;

	policy_defaults(p);
	p->kms_identity = fuzz_text("kms@company.example");
	p->profile = bits & PROFILE_3GPP ? POLICY_3GPP : POLICY_RFC6043;
	p->allow_groups = !(bits & NO_GROUPS);
	p->allow_reuse = !(bits & NO_REUSE);
	p->allow_mode3 = !(bits & NO_MODE3);
	p->allow_no_forking = !(bits & NO_NO_FORKING);
	p->in_sync = !(bits & NOT_IN_SYNC);
	p->rules = &state.rule;
	p->n_rules = bits & RULES ? 1 : 0;
	p->max_message = POLICY_MESSAGE_MAX;
	p->end_to_middle_app = fuzz_text("app.example");
}

static void check(const struct engine_msg *msg)
{
	const struct verdict_info *info = verdict_info(msg->verdict);
	struct mikey_message m;

	assert(msg->verdict != VERDICT_PENDING && msg->verdict < VERDICT_COUNT);
	assert(msg->response_len <= msg->response_cap);
	if (msg->verdict == VERDICT_REQUEST_OK || msg->verdict == VERDICT_RESOLVE_OK) {
		assert(mikey_parse_message(&m, msg->response, msg->response_len) == MIKEY_PARSE_OK);
		assert(m.kemac.present && m.v_last);
		return;
	}
	assert(info->error_no != VERDICT_SILENT || msg->response_len == 0);
	assert(info->authenticated || msg->response_len <= msg->request_len);
	if (msg->response_len == 0)
		return;
	const uint8_t version = msg->response[0];

	msg->response[0] = 1;
	assert(mikey_parse_message(&m, msg->response, msg->response_len) == MIKEY_PARSE_OK);
	assert(m.data_type == MIKEY_ERROR && m.err_no == info->error_no &&
		m.v.present == info->authenticated);
	msg->response[0] = version;
}

/* The messages of an input, each in memory of its own. */
static unsigned int split(struct request *requests, const uint8_t *data, size_t size)
{
	unsigned int n = 0;

	if (size == 0 || data[0] != FUZZ_BATCH) {
		requests[0] = (struct request){.len = size, .octets = malloc(size ? size : 1)};
		if (!requests[0].octets)
			abort();
		memcpy(requests[0].octets, data, size);
		return 1;
	}
	for (size_t at = 1, len; n < ENGINE_BATCH_MAX && at + 2 <= size; at += 2 + len) {
		len = (size_t)data[at] << 8 | data[at + 1];
		if (len > size - at - 2)
			len = size - at - 2;
		requests[n] = (struct request){.len = len, .octets = malloc(len ? len : 1)};
		if (!requests[n].octets)
			abort();
		memcpy(requests[n++].octets, data + at + 2, len);
	}
	return n;
}

static uint32_t bits_of(const struct request *r)
{
	uint32_t bits = 0;

	for (size_t i = 4; r->len >= MIKEY_HDR_LEN && i < 8; i++)
		bits = bits << 8 | r->octets[i];
	return bits;
}

/* Response buffers of exactly their size: a sanitizer sees what is written beyond. */
static void process(struct engine *engine, const struct request *requests, const uint16_t *caps,
	struct engine_msg *msgs, unsigned int n)
{
	const struct engine_view view = {&state.keyring, &state.policy, state.subscribers};

	for (unsigned int i = 0; i < n; i++) {
		msgs[i] = (struct engine_msg){
			.request = requests[i].octets,
			.request_len = (uint16_t)requests[i].len,
			.response = malloc(caps[i] ? caps[i] : 1),
			.response_cap = caps[i],
		};
		if (!msgs[i].response)
			abort();
	}
	engine_process(engine, &view, fuzz_now, msgs, n);
	for (unsigned int i = 0; i < n; i++)
		check(&msgs[i]);
}

static void release(struct engine_msg *msgs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free(msgs[i].response);
}

static void require_same(const struct engine_msg *a, const struct engine_msg *b)
{
	assert(a->verdict == b->verdict && a->response_len == b->response_len);
	assert(memcmp(a->response, b->response, a->response_len) == 0);
}

/* A message's answer depends on no other message: in a batch and alone, with both backends. */
static void compare(const struct request *requests, uint16_t *caps, unsigned int n)
{
	static struct engine_msg together[2][ENGINE_BATCH_MAX];
	struct engine_msg alone;

	for (unsigned int b = 0; b < 2; b++)
		process(state.engine[b], requests, caps, together[b], n);
	for (unsigned int i = 0; i < n; i++) {
		require_same(&together[0][i], &together[1][i]);
		if (n == 1)
			break;
		process(state.engine[i % 2], &requests[i], &caps[i], &alone, 1);
		require_same(&together[0][i], &alone);
		release(&alone, 1);
	}
	/* No room to spare, or an octet too little. */
	for (unsigned int i = 0; i < n; i++) {
		caps[i] = together[0][i].response_len;
		if (caps[i] > 0 && i % 2 == bits_of(&requests[0]) % 2)
			caps[i]--;
	}
	for (unsigned int b = 0; b < 2; b++)
		release(together[b], n);
	for (unsigned int b = 0; b < 2; b++)
		process(state.engine[b], requests, caps, together[b], n);
	for (unsigned int i = 0; i < n; i++)
		require_same(&together[0][i], &together[1][i]);
	for (unsigned int b = 0; b < 2; b++)
		release(together[b], n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request requests[ENGINE_BATCH_MAX];
	uint16_t caps[ENGINE_BATCH_MAX];
	unsigned int n;

	if (!state.engine[0])
		setup();
	if (size > MESSAGE_MAX)
		return 0;
	n = split(requests, data, size);
	if (n > 0)
		set_policy(bits_of(&requests[0]));
	for (unsigned int i = 0; i < n; i++) {
		const uint32_t bits = bits_of(&requests[i]);

		caps[i] = bits & SMALL_RESPONSE ? (uint16_t)(bits >> 16) : MESSAGE_MAX;
		fuzz_repair(state.crypto[0], requests[i].octets, requests[i].len);
	}
	if (n > 0)
		compare(requests, caps, n);
	for (unsigned int i = 0; i < n; i++)
		free(requests[i].octets);
	return 0;
}

#ifdef TKMS_LIBFUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* Now octets, now structure. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	const size_t len = seed % 3 == 0 ? 0 : fuzz_batch_mutate(data, size, max, seed / 3);

	return len > 0 ? len : LLVMFuzzerMutate(data, size, max);
}
#endif
