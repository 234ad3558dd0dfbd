/* SPDX-License-Identifier: BSD-3-Clause */
/* The own log: what this node tells the others about subscribers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "common/ipc/cursor.h"
#include "control/store_private.h"

static struct seal_name log_name(const struct store *s, uint64_t sequence, char origin[17])
{
	snprintf(origin, 17, "%016" PRIx64, s->committed.origin);
	return (struct seal_name){STORE_TYPE_LOG, origin, 16, sequence};
}

void store_set_logging(struct store *s, enum store_logging logging)
{
	s->logging = logging;
}

struct store_log store_log(const struct store *s)
{
	const struct store_state *c = &s->committed;

	return (struct store_log){.first = c->log_first ? c->log_first : 1,
		.last = c->log_last,
		.records = c->log_records,
		.is_complete = c->is_log_complete};
}

int store_log_flush(struct store *s)
{
	struct db_statement *q = s->query[Q_LOG_PUT];
	struct store_state *state = &s->pending;
	uint8_t sealed[STORE_LOG_SEALED_MAX];
	char origin[17];
	struct seal_name name;
	int err;

	if (s->chunk_len == 0)
		return 0;
	name = log_name(s, state->log_last + 1, origin);
	err = seal(s->sealer, &name, s->chunk, s->chunk_len, sealed);
	if (!err) {
		db_bind_int(q, 1, (int64_t)name.version);
		db_bind_blob(q, 2, sealed, s->chunk_len + SEAL_OVERHEAD);
		err = db_run(q);
	}
	secret_wipe(s->chunk, s->chunk_len);
	s->chunk_len = 0;
	if (err)
		return err == -EEXIST ? -EUCLEAN : err;
	state->log_last = name.version;
	state->log_records += s->chunk_records;
	if (state->log_first == 0)
		state->log_first = 1;
	s->chunk_records = 0;
	return 0;
}

int store_log_append(struct store *s, struct identity psk_id, const uint8_t *record, size_t len)
{
	struct ipc_writer w = {.buf = s->chunk, .cap = STORE_CHUNK_MAX, .len = s->chunk_len};
	int err;

	if (s->logging == STORE_LOG_OFF) {
		s->pending.is_log_complete = false;
		return 0;
	}
	if (2 + psk_id.len + 2 + len > STORE_CHUNK_MAX - s->chunk_len) {
		err = store_log_flush(s);
		if (err)
			return err;
		w.len = 0;
	}
	ipc_put_identity(&w, psk_id, IDENTITY_MAX);
	ipc_put_identity(&w, (struct identity){record, (uint16_t)len}, (uint16_t)RECORD_MAX);
	if (w.failed)
		return -EINVAL;
	s->chunk_len = w.len;
	s->chunk_records++;
	return 0;
}

int store_log_get(struct store *s, uint64_t sequence, uint8_t out[STORE_LOG_SEALED_MAX])
{
	struct db_statement *q = s->query[Q_LOG_GET];
	const void *sealed;
	size_t len = 0;
	int got;

	db_bind_int(q, 1, (int64_t)sequence);
	got = db_step(q);
	if (got == 1) {
		sealed = db_column_blob(q, 0, &len);
		if (len < SEAL_OVERHEAD || len > STORE_LOG_SEALED_MAX)
			got = -EBADMSG;
		else
			memcpy(out, sealed, len);
	}
	db_reset(q);
	return got == 1 ? (int)len : got ? got : -ENOENT;
}

int store_log_verify(struct store *s, struct reason *why)
{
	const struct store_state *c = &s->committed;
	struct db_statement *q;
	uint64_t next = c->log_first ? c->log_first : 1;
	int err = db_prepare(s->writer, "SELECT sequence, record FROM log ORDER BY sequence", &q);

	while (!err) {
		int got = db_step(q);
		char origin[17];
		const void *sealed;
		size_t len;
		struct seal_name name;

		if (got != 1) {
			err = got;
			break;
		}
		sealed = db_column_blob(q, 1, &len);
		name = log_name(s, next, origin);
		if ((uint64_t)db_column_int(q, 0) != next || len < SEAL_OVERHEAD ||
			len > STORE_LOG_SEALED_MAX)
			err = -EBADMSG;
		else
			err = unseal(s->sealer, &name, sealed, len, s->chunk);
		secret_wipe(s->chunk, STORE_CHUNK_MAX);
		next++;
	}
	db_reset(q);
	if (!err && next != c->log_last + 1)
		err = -EBADMSG;
	if (err == -EBADMSG || err == -EKEYREJECTED || err == -EPROTONOSUPPORT)
		return reason_set(why, err,
			"store: chunk %" PRIu64
			" of the log of changes has been altered or is missing; restore the file "
			"from a backup",
			next);
	if (err)
		return reason_set(why, err, "store cannot be read (log): %s", db_error(s->writer));
	return 0;
}

/* Are records of that origin this node's to tell. */
static bool is_own(const struct store_state *state, uint64_t origin)
{
	if (origin == state->origin)
		return true;
	for (unsigned int i = 0; i < state->n_adopted; i++) {
		if (state->adopted[i] == origin)
			return true;
	}
	return false;
}

