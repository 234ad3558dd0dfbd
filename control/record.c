/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/record.h"

#include <errno.h>

#include "common/crypto/secret.h"
#include "common/ipc/cursor.h"

enum { FORMAT_WITHOUT_STAMP = 1, FORMAT = 2, LIVE = 0, REMOVED = 1 };

_Static_assert(IPC_UIDS_MAX <= 64, "a bit for each UID");

size_t record_encode(const struct ipc_subscriber *s, struct record_stamp stamp, uint64_t suspended,
	uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	if (s->n_uids > IPC_UIDS_MAX)
		return 0;
	ipc_put_uint(&w, FORMAT, 1);
	ipc_put_uint(&w, s->remove ? REMOVED : LIVE, 1);
	ipc_put_uint(&w, stamp.time, 8);
	ipc_put_uint(&w, stamp.origin, 8);
	ipc_put_uint(&w, suspended, 8);
	if (s->remove)
		return ipc_writer_end(&w);
	ipc_put_identity(&w, s->psk, IPC_KEY_MAX);
	ipc_put_uint(&w, (uint64_t)s->expires, 8);
	ipc_put_uint(&w, s->roles, 4);
	ipc_put_uint(&w, s->n_uids, 1);
	for (unsigned int i = 0; i < s->n_uids; i++)
		ipc_put_identity(&w, s->uids[i], IDENTITY_MAX);
	return ipc_writer_end(&w);
}

int record_decode(struct ipc_subscriber *s, struct record_stamp *stamp, uint64_t *suspended,
	const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};
	uint64_t format = ipc_get_uint(&r, 1);

	if (format > FORMAT)
		return -EPROTONOSUPPORT;
	if (format != FORMAT && format != FORMAT_WITHOUT_STAMP)
		return -EBADMSG;
	s->remove = ipc_get_max(&r, 1, REMOVED) == REMOVED;
	*stamp = (struct record_stamp){0};
	*suspended = 0;
	if (format == FORMAT) {
		/* as SQLite's integers, with room for what comes after it */
		stamp->time = ipc_get_max(&r, 8, INT64_MAX / 2);
		stamp->origin = ipc_get_uint(&r, 8);
		*suspended = ipc_get_uint(&r, 8);
	}
	s->n_uids = 0;
	if (!s->remove) {
		s->psk = ipc_get_identity(&r, IPC_KEY_MIN, IPC_KEY_MAX);
		s->expires = ipc_get_time(&r);
		s->roles = (uint32_t)ipc_get_uint(&r, 4);
		s->n_uids = (unsigned int)ipc_get_max(&r, 1, IPC_UIDS_MAX);
		if (s->n_uids == 0)
			r.failed = true;
		for (unsigned int i = 0; i < s->n_uids && !r.failed; i++)
			s->uids[i] = ipc_get_identity(&r, 1, IDENTITY_MAX);
	}
	return r.failed || r.off != len ? -EBADMSG : 0;
}

bool record_equal(const struct ipc_subscriber *a, const struct ipc_subscriber *b)
{
	if (a->remove != b->remove || a->psk.len != b->psk.len ||
		!secret_equal(a->psk.data, b->psk.data, a->psk.len) || a->expires != b->expires ||
		a->roles != b->roles || a->n_uids != b->n_uids)
		return false;
	for (unsigned int i = 0; i < a->n_uids; i++) {
		if (!identity_equal(a->uids[i], b->uids[i]))
			return false;
	}
	return true;
}
