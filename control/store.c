/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/store_private.h"

static const char *const sql[Q_COUNT] = {
	[Q_STATE_GET] = "SELECT version, record FROM meta WHERE name = 'state'",
	[Q_STATE_PUT] = "INSERT INTO meta(name, version, record) VALUES('state', ?1, ?2) "
			"ON CONFLICT(name) DO UPDATE SET version = excluded.version, record = "
			"excluded.record",
	[Q_KEYRING_GET] = "SELECT epoch, record FROM keyring WHERE id = 1",
	[Q_KEYRING_PUT] =
		"INSERT INTO keyring(id, epoch, record) VALUES(1, ?1, ?2) "
		"ON CONFLICT(id) DO UPDATE SET epoch = excluded.epoch, record = excluded.record",
	[Q_SUBSCRIBER_GET] = "SELECT psk_id, version, record FROM subscribers WHERE psk_id = ?1",
	[Q_SUBSCRIBER_PUT] =
		"INSERT INTO subscribers(psk_id, version, removed, record) VALUES(?1, ?2, ?3, ?4) "
		"ON CONFLICT(psk_id) DO UPDATE SET version = excluded.version, "
		"removed = excluded.removed, record = excluded.record",
	[Q_UID_GET] = "SELECT uids.psk_id, version FROM uids JOIN subscribers USING (psk_id) WHERE "
		      "uid = ?1 AND uids.psk_id <> ?2",
	[Q_UID_HAS] = "SELECT 1 FROM uids WHERE uid = ?1 AND psk_id = ?2",
	[Q_UID_PUT] = "INSERT INTO uids(uid, psk_id) VALUES(?1, ?2)",
	[Q_UID_DELETE] = "DELETE FROM uids WHERE uid = ?1 AND psk_id = ?2",
	[Q_UID_CLAIMS] = "SELECT psk_id FROM uids WHERE uid = ?1",
	[Q_RESEAL_KEYRING] =
		"SELECT id, epoch, record FROM keyring WHERE id > ?1 ORDER BY id LIMIT ?2",
	[Q_RESEAL_KEYRING_PUT] = "UPDATE keyring SET record = ?1 WHERE id = ?2",
	[Q_RESEAL_SUBSCRIBERS] = "SELECT psk_id, version, record FROM subscribers WHERE psk_id > "
				 "?1 ORDER BY psk_id LIMIT ?2",
	[Q_RESEAL_SUBSCRIBERS_PUT] = "UPDATE subscribers SET record = ?1 WHERE psk_id = ?2",
	[Q_RESEAL_LOG] = "SELECT sequence, sequence, record FROM log WHERE sequence > ?1 ORDER BY "
			 "sequence LIMIT ?2",
	[Q_RESEAL_LOG_PUT] = "UPDATE log SET record = ?1 WHERE sequence = ?2",
	[Q_READ_GET] = "SELECT psk_id, version, record FROM subscribers WHERE psk_id = ?1",
	[Q_READ_BY_ID] =
		"SELECT psk_id, version, record FROM subscribers WHERE psk_id > ?1 AND removed = 0 "
		"ORDER BY psk_id",
	[Q_READ_BY_VERSION] = "SELECT psk_id, version, record FROM subscribers WHERE version > ?1 "
			      "ORDER BY version",
	[Q_LOG_PUT] = "INSERT INTO log(sequence, record) VALUES(?1, ?2)",
	[Q_LOG_DROP] = "DELETE FROM log WHERE sequence <= ?1",
	[Q_LOG_SCAN] = "SELECT psk_id, version, record FROM subscribers WHERE psk_id > ?1 "
		       "ORDER BY psk_id",
	[Q_LOG_GET] = "SELECT record FROM log WHERE sequence = ?1",
};

static int prepare(struct store *s, unsigned int from, unsigned int to)
{
	int err = 0;

	for (unsigned int i = from; !err && i < to; i++) {
		struct db *db =
			i < Q_WRITER_COUNT || (i >= Q_LOG && i < Q_LOG_GET) ? s->writer : s->reader;

		if (db)
			err = db_prepare(db, sql[i], &s->query[i]);
	}
	return err;
}

