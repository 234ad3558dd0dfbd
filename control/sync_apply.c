/* SPDX-License-Identifier: BSD-3-Clause */
/* From the queue into the store: many chunks in a transaction, a slice of some milliseconds at a
 * time, and whoever else wants the store comes first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "common/ipc/cursor.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/sync_private.h"

enum { SLICE_MS = 20 };

void sync_drop_queue(struct sync *s)
{
	while (s->first) {
		struct sync_chunk *chunk = s->first;

		s->first = chunk->next;
		free(chunk);
	}
	s->last = &s->first;
	s->n_queue = 0;
}

/* Nothing of the transaction counts; it is all read again, a little later. */
static void fail(struct sync *s, int err)
{
	if (s->is_open)
		store_abort(s->store);
	s->is_open = false;
	sync_note(s, "changes of subscribers cannot be stored",
		err == -ENOSPC ? "no space left on device" : strerror(-err));
	sync_drop_queue(s);
	sync_read_reset(s);
	s->work_at_ms = clock_mono_ms() + SYNC_RETRY_MS;
}

/* A log that was written anew and has nothing new in it moves the cursor all the same. */
static bool has_moved(const struct sync *s)
{
	for (unsigned int i = 0; i < s->n_peers; i++) {
		if (s->peers[i]->contiguous != store_cursor(s->store, s->peers[i]->origin))
			return true;
	}
	return false;
}

static int set_cursors(struct sync *s)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < s->n_peers; i++) {
		struct sync_peer *peer = s->peers[i];

		if (peer->contiguous != store_cursor(s->store, peer->origin))
			err = store_set_cursor(s->store, peer->origin, peer->contiguous);
	}
	return err;
}

static void commit(struct sync *s)
{
	int err = set_cursors(s);

	if (!err)
		err = store_commit(s->store);
	if (err) {
		fail(s, err);
		return;
	}
	s->is_open = false;
	s->owner.changed(s->owner.arg);
}

/* Somebody else wants to change the store. */
static void give_way(void *arg)
{
	struct sync *s = arg;

	if (s->is_open)
		commit(s);
}

static int open_transaction(struct sync *s)
{
	const struct store_guest guest = {give_way, s};
	int err = store_begin_guest(s->store, &guest);

	if (!err) {
		s->is_open = true;
		s->opened_ms = clock_mono_ms();
	}
	return err;
}

static int open_chunk(struct sync *s, const struct sync_chunk *chunk)
{
	char origin[BUS_ORIGIN_TEXT];
	struct seal_name name = {"log", origin, BUS_ORIGIN_TEXT - 1, chunk->sequence};
	int err;

	if (chunk->len < SEAL_OVERHEAD)
		return -EBADMSG;
	bus_origin_text(chunk->peer->origin, origin);
	err = unseal(s->sealer, &name, chunk->sealed, chunk->len, s->plain);
	if (err == -EKEYREJECTED && s->previous)
		err = unseal(s->previous, &name, chunk->sealed, chunk->len, s->plain);
	return err;
}

/* The next record of a chunk: 1, 0 at its end, -EBADMSG. */
static int next_record(struct ipc_reader *r, struct ipc_subscriber *sub, struct record_stamp *stamp)
{
	struct identity record;
	uint64_t suspended;

	if (r->off == r->len)
		return 0;
	sub->psk_id = ipc_get_identity(r, 1, IDENTITY_MAX);
	record = ipc_get_identity(r, 1, (uint16_t)RECORD_MAX);
	if (r->failed || record_decode(sub, stamp, &suspended, record.data, record.len) ||
		stamp->origin == 0)
		return -EBADMSG;
	return 1;
}

static void alarm_contested(struct sync *s, uint64_t n, uint64_t origin)
{
	char text[BUS_ORIGIN_TEXT];

	s->status.contested += n;
	bus_origin_text(origin, text);
	log_event(LOG_ERROR,
		"UIDs were given to two PSK ids on two nodes; the newer record has them",
		F_TEXT("origin", text), F_UINT("uids", n));
}

/* 0, -EBADMSG (nothing was changed: all is checked before), or what the store says. */
static int apply_chunk(struct sync *s, const struct sync_chunk *chunk)
{
	size_t len = chunk->len - SEAL_OVERHEAD;
	struct ipc_reader r = {.buf = s->plain, .len = len};
	struct store_applied applied = {0};
	struct ipc_subscriber sub;
	struct record_stamp stamp;
	int got, err = 0;

	while ((got = next_record(&r, &sub, &stamp)) == 1)
		;
	if (got < 0)
		return got;
	r = (struct ipc_reader){.buf = s->plain, .len = len};
	while (!err && next_record(&r, &sub, &stamp) == 1)
		err = store_apply(s->store, &sub, stamp, s->settings.max_skew_ms, &applied);
	if (err)
		return err;
	s->status.applied += applied.changed;
	s->status.older += applied.older;
	if (applied.contested)
		alarm_contested(s, applied.contested, chunk->peer->origin);
	return 0;
}

/* Chunks after a gap are read again once it is closed: what is known already does no harm. */
static void move_on(struct sync_peer *peer, uint64_t sequence)
{
	if (sequence != peer->contiguous + 1)
		return;
	peer->contiguous = sequence;
	if (peer->gap == sequence) {
		peer->gap = 0;
		peer->read_to = sequence;
		if (peer->gap_is_told)
			log_event(LOG_INFO, "changes that were missing have come",
				F_UINT("chunk", sequence));
	}
}

static int take_chunk(struct sync *s, struct sync_chunk *chunk)
{
	int err = open_chunk(s, chunk);

	if (!err) {
		err = apply_chunk(s, chunk);
		secret_wipe(s->plain, chunk->len - SEAL_OVERHEAD);
		if (err && err != -EBADMSG)
			return err;
	}
	if (err) {
		s->status.forged++;
		sync_gap(chunk->peer, chunk->sequence);
	} else {
		move_on(chunk->peer, chunk->sequence);
	}
	return 0;
}

void sync_apply_some(struct sync *s)
{
	uint64_t began = clock_mono_ms();
	int err = 0;

	if (!s->is_open && (s->first || has_moved(s)))
		err = open_transaction(s);
	if (err == -EBUSY) {
		sync_schedule(s, SYNC_BUSY_MS);
		return;
	}
	while (!err && s->first && clock_mono_ms() - began < SLICE_MS) {
		struct sync_chunk *chunk = s->first;

		s->first = chunk->next;
		if (!s->first)
			s->last = &s->first;
		s->n_queue--;
		err = take_chunk(s, chunk);
		free(chunk);
	}
	if (err) {
		fail(s, err);
		return;
	}
	if (s->is_open && (!s->first || clock_mono_ms() - s->opened_ms > SYNC_TRANSACTION_MS))
		commit(s);
	sync_fetch(s);
	if (s->first)
		sync_schedule(s, 0);
}
