/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/clock.h"
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
	if (!err)
		err = record_decode(
			&r->subscriber, &r->stamp, &r->suspended, r->octets, len - SEAL_OVERHEAD);
	if (r->stamp.origin == 0)
		r->stamp.origin = s->committed.origin; /* made here, before there were others */
	return err;
}

int store_interrupt(struct store *s)
{
	struct store_guest guest = s->guest;

	if (s->is_open && guest.end) {
		s->guest.end = NULL;
		guest.end(guest.arg);
		store_abort(s); /* nothing, if the guest has kept its word */
	}
	return s->is_open ? -EBUSY : 0;
}

static int begin(struct store *s)
{
	int err = db_execute(s->writer, "BEGIN IMMEDIATE");

	if (err)
		return err;
	s->is_open = true;
	s->pending = s->committed;
	s->guest.end = NULL;
	s->chunk_len = 0;
	s->chunk_records = 0;
	return 0;
}

int store_begin(struct store *s)
{
	int err = store_interrupt(s);

	return err ? err : begin(s);
}

int store_begin_guest(struct store *s, const struct store_guest *guest)
{
	int err = s->is_open ? -EBUSY : begin(s);

	if (!err)
		s->guest = *guest;
	return err;
}

int store_commit(struct store *s)
{
	int err = s->is_open ? store_log_flush(s) : -EINVAL;

	if (!err)
		err = store_state_save(s, &s->pending);

	if (!err)
		err = db_execute(s->writer, "COMMIT");
	if (err) {
		store_abort(s);
		return err;
	}
	s->committed = s->pending;
	s->is_open = false;
	s->guest.end = NULL;
	return 0;
}

void store_abort(struct store *s)
{
	if (!s->is_open)
		return;
	(void)db_execute(s->writer, "ROLLBACK"); /* fails when SQLite has rolled back by itself */
	s->is_open = false;
	s->guest.end = NULL;
	secret_wipe(s->chunk, s->chunk_len);
	s->chunk_len = 0;
}

