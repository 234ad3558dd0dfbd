/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's inside: one slot per message of the batch, scratch memory, queues of crypto
 * operations, and what the stages share. Stages are declared in stages.h, in the order in which
 * engine_process() runs them.
 *
 * A stage is a sequence of steps; each step goes over all live messages, either checking or
 * queueing crypto operations, which then run in one go. A check that fails gives the slot its
 * verdict: the slot is no longer live.
 */
#ifndef TKMS_ENGINE_SLOT_H
#define TKMS_ENGINE_SLOT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"
#include "common/kdf/kdf.h"
#include "common/mikey/message.h"
#include "common/mikey/writer.h"
#include "dataplane/engine/engine.h"

enum {
	KEY_MIN = 16, /* octets of any key: 128 bits */
	KEY_MAX = 64,
	SALT_LEN = 14, /* octets of a salt_key */
	SALT_MAX = 64, /* octets of a salt in key data */
	SPI_GENERATED_LEN = 4,
	TIMESTAMP_LEN = 8,
	NO_CSB_ID = -1, /* 0xffffffff, in tickets */
	STRANGER_UID_LEN = 16,
	/* Numbers of hash blocks of a message that UIDs of 1 to IDENTITY_MAX octets make. */
	INIT_MAC_OPS_MAX = 1 + (IDENTITY_MAX - 1 + 63) / 64,
};

enum slot_op { SLOT_ANY, SLOT_REQUEST, SLOT_RESOLVE };

/* Keys of a message or ticket (RFC 6043 5.1.2, A.2.1). */
struct message_keys {
	uint8_t encr[CRYPTO_SHA256_LEN];
	uint8_t auth[CRYPTO_SHA256_LEN];
	uint8_t salt[16]; /* SALT_LEN used */
};

/* Wiped after every batch. */
struct slot_keys {
	uint8_t init_auth[CRYPTO_SHA256_LEN];
	struct message_keys resp;
	struct message_keys ticket;
	uint8_t mpki[KEY_MAX];
	uint8_t mpkr[KEY_MAX];
	uint8_t mpkr_forked[KEY_MAX];
	uint8_t initiator_data_auth[CRYPTO_SHA256_LEN];
};

/* A key to go into a ticket and the response. */
struct granted_key {
	uint8_t type; /* enum mikey_key_type */
	uint8_t len;
	uint8_t salt_len;
	uint8_t spi_len;
	bool spi_generated;
	const uint8_t *spi; /* in the request, or spi_new */
	uint8_t *spi_new;   /* generated, in scratch */
	uint8_t *key;	    /* in scratch */
	uint8_t *salt;
};

/* What a REQUEST is granted. */
struct grant {
	uint16_t flags; /* with K */
	uint8_t hash;	/* enum crypto_hash of the ticket's PRF */
	uint8_t mpk_len;
	uint8_t rand_len;
	uint8_t tpk_len;
	unsigned int n_keys;
	struct granted_key keys[POLICY_KEYS_MAX];
	int64_t tre;	   /* seconds since 1900 */
	bool tre_replaced; /* TRe is not the one asked for */
	bool spi_added;
	const struct crypto_key *tpk;
	struct identity tpk_id;
	struct identity idr_i;	   /* IDRi of the ticket, NAI part */
	struct mikey_span tp_data; /* in the response */
	/* in scratch */
	uint8_t *decision; /* key of the decision (R1) */
	uint8_t *mpk;
	uint8_t *mpk_spi;
	uint8_t *rand;
	uint8_t *plain; /* key data of the ticket */
	size_t plain_len;
	uint8_t t64[TIMESTAMP_LEN]; /* T of the ticket */
	size_t body_off;	    /* of the ticket in the response, from Ticket Type */
	size_t kemac_off;	    /* Encr data of the ticket */
	size_t mac_off;		    /* MAC of the ticket */
};

