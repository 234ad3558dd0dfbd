/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sealing key leaves and comes back for disaster recovery: as a keyring document with this one
 * key, sealed (control/seal.h, type "key export", name ID, version 1) under a key that the operator
 * has made of a passphrase. That key comes over the operator's socket, the passphrase does not, and
 * octets of sealing keys never go there.
 */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/hex.h"
#include "control/log.h"

enum { WRAPPED_MAX = 512 };

static struct seal_name wrapped_name(const char *id)
{
	return (struct seal_name){"key export", id, strlen(id), 1};
}

/* A sealer under the key of the request. NULL with the reason. */
static struct sealer *get_sealer(const json_t *request, struct reason *why)
{
	const json_t *text = json_object_get(request, "wrapping_key");
	uint8_t key[SEAL_KEK_LEN];
	struct sealer *sealer = NULL;

	if (json_string_length(text) == 2 * sizeof(key) &&
		hex_decode(json_string_value(text), 2 * sizeof(key), key) == 0)
		sealer = sealer_new(key);
	secret_wipe(key, sizeof(key));
	if (!sealer)
		reason_set(why, -EINVAL, "the wrapping key is missing or cannot be used");
	return sealer;
}

/* A keyring with just this key: secret memory, NULL: ENOMEM. */
static struct keys *alone(const struct key *key)
{
	struct keys *k = keys_new();

	if (k) {
		k->n = 1;
		k->key[0] = *key;
	}
	return k;
}

static int wrap(struct sealer *sealer, const struct key *key, char hex[2 * WRAPPED_MAX + 1])
{
	struct seal_name name = wrapped_name(key->id);
	struct keys *k = alone(key);
	uint8_t plain[WRAPPED_MAX], sealed[WRAPPED_MAX];
	size_t len = k ? keys_encode(k, plain, sizeof(plain) - SEAL_OVERHEAD) : 0;
	int err = len ? seal(sealer, &name, plain, len, sealed) : -ENOMEM;

	if (!err)
		hex_encode(sealed, len + SEAL_OVERHEAD, hex);
	secret_wipe(plain, sizeof(plain));
	keys_free(k);
	return err;
}

int admin_key_export(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	const char *id = json_string_value(json_object_get(request, "id"));
	const struct key *key = id ? keys_get(client->admin->control->keys, id) : NULL;
	char hex[2 * WRAPPED_MAX + 1], from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX],
		resolves[CLOCK_TEXT_MAX];
	struct sealer *sealer;
	int err;

	if (!key || !key_is_held(key))
		return reason_set(why, -ENOENT, "%s",
			key ? "that key is destroyed or revoked: there is nothing left to export"
			    : "there is no such key");
	sealer = get_sealer(request, why);
	if (!sealer)
		return -EINVAL;
	err = wrap(sealer, key, hex);
	sealer_free(sealer);
	if (err)
		return reason_set(why, err, "the key cannot be wrapped: %s", strerror(-err));
	clock_format(key->seals_from, from);
	clock_format(key->seals_until, until);
	clock_format(key->resolves_until, resolves);
	*result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", key->id, "state",
		key_state_name(key->state), "seals_from", from, "seals_until", until,
		"resolves_until", resolves, "sealed", hex);
	log_event(LOG_WARNING, "sealing key exported", F_TEXT("id", key->id));
	return 0;
}

static int unwrap(struct sealer *sealer, const char *id, const json_t *text, struct key *key)
{
	size_t digits = json_string_length(text), len = digits / 2;
	struct seal_name name = wrapped_name(id);
	uint8_t sealed[WRAPPED_MAX], plain[WRAPPED_MAX];
	struct keys *k;
	int err;

	if (len > sizeof(sealed) || hex_decode(json_string_value(text), digits, sealed) != 0)
		return -EBADMSG;
	k = keys_new();
	err = k ? unseal(sealer, &name, sealed, len, plain) : -ENOMEM;
	if (!err)
		err = keys_decode(k, plain, len - SEAL_OVERHEAD);
	if (!err && (k->n != 1 || strcmp(k->key[0].id, id) != 0 || !key_is_held(&k->key[0])))
		err = -EBADMSG;
	if (!err)
		*key = k->key[0];
	secret_wipe(plain, sizeof(plain));
	keys_free(k);
	return err;
}

int admin_key_unwrap(const json_t *request, struct key *key, struct reason *why)
{
	const char *id = json_string_value(json_object_get(request, "id"));
	const json_t *text = json_object_get(request, "sealed");
	struct sealer *sealer;
	int err;

	if (!id || !keys_valid_id(id) || !json_is_string(text))
		return reason_set(why, -EINVAL, "this is no exported key");
	sealer = get_sealer(request, why);
	if (!sealer)
		return -EINVAL;
	err = unwrap(sealer, id, text, key);
	sealer_free(sealer);
	if (err)
		return reason_set(why, err, "%s",
			err == -EPROTONOSUPPORT ? "the key was exported by a newer version of tkms"
			: err == -ENOMEM	? "out of memory"
						: "the passphrase is another one, or the file has "
						  "been altered");
	/* its times are as they were; what seals now goes on sealing */
	key->state = KEY_RETIRING;
	if (key->resolves_until <= clock_now()) {
		secret_wipe(key->octets, sizeof(key->octets));
		return reason_set(why, -EINVAL, "the time of that key is over");
	}
	return 0;
}