bool store_is_taken(const struct store *s)
{
	return s->is_open && !s->guest.end;
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
	db_bind_blob(q, 2, psk_id.data, psk_id.len);
	got = db_step(q);
	if (got == 1) {
		holder = db_column_blob(q, 0, &len);
		if (len > IDENTITY_MAX) {
			got = -EUCLEAN;
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
		db_bind_blob(delete, 2, from->psk_id.data, from->psk_id.len);
		err = db_run(delete);
	}
	for (unsigned int i = 0; !err && i < to->n_uids; i++) {
		db_bind_blob(put, 1, to->uids[i].data, to->uids[i].len);
		db_bind_blob(put, 2, to->psk_id.data, to->psk_id.len);
		err = db_run(put);
	}
	return err;
}

/* The stamp of a change that is made here: larger than all that was seen, and than what it
 * replaces, however far ahead the clock of its origin was. */
static struct record_stamp next_stamp(struct store *s, const struct store_record *old)
{
	struct store_state *state = &s->pending;
	uint64_t now = store_stamp_time(clock_now_ms());

	state->stamp_time = now > state->stamp_time ? now : state->stamp_time + 1;
	return (struct record_stamp){old && old->stamp.time >= state->stamp_time
					     ? old->stamp.time + 1
					     : state->stamp_time,
		state->origin};
}

enum where { IN_STORE, IN_STORE_AND_LOG };

/* Writes the record as the next version and keeps count. */
static int write_record(struct store *s, const struct ipc_subscriber *new,
	struct record_stamp stamp, uint64_t suspended, const struct store_record *old,
	enum where where)
{
	struct db_statement *q = s->query[Q_SUBSCRIBER_PUT];
	struct store_state *state = &s->pending;
	struct seal_name name = record_name(new->psk_id, ++state->version);
	size_t len = record_encode(new, stamp, suspended, s->plain, RECORD_MAX);
	int err = len ? seal(s->sealer, &name, s->plain, len, s->sealed) : -EINVAL;

	if (!err && where == IN_STORE_AND_LOG)
		err = store_log_append(s, new->psk_id, s->plain, len);
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

/* The newest stamp of all that claim a UID. 0 or -errno. */
static int newest_claim(struct store *s, struct identity uid, struct record_stamp *newest)
{
	struct db_statement *q = s->query[Q_UID_CLAIMS];
	int got;

	*newest = (struct record_stamp){0};
	db_bind_blob(q, 1, uid.data, uid.len);
	while ((got = db_step(q)) == 1) {
		struct identity psk_id;
		size_t len;

		psk_id.data = db_column_blob(q, 0, &len);
		psk_id.len = (uint16_t)len;
		got = get_old(s, psk_id, s->claimant);
		if (got != 1) {
			got = got ? got : -EUCLEAN;
			break;
		}
		if (record_stamp_compare(s->claimant->stamp, *newest) > 0)
			*newest = s->claimant->stamp;
	}
	db_reset(q);
	return got;
}

/* Writes the claimant again when what it says about the UID is no longer so. */
static int settle_claim(struct store *s, struct identity uid, struct record_stamp newest)
{
	struct store_record *r = s->claimant;
	uint64_t suspended = r->suspended;

	for (unsigned int i = 0; i < r->subscriber.n_uids; i++) {
		if (!identity_equal(r->subscriber.uids[i], uid))
			continue;
		if (record_stamp_compare(r->stamp, newest) == 0)
			suspended &= ~(1ull << i);
		else
			suspended |= 1ull << i;
	}
	if (suspended == r->suspended)
		return 0;
	return write_record(s, &r->subscriber, r->stamp, suspended, r, IN_STORE);
}

/*
 * A UID that several records claim belongs to the newest of them, on every node, in whatever order
 * it learned of them; the others have it suspended until then.
 */
static int settle_uid(struct store *s, struct identity uid)
{
	struct db_statement *q = s->query[Q_UID_CLAIMS];
	struct record_stamp newest;
	int err = newest_claim(s, uid, &newest), got = 0;

	if (err)
		return err;
	db_bind_blob(q, 1, uid.data, uid.len);
	while (!err && (got = db_step(q)) == 1) {
		struct identity psk_id;
		size_t len;

		psk_id.data = db_column_blob(q, 0, &len);
		psk_id.len = (uint16_t)len;
		err = get_old(s, psk_id, s->claimant);
		err = err == 1 ? settle_claim(s, uid, newest) : err ? err : -EUCLEAN;
	}
	db_reset(q);
	return err ? err : got;
}

/* After a change: UIDs that others claim too. Tells how many. */
static int settle_uids(struct store *s, const struct ipc_subscriber *of, struct identity psk_id,
	uint64_t *contested)
{
	struct store_conflict conflict;
	int got = 0;

	for (unsigned int i = 0; got >= 0 && of && !of->remove && i < of->n_uids; i++) {
		got = uid_taken(s, of->uids[i], psk_id, &conflict);
		if (got == 1) {
			*contested += 1;
			got = settle_uid(s, of->uids[i]);
		}
	}
	return got < 0 ? got : 0;
}

/* Puts new in the place of old (NULL: none), which stays in s->old. */
static int replace(struct store *s, const struct ipc_subscriber *new, struct record_stamp stamp,
	const struct store_record *old, enum where where, uint64_t *contested)
{
	const struct ipc_subscriber *before =
		old && !old->subscriber.remove ? &old->subscriber : NULL;
	uint64_t released = 0;
	/* the record first: UIDs refer to it */
	int err = write_record(s, new, stamp, 0, old, where);

	if (!err)
		err = change_uids(s, before, new);
	if (!err)
		err = settle_uids(s, new, new->psk_id, contested);
	if (!err)
		err = settle_uids(s, before, new->psk_id, &released);
	return err == -EEXIST ? -EUCLEAN : err;
}

int store_put(struct store *s, const struct ipc_subscriber *new, enum store_mode mode,
	bool *replaced, struct store_conflict *conflict)
{
	const struct store_record *old = s->old;
	int got = s->is_open ? get_old(s, new->psk_id, s->old) : -EINVAL, err;
	uint64_t contested = 0;

	if (got < 0)
		return got;
	if (got == 0)
		old = NULL;
	err = check_conflicts(s, new, mode, old, conflict);
	if (err)
		return err;
	if (replaced)
		*replaced = old && !old->subscriber.remove;
	return replace(s, new, next_stamp(s, old), old, IN_STORE_AND_LOG, &contested);
}

int store_remove(struct store *s, struct identity psk_id)
{
	struct ipc_subscriber tombstone = {.remove = true, .psk_id = psk_id};
	int got = s->is_open ? get_old(s, psk_id, s->old) : -EINVAL;
	uint64_t contested = 0;

	if (got < 0)
		return got;
	if (got == 0 || s->old->subscriber.remove)
		return -ENOENT;
	return replace(s, &tombstone, next_stamp(s, s->old), s->old, IN_STORE_AND_LOG, &contested);
}

int store_apply(struct store *s, const struct ipc_subscriber *new, struct record_stamp stamp,
	uint64_t max_skew_ms, struct store_applied *applied)
{
	struct store_state *state = &s->pending;
	uint64_t bound = store_stamp_time(clock_now_ms() + (int64_t)max_skew_ms);
	int got = s->is_open ? get_old(s, new->psk_id, s->old) : -EINVAL, err;

	if (got < 0)
		return got;
	/* what is made here comes after what was seen, but no clock drags others into the future */
	if (stamp.time > state->stamp_time && state->stamp_time < bound)
		state->stamp_time = stamp.time < bound ? stamp.time : bound;
	if (got == 1 && record_stamp_compare(stamp, s->old->stamp) <= 0) {
		applied->older++;
		return 0;
	}
	err = replace(s, new, stamp, got ? s->old : NULL, IN_STORE, &applied->contested);
	if (!err)
		applied->changed++;
	return err;
}

void store_record_serve(struct store_record *r)
{
	struct ipc_subscriber *sub = &r->subscriber;
	unsigned int n = 0;

	if (!r->suspended || sub->remove)
		return;
	for (unsigned int i = 0; i < sub->n_uids; i++) {
		if (!(r->suspended >> i & 1))
			sub->uids[n++] = sub->uids[i];
	}
	sub->n_uids = n;
	sub->remove = n == 0;
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
