/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ipc/ipc.h"

#include <errno.h>

#include "common/ipc/cursor.h"

enum { RECORD_PUT = 0, RECORD_REMOVE = 1 };

size_t ipc_subscriber_encode(const struct ipc_subscriber *s, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	if (s->n_uids > IPC_UIDS_MAX)
		return 0;
	ipc_put_uint(&w, s->remove ? RECORD_REMOVE : RECORD_PUT, 1);
	ipc_put_identity(&w, s->psk_id, IDENTITY_MAX);
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

int ipc_subscriber_decode(struct ipc_subscriber *s, const uint8_t *buf, size_t len, size_t *off)
{
	struct ipc_reader r = {.buf = buf, .len = len, .off = *off};

	memset(s, 0, sizeof(*s));
	if (*off > len)
		return -EBADMSG;
	if (*off == len)
		return 0;
	s->remove = ipc_get_max(&r, 1, RECORD_REMOVE) == RECORD_REMOVE;
	s->psk_id = ipc_get_identity(&r, 1, IDENTITY_MAX);
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
	if (r.failed)
		return -EBADMSG;
	*off = r.off;
	return 1;
}
