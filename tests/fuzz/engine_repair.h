/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is known to fuzz_engine.c's engines, and what is put right in their messages. */
#ifndef TKMS_TESTS_ENGINE_REPAIR_H
#define TKMS_TESTS_ENGINE_REPAIR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "dataplane/engine/subscribers.h"

enum { /* bits of the CSB ID */
	FIX_TIME = 1 << 0,
	FIX_MAC = 1 << 1,
	FIX_TICKET_MAC = 1 << 2,
	ENCRYPT_KEYS = 1 << 3, /* KEMAC of the ticket holds plain key data */
	FIX_VR = 1 << 4,
	PROFILE_3GPP = 1 << 8,
	NO_GROUPS = 1 << 9,
	NO_REUSE = 1 << 10,
	NO_MODE3 = 1 << 11,
	NO_NO_FORKING = 1 << 12,
	NOT_IN_SYNC = 1 << 13,
	RULES = 1 << 14,
	SMALL_RESPONSE = 1 << 15,
};

enum { MESSAGE_MAX = 65535, KEY_LEN = 32, PEOPLE = 3 };

#define TPK_ID "tpk-kms-1"
static const uint64_t fuzz_now = 0xed00378040000000;

/* The names that the vectors use. */
struct fuzz_person {
	const char *psk_id, *uid, *other_uid;
	uint32_t roles;
};
extern const struct fuzz_person fuzz_people[PEOPLE];

static inline struct identity fuzz_text(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

/* Of a person; PEOPLE: the sealing key. */
static inline void fuzz_key(unsigned int person, uint8_t key[KEY_LEN])
{
	memset(key, (int)person + 1, KEY_LEN);
}

/* Puts right what the message's CSB ID asks for. */
void fuzz_repair(struct crypto *with, uint8_t *octets, size_t len);

#endif
