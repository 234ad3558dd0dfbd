/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/store_private.h"

struct store_record *store_record_new(void)
{
	return secret_alloc(sizeof(struct store_record) + RECORD_MAX);
}

void store_record_free(struct store_record *r)
{
	secret_free(r, sizeof(*r) + RECORD_MAX);
}

static struct seal_name record_name(struct identity psk_id, uint64_t version)
{
	return (struct seal_name){STORE_TYPE_SUBSCRIBER, psk_id.data, psk_id.len, version};
}

int store_open_row(struct store *s, struct db_statement *row, struct store_record *r)
{
	struct seal_name name;
	const uint8_t *sealed;
	const void *id;
	size_t len;
	int err;

	id = db_column_blob(row, 0, &len);
	if (len == 0 || len > IDENTITY_MAX)
		return -EBADMSG;
	memcpy(r->psk_id, id, len);
	r->subscriber.psk_id = (struct identity){r->psk_id, (uint16_t)len};
	r->version = (uint64_t)db_column_int(row, 1);
	sealed = db_column_blob(row, 2, &len);
	if (len < SEAL_OVERHEAD || len > STORE_SEALED_MAX)
		return -EBADMSG;
	name = record_name(r->subscriber.psk_id, r->version);
	err = unseal(s->sealer, &name, sealed, len, r->octets);
	return err ? err : record_decode(&r->subscriber, r->octets, len - SEAL_OVERHEAD);
}

int store_begin(struct store *s)
{
	int err = s->is_open ? -EBUSY : db_execute(s->writer, "BEGIN IMMEDIATE");

	if (err)
		return err;
	s->is_open = true;
	s->pending = s->committed;
	return 0;
}

int store_commit(struct store *s)
{
	int err = s->is_open ? store_state_save(s, &s->pending) : -EINVAL;

	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (err) {
		store_abort(s);
		return err;
	}
	s->committed = s->pending;
	s->is_open = false;
	return 0;
}

void store_abort(struct store *s)
{
	if (!s->is_open)
		return;
	(void)db_execute(s->writer, "ROLLBACK"); /* fails when SQLite has rolled back by itself */
	s->is_open = false;
}

bool store_is_open(const struct store *s)
{
	return s->is_open;
}

uint64_t store_base_version(const struct store *s)
{
	return s->committed.version;
}

/* The record of that PSK id as this transaction sees it, tombstones too: 1, 0, -errno. */
static int get_old(struct store *s, struct identity psk_id, struct store_record *r)
{
	struct db_statement *q = s->query[Q_SUBSCRIBER_GET];
	int got;

	db_bind_blob(q, 1, psk_id.data, psk_id.len);
	got = db_step(q);
	if (got == 1) {
		int err = store_open_row(s, q, r);

		got = err ? err : 1;
	}
	db_reset(q);
	return got;
}

/* Does the UID belong to somebody else: 1 (conflict filled), 0, -errno. */
static int uid_taken(struct store *s, struct identity uid, struct identity psk_id,
	struct store_conflict *conflict)
{
	struct db_statement *q = s->query[Q_UID_GET];
	const void *holder;
	size_t len;
	int got;

	db_bind_blob(q, 1, uid.data, uid.len);
	got = db_step(q);
	if (got == 1) {
		holder = db_column_blob(q, 0, &len);
		if (len > IDENTITY_MAX) {
			got = -EUCLEAN;
		} else if (len == psk_id.len && memcmp(holder, psk_id.data, len) == 0) {
			got = 0;
		} else {
			conflict->what = STORE_SAME_UID;
			conflict->uid = uid;
			conflict->version = (uint64_t)db_column_int(q, 1);
			memcpy(conflict->holder, holder, len);
			conflict->holder_len = (uint16_t)len;
		}
	}
	db_reset(q);
	return got;
}

