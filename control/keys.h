/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyring as the control process keeps it: one document with an epoch, and the life of a
 * sealing key. Pure: no clock, no store; the caller stores and distributes what changed. Times are
 * seconds since 1900 and never change once a key has them.
 *
 *   published -> active -> retiring -> destroyed     revoked: from any of the first three
 *
 * With rotation interval R, activation lead L and longest ticket lifetime M a key seals from S
 * (publication + L) until S + 2R and resolves until S + 2R + M. Its successor is due at S + R, so
 * one interval is in reserve before requests would be refused for want of a key. Every ticket that
 * a key seals can live for M.
 */
#ifndef TKMS_CONTROL_KEYS_H
#define TKMS_CONTROL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/ipc.h"

#define KEYS_ID_PREFIX "tpk-"

enum {
	KEYS_MAX = IPC_KEYS_MAX,
	KEYS_SCHEDULED_MAX = 200, /* keys a schedule may hold; the rest is for imported ones */
	KEYS_ID_MAX = IPC_KEY_ID_MAX,
	KEYS_LEN = 32, /* octets of our own keys */
	KEYS_TOMBSTONE_S =
		30 * 86400, /* a dead key is listed so long after its end, if there is room */
};

/* Values are those of the data plane's enum sealing_state. */
enum key_state { KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING, KEY_DESTROYED, KEY_REVOKED };

struct key {
	char id[KEYS_ID_MAX + 1];
	uint8_t octets[KEYS_LEN]; /* zero once destroyed or revoked */
	uint8_t len;		  /* 16..32, 0 once destroyed or revoked */
	uint8_t state;		  /* enum key_state */
	uint64_t epoch;		  /* of the document in which it was published */
	int64_t seals_from, seals_until, resolves_until;
};

/* Lives in secret memory (keys_new()). */
struct keys {
	uint64_t epoch; /* grows with every change */
	unsigned int n;
	struct key key[KEYS_MAX];
};

struct keys_schedule {
	int64_t rotation_s, lead_s, max_lifetime_s, max_skew_s;
};

struct keys *keys_new(void); /* empty, epoch 0; NULL: ENOMEM */
void keys_free(struct keys *k);

const char *key_state_name(enum key_state state);
struct key *keys_find(struct keys *k, const char *id);
const struct key *keys_active(const struct keys *k);	/* NULL: none */
const struct key *keys_published(const struct keys *k); /* waits for its activation; NULL: none */
/* Does the state mean that the key's octets are still held. */
bool key_is_held(const struct key *key);

/* How many keys a schedule holds at the same time. */
uint64_t keys_held_at_most(uint64_t rotation_s, uint64_t max_lifetime_s);

/* What keys_step() may rely on. */
struct keys_situation {
	int64_t now;
	/* Every data plane that could seal: none connected, or the epoch that it has acknowledged.
	 */
	enum { KEYS_NOBODY, KEYS_CONNECTED } dataplane;
	uint64_t acknowledged_epoch;
};

/* Bits of what a step did. */
enum keys_change {
	KEYS_CREATED = 1 << 0,
	KEYS_ACTIVATED = 1 << 1,
	KEYS_DESTROYED_SOME = 1 << 2,
	KEYS_FORGOT_SOME = 1 << 3,
};

/*
 * Does what is due now: destroys keys that resolve no more, activates the published key once the
 * data plane holds it and its time has come, publishes a successor when the active key is due,
 * makes a key active at once when there is none that can seal. Returns bits of enum keys_change (0:
 * nothing; the epoch grows otherwise by one), or -errno with nothing changed (-ENOSPC: too many
 * keys).
 */
int keys_step(struct keys *k, const struct keys_schedule *schedule,
	const struct keys_situation *situation);

/* Publishes a successor of the active key now. 0, -EALREADY (there is a published key), -errno. */
int keys_rotate(struct keys *k, const struct keys_schedule *schedule, int64_t now);

/*
 * Adds a given key: retiring (resolves only), or active at once (the active one retires).
 * key->state says which; the caller fills id, octets, len and times. 0, -EEXIST (id known, also of
 * a destroyed key), -EINVAL (id, length), -ENOSPC.
 */
int keys_import(struct keys *k, const struct key *key, int64_t now);

/* Ends a key at once. 0, -ENOENT, -EALREADY (destroyed or revoked). */
int keys_revoke(struct keys *k, const char *id);

/* Octets needed or written, 0 when it does not fit; buf NULL counts. */
size_t keys_encode(const struct keys *k, uint8_t *buf, size_t cap);
/* 0, -EBADMSG, -EPROTONOSUPPORT (a newer format). */
int keys_decode(struct keys *k, const uint8_t *buf, size_t len);

/* Is id a possible id of a sealing key: the prefix, then 1 or more of letters, digits, - . _ */
bool keys_valid_id(const char *id);

#endif