int store_prepare(struct store *s)
{
	return prepare(s, 0, Q_LOG);
}

int store_log_prepare(struct store *s)
{
	return prepare(s, Q_LOG, Q_COUNT);
}

static int load_keys(struct store *s, struct keys *keys)
{
	struct db_statement *q = s->query[Q_KEYRING_GET];
	struct seal_name name = {STORE_TYPE_KEYRING, "keyring", 7, s->committed.keyring_epoch};
	const uint8_t *sealed;
	uint8_t *plain;
	size_t len;
	int err = db_step(q);

	if (err == 1) {
		sealed = db_column_blob(q, 1, &len);
		plain = secret_alloc(len);
		err = plain ? 0 : -ENOMEM;
		/* the version is the state's: an older keyring does not open */
		if (!err)
			err = unseal(s->sealer, &name, sealed, len, plain);
		if (!err)
			err = keys_decode(keys, plain, len - SEAL_OVERHEAD);
		if (!err && keys->epoch != s->committed.keyring_epoch)
			err = -EBADMSG;
		secret_free(plain, len);
	} else if (err == 0) {
		err = s->committed.keyring_epoch ? -EBADMSG : 0;
	}
	db_reset(q);
	return err;
}

/* Is it a file that this program may work with at all. */
static int check_kind(struct store *s, const char *path, struct reason *why)
{
	int64_t application = 0, schema = 0;
	int err = db_query_int(s->writer, "PRAGMA application_id", &application);

	if (!err)
		err = db_query_int(s->writer, "PRAGMA user_version", &schema);
	if (err)
		return reason_set(
			why, err, "store %s cannot be read: %s", path, db_error(s->writer));
	if (application != STORE_APPLICATION_ID)
		return reason_set(why, -EUCLEAN, "%s is no store of tkms", path);
	if (schema > STORE_SCHEMA)
		return reason_set(why, -EPROTONOSUPPORT,
			"store %s was written by a newer version of tkms (schema %lld, this one "
			"knows %d)",
			path, (long long)schema, STORE_SCHEMA);
	if (schema < STORE_SCHEMA_OLDEST)
		return reason_set(why, -EUCLEAN, "store %s has no schema", path);
	s->schema = (int)schema;
	return 0;
}

static int explain(
	int err, const char *path, const char *part, const struct store *s, struct reason *why)
{
	switch (err) {
	case -EKEYREJECTED:
		return reason_set(
			why, err, "store %s is sealed under another KEK than the one given", path);
	case -EPROTONOSUPPORT:
		return reason_set(why, err, "store %s was written by a newer version of tkms (%s)",
			path, part);
	case -EBADMSG:
		return reason_set(why, err,
			"store %s: the %s has been altered, or the KEK is another one; restore the "
			"file from a backup",
			path, part);
	case -ENOMEM:
		return reason_set(why, err,
			"store %s: out of memory (or of lockable memory: ulimit -l)", path);
	default:
		return reason_set(why, err, "store %s cannot be read (%s): %s", path, part,
			db_error(s->writer));
	}
}

static int read_all(struct store *s, const char *path, struct keys *keys, struct reason *why)
{
	int err = check_kind(s, path, why);

	if (err)
		return err;
	if (db_quick_check(s->writer))
		return reason_set(why, -EUCLEAN,
			"store %s is corrupt (PRAGMA quick_check); restore it from a backup", path);
	err = store_prepare(s);
	if (!err)
		err = db_execute(s->writer,
			"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = "
			"MEMORY; "
			"PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864");
	if (err)
		return explain(err, path, "schema", s, why);
	err = store_state_load(s);
	if (err)
		return explain(err, path, "state record", s, why);
	err = load_keys(s, keys);
	if (err)
		return explain(err, path, "keyring", s, why);
	err = store_verify(s, why);
	if (!err && s->schema < STORE_SCHEMA)
		err = store_migrate(s, path, why);
	if (err)
		return err;
	err = store_log_prepare(s);
	return err ? explain(err, path, "schema", s, why) : store_log_verify(s, why);
}

