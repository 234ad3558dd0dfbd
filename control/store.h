/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local store: one SQLite file with the keyring and the subscribers, every secret sealed under
 * the KEK (control/seal.h).
 *
 * A store has an origin: a random number that it got when it was made and keeps for ever; it names
 * this node to the others of a replica set.
 *
 * Every change has a version, one more than the last. A sealed state record holds the keyring's
 * epoch, the newest version, how many records there are and the sum of their versions: a record
 * that is missing, older or copied to another name is noticed when the store is opened. A whole
 * file that is older (a backup) is not: nothing local can tell.
 *
 * PSK ids and UIDs are not secret and stand in clear, as indexes; they are checked against the
 * sealed records. One thread. Changes are made in a transaction; what is read by store_next_*() is
 * what has been committed.
 */
#ifndef TKMS_CONTROL_STORE_H
#define TKMS_CONTROL_STORE_H

#include "common/ipc/ipc.h"
#include "control/keys.h"
#include "control/reason.h"
#include "control/record.h"
#include "control/seal.h"

#define STORE_FILE "store.db"

enum { STORE_CHUNK_MAX = 64 * 1024, STORE_ORIGINS_MAX = 256 };

struct store;

/* How far another origin's log has been read. */
struct store_cursor {
	uint64_t origin, sequence;
};

/* Makes an empty store. -EEXIST when there is a file already: it is left alone. On disk when it
 * returns. */
int store_create(const char *path, struct sealer *sealer, struct reason *why);

/*
 * Opens a store, checks every record, reads the keyring into keys (empty, epoch 0, in a new store).
 * 0, or -errno and the reason; then nothing has been written to the file. The sealer is used until
 * store_close().
 */
int store_open(const char *path, struct sealer *sealer, struct store **out, struct keys *keys,
	struct reason *why);
void store_close(struct store *s);

/* Never 0. */
uint64_t store_origin(const struct store *s);

/* SQLite's words for the last error. */
const char *store_error(const struct store *s);

uint64_t store_version(
	const struct store *s); /* newest committed change of a subscriber, 0: none ever */
uint64_t store_records(const struct store *s); /* live ones and tombstones, committed */
uint64_t store_count(const struct store *s);   /* live subscribers, committed */

/*
 * Replaces the keyring; keys->epoch must be larger than the stored one. Durable when it returns. 0,
 * -EBUSY (a transaction is open), -EINVAL (epoch), -errno.
 */
int store_save_keys(struct store *s, const struct keys *keys);

/* Transactions on subscribers, one at a time: -EBUSY when one is open. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_abort(struct store *s); /* also when none is open */
/*
 * A transaction that gives way: when somebody else wants to change the store, end() is called, and
 * has to commit or abort before it returns.
 */
struct store_guest {
	void (*end)(void *arg);
	void *arg;
};
int store_begin_guest(struct store *s, const struct store_guest *guest);
/* A transaction is open, and does not give way. */
bool store_is_taken(const struct store *s);
/* Versions of this transaction are larger than this. */
uint64_t store_base_version(const struct store *s);

enum store_mode { STORE_INSERT, STORE_REPLACE };

/* Who is in the way, after -EEXIST. */
struct store_conflict {
	enum { STORE_SAME_PSK_ID, STORE_SAME_UID } what;
	uint64_t version;    /* of the record in the way */
	struct identity uid; /* STORE_SAME_UID: points into the record that was put */
	uint16_t holder_len; /* PSK id of the record in the way */
	uint8_t holder[IDENTITY_MAX];
};

/*
 * In a transaction: adds a subscriber (or replaces it, in mode STORE_REPLACE or when nothing
 * differs). A PSK id or a UID that was given in this same transaction, a UID of another subscriber,
 * or a PSK id that exists (STORE_INSERT) is -EEXIST and nothing has changed. Other errors: abort.
 * *replaced (may be NULL) tells whether there was one.
 */
int store_put(struct store *s, const struct ipc_subscriber *subscriber, enum store_mode mode,
	bool *replaced, struct store_conflict *conflict);
/* In a transaction: -ENOENT when there is none. */
int store_remove(struct store *s, struct identity psk_id);

/*
 * In a transaction: a change that was made elsewhere. The one with the larger stamp stays; UIDs
 * that several records claim belong to the newest of these. The clock of later changes here goes on
 * from the stamp, but no further than max_skew_ms ahead of the wall clock. 0, or -errno: abort.
 */