/* A ticket to be resolved. */
struct resolution {
	struct mikey_ticket_data data;
	struct mikey_initiator_data initiator;
	uint8_t hash; /* enum crypto_hash of the ticket's PRF */
	bool forking;
	const struct crypto_key *tpk;
	const struct sealing_key *sealing; /* NULL: sealed with a subscriber's PSK */
	const struct subscriber *owner;	   /* of that PSK */
	struct identity returned;	   /* IDRr of the response when forking */
	uint8_t *plain;			   /* decrypted key data */
	unsigned int n_keys;
	struct mikey_key keys[1 + POLICY_KEYS_MAX]; /* [0]: MPK */
	uint8_t *forked[1 + POLICY_KEYS_MAX];	    /* TGK', or NULL */
	uint8_t *randr_kms;
	uint8_t randr_kms_len;
};

struct slot {
	struct engine_msg *msg;
	enum verdict verdict;
	uint8_t number; /* in the batch */
	uint8_t op;	/* enum slot_op */
	uint8_t hash;	/* enum crypto_hash of HDR's PRF and, being not mixed, of V */
	bool known;	/* the subscriber exists */
	bool keyed;	/* there is something in keys */
	const struct subscriber *sender;
	struct identity self;		    /* effective IDRi or IDRr of the sender, NAI part */
	struct kdf_rand randr;		    /* of the sender */
	int64_t t_seconds;		    /* T of the message, seconds since 1900 */
	const struct crypto_hmac_state *gk; /* generation key */
	struct mikey_message m;
	struct mikey_tp_data tp; /* of TP or TICKET */
	union {
		struct grant grant;
		struct resolution res;
	};
	/* response in the making */
	struct mikey_writer w;
	uint8_t *plain; /* key data of the response */
	size_t plain_len;
	uint8_t *t_prf; /* 4 octets: PRF of plain (R3) */
	size_t kemac_off;
	size_t mac_off;
	uint8_t mac[CRYPTO_MAC_MAX]; /* computed MAC, to be compared */
	/* init_mac.h: that MAC among dummies, in scratch; n_macs is 0 when it is alone */
	uint8_t *macs;
	uint8_t n_macs;
	uint8_t right_mac;
	struct slot_keys keys;
};

enum {
	OPS_MAX = CRYPTO_BATCH_MAX,
	/* Most that one message takes: its key data decrypted and anew, labels, transcript,
	   generated keys. */
	SCRATCH_PER_SLOT = 2 * POLICY_MESSAGE_MAX + 16384,
	/* Most that is written at scratch_top() before it is taken. */
	SCRATCH_TOP_MAX = POLICY_MESSAGE_MAX + 1024,
};

struct engine {
	struct crypto *crypto;
	const struct engine_view *view;
	const struct policy *policy;
	uint64_t now;	     /* NTP time */
	int64_t now_seconds; /* since 1900 */
	unsigned int n;
	uint8_t longest_uid; /* of all subscribers and the stranger, octets */
	engine_admit_fn admit;
	void *admit_arg;
	engine_generated_fn generated;
	void *generated_arg;
	/* Stands in for unknown subscribers, so that their messages cost the same. */
	struct subscriber *stranger;
	_Alignas(64) uint8_t stranger_octets[sizeof(struct subscriber) + 32];
	unsigned int n_prf, n_mac, n_cm;
	struct crypto_prf_op prf[OPS_MAX];
	struct crypto_mac_op mac[OPS_MAX];
	struct crypto_cm_op cm[OPS_MAX];
	struct slot slots[ENGINE_BATCH_MAX];
	size_t scratch_used;
	uint8_t scratch[ENGINE_BATCH_MAX * SCRATCH_PER_SLOT + SCRATCH_TOP_MAX];
};

typedef void (*slot_fn)(struct engine *e, struct slot *s);

static inline bool slot_live(const struct slot *s)
{
	return s->verdict == VERDICT_PENDING;
}

/* One step of a stage: fn for every live message of that kind. */
static inline void slots_each(struct engine *e, enum slot_op op, slot_fn fn)
{
	for (unsigned int i = 0; i < e->n; i++) {
		struct slot *s = &e->slots[i];

		if (slot_live(s) && (op == SLOT_ANY || op == s->op))
			fn(e, s);
	}
}

