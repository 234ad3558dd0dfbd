/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/store*.c. */
#ifndef TKMS_CONTROL_STORE_PRIVATE_H
#define TKMS_CONTROL_STORE_PRIVATE_H

#include "control/db.h"
#include "control/record.h"
#include "control/store.h"

enum {
	STORE_APPLICATION_ID = 0x746b6d73, /* "tkms": marks the file as ours */
	STORE_SCHEMA = 2,
	STORE_SCHEMA_OLDEST = 1,
	STORE_SEALED_MAX = RECORD_MAX + SEAL_OVERHEAD,
};

#define STORE_TYPE_STATE      "state"
#define STORE_TYPE_KEYRING    "keyring"
#define STORE_TYPE_SUBSCRIBER "subscriber"
#define STORE_TYPE_LOG	      "log"

/* What the sealed state record says about the rest. */
struct store_state {
	uint64_t generation; /* version of the state record itself */
	uint64_t keyring_epoch;
	uint64_t version; /* newest of the subscribers' */
	uint64_t live, removed;
	uint64_t version_sum; /* over all records, tombstones too */
	uint64_t origin;      /* of this store */
	uint64_t stamp_time;  /* newest of the hybrid clock */
	/* the own log: chunks first to last, 0 and 0: none ever */
	uint64_t log_first, log_last;
	uint64_t log_records; /* in these chunks */
	bool is_log_complete; /* all records of this origin, and of adopted ones, are in it */
	unsigned int n_adopted;
	uint64_t adopted[STORE_ORIGINS_MAX]; /* origins whose records are this node's to keep */
	unsigned int n_cursors;
	struct store_cursor cursors[STORE_ORIGINS_MAX];
};

enum store_query {
	Q_STATE_GET,
	Q_STATE_PUT,
	Q_KEYRING_GET,
	Q_KEYRING_PUT,
	Q_SUBSCRIBER_GET,
	Q_SUBSCRIBER_PUT,
	Q_UID_GET,
	Q_UID_HAS,
	Q_UID_PUT,
	Q_UID_DELETE,
	Q_UID_CLAIMS,
	Q_RESEAL_KEYRING,
	Q_RESEAL_KEYRING_PUT,
	Q_RESEAL_SUBSCRIBERS,
	Q_RESEAL_SUBSCRIBERS_PUT,
	Q_WRITER_COUNT,
	/* of the reader */
	Q_READ_GET = Q_WRITER_COUNT,
	Q_READ_BY_ID,
	Q_READ_BY_VERSION,
	Q_LOG, /* of the log: prepared once the schema is up to date */
	Q_LOG_PUT = Q_LOG,
	Q_LOG_DROP,
	Q_LOG_SCAN,
	Q_RESEAL_LOG,
	Q_RESEAL_LOG_PUT,
	Q_LOG_GET, /* of the reader */
	Q_COUNT,
};

/* The log is being written anew: what is before the first chunk that counts. */
struct store_relog {
	bool is_running;
	uint64_t until;	  /* chunks up to here go in the end */
	uint64_t records; /* in them */
	uint8_t after[IDENTITY_MAX];
	uint16_t after_len;
};

struct store {
	struct sealer *sealer;
	int schema;		    /* of the file that was opened */
	struct db *writer, *reader; /* the reader does not see what is not committed */
	struct db_statement *query[Q_COUNT];
	struct store_state committed, pending;
	struct store_reseal {
		unsigned int table; /* of those that hold sealed records */
		int64_t number;	    /* the row that was reached */
		size_t key_len;
		uint8_t key[IDENTITY_MAX];
	} reseal;
	uint8_t kek_id[SEAL_KEK_ID_LEN]; /* of the state record when it was read or written last */
	bool is_open;
	struct store_guest guest; /* end NULL: the transaction is nobody's to interrupt */
	enum store_logging logging;
	uint8_t *
		chunk; /* STORE_CHUNK_MAX octets of secret memory: the chunk that is being filled */
	size_t chunk_len;
	uint64_t chunk_records;
	struct store_relog relog;
	struct db_statement *scan; /* store_next_*() in progress */
	uint8_t after[IDENTITY_MAX];
	struct store_record *old;      /* scratch: the record that a put replaces; secret memory */
	struct store_record *claimant; /* scratch: one of those that claim a UID */
	uint8_t sealed[STORE_SEALED_MAX];
	uint8_t *plain; /* scratch, RECORD_MAX octets of secret memory */
};

int store_prepare(struct store *s);
int store_state_load(struct store *s);
/* The octets of a state (format 1: of schema 1). */
size_t store_state_encode(const struct store_state *state, uint8_t *buf, size_t cap);
int store_state_decode(struct store_state *state, const uint8_t *buf, size_t len);
/* A new random origin. 0 or -errno. */
int store_make_origin(struct store_state *state);
/* Brings the file of an older schema to this one. 0, or -errno and the reason. */
int store_migrate(struct store *s, const char *path, struct reason *why);
int store_state_save(struct store *s, struct store_state *state);
/* Checks all records against the state. 0, or -errno and the reason. */
int store_verify(struct store *s, struct reason *why);

/* Ends a guest's transaction. 0, -EBUSY (there is another one). */
int store_interrupt(struct store *s);
int store_log_prepare(struct store *s);
/* In a transaction: adds a record, encoded, to the own log. 0 or -errno. */
int store_log_append(struct store *s, struct identity psk_id, const uint8_t *record, size_t len);
/* The chunk that is being filled goes into the database; before a commit. */
int store_log_flush(struct store *s);
/* Checks all chunks against the state. 0, or -errno and the reason. */
int store_log_verify(struct store *s, struct reason *why);

/* Opens a row: columns psk_id, version, record. 0, or what unseal() and record_decode() say. */
int store_open_row(struct store *s, struct db_statement *row, struct store_record *r);

#endif
