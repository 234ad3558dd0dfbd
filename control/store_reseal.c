/* SPDX-License-Identifier: BSD-3-Clause */
/* Records go from one KEK to another. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/store_private.h"

const uint8_t *store_kek_id(const struct store *s)
{
	return s->kek_id;
}

int store_reseal_begin(struct store *s)
{
	struct store_state next = s->committed;
	int err;

	if (s->is_open)
		return -EBUSY;
	s->reseal = (struct store_reseal){.table = 0};
	err = db_execute(s->writer, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = store_state_save(s, &next);
	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (err) {
		(void)db_execute(
			s->writer, "ROLLBACK"); /* fails when SQLite has rolled back by itself */
		return err;
	}
	s->committed = next;
	memcpy(s->kek_id, sealer_kek_id(s->sealer), sizeof(s->kek_id));
	return 0;
}

struct table {
	/* rows behind a key, as many as asked for: key, version, record; and a row's record anew */
	enum store_query select, update;
	bool key_is_blob;
	struct seal_name (*name)(struct store *s, struct db_statement *row, char text[17]);
};

static struct seal_name name_subscriber(struct store *s, struct db_statement *row, char text[17])
{
	size_t len;
	const void *id = db_column_blob(row, 0, &len);

	(void)s;
	(void)text;
	return (struct seal_name){STORE_TYPE_SUBSCRIBER, id, len, (uint64_t)db_column_int(row, 1)};
}

static struct seal_name name_log(struct store *s, struct db_statement *row, char text[17])
{
	snprintf(text, 17, "%016" PRIx64, s->committed.origin);
	return (struct seal_name){STORE_TYPE_LOG, text, 16, (uint64_t)db_column_int(row, 1)};
}

static struct seal_name name_keyring(struct store *s, struct db_statement *row, char text[17])
{
	(void)s;
	(void)text;
	return (struct seal_name){
		STORE_TYPE_KEYRING, "keyring", 7, (uint64_t)db_column_int(row, 1)};
}

static const struct table tables[] = {
	{Q_RESEAL_KEYRING, Q_RESEAL_KEYRING_PUT, false, name_keyring},
	{Q_RESEAL_SUBSCRIBERS, Q_RESEAL_SUBSCRIBERS_PUT, true, name_subscriber},
	{Q_RESEAL_LOG, Q_RESEAL_LOG_PUT, false, name_log},
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static void bind_key(
	const struct store *s, const struct table *t, struct db_statement *q, int index)
{
	const struct store_reseal *at = &s->reseal;

	if (t->key_is_blob)
		db_bind_blob(q, index, at->key, at->key_len);
	else
		db_bind_int(q, index, at->number);
}

/* Remembers the row as the one that has been reached. */
static int move_to(struct store *s, const struct table *t, struct db_statement *row)
{
	struct store_reseal *at = &s->reseal;
	const void *key;
	size_t len;

	if (!t->key_is_blob) {
		at->number = db_column_int(row, 0);
		return 0;
	}
	key = db_column_blob(row, 0, &len);
	if (len == 0 || len > sizeof(at->key))
		return -EBADMSG;
	memcpy(at->key, key, len);
	at->key_len = len;
	return 0;
}

static int seal_anew(struct store *s, const struct table *t, const struct seal_name *name,
	const uint8_t *sealed, size_t len)
{
	uint8_t *plain = secret_alloc(len), *again = malloc(len);
	int err = plain && again ? unseal(s->sealer, name, sealed, len, plain) : -ENOMEM;

	if (!err)
		err = seal(s->sealer, name, plain, len - SEAL_OVERHEAD, again);
	if (!err) {
		db_bind_blob(s->query[t->update], 1, again, len);
		bind_key(s, t, s->query[t->update], 2);
		err = db_run(s->query[t->update]);
	}
	secret_free(plain, len);
	free(again);
	return err;
}

static int reseal_row(struct store *s, const struct table *t, struct db_statement *row)
{
	char text[17];
	struct seal_name name = t->name(s, row, text);
	size_t len;
	const uint8_t *sealed = db_column_blob(row, 2, &len), *id = sealed_kek_id(sealed, len);
	int err = id ? move_to(s, t, row) : -EBADMSG;

	if (err || memcmp(id, sealer_kek_id(s->sealer), SEAL_KEK_ID_LEN) == 0)
		return err;
	return seal_anew(s, t, &name, sealed, len);
}

/* Rows that were looked at, or -errno. Whatever is written meanwhile is under the new KEK. */
static int reseal_some(struct store *s, const struct table *t, unsigned int n)
{
	struct db_statement *select = s->query[t->select];
	int count = 0, err;

	bind_key(s, t, select, 1);
	db_bind_int(select, 2, n);
	while ((err = db_step(select)) == 1) {
		err = reseal_row(s, t, select);
		if (err)
			break;
		count++;
	}
	db_reset(select);
	return err ? err : count;
}

int store_reseal(struct store *s, unsigned int n)
{
	struct store_reseal before = s->reseal;
	int count;

	if (s->is_open)
		return -EBUSY;
	if (s->reseal.table == TABLES)
		return 0;
	count = db_execute(s->writer, "BEGIN IMMEDIATE");
	if (count < 0)
		return count;
	count = reseal_some(s, &tables[s->reseal.table], n);
	if (count >= 0) {
		int err = db_execute(s->writer, "COMMIT");

		count = err ? err : count;
	}
	if (count < 0) {
		(void)db_execute(
			s->writer, "ROLLBACK"); /* fails when SQLite has rolled back by itself */
		s->reseal = before;
		return count;
	}
	if (count < (int)n)
		s->reseal = (struct store_reseal){.table = s->reseal.table + 1};
	return 1;
}