int store_open(const char *path, struct sealer *sealer, struct store **out, struct keys *keys,
	struct reason *why)
{
	struct store *s = calloc(1, sizeof(*s));
	int err = s ? 0 : -ENOMEM;

	*out = NULL;
	if (!err) {
		s->sealer = sealer;
		s->old = store_record_new();
		s->claimant = store_record_new();
		s->plain = secret_alloc(RECORD_MAX);
		s->chunk = secret_alloc(STORE_CHUNK_MAX);
		err = s->old && s->claimant && s->plain && s->chunk ? 0 : -ENOMEM;
	}
	if (err) {
		reason_set(why, err, "store %s: out of memory (or of lockable memory: ulimit -l)",
			path);
	} else if (access(path, R_OK | W_OK) < 0) {
		err = reason_set(why, -errno, "store %s: %s%s", path, strerror(errno),
			errno == ENOENT ? " (tkmsctl init makes one)" : "");
	} else {
		err = db_open(path, DB_WRITE, &s->writer);
		if (!err)
			err = db_open(path, DB_READ, &s->reader);
		if (err)
			reason_set(why, err, "store %s cannot be opened: %s", path,
				db_error(s->reader ? s->reader : s->writer));
		else
			err = read_all(s, path, keys, why);
	}
	if (err) {
		store_close(s);
		return err;
	}
	db_set_closing(s->writer, DB_CHECKPOINT);
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_abort(s);
	/* the reader first: the last connection that closes writes the log back */
	db_close(s->reader);
	db_close(s->writer);
	store_record_free(s->old);
	store_record_free(s->claimant);
	secret_free(s->plain, RECORD_MAX);
	secret_free(s->chunk, STORE_CHUNK_MAX);
	free(s);
}

const char *store_error(const struct store *s)
{
	return db_error(s->writer);
}

uint64_t store_origin(const struct store *s)
{
	return s->committed.origin;
}

uint64_t store_version(const struct store *s)
{
	return s->committed.version;
}

uint64_t store_records(const struct store *s)
{
	return s->committed.live + s->committed.removed;
}

uint64_t store_count(const struct store *s)
{
	return s->committed.live;
}

static int put_keys(
	struct store *s, const struct keys *keys, uint8_t *plain, uint8_t *sealed, size_t len)
{
	struct seal_name name = {STORE_TYPE_KEYRING, "keyring", 7, keys->epoch};
	struct db_statement *q = s->query[Q_KEYRING_PUT];
	struct store_state next = s->committed;
	int err;

	if (keys_encode(keys, plain, len) != len)
		return -EINVAL;
	err = seal(s->sealer, &name, plain, len, sealed);
	if (!err)
		err = db_execute(s->writer, "BEGIN IMMEDIATE");
	if (err)
		return err;
	db_bind_int(q, 1, (int64_t)keys->epoch);
	db_bind_blob(q, 2, sealed, len + SEAL_OVERHEAD);
	err = db_run(q);
	next.keyring_epoch = keys->epoch;
	if (!err)
		err = store_state_save(s, &next);
	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (err)
		(void)db_execute(
			s->writer, "ROLLBACK"); /* fails when SQLite has rolled back by itself */
	else
		s->committed = next;
	return err;
}

int store_save_keys(struct store *s, const struct keys *keys)
{
	size_t len = keys_encode(keys, NULL, 0);
	uint8_t *plain, *sealed;
	int err;

	if (store_interrupt(s))
		return -EBUSY;
	if (keys->epoch <= s->committed.keyring_epoch || len == 0)
		return -EINVAL;
	plain = secret_alloc(len);
	sealed = malloc(len + SEAL_OVERHEAD);
	err = plain && sealed ? put_keys(s, keys, plain, sealed, len) : -ENOMEM;
	secret_free(plain, len);
	free(sealed);
	return err;
}
