/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/files.h"
#include "control/store_private.h"

static const char schema_sql[] =
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"BEGIN;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL) "
	"WITHOUT ROWID;"
	"CREATE TABLE keyring(id INTEGER PRIMARY KEY CHECK(id = 1), epoch INTEGER NOT NULL, record "
	"BLOB NOT NULL);"
	"CREATE TABLE subscribers(psk_id BLOB PRIMARY KEY, version INTEGER NOT NULL UNIQUE,"
	" removed INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE uids(uid BLOB NOT NULL, psk_id BLOB NOT NULL REFERENCES "
	"subscribers(psk_id), PRIMARY KEY(uid, psk_id)) WITHOUT ROWID;"
	"CREATE TABLE log(sequence INTEGER PRIMARY KEY, record BLOB NOT NULL);"
	"PRAGMA application_id = 1953197427;"
	"PRAGMA user_version = 2;";

static int fill_new(struct store *s, const char *path)
{
	int err = db_open(path, DB_CREATE, &s->writer);

	if (!err)
		err = db_execute(s->writer, schema_sql);
	if (!err)
		err = store_prepare(s);
	if (!err)
		err = store_make_origin(&s->pending);
	s->pending.is_log_complete = true;
	if (!err)
		err = store_state_save(s, &s->pending);
	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (!err)
		db_set_closing(s->writer, DB_CHECKPOINT);
	return err;
}

static int publish_new(const char *temporary, const char *path)
{
	char dir[PATH_MAX];
	int err = files_dirname(path, dir, sizeof(dir));

	/* link() refuses to replace what has come into being meanwhile, rename() would not */
	if (!err && link(temporary, path) < 0)
		err = -errno;
	return err ? err : files_sync_dir(dir);
}

int store_create(const char *path, struct sealer *sealer, struct reason *why)
{
	struct store s = {.sealer = sealer};
	char temporary[PATH_MAX], side[PATH_MAX + 8];
	struct stat st;
	int err;

	if (lstat(path, &st) == 0)
		return reason_set(why, -EEXIST, "store %s exists; it is not touched", path);
	if (snprintf(temporary, sizeof(temporary), "%s.new-%ld", path, (long)getpid()) >=
		(int)sizeof(temporary))
		return reason_set(why, -ENAMETOOLONG, "store %s: name too long", path);
	err = fill_new(&s, temporary);
	if (err)
		reason_set(why, err, "store %s: %s", path,
			err == -EIO ? db_error(s.writer) : strerror(-err));
	db_close(s.writer);
	if (!err) {
		err = publish_new(temporary, path);
		if (err)
			reason_set(why, err, "store %s: %s", path, strerror(-err));
	}
	unlink(temporary);
	snprintf(side, sizeof(side), "%s-wal", temporary);
	unlink(side);
	snprintf(side, sizeof(side), "%s-shm", temporary);
	unlink(side);
	return err;
}
