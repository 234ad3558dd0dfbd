/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys as a KEMAC carries them: key data sub-payloads in plain form and where each key lies in
 * them. Secret.
 */
#ifndef TKMS_UE_KEYSET_H
#define TKMS_UE_KEYSET_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "common/ue/result.h"

enum { UE_KEYSET_OCTETS = 5120 };

struct ue_keyset {
	unsigned int n;
	uint16_t len;
	struct mikey_key key[MIKEY_KEYS_MAX]; /* spans of octets */
	uint8_t octets[UE_KEYSET_OCTETS];
};

void ue_keyset_clear(struct ue_keyset *ks);

/* Key data of ks->octets, ks->len: parses them, and refuses keys that may not be used. Wipes on
 * failure. */
enum ue_result ue_keyset_parse(struct ue_keyset *ks);

/* Replaces the content. len 0 is a set without keys. */
enum ue_result ue_keyset_set(struct ue_keyset *ks, const uint8_t *octets, size_t len);

/* Writes n keys (key, salt and SPI given). */
enum ue_result ue_keyset_write(
	struct ue_keyset *ks, const struct mikey_key_spec *specs, unsigned int n);

static inline const uint8_t *ue_keyset_at(const struct ue_keyset *ks, struct mikey_span s)
{
	return ks->octets + s.off;
}

/* The i-th MPK (0: MPKi, 1: MPKr or MPKr'), NULL if there is none. */
const struct mikey_key *ue_keyset_mpk(const struct ue_keyset *ks, unsigned int i);

/* The i-th key that is not an MPK, NULL if there are fewer. */
const struct mikey_key *ue_keyset_session_key(const struct ue_keyset *ks, unsigned int i);

/* Do keys have an SPI each, no two the same, and at most max_len octets (MPKs are not looked at).
 */
enum ue_result ue_keyset_check_session_keys(const struct ue_keyset *ks, unsigned int max_len);

/* Name as in RFC 6043, "TGK+SALT". */
const char *ue_key_type_name(uint8_t type);
/* Is it a type that carries a salt. */
int ue_key_type_has_salt(uint8_t type);

#endif
