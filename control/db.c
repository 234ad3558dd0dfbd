/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000 };

struct db_statement {
	struct db_statement *next;
	struct db *db;
	sqlite3_stmt *stmt;
	int bind_error;
};

struct db {
	sqlite3 *handle;
	struct db_statement *statements;
};

static int translate(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

int db_open(const char *path, enum db_mode mode, struct db **out)
{
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, rc;
	struct db *db = calloc(1, sizeof(*db));

	*out = db;
	if (!db)
		return -ENOMEM;
	if (mode == DB_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(
		path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db->handle, BUSY_MS);
	/* no SQL functions or virtual tables that a planted schema could use */
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return translate(rc);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	while (db->statements) {
		struct db_statement *s = db->statements;

		db->statements = s->next;
		sqlite3_finalize(s->stmt);
		free(s);
	}
	sqlite3_close_v2(db->handle);
	free(db);
}

const char *db_error(const struct db *db)
{
	return db && db->handle ? sqlite3_errmsg(db->handle) : "out of memory";
}

void db_set_closing(struct db *db, enum db_closing closing)
{
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, closing == DB_KEEP, NULL);
}

int db_execute(struct db *db, const char *sql)
{
	return translate(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_query_int(struct db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else if (rc == SQLITE_DONE)
		rc = SQLITE_CORRUPT;
	sqlite3_finalize(stmt);
	return translate(rc);
}

int db_quick_check(struct db *db)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	int err;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	err = translate(rc);
	if (!err &&
		(rc != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0))
		err = -EUCLEAN;
	sqlite3_finalize(stmt);
	return err;
}

int db_prepare(struct db *db, const char *sql, struct db_statement **out)
{
	struct db_statement *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->db = db;
	s->next = db->statements;
	db->statements = s;
	*out = s;
	rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
	/* a schema that lacks our tables is no store of ours, whatever the file says */
	return (rc & 0xff) == SQLITE_ERROR ? -EUCLEAN : translate(rc);
}

static void note_bind(struct db_statement *s, int rc)
{
	if (rc != SQLITE_OK && !s->bind_error)
		s->bind_error = translate(rc);
}

void db_bind_int(struct db_statement *s, int index, int64_t value)
{
	note_bind(s, sqlite3_bind_int64(s->stmt, index, value));
}

void db_bind_blob(struct db_statement *s, int index, const void *data, size_t len)
{
	note_bind(s, sqlite3_bind_blob64(s->stmt, index, len ? data : "", len, SQLITE_STATIC));
}

void db_bind_text(struct db_statement *s, int index, const char *text)
{
	note_bind(s, sqlite3_bind_text(s->stmt, index, text, -1, SQLITE_STATIC));
}

int db_step(struct db_statement *s)
{
	int rc;

	if (s->bind_error)
		return s->bind_error;
	rc = sqlite3_step(s->stmt);
	return rc == SQLITE_ROW ? 1 : translate(rc);
}

int64_t db_column_int(struct db_statement *s, int column)
{
	return sqlite3_column_int64(s->stmt, column);
}

const void *db_column_blob(struct db_statement *s, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(s->stmt, column);

	*len = data ? (size_t)sqlite3_column_bytes(s->stmt, column) : 0;
	return data;
}

void db_reset(struct db_statement *s)
{
	/* the error of the step before, if any, has been reported by it */
	(void)sqlite3_reset(s->stmt);
	(void)sqlite3_clear_bindings(s->stmt);
	s->bind_error = 0;
}

int db_run(struct db_statement *s)
{
	int got = db_step(s);

	db_reset(s);
	return got > 0 ? -EUCLEAN : got;
}
