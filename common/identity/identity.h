/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * KMS user identities (NAI part of a SIP URI) and group identities with '?' (TS 33.328
 * 6.2.3). Octet strings, case-sensitive, never NUL-terminated. Pure.
 */
#ifndef TKMS_IDENTITY_IDENTITY_H
#define TKMS_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDENTITY_MAX = 255 };

struct identity {
	const uint8_t *data;
	uint16_t len;
};

/*
 * Brings an identity as received to its NAI part: ID type URI (1) that begins with "sip:" or
 * "sips:" (any case) loses that and everything from the first ';' or '?' on; others stay. Result
 * points into the input.
 */
struct identity identity_nai(uint8_t id_type, const uint8_t *data, uint16_t len);

/* Equal octets (not secret). */
bool identity_equal(struct identity a, struct identity b);

/*
 * Does pattern match name? '?' in the pattern matches zero or more arbitrary octets, also '@'; no
 * escape (readings N50). In name '?' is an ordinary octet. Time O(len(pattern) * len(name)), no
 * recursion.
 */
bool identity_match(struct identity pattern, struct identity name);

/* Number of '?' in a pattern (cap: 8). */
unsigned int identity_wildcards(struct identity pattern);

/*
 * May this text be a subscriber's KMS UID: user@domain, 3..255 octets, exactly one '@' with
 * something on both sides, printable ASCII without blank, '?' or control characters.
 */
bool identity_valid_uid(struct identity uid);

#endif
