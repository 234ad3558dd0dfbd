/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/keyring.h"

#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "dataplane/engine/kdf108.h"

bool keyring_id_is_sealing(struct identity id)
{
	static const char prefix[] = KEYRING_ID_PREFIX;
	const size_t n = sizeof(prefix) - 1;

	return id.len >= n && memcmp(id.data, prefix, n) == 0;
}

static bool spec_valid(const struct sealing_key_spec *spec)
{
	return spec->id.len >= 1 && spec->id.len <= KEYRING_ID_MAX &&
	       keyring_id_is_sealing(spec->id) && spec->key && spec->len >= 16 && spec->len <= 32;
}

static bool spec_held(const struct sealing_key_spec *spec)
{
	return spec->state != SEALING_DESTROYED && spec->state != SEALING_REVOKED;
}

/* Prepares the TPK and its GK: both live as HMAC states only. */
static void key_prepare(
	struct sealing_key *key, struct crypto *ctx, const struct sealing_key_spec *spec)
{
	uint8_t gk[CRYPTO_SHA256_LEN];
	struct crypto_key prepared;

	crypto_key_prepare(ctx, spec->key, spec->len, &key->tpk);
	kdf108_generation_key(ctx, spec->key, spec->len, spec->id, gk);
	crypto_key_prepare(ctx, gk, sizeof(gk), &prepared);
	key->gk = prepared.sha256;
	secret_wipe(gk, sizeof(gk));
	secret_wipe(&prepared, sizeof(prepared));
	key->seals_from = spec->seals_from;
	key->seals_until = spec->seals_until;
	key->resolves_until = spec->resolves_until;
	memcpy(key->id, spec->id.data, spec->id.len);
	key->id_len = (uint8_t)spec->id.len;
	key->len = (uint8_t)spec->len;
	key->state = (uint8_t)spec->state;
}

static int specs_check(const struct sealing_key_spec *keys, unsigned int n)
{
	unsigned int active = 0;

	if (n > KEYRING_KEYS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		if (!spec_valid(&keys[i]))
			return -EINVAL;
		for (unsigned int j = 0; j < i; j++) {
			if (identity_equal(keys[i].id, keys[j].id))
				return -EINVAL;
		}
		active += keys[i].state == SEALING_ACTIVE;
	}
	return active <= 1 ? 0 : -EINVAL;
}

int keyring_build(struct keyring *ring, struct crypto *ctx, uint64_t epoch,
	const struct sealing_key_spec *keys, unsigned int n)
{
	int rc = specs_check(keys, n);

	memset(ring, 0, sizeof(*ring));
	ring->active = -1;
	if (rc != 0)
		return rc;
	ring->epoch = epoch;
	if (n == 0)
		return 0;
	ring->keys = secret_alloc(n * sizeof(*ring->keys));
	if (!ring->keys)
		return -ENOMEM;
	ring->capacity = n;
	for (unsigned int i = 0; i < n; i++) {
		if (!spec_held(&keys[i]))
			continue;
		if (keys[i].state == SEALING_ACTIVE)
			ring->active = (int)ring->n_keys;
		key_prepare(&ring->keys[ring->n_keys++], ctx, &keys[i]);
	}
	return 0;
}

void keyring_clear(struct keyring *ring)
{
	if (ring->keys)
		secret_free(ring->keys, ring->capacity * sizeof(*ring->keys));
	memset(ring, 0, sizeof(*ring));
	ring->active = -1;
}

const struct sealing_key *keyring_find(const struct keyring *ring, struct identity id)
{
	for (unsigned int i = 0; i < ring->n_keys; i++) {
		const struct sealing_key *key = &ring->keys[i];

		if (key->id_len == id.len && memcmp(key->id, id.data, id.len) == 0)
			return key;
	}
	return NULL;
}

const struct sealing_key *keyring_active(const struct keyring *ring)
{
	return ring->active >= 0 ? &ring->keys[ring->active] : NULL;
}
