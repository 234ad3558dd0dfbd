/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A subscriber as JSON: {"psk_id": "TEXT or hex:...", "psk": "HEX", "uids": ["user@domain", ...]}
 * and optionally "expires" (RFC 3339) and "roles" (["function"]).
 */
#ifndef TKMS_CONTROL_SUBSCRIBER_JSON_H
#define TKMS_CONTROL_SUBSCRIBER_JSON_H

#include <jansson.h>

#include "common/ipc/ipc.h"
#include "control/reason.h"

enum { SUBSCRIBER_ROLE_FUNCTION = 1 << 0 }; /* the data plane's SUBSCRIBER_FUNCTION */

/* Octets that a parsed subscriber points into; wipe it after use. UIDs point into the json_t. */
struct subscriber_input {
	struct ipc_subscriber subscriber;
	uint8_t psk_id[IDENTITY_MAX];
	uint8_t psk[IPC_KEY_MAX];
};

/* 0, or -EINVAL and what is wrong with which member (never the PSK's value). */
int subscriber_from_json(const json_t *json, struct subscriber_input *in, struct reason *why);

/* Everything but the PSK. NULL: out of memory. */
json_t *subscriber_to_json(const struct ipc_subscriber *s);

/* A PSK id as text: itself when it is printable, else "hex:...". text has PSK_ID_TEXT_MAX octets.
 */
enum { PSK_ID_TEXT_MAX = 4 + 2 * IDENTITY_MAX + 1 };
void psk_id_format(struct identity psk_id, char *text);
/* The other way round: 1 to 255 octets, not the name of a sealing key. 0, or -EINVAL and the
 * reason. */
int psk_id_parse(const char *text, size_t len, uint8_t octets[IDENTITY_MAX], struct identity *out,
	struct reason *why);

#endif
