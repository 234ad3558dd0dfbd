/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subscriber table: PSK id -> prepared PSK, KMS UIDs, roles; also UID -> subscriber for messages without IDRpsk.
 *
 * One writer thread; any number of reader threads without locks. Readers are liburcu QSBR readers: a pointer that a
 * lookup returned is valid until the reader's next quiescent state. The writer wipes and frees replaced records after a
 * grace period. 10 M subscribers fit in 4 GiB. Records live in locked memory that is not dumped.
 */
#ifndef TKMS_ENGINE_SUBSCRIBERS_H
#define TKMS_ENGINE_SUBSCRIBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"

enum subscriber_role {
	SUBSCRIBER_FUNCTION = 1 << 0, /* network function: end-to-middle by ticket and policy */
};

enum { SUBSCRIBER_PSK_ID_MAX = 255, SUBSCRIBER_UIDS_MAX = 64 };

struct subscriber {
	struct crypto_key psk; /* first: what every message touches */
	int64_t expires;       /* seconds since 1900 (NTP, era 0 counted on); 0: never */
	uint32_t roles;        /* enum subscriber_role */
	uint16_t n_uids;
	uint16_t psk_id_len;
	uint8_t psk_len; /* octets of the PSK: RAND lengths depend on it (N46) */
	uint8_t octets[]; /* psk_id, then per UID: 1 octet length, octets */
};

/* The i-th UID (0-based, i < n_uids). */
struct identity subscriber_uid(const struct subscriber *s, unsigned int i);
/* Is uid one of the subscriber's. */
bool subscriber_has_uid(const struct subscriber *s, struct identity uid);

struct subscriber_table;

/* expected: sizing hint. NULL with errno ENOMEM. */
struct subscriber_table *subscriber_table_new(size_t expected);
/* Writer; no reader may be left. Wipes everything. */
void subscriber_table_free(struct subscriber_table *t);

struct subscriber_spec {
	struct identity psk_id; /* 1..255 octets */
	const uint8_t *psk;     /* 16..32 octets */
	size_t psk_len;
	const struct identity *uids; /* 1..SUBSCRIBER_UIDS_MAX, each 1..255 octets */
	unsigned int n_uids;
	int64_t expires;
	uint32_t roles;
};

/*
 * Writer. Inserts or replaces by PSK id. ctx prepares the PSK. 0, -EINVAL (sizes), -ENOMEM, -EEXIST (a UID belongs to another
 * PSK id: UIDs are unique; nothing changed).
 */
int subscriber_table_put(struct subscriber_table *t, struct crypto *ctx, const struct subscriber_spec *spec);
/* Writer. 0 or -ENOENT. */
int subscriber_table_remove(struct subscriber_table *t, struct identity psk_id);
size_t subscriber_table_count(const struct subscriber_table *t);

/* Writer; readers may be at work. Frees (wiped) what was replaced, after a grace period; call after a series of changes. */
void subscriber_table_reclaim(struct subscriber_table *t);

/*
 * Readers: bulk lookups with prefetch. out[i] is NULL when unknown; ids[i].data == NULL gives NULL. n <= 64. Expiry is the caller's business.
 */
void subscriber_table_lookup(const struct subscriber_table *t, const struct identity *psk_ids, unsigned int n,
	const struct subscriber **out);
void subscriber_table_lookup_uid(const struct subscriber_table *t, const struct identity *uids, unsigned int n,
	const struct subscriber **out);

#endif
