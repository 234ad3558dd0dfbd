/* SPDX-License-Identifier: BSD-3-Clause */
/* A store of an older schema becomes one of this schema, in one transaction. */
#include <errno.h>
#include <string.h>

#include "control/log.h"
#include "control/store_private.h"

/* A UID may be claimed by several PSK ids for a while (two nodes gave it away at the same time). */
static const char to_schema_2[] =
	"CREATE TABLE claims(uid BLOB NOT NULL, psk_id BLOB NOT NULL REFERENCES "
	"subscribers(psk_id), PRIMARY KEY(uid, psk_id)) WITHOUT ROWID;"
	"INSERT INTO claims SELECT uid, psk_id FROM uids;"
	"DROP TABLE uids;"
	"ALTER TABLE claims RENAME TO uids;"
	"CREATE TABLE log(sequence INTEGER PRIMARY KEY, record BLOB NOT NULL);"
	"PRAGMA user_version = 2;";

int store_migrate(struct store *s, const char *path, struct reason *why)
{
	struct store_state next = s->committed;
	int err = store_make_origin(&next);

	if (!err)
		err = db_execute(s->writer, "BEGIN IMMEDIATE");
	if (err)
		return reason_set(why, err, "store %s cannot be brought up to date: %s", path,
			db_error(s->writer));
	err = db_execute(s->writer, to_schema_2);
	if (!err)
		err = store_state_save(s, &next);
	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (err) {
		reason_set(why, err, "store %s cannot be brought up to date: %s (%s)", path,
			strerror(-err), db_error(s->writer));
		/* fails when SQLite has rolled back by itself */
		(void)db_execute(s->writer, "ROLLBACK");
		return err;
	}
	s->committed = next;
	log_event(LOG_INFO, "store brought up to date", F_TEXT("store", path),
		F_UINT("schema", STORE_SCHEMA));
	return 0;
}
