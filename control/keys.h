/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyring as the control process keeps it: one document with an epoch, and the life of a
 * sealing key. Pure: no clock, no store; the caller stores and distributes what changed. Times are
 * seconds since 1900 and never change once a key has them.
 *
 * Every node of a replica set has a document of its own and joins those of the others into it
 * (keys_join()). Nothing in it ever moves back, so the order in which documents are met, or that
 * old ones are met again, makes no difference.
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
	bool was_active;	  /* also of a key that is dead now */
	uint64_t epoch; /* of this node's document in which it came; differs between nodes */
	int64_t seals_from, seals_until, resolves_until;
};

/* What a node of a replica set is to it. A node without a set has no use for it. */
enum keys_admission {
	KEYS_MEMBER,
	KEYS_JOINING, /* must not serve before it has what the others have */
	KEYS_FOUNDER, /* may make the first key of all, if nobody has one */
};

/* Lives in secret memory (keys_new()). */
struct keys {
	uint64_t epoch; /* grows with every change */
	/* of this node alone: not joined */
	uint8_t admission;  /* enum keys_admission */
	uint64_t min_epoch; /* by the operator's word; serves no less. 0: none */
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
const struct key *keys_get(const struct keys *k, const char *id);
const struct key *keys_active(const struct keys *k); /* NULL: none */
/* Waits for its activation: the one that ranks highest; NULL: none. */
const struct key *keys_published(const struct keys *k);
/* Of two keys that could seal it is this one: the later one, at the same time the smaller id. */
bool key_outranks(const struct key *a, const struct key *b);
/* Does the state mean that the key's octets are still held. */
bool key_is_held(const struct key *key);

/* How many keys a schedule holds at the same time. */
uint64_t keys_held_at_most(uint64_t rotation_s, uint64_t max_lifetime_s);

struct heartbeat_key; /* control/heartbeat.h */

/* A member of the replica set, this node too: what its data plane has acknowledged. */
struct keys_member {
	const char *name;
	const struct heartbeat_key *held;
	unsigned int n_held;
};

/* What this node knows of the others. */
enum keys_peers {
	KEYS_SINGLE, /* there are none */
	KEYS_SET,    /* the live members are known */
	/* of a set, but the live members are not known now, or too few: nothing new is published
	   or activated, what seals goes on sealing */
	KEYS_CUT_OFF,
};

/* What keys_step() may rely on. */
struct keys_situation {
	int64_t now;
	/* KEYS_SINGLE: every data plane that could seal: none connected, or the epoch that it has
	 * acknowledged. */
	enum { KEYS_NOBODY, KEYS_CONNECTED } dataplane;
	uint64_t acknowledged_epoch;
	enum keys_peers peers;
	/* KEYS_SET: live members */
	unsigned int n_members;
	const struct keys_member *members;
	int64_t behind_s;	 /* how far the slowest live clock is behind ours, >= 0 */
	int64_t publish_delay_s; /* other members publish before this one */
	bool may_found;		 /* an empty keyring may begin with a key of our own */
};

/* Bits of what a step did. */
enum keys_change {
	KEYS_CREATED = 1 << 0,
	KEYS_ACTIVATED = 1 << 1,
	KEYS_DESTROYED_SOME = 1 << 2,
	KEYS_FORGOT_SOME = 1 << 3,
};

/*
 * Does what is due now: destroys keys that resolve no more, activates the published key once every
 * live member's data plane holds it and its time has come, publishes a successor when the active
 * key is due. A single node makes a key active at once when there is none that can seal; in a set
 * the old key seals on until the new one may (tickets never outlive resolves_until). Returns bits
 * of enum keys_change (0: nothing; the epoch grows otherwise by one), or -errno with nothing
 * changed (-ENOSPC: too many keys).
 */
int keys_step(struct keys *k, const struct keys_schedule *schedule,
	const struct keys_situation *situation);

/* Publishes a successor of the active key now. 0, -EALREADY (there is a published key), -errno. */
int keys_rotate(struct keys *k, const struct keys_schedule *schedule, int64_t now);

/* Does a member's data plane hold the key / has it acknowledged the revocation. */
bool keys_member_holds(const struct keys_member *member, const char *id);
bool keys_member_has_revoked(const struct keys_member *member, const char *id);

/*
 * Activates a published key that every member but those named holds (the operator's word for
 * them). 0, -ENOENT, -EALREADY (it was active before), -ESRCH (dead, or overtaken by a newer one),
 * -EAGAIN (its time has not come), -EBUSY (*missing, not NULL: a member that does not hold it and
 * is not named).
 */
int keys_activate(struct keys *k, const char *id, const struct keys_situation *situation,
	const char *const *without, unsigned int n_without, const char **missing);

/* Why there is no new active key yet. */
enum keys_wait {
	KEYS_WAIT_NOTHING,
	KEYS_WAIT_TIME,	   /* for the published key's time */
	KEYS_WAIT_MEMBERS, /* for members to hold the published key */
	KEYS_WAIT_CONTACT, /* a successor is due, but the others cannot be reached */
};
enum keys_wait keys_waiting(const struct keys *k, const struct keys_schedule *schedule,
	const struct keys_situation *situation);

enum keys_oddity {
	KEYS_ODD_NOTHING,
	KEYS_ODD_DIFFERS, /* one id, two keys: the document was refused as a whole */
	KEYS_ODD_FUTURE,  /* a key of a clock far ahead of ours: left out */
	KEYS_ODD_EARLY,	  /* destroyed before its end: held on here */
};

struct keys_join_report {
	bool content_changed;
	enum keys_oddity oddity;
	char id[KEYS_ID_MAX + 1]; /* the key that is odd */
};

/*
 * Joins another node's document into own: every key in the later of its two states
 * (published < active < retiring < destroyed < revoked); of several active ones only the one that
 * outranks the others stays so. Commutative, associative and idempotent in what it makes of the
 * keys. The epoch becomes larger than both when that is neither's content, the larger one
 * otherwise: nodes with the same content come to the same epoch. 1: own has changed (store it), 0:
 * not, -EUCLEAN (KEYS_ODD_DIFFERS), -ENOSPC: nothing has changed.
 */
int keys_join(struct keys *own, const struct keys *other, int64_t now,
	const struct keys_schedule *schedule, struct keys_join_report *report);

/* Same keys in the same states, in any order. */
bool keys_equal(const struct keys *a, const struct keys *b);

/*
 * Adds a given key: retiring (resolves only), or active at once (the active one retires; seals_from
 * is moved past those of all others). key->state says which; the caller fills id, octets, len and
 * times. 0, -EEXIST (id known, also of
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