static int check_conflicts(struct store *s, const struct ipc_subscriber *new, enum store_mode mode,
	const struct store_record *old, struct store_conflict *conflict)
{
	if (old && !old->subscriber.remove) {
		bool is_ours = old->version > s->committed.version;

		if (is_ours || (mode == STORE_INSERT && !record_equal(new, &old->subscriber))) {
			conflict->what = STORE_SAME_PSK_ID;
			conflict->version = old->version;
			memcpy(conflict->holder, new->psk_id.data, new->psk_id.len);
			conflict->holder_len = new->psk_id.len;
			return -EEXIST;
		}
	}
	for (unsigned int i = 0; i < new->n_uids; i++) {
		int got = uid_taken(s, new->uids[i], new->psk_id, conflict);

		if (got)
			return got > 0 ? -EEXIST : got;
	}
	return 0;
}

static int change_uids(
	struct store *s, const struct ipc_subscriber *from, const struct ipc_subscriber *to)
{
	struct db_statement *delete = s->query[Q_UID_DELETE], *put = s->query[Q_UID_PUT];
	int err = 0;

	for (unsigned int i = 0; from && !err && i < from->n_uids; i++) {
		db_bind_blob(delete, 1, from->uids[i].data, from->uids[i].len);
		err = db_run(delete);
	}
	for (unsigned int i = 0; !err && i < to->n_uids; i++) {
		db_bind_blob(put, 1, to->uids[i].data, to->uids[i].len);
		db_bind_blob(put, 2, to->psk_id.data, to->psk_id.len);
		err = db_run(put);
	}
	return err;
}

/* Writes the record as the next version and keeps count. */
static int write_record(
	struct store *s, const struct ipc_subscriber *new, const struct store_record *old)
{
	struct db_statement *q = s->query[Q_SUBSCRIBER_PUT];
	struct store_state *state = &s->pending;
	struct seal_name name = record_name(new->psk_id, ++state->version);
	size_t len = record_encode(new, s->plain, RECORD_MAX);
	int err = len ? seal(s->sealer, &name, s->plain, len, s->sealed) : -EINVAL;

	secret_wipe(s->plain, len);
	if (err)
		return err;
	db_bind_blob(q, 1, new->psk_id.data, new->psk_id.len);
	db_bind_int(q, 2, (int64_t)state->version);
	db_bind_int(q, 3, new->remove);
	db_bind_blob(q, 4, s->sealed, len + SEAL_OVERHEAD);
	err = db_run(q);
	if (err)
		return err == -EEXIST ? -EUCLEAN : err;
	if (old) {
		state->version_sum -= old->version;
		*(old->subscriber.remove ? &state->removed : &state->live) -= 1;
	}
	state->version_sum += state->version;
	*(new->remove ? &state->removed : &state->live) += 1;
	return 0;
}

int store_put(struct store *s, const struct ipc_subscriber *new, enum store_mode mode,
	bool *replaced, struct store_conflict *conflict)
{
	const struct store_record *old = s->old;
	int got = s->is_open ? get_old(s, new->psk_id, s->old) : -EINVAL, err;

	if (got < 0)
		return got;
	if (got == 0)
		old = NULL;
	err = check_conflicts(s, new, mode, old, conflict);
	if (err)
		return err;
	/* the record first: UIDs refer to it */
	err = write_record(s, new, old);
	if (!err)
		err = change_uids(s, old && !old->subscriber.remove ? &old->subscriber : NULL, new);
	if (replaced)
		*replaced = old && !old->subscriber.remove;
	return err == -EEXIST ? -EUCLEAN : err;
}

int store_remove(struct store *s, struct identity psk_id)
{
	struct ipc_subscriber tombstone = {.remove = true, .psk_id = psk_id};
	int got = s->is_open ? get_old(s, psk_id, s->old) : -EINVAL, err;

	if (got < 0)
		return got;
	if (got == 0 || s->old->subscriber.remove)
		return -ENOENT;
	err = write_record(s, &tombstone, s->old);
	return err ? err : change_uids(s, &s->old->subscriber, &tombstone);
}

int store_get(struct store *s, struct identity psk_id, struct store_record *r)
{
	struct db_statement *q = s->query[Q_READ_GET];
	int err;

	db_bind_blob(q, 1, psk_id.data, psk_id.len);
	err = db_step(q);
	if (err == 1)
		err = store_open_row(s, q, r);
	else if (err == 0)
		err = -ENOENT;
	db_reset(q);
	return err == 0 && r->subscriber.remove ? -ENOENT : err;
}