/* Where the next scratch_take() will be: for what has its length only when it is written. */
static inline uint8_t *scratch_top(struct engine *e)
{
	return e->scratch + e->scratch_used;
}

/* Scratch of this batch; wiped after it. Cannot fail: SCRATCH_PER_SLOT. */
static inline uint8_t *scratch_take(struct engine *e, size_t n)
{
	uint8_t *p = scratch_top(e);

	/* Multiples of 16, so that no two outputs of the KDF share a word. */
	e->scratch_used += (n + 15) & ~(size_t)15;
	assert(e->scratch_used <= sizeof(e->scratch) - SCRATCH_TOP_MAX);
	return p;
}

/* Results of queued operations are there after the _run. */
void ops_prf_run(struct engine *e);
void ops_mac_run(struct engine *e);
void ops_cm_run(struct engine *e);

/*
 * The next operation of a queue, to be filled in where it stays: an operation built elsewhere and
 * copied here would be read back before its small stores have left the store buffer. A full queue
 * runs at once.
 */
static inline struct crypto_prf_op *ops_prf(struct engine *e)
{
	if (e->n_prf == OPS_MAX)
		ops_prf_run(e);
	return &e->prf[e->n_prf++];
}

static inline struct crypto_mac_op *ops_mac(struct engine *e)
{
	if (e->n_mac == OPS_MAX)
		ops_mac_run(e);
	return &e->mac[e->n_mac++];
}

static inline struct crypto_cm_op *ops_cm(struct engine *e)
{
	if (e->n_cm == OPS_MAX)
		ops_cm_run(e);
	return &e->cm[e->n_cm++];
}

/* The test double's chance to replace what has been generated. */
static inline void slot_generated(struct engine *e, const struct slot *s,
	enum engine_generated what, unsigned int index, uint8_t *out, size_t len)
{
	if (e->generated)
		e->generated(e->generated_arg, s->number, what, index, out, len);
}

static inline struct identity identity_at(const uint8_t *octets, const struct mikey_id *id)
{
	return (struct identity){mikey_at(octets, id->data), id->data.len};
}

/* The NAI part of an identity as received. */
static inline struct identity identity_nai_at(const uint8_t *octets, const struct mikey_id *id)
{
	return identity_nai(id->type, mikey_at(octets, id->data), id->data.len);
}

/* The sender's identity. */
static inline enum mikey_id_role slot_self_role(const struct slot *s)
{
	return s->op == SLOT_REQUEST ? MIKEY_IDRI : MIKEY_IDRR;
}

static inline struct identity slot_id(const struct slot *s, enum mikey_id_role role)
{
	return identity_at(s->m.octets, &s->m.idr[role]);
}

/* 128-bit algorithms: suite A (RFC 6043 12.1). */
static inline bool hash_is_weak(uint8_t hash)
{
	return hash == CRYPTO_SHA1;
}

static inline uint8_t hash_len(uint8_t hash)
{
	return hash == CRYPTO_SHA1 ? CRYPTO_SHA1_LEN : CRYPTO_SHA256_LEN;
}

/* The KMS's choice of algorithms that belong to a PRF (readings N45). */
static inline uint8_t hash_encr_alg(uint8_t hash)
{
	return hash_is_weak(hash) ? MIKEY_ENCR_AES_CM_128 : MIKEY_ENCR_AES_CM_256;
}

static inline uint8_t hash_encr_len(uint8_t hash)
{
	return hash_is_weak(hash) ? 16 : 32;
}

static inline uint8_t hash_auth_alg(uint8_t hash)
{
	return hash_is_weak(hash) ? MIKEY_AUTH_HMAC_SHA_1_160 : MIKEY_AUTH_HMAC_SHA_256_256;
}

static inline bool key_is_tgk(uint8_t type)
{
	return type == MIKEY_TGK || type == MIKEY_TGK_SALT;
}

static inline bool subscriber_expired(const struct subscriber *s, int64_t now)
{
	return s->expires != 0 && now > s->expires;
}

#endif
