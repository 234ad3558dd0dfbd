/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subscriber table: PSK id -> prepared PSK, KMS UIDs, roles; also UID -> subscriber for
 * messages without IDRpsk.
 *
 * One writer thread; any number of reader threads without locks. Readers are liburcu QSBR readers:
 * a pointer that a lookup returned is valid until the reader's next quiescent state. The writer
 * wipes and frees replaced records after a grace period. 10 M subscribers fit in 4 GiB. Records
 * live in locked memory that is not dumped.
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
	uint32_t roles;	       /* enum subscriber_role */
	uint16_t n_uids;
	uint16_t psk_id_len;
	uint8_t psk_len;  /* octets of the PSK: the RAND of a ticket sealed with it depends on it */
	uint8_t load;	  /* writer only: the full load that named it last */
	uint8_t octets[]; /* psk_id, then per UID: 1 octet length, octets */
};

static inline struct identity subscriber_psk_id(const struct subscriber *s)
{
	return (struct identity){s->octets, s->psk_id_len};
}

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
	const uint8_t *psk;	/* 16..32 octets */
	size_t psk_len;
	const struct identity *uids; /* 1..SUBSCRIBER_UIDS_MAX, each 1..255 octets */
	unsigned int n_uids;
	int64_t expires;
	uint32_t roles;
};

/*
 * Writer. Inserts or replaces by PSK id; a spec that says what the table holds already changes
 * nothing. ctx prepares the PSK. 0, -EINVAL (sizes, a UID twice, a PSK id with the prefix of
 * sealing keys), -ENOMEM (also: RLIMIT_MEMLOCK), -EEXIST (a UID belongs to another PSK id; during a
 * full load: one that this load has named). After an error nothing has changed.
 */
int subscriber_table_put(
	struct subscriber_table *t, struct crypto *ctx, const struct subscriber_spec *spec);
/* Writer. 0 or -ENOENT. */
int subscriber_table_remove(struct subscriber_table *t, struct identity psk_id);
size_t subscriber_table_count(const struct subscriber_table *t);

/*
 * Writer. A full load: what is not put between begin and end goes. subscriber_table_end_load()
 * returns how many were removed.
 */
void subscriber_table_begin_load(struct subscriber_table *t);
size_t subscriber_table_end_load(struct subscriber_table *t);

/*
 * Writer; readers may be at work. Frees (wiped) what was replaced, after a grace period; call after
 * a series of changes. The functions above do so themselves when much has gathered or an index
 * grows: each may wait for a grace period. The writer may be a registered QSBR reader or not
 * (synchronize_rcu() takes it offline meanwhile); it must hold no record then.
 */
void subscriber_table_reclaim(struct subscriber_table *t);

/*
 * Readers. Octets of the longest UID that the table has ever held, 0 when it never held one: no
 * record of an earlier look-up has a longer one.
 */
uint8_t subscriber_table_longest_uid(const struct subscriber_table *t);

/* Octets of locked memory taken. */
size_t subscriber_table_locked(const struct subscriber_table *t);

/*
 * Readers: bulk lookups with prefetch. out[i] is NULL when unknown; ids[i].data == NULL gives NULL.
 * n <= 64. Expiry is the caller's business.
 */
void subscriber_table_lookup(const struct subscriber_table *t, const struct identity *psk_ids,
	unsigned int n, const struct subscriber **out);
void subscriber_table_lookup_uid(const struct subscriber_table *t, const struct identity *uids,
	unsigned int n, const struct subscriber **out);

#endif
