/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/store*.c. */
#ifndef TKMS_CONTROL_STORE_PRIVATE_H
#define TKMS_CONTROL_STORE_PRIVATE_H

#include "control/db.h"
#include "control/record.h"
#include "control/store.h"

enum {
	STORE_APPLICATION_ID = 0x746b6d73, /* "tkms": marks the file as ours */
	STORE_SCHEMA = 1,
	STORE_SEALED_MAX = RECORD_MAX + SEAL_OVERHEAD,
};

#define STORE_TYPE_STATE      "state"
#define STORE_TYPE_KEYRING    "keyring"
#define STORE_TYPE_SUBSCRIBER "subscriber"

/* What the sealed state record says about the rest. */
struct store_state {
	uint64_t generation; /* version of the state record itself */
	uint64_t keyring_epoch;
	uint64_t version; /* newest of the subscribers' */
	uint64_t live, removed;
	uint64_t version_sum; /* over all records, tombstones too */
};

enum store_query {
	Q_STATE_GET,
	Q_STATE_PUT,
	Q_KEYRING_GET,
	Q_KEYRING_PUT,
	Q_SUBSCRIBER_GET,
	Q_SUBSCRIBER_PUT,
	Q_UID_GET,
	Q_UID_PUT,
	Q_UID_DELETE,
	Q_WRITER_COUNT,
	/* of the reader */
	Q_READ_GET = Q_WRITER_COUNT,
	Q_READ_BY_ID,
	Q_READ_BY_VERSION,
	Q_COUNT,
};

struct store {
	struct sealer *sealer;
	struct db *writer, *reader; /* the reader does not see what is not committed */
	struct db_statement *query[Q_COUNT];
	struct store_state committed, pending;
	bool is_open;
	struct db_statement *scan; /* store_next_*() in progress */
	uint8_t after[IDENTITY_MAX];
	struct store_record *old; /* scratch: the record that a put replaces; secret memory */
	uint8_t sealed[STORE_SEALED_MAX];
	uint8_t *plain; /* scratch, RECORD_MAX octets of secret memory */
};

int store_prepare(struct store *s);
int store_state_load(struct store *s);
int store_state_save(struct store *s, struct store_state *state);
/* Checks all records against the state. 0, or -errno and the reason. */
int store_verify(struct store *s, struct reason *why);

/* Opens a row: columns psk_id, version, record. 0, or what unseal() and record_decode() say. */
int store_open_row(struct store *s, struct db_statement *row, struct store_record *r);

#endif
