/* SPDX-License-Identifier: BSD-3-Clause */
/* An engine with all it needs, for tests. Failures end the test. */
#ifndef TKMS_TESTS_ENGINE_KIT_H
#define TKMS_TESTS_ENGINE_KIT_H

#include <jansson.h>

#include "dataplane/engine/engine.h"

enum {
	KIT_MESSAGE_MAX = 20000,
	KIT_SEALING_MAX = 4,
};

struct kit {
	struct crypto *crypto;
	struct engine *engine;
	struct subscriber_table *subscribers;
	struct keyring keyring;
	struct policy policy;
	struct engine_view view;
	uint64_t now;
	struct sealing_key_spec sealing[KIT_SEALING_MAX];
	uint8_t sealing_keys[KIT_SEALING_MAX][32];
	char sealing_ids[KIT_SEALING_MAX][32];
	unsigned int n_sealing;
	char kms_identity[64];
};

struct kit_answer {
	enum verdict verdict;
	size_t len;
	uint8_t octets[KIT_MESSAGE_MAX];
};

/* Profile rfc6043, no subscribers, no keys, clock 0. backend: of crypto_open(). */
void kit_open(struct kit *k, const char *backend);
void kit_close(struct kit *k);

/* The subscribers and KMS keys of a vector's "config"; the first key seals. */
void kit_configure(struct kit *k, const json_t *config);

void kit_subscriber(struct kit *k, const char *psk_id, const uint8_t *psk, size_t psk_len,
	const struct identity *uids, unsigned int n_uids, int64_t expires, uint32_t roles);

/* Adds a sealing key; active ones retire those before. kit_keyring() makes it count. */
void kit_sealing_key(
	struct kit *k, const char *id, const uint8_t *key, size_t len, enum sealing_state state);
void kit_keyring(struct kit *k);

/* One message alone in a batch. */
void kit_send(struct kit *k, const uint8_t *message, size_t len, struct kit_answer *a);

/* Fails the test unless the answer has that verdict and what its table entry says. */
void kit_expect(const struct kit_answer *a, enum verdict verdict);

struct identity kit_text(const char *s);

/* A vector's NTP time. */
uint64_t kit_ntp(const char *hex);

#endif