struct store_applied {
	uint64_t changed, older; /* taken; not taken, as what is here is newer */
	uint64_t contested;	 /* UIDs of those taken that another PSK id has too */
};
int store_apply(struct store *s, const struct ipc_subscriber *subscriber, struct record_stamp stamp,
	uint64_t max_skew_ms, struct store_applied *applied);

/* Milliseconds since 1900 as the time of a stamp. */
static inline uint64_t store_stamp_time(int64_t ms)
{
	return (uint64_t)ms << 16;
}

/* A subscriber read from the store: identities point into octets, which hold secrets. */
struct store_record {
	struct ipc_subscriber subscriber;
	uint64_t version;
	struct record_stamp stamp;
	uint64_t suspended; /* bits of UIDs that belong to a newer record */
	uint8_t psk_id[IDENTITY_MAX];
	uint8_t octets[]; /* RECORD_MAX + room */
};
struct store_record *store_record_new(void); /* secret memory; NULL: ENOMEM */
void store_record_free(struct store_record *r);

/* Leaves only the UIDs that are this record's to use; one without any is as good as removed. */
void store_record_serve(struct store_record *r);

/* The committed record of a live subscriber. 0, -ENOENT, -errno. */
int store_get(struct store *s, struct identity psk_id, struct store_record *r);

/*
 * Committed records in order: live ones of PSK ids above after, or all (tombstones too,
 * subscriber.remove) with versions above after. 1: got one, 0: none left, -errno. store_next_end()
 * after a series: it lets go of the state that was read.
 */
int store_next_by_id(struct store *s, struct identity after, struct store_record *r);
int store_next_by_version(struct store *s, uint64_t after, struct store_record *r);
void store_next_end(struct store *s);

/*
 * The own log: every change that is made here, in chunks with dense numbers, each sealed with type
 * "log", this store's origin (16 hex digits) as its name and its number as the version. A chunk is
 * a series of PSK id (u16 length, octets) and record (u16 length, control/record.h). Chunks are
 * part of the transaction of the changes that are in them.
 */
enum store_logging { STORE_LOG_OFF, STORE_LOG_ON }; /* OFF at first */
void store_set_logging(struct store *s, enum store_logging logging);

struct store_log {
	uint64_t first, last; /* committed chunks; first = last + 1: none */
	uint64_t records;     /* in them, older versions of a record too */
	bool is_complete;     /* they have all records that are this node's to tell */
};
struct store_log store_log(const struct store *s);
enum { STORE_LOG_SEALED_MAX = STORE_CHUNK_MAX + SEAL_OVERHEAD };
/* A committed chunk, sealed: its length, -ENOENT, -errno. */
int store_log_get(struct store *s, uint64_t sequence, uint8_t out[STORE_LOG_SEALED_MAX]);

/*
 * Writes the log anew: a few records in a transaction of its own with each step, until 0 is
 * returned: then the chunks from before are gone and the log is complete. 1: go on; -EBUSY: a
 * transaction is open, try again; -errno. An end in between loses nothing.
 */
int store_relog_step(struct store *s, unsigned int records);

/* Goes on behind a number that the log has had before (the store is a backup): chunks that there
 * are go, the log is not complete. 0, -EBUSY, -errno. */
int store_log_skip(struct store *s, uint64_t sequence);

/* In a transaction: takes over the records of an origin that is no more, into the own log. */
int store_adopt(struct store *s, uint64_t origin);

/* How far an origin's log has been read (committed); 0: not at all. In a transaction: sets it. 0,
 * -ENOSPC (too many origins), -EINVAL. */
uint64_t store_cursor(const struct store *s, uint64_t origin);
int store_set_cursor(struct store *s, uint64_t origin, uint64_t sequence);
unsigned int store_cursors(const struct store *s, struct store_cursor out[STORE_ORIGINS_MAX]);

/* The name of the KEK that the store's state was sealed under when it was opened: with another one
 * at hand, a change of the KEK had begun. */
const uint8_t *store_kek_id(const struct store *s);

/*
 * A change of the KEK, in steps between which everything else goes on: store_reseal_begin() seals
 * the state under the sealer's KEK (from then on store_open() knows that a change is under way),
 * store_reseal() goes on with at most n records under other KEKs, each in the place where it is, in
 * one transaction. Versions stay. begin: 0; reseal: 1: go on, 0: all records are under it; -EBUSY
 * (a transaction is open), -errno.
 */
int store_reseal_begin(struct store *s);
int store_reseal(struct store *s, unsigned int n);

#endif
