/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SQLite, as much as the store needs; the only place that includes it. One thread.
 * Errors: -EUCLEAN (corrupt, or no database), -ENOSPC, -EBUSY, -EEXIST (a constraint), -EROFS,
 * -EACCES, -ENOMEM, -EIO; db_error() has SQLite's words.
 */
#ifndef TKMS_CONTROL_DB_H
#define TKMS_CONTROL_DB_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct db_statement;

/* DB_WRITE and DB_READ never make a file. */
enum db_mode { DB_CREATE, DB_WRITE, DB_READ };
int db_open(const char *path, enum db_mode mode, struct db **out);
void db_close(struct db *db); /* statements too */
const char *db_error(const struct db *db);

/*
 * Closing leaves the write-ahead log as it is (DB_KEEP, the state after db_open()) instead of
 * writing it into the file (DB_CHECKPOINT): nothing touches a file that we have not understood yet.
 */
enum db_closing { DB_KEEP, DB_CHECKPOINT };
void db_set_closing(struct db *db, enum db_closing closing);

int db_execute(struct db *db, const char *sql);
/* A single integer. */
int db_query_int(struct db *db, const char *sql, int64_t *out);
/* Checks pages and b-trees: 0 or -EUCLEAN. */
int db_quick_check(struct db *db);

/* A statement that is kept; freed with its database. */
int db_prepare(struct db *db, const char *sql, struct db_statement **out);
void db_bind_int(struct db_statement *s, int index, int64_t value); /* index counts from 1 */
void db_bind_blob(struct db_statement *s, int index, const void *data,
	size_t len); /* data stays until db_reset() */
void db_bind_text(struct db_statement *s, int index, const char *text);
/* 1: a row, 0: done, or an error (of binding too). */
int db_step(struct db_statement *s);
int64_t db_column_int(struct db_statement *s, int column); /* column counts from 0 */
const void *db_column_blob(
	struct db_statement *s, int column, size_t *len); /* until the next step or reset */
void db_reset(struct db_statement *s);
/* A step that must not give a row, and a reset. 0 or an error. */
int db_run(struct db_statement *s);

#endif
