/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"

struct identity kit_text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

uint64_t kit_ntp(const char *hex)
{
	return strtoull(hex, NULL, 16);
}

void kit_open(struct kit *k, const char *backend)
{
	memset(k, 0, sizeof(*k));
	k->crypto = crypto_open(backend);
	cr_assert(k->crypto, "backend %s", backend ? backend : "default");
	k->engine = engine_new(k->crypto);
	k->subscribers = subscriber_table_new(16);
	cr_assert(k->engine && k->subscribers);
	policy_defaults(&k->policy);
	k->policy.profile = POLICY_RFC6043;
	k->view = (struct engine_view){&k->keyring, &k->policy, k->subscribers};
	kit_keyring(k);
}

void kit_close(struct kit *k)
{
	keyring_clear(&k->keyring);
	subscriber_table_free(k->subscribers);
	engine_free(k->engine);
	crypto_close(k->crypto);
}

void kit_subscriber(struct kit *k, const char *psk_id, const uint8_t *psk, size_t psk_len,
	const struct identity *uids, unsigned int n_uids, int64_t expires, uint32_t roles)
{
	const struct subscriber_spec spec = {
		.psk_id = kit_text(psk_id),
		.psk = psk,
		.psk_len = psk_len,
		.uids = uids,
		.n_uids = n_uids,
		.expires = expires,
		.roles = roles,
	};

	cr_assert_eq(subscriber_table_put(k->subscribers, k->crypto, &spec), 0);
}

void kit_sealing_key(
	struct kit *k, const char *id, const uint8_t *key, size_t len, enum sealing_state state)
{
	const unsigned int i = k->n_sealing++;

	cr_assert_lt(i, KIT_SEALING_MAX);
	snprintf(k->sealing_ids[i], sizeof(k->sealing_ids[i]), "%s", id);
	memcpy(k->sealing_keys[i], key, len);
	for (unsigned int j = 0; state == SEALING_ACTIVE && j < i; j++)
		k->sealing[j].state = SEALING_RETIRING;
	k->sealing[i] = (struct sealing_key_spec){
		.id = kit_text(k->sealing_ids[i]),
		.key = k->sealing_keys[i],
		.len = len,
		.resolves_until = INT64_C(1) << 33,
		.state = state,
	};
}

void kit_keyring(struct kit *k)
{
	keyring_clear(&k->keyring);
	cr_assert_eq(keyring_build(&k->keyring, k->crypto, 1, k->sealing, k->n_sealing), 0);
}

static void configure_subscriber(struct kit *k, const json_t *json)
{
	struct identity uids[8];
	const json_t *uid;
	uint8_t psk[32];
	size_t i;

	json_array_foreach(json_object_get(json, "uids"), i, uid)
	{
		cr_assert_lt(i, 8);
		uids[i] = kit_text(json_string_value(uid));
	}
	const size_t len = vectors_octets(json, "psk", psk, sizeof(psk));

	kit_subscriber(k, vectors_string(json, "psk_id"), psk, len, uids, (unsigned int)i, 0, 0);
}

void kit_configure(struct kit *k, const json_t *config)
{
	const json_t *json;
	uint8_t key[32];
	size_t i;

	snprintf(k->kms_identity, sizeof(k->kms_identity), "%s",
		vectors_string(config, "kms_identity"));
	k->policy.kms_identity = kit_text(k->kms_identity);
	json_array_foreach(json_object_get(config, "subscribers"), i, json)
	{
		configure_subscriber(k, json);
	}
	json_array_foreach(json_object_get(config, "tpks"), i, json)
	{
		if (strcmp(vectors_string(json, "kind"), "kms") != 0)
			continue;
		const size_t len = vectors_octets(json, "tpk", key, sizeof(key));

		kit_sealing_key(k, vectors_string(json, "tpk_id"), key, len,
			k->n_sealing == 0 ? SEALING_ACTIVE : SEALING_PUBLISHED);
	}
	kit_keyring(k);
}

void kit_send(struct kit *k, const uint8_t *message, size_t len, struct kit_answer *a)
{
	/* Of its exact size, so that a sanitizer sees what reads beyond it. */
	uint8_t *exact = malloc(len ? len : 1);
	struct engine_msg msg = {
		.request = exact,
		.request_len = (uint16_t)len,
		.response = a->octets,
		.response_cap = sizeof(a->octets),
	};

	cr_assert(exact);
	if (len)
		memcpy(exact, message, len);
	engine_process(k->engine, &k->view, k->now, &msg, 1);
	free(exact);
	a->verdict = msg.verdict;
	a->len = msg.response_len;
}

void kit_expect(const struct kit_answer *a, enum verdict verdict)
{
	const struct verdict_info *info = verdict_info(verdict);

	cr_assert_eq(a->verdict, verdict, "%s instead of %s", verdict_info(a->verdict)->name,
		info->name);
	if (verdict == VERDICT_REQUEST_OK || verdict == VERDICT_RESOLVE_OK) {
		cr_assert_gt(a->len, 24);
		return;
	}
	if (info->error_no == VERDICT_SILENT) {
		cr_assert_eq(a->len, 0);
		return;
	}
	cr_assert_geq(a->len, 24);
	cr_assert_eq(a->octets[1], MIKEY_ERROR);
	cr_assert_eq(a->octets[21], info->error_no);
	cr_assert_eq(a->octets[20], info->authenticated ? MIKEY_V : MIKEY_LAST);
	cr_assert_eq(a->len, info->authenticated ? 24 + 2 + (a->octets[25] == 1 ? 20 : 32) : 24);
}
