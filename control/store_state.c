/* SPDX-License-Identifier: BSD-3-Clause */
/* The sealed state record: what the store says about itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "common/ipc/cursor.h"
#include "control/store_private.h"

enum {
	STATE_FORMAT_ALONE = 1, /* before there were replica sets */
	STATE_FORMAT = 2,
	STATE_MAX = 1 + 10 * 8 + 1 + 2 * 2 + STORE_ORIGINS_MAX * 24,
};

size_t store_state_encode(const struct store_state *state, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	ipc_put_uint(&w, STATE_FORMAT, 1);
	ipc_put_uint(&w, state->keyring_epoch, 8);
	ipc_put_uint(&w, state->version, 8);
	ipc_put_uint(&w, state->live, 8);
	ipc_put_uint(&w, state->removed, 8);
	ipc_put_uint(&w, state->version_sum, 8);
	ipc_put_uint(&w, state->origin, 8);
	ipc_put_uint(&w, state->stamp_time, 8);
	ipc_put_uint(&w, state->log_first, 8);
	ipc_put_uint(&w, state->log_last, 8);
	ipc_put_uint(&w, state->log_records, 8);
	ipc_put_uint(&w, state->is_log_complete, 1);
	ipc_put_uint(&w, state->n_adopted, 2);
	for (unsigned int i = 0; i < state->n_adopted; i++)
		ipc_put_uint(&w, state->adopted[i], 8);
	ipc_put_uint(&w, state->n_cursors, 2);
	for (unsigned int i = 0; i < state->n_cursors; i++) {
		ipc_put_uint(&w, state->cursors[i].origin, 8);
		ipc_put_uint(&w, state->cursors[i].sequence, 8);
	}
	return ipc_writer_end(&w);
}

static void decode_replica(struct store_state *state, struct ipc_reader *r)
{
	state->origin = ipc_get_uint(r, 8);
	state->stamp_time = ipc_get_max(r, 8, INT64_MAX / 2);
	state->log_first = ipc_get_max(r, 8, INT64_MAX);
	state->log_last = ipc_get_max(r, 8, INT64_MAX);
	state->log_records = ipc_get_uint(r, 8);
	state->is_log_complete = ipc_get_max(r, 1, 1) == 1;
	state->n_adopted = (unsigned int)ipc_get_max(r, 2, STORE_ORIGINS_MAX);
	for (unsigned int i = 0; i < state->n_adopted; i++)
		state->adopted[i] = ipc_get_uint(r, 8);
	state->n_cursors = (unsigned int)ipc_get_max(r, 2, STORE_ORIGINS_MAX);
	for (unsigned int i = 0; i < state->n_cursors; i++) {
		state->cursors[i].origin = ipc_get_uint(r, 8);
		state->cursors[i].sequence = ipc_get_max(r, 8, INT64_MAX);
	}
	if (state->origin == 0)
		r->failed = true;
}

int store_state_decode(struct store_state *state, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};
	uint64_t format = ipc_get_uint(&r, 1);

	if (format > STATE_FORMAT)
		return -EPROTONOSUPPORT;
	state->keyring_epoch = ipc_get_uint(&r, 8);
	state->version = ipc_get_uint(&r, 8);
	state->live = ipc_get_uint(&r, 8);
	state->removed = ipc_get_uint(&r, 8);
	state->version_sum = ipc_get_uint(&r, 8);
	if (format == STATE_FORMAT)
		decode_replica(state, &r);
	return format == 0 || r.failed || r.off != len ? -EBADMSG : 0;
}

int store_make_origin(struct store_state *state)
{
	int err = 0;

	while (!err && state->origin == 0)
		err = secret_random(&state->origin, sizeof(state->origin));
	return err;
}

static struct seal_name state_name(uint64_t generation)
{
	return (struct seal_name){STORE_TYPE_STATE, "state", 5, generation};
}

int store_state_load(struct store *s)
{
	struct db_statement *q = s->query[Q_STATE_GET];
	struct store_state *state = &s->committed;
	uint8_t plain[STATE_MAX];
	const uint8_t *sealed;
	size_t len;
	int err = db_step(q);

	if (err == 1) {
		struct seal_name name = state_name((uint64_t)db_column_int(q, 0));

		sealed = db_column_blob(q, 1, &len);
		err = len > SEAL_OVERHEAD && len <= STATE_MAX + SEAL_OVERHEAD
			      ? unseal(s->sealer, &name, sealed, len, plain)
			      : -EBADMSG;
		if (!err)
			err = store_state_decode(state, plain, len - SEAL_OVERHEAD);
		state->generation = name.version;
		if (!err)
			memcpy(s->kek_id, sealed_kek_id(sealed, len), sizeof(s->kek_id));
	} else if (err == 0) {
		err = -EUCLEAN;
	}
	db_reset(q);
	return err;
}

int store_state_save(struct store *s, struct store_state *state)
{
	struct db_statement *q = s->query[Q_STATE_PUT];
	struct seal_name name = state_name(++state->generation);
	uint8_t plain[STATE_MAX], sealed[STATE_MAX + SEAL_OVERHEAD];
	size_t len = store_state_encode(state, plain, sizeof(plain));
	int err = len ? seal(s->sealer, &name, plain, len, sealed) : -EINVAL;

	if (err)
		return err;
	db_bind_int(q, 1, (int64_t)state->generation);
	db_bind_blob(q, 2, sealed, len + SEAL_OVERHEAD);
	return db_run(q);
}
