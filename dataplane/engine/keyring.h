/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealing keys (TPKs) as the engine uses them, prepared from raw keys: HMAC states of the TPK and
 * of its generation key GK = KDF(sealing key, versioned label). Immutable once built; part of a
 * snapshot.
 */
#ifndef TKMS_ENGINE_KEYRING_H
#define TKMS_ENGINE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"

/* Sealing-key ids begin with this, PSK ids never do: the name spaces are disjoint. */
#define KEYRING_ID_PREFIX "tpk-"

enum { KEYRING_ID_MAX = 64, KEYRING_KEYS_MAX = 256 };

bool keyring_id_is_sealing(struct identity id);

enum sealing_state {
	SEALING_PUBLISHED =
		0, /* held, neither seals nor resolves yet: resolves (others may seal already) */
	SEALING_ACTIVE = 1,
	SEALING_RETIRING = 2, /* resolves only */
	SEALING_DESTROYED = 3,
	SEALING_REVOKED = 4,
};

struct sealing_key {
	struct crypto_key tpk;
	struct crypto_hmac_state gk; /* SHA-256 in both suites */
	int64_t seals_from;	     /* seconds since 1900, era 0 counted on */
	int64_t seals_until;
	int64_t resolves_until;
	uint8_t id[KEYRING_ID_MAX];
	uint8_t id_len;
	uint8_t len; /* octets of the TPK */
	uint8_t state;
	uint16_t slot; /* where its uses are counted; whoever builds the keyring may set it */
};

struct keyring {
	uint64_t epoch;
	unsigned int n_keys;
	unsigned int capacity;	  /* of keys */
	int active;		  /* index, -1: none (no REQUEST can be granted) */
	struct sealing_key *keys; /* n_keys, in secret memory */
};

struct sealing_key_spec {
	struct identity id; /* 1..KEYRING_ID_MAX octets, with the prefix */
	const uint8_t *key; /* 16..32 octets (the KMS's own: 32) */
	size_t len;
	int64_t seals_from, seals_until, resolves_until;
	enum sealing_state state;
};

/*
 * Builds a keyring; at most one key is active, ids are distinct (-EINVAL otherwise). Keys in state
 * destroyed or revoked are left out. 0, -EINVAL, -ENOMEM; ring is empty then. keyring_clear() wipes
 * and frees.
 */
int keyring_build(struct keyring *ring, struct crypto *ctx, uint64_t epoch,
	const struct sealing_key_spec *keys, unsigned int n);
void keyring_clear(struct keyring *ring);

/* The key of that id, or NULL. */
const struct sealing_key *keyring_find(const struct keyring *ring, struct identity id);

/* The key that seals, or NULL. */
const struct sealing_key *keyring_active(const struct keyring *ring);

#endif
