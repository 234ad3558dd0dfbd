/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/subscriber_json.h"

#include <errno.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"
#include "control/clock.h"
#include "control/hex.h"
#include "control/keys.h"

#define HEX_PREFIX "hex:"

void psk_id_format(struct identity psk_id, char *text)
{
	bool is_plain = psk_id.len < 4 || memcmp(psk_id.data, HEX_PREFIX, 4) != 0;

	for (uint16_t i = 0; i < psk_id.len; i++)
		is_plain = is_plain && psk_id.data[i] >= 0x20 && psk_id.data[i] < 0x7f;
	if (is_plain) {
		memcpy(text, psk_id.data, psk_id.len);
		text[psk_id.len] = '\0';
		return;
	}
	memcpy(text, HEX_PREFIX, 4);
	hex_encode(psk_id.data, psk_id.len, text + 4);
}

int psk_id_parse(const char *text, size_t len, uint8_t octets[IDENTITY_MAX], struct identity *out,
	struct reason *why)
{
	const size_t prefix = strlen(KEYS_ID_PREFIX);

	if (len >= 4 && memcmp(text, HEX_PREFIX, 4) == 0) {
		len -= 4;
		if (len / 2 > IDENTITY_MAX || hex_decode(text + 4, len, octets) != 0)
			return reason_set(why, -EINVAL,
				"psk_id: \"hex:\" is not followed by up to %d octets in hex",
				IDENTITY_MAX);
		len /= 2;
	} else if (len <= IDENTITY_MAX) {
		memcpy(octets, text, len);
	}
	if (len < 1 || len > IDENTITY_MAX)
		return reason_set(why, -EINVAL, "psk_id: needs 1 to %d octets", IDENTITY_MAX);
	if (len >= prefix && memcmp(octets, KEYS_ID_PREFIX, prefix) == 0)
		return reason_set(why, -EINVAL,
			"psk_id: begins with \"" KEYS_ID_PREFIX
			"\", as only names of sealing keys do");
	*out = (struct identity){octets, (uint16_t)len};
	return 0;
}

static int parse_psk(const json_t *value, struct subscriber_input *in, struct reason *why)
{
	size_t len = json_string_length(value);

	if (!json_is_string(value) || len / 2 < IPC_KEY_MIN || len / 2 > IPC_KEY_MAX ||
		hex_decode(json_string_value(value), len, in->psk) != 0)
		return reason_set(why, -EINVAL, "psk: needs %d to %d octets in hex", IPC_KEY_MIN,
			IPC_KEY_MAX);
	if (!crypto_key_acceptable(in->psk, len / 2))
		return reason_set(why, -EINVAL, "psk: a key that cannot be used");
	in->subscriber.psk = (struct identity){in->psk, (uint16_t)(len / 2)};
	return 0;
}

static int parse_uids(const json_t *value, struct ipc_subscriber *s, struct reason *why)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n < 1 || n > IPC_UIDS_MAX)
		return reason_set(
			why, -EINVAL, "uids: needs a list of 1 to %d identities", IPC_UIDS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(value, i);
		size_t len = json_string_length(item);
		struct identity uid = {(const uint8_t *)json_string_value(item), (uint16_t)len};

		if (!json_is_string(item) || len > IDENTITY_MAX || !identity_valid_uid(uid))
			return reason_set(why, -EINVAL, "uids: \"%.100s\" is no user@domain",
				json_is_string(item) ? json_string_value(item) : "(no text)");
		for (size_t j = 0; j < i; j++) {
			if (identity_equal(uid, s->uids[j]))
				return reason_set(why, -EINVAL, "uids: \"%.100s\" is there twice",
					json_string_value(item));
		}
		s->uids[i] = uid;
	}
	s->n_uids = (unsigned int)n;
	return 0;
}

static int parse_roles(const json_t *value, struct ipc_subscriber *s, struct reason *why)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value))
		return reason_set(why, -EINVAL, "roles: needs a list");
	for (size_t i = 0; i < n; i++) {
		const char *role = json_string_value(json_array_get(value, i));

		if (!role || strcmp(role, "function") != 0)
			return reason_set(why, -EINVAL,
				"roles: \"%.40s\" is not known (there is: function)",
				role ? role : "(no text)");
		s->roles |= SUBSCRIBER_ROLE_FUNCTION;
	}
	return 0;
}

static int parse_member(
	const char *key, const json_t *value, struct subscriber_input *in, struct reason *why)
{
	if (strcmp(key, "psk_id") == 0) {
		if (!json_is_string(value))
			return reason_set(why, -EINVAL, "psk_id: needs a text");
		return psk_id_parse(json_string_value(value), json_string_length(value), in->psk_id,
			&in->subscriber.psk_id, why);
	}
	if (strcmp(key, "psk") == 0)
		return parse_psk(value, in, why);
	if (strcmp(key, "uids") == 0)
		return parse_uids(value, &in->subscriber, why);
	if (strcmp(key, "roles") == 0)
		return parse_roles(value, &in->subscriber, why);
	if (strcmp(key, "expires") == 0) {
		const char *text = json_string_value(value);

		if (!text || clock_parse(text, &in->subscriber.expires) != 0)
			return reason_set(why, -EINVAL,
				"expires: needs a time as 2030-12-31T23:59:59Z (RFC 3339)");
		return 0;
	}
	return reason_set(why, -EINVAL, "unknown member \"%.100s\"", key);
}

int subscriber_from_json(const json_t *json, struct subscriber_input *in, struct reason *why)
{
	struct ipc_subscriber *s = &in->subscriber;
	const char *key;
	json_t *value;

	*s = (struct ipc_subscriber){.n_uids = 0};
	if (!json_is_object(json))
		return reason_set(why, -EINVAL, "not a JSON object");
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		int err = parse_member(key, value, in, why);

		if (err)
			return err;
	}
	if (!s->psk_id.data)
		return reason_set(why, -EINVAL, "psk_id is missing");
	if (!s->psk.data)
		return reason_set(why, -EINVAL, "psk is missing");
	if (!s->n_uids)
		return reason_set(why, -EINVAL, "uids is missing");
	return 0;
}

json_t *subscriber_to_json(const struct ipc_subscriber *s)
{
	char id[PSK_ID_TEXT_MAX], expires[CLOCK_TEXT_MAX];
	json_t *uids = json_array(), *out;

	psk_id_format(s->psk_id, id);
	for (unsigned int i = 0; i < s->n_uids; i++)
		json_array_append_new(
			uids, json_stringn((const char *)s->uids[i].data, s->uids[i].len));
	out = json_pack(
		"{s:s, s:o, s:i}", "psk_id", id, "uids", uids, "psk_octets", (int)s->psk.len);
	if (out && s->expires) {
		clock_format(s->expires, expires);
		json_object_set_new(out, "expires", json_string(expires));
	}
	if (out && (s->roles & SUBSCRIBER_ROLE_FUNCTION))
		json_object_set_new(out, "roles", json_pack("[s]", "function"));
	return out;
}