/* The record that was read, without what only concerns this node. */
static int append_again(struct store *s, const struct store_record *r)
{
	size_t len = record_encode(&r->subscriber, r->stamp, 0, s->plain, RECORD_MAX);
	int err = len ? store_log_append(s, r->subscriber.psk_id, s->plain, len) : -EINVAL;

	secret_wipe(s->plain, len);
	return err;
}

/* 1: there are more, 0: that was the last, -errno. */
static int relog_some(struct store *s, unsigned int records)
{
	struct store_relog *relog = &s->relog;
	struct db_statement *q = s->query[Q_LOG_SCAN];
	int got = 1, err = 0;

	db_bind_blob(q, 1, relog->after, relog->after_len);
	while (!err && records > 0 && (got = db_step(q)) == 1) {
		err = store_open_row(s, q, s->claimant);
		if (!err && is_own(&s->pending, s->claimant->stamp.origin))
			err = append_again(s, s->claimant);
		records--;
	}
	db_reset(q);
	if (err || got < 0)
		return err ? err : got;
	/* the statement's parameter, so not before it is reset */
	relog->after_len = s->claimant->subscriber.psk_id.len;
	memcpy(relog->after, s->claimant->psk_id, relog->after_len);
	return got;
}

static int relog_end(struct store *s)
{
	struct db_statement *q = s->query[Q_LOG_DROP];
	struct store_state *state = &s->pending;
	int err = store_log_flush(s);

	if (err)
		return err;
	db_bind_int(q, 1, (int64_t)s->relog.until);
	err = db_run(q);
	state->log_first = s->relog.until + 1;
	state->log_records -= s->relog.records;
	state->is_log_complete = true;
	return err;
}

int store_relog_step(struct store *s, unsigned int records)
{
	int got, err;

	if (s->is_open)
		return -EBUSY;
	if (s->logging == STORE_LOG_OFF)
		return -EINVAL;
	if (!s->relog.is_running)
		s->relog = (struct store_relog){.is_running = true,
			.until = s->committed.log_last,
			.records = s->committed.log_records};
	err = store_begin(s);
	if (err)
		return err;
	got = relog_some(s, records);
	err = got < 0 ? got : got == 0 ? relog_end(s) : 0;
	if (!err)
		err = store_commit(s);
	if (err || got == 0)
		s->relog.is_running = false;
	store_abort(s); /* nothing after a commit */
	return err ? err : got;
}

int store_log_skip(struct store *s, uint64_t sequence)
{
	struct db_statement *q = s->query[Q_LOG_DROP];
	int err = store_begin(s);

	if (err)
		return err;
	s->relog.is_running = false;
	db_bind_int(q, 1, INT64_MAX);
	err = db_run(q);
	if (sequence > s->pending.log_last)
		s->pending.log_last = sequence;
	s->pending.log_first = s->pending.log_last + 1;
	s->pending.log_records = 0;
	s->pending.is_log_complete = false;
	if (!err)
		err = store_commit(s);
	store_abort(s); /* nothing after a commit */
	return err;
}

int store_adopt(struct store *s, uint64_t origin)
{
	struct store_state *state = &s->pending;

	if (!s->is_open || origin == 0)
		return -EINVAL;
	for (unsigned int i = 0; i < state->n_cursors; i++) {
		if (state->cursors[i].origin == origin)
			state->cursors[i] = state->cursors[--state->n_cursors];
	}
	if (is_own(state, origin))
		return 0;
	if (state->n_adopted == STORE_ORIGINS_MAX)
		return -ENOSPC;
	s->relog.is_running = false; /* it may have passed over some of them */
	state->adopted[state->n_adopted++] = origin;
	state->is_log_complete = false;
	return 0;
}

uint64_t store_cursor(const struct store *s, uint64_t origin)
{
	const struct store_state *c = &s->committed;

	for (unsigned int i = 0; i < c->n_cursors; i++) {
		if (c->cursors[i].origin == origin)
			return c->cursors[i].sequence;
	}
	return 0;
}

int store_set_cursor(struct store *s, uint64_t origin, uint64_t sequence)
{
	struct store_state *state = &s->pending;
	unsigned int i = 0;

	if (!s->is_open || origin == 0 || origin == state->origin)
		return -EINVAL;
	while (i < state->n_cursors && state->cursors[i].origin != origin)
		i++;
	if (i == STORE_ORIGINS_MAX)
		return -ENOSPC;
	if (i == state->n_cursors)
		state->n_cursors++;
	state->cursors[i] = (struct store_cursor){origin, sequence};
	return 0;
}

unsigned int store_cursors(const struct store *s, struct store_cursor out[STORE_ORIGINS_MAX])
{
	memcpy(out, s->committed.cursors, s->committed.n_cursors * sizeof(out[0]));
	return s->committed.n_cursors;
}
