/* SPDX-License-Identifier: BSD-3-Clause */
/* What is sent to the data plane: snapshots, full loads and deltas of subscribers. */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/link_private.h"
#include "control/log.h"

/* Moves len octets of the buffer into a memfd of their own. */
static int pack(struct link *l, struct link_message *m, const char *name, size_t len)
{
	m->fd = -1;
	m->map = NULL;
	m->len = len;
	m->header.length = (uint32_t)len;
	if (len == 0)
		return 1;
	m->fd = ipc_memfd_create(name, len, &m->map);
	if (m->fd >= 0)
		memcpy(m->map, l->buffer, len);
	secret_wipe(l->buffer, len);
	if (m->fd < 0) {
		log_event(LOG_ERROR, "memory for the data plane cannot be had",
			F_TEXT("error", strerror(-m->fd)),
			F_TEXT("fix", "raise RLIMIT_MEMLOCK (ulimit -l, LimitMEMLOCK=)"));
		return m->fd;
	}
	return 1;
}

int link_make_snapshot(struct link *l, struct link_message *m)
{
	size_t len;

	if (!l->must_send_snapshot)
		return 0;
	l->owner.snapshot(l->owner.arg, &l->snapshot);
	len = ipc_snapshot_encode(&l->snapshot, l->buffer, LINK_SNAPSHOT_MAX);
	if (len == 0) {
		log_event(LOG_ERROR, "snapshot cannot be encoded");
		return -EINVAL;
	}
	*m = (struct link_message){.kind = LINK_SNAPSHOT,
		.version = l->snapshot.addresses_version,
		.header = {.type = IPC_SNAPSHOT, .epoch = l->snapshot.epoch}};
	return pack(l, m, "tkms-snapshot", len);
}

void link_reset_load(struct link *l)
{
	l->load = LOAD_WANTED;
	l->load_is_first = true;
	l->cursor_len = 0;
	l->sent_version = 0;
	l->status.version_acknowledged = 0;
	l->status.is_loaded = false;
}

/* The next record in the order of the load: 1, 0, -errno. */
static int next_record(struct link *l, enum link_kind kind)
{
	struct identity cursor = {l->cursor, l->cursor_len};

	return kind == LINK_FULL ? store_next_by_id(l->store, cursor, l->record)
				 : store_next_by_version(l->store, l->sent_version, l->record);
}

static void move_cursor(struct link *l, enum link_kind kind)
{
	const struct identity *id = &l->record->subscriber.psk_id;

	if (kind == LINK_FULL) {
		memcpy(l->cursor, id->data, id->len);
		l->cursor_len = id->len;
	} else {
		l->sent_version = l->record->version;
	}
}

/* Fills the buffer from the cursor on. 1: there may be more, 0: that was the rest, -errno. */
static int fill(struct link *l, enum link_kind kind, size_t *len)
{
	int got;

	*len = 0;
	while ((got = next_record(l, kind)) == 1) {
		size_t n;

		store_record_serve(l->record);
		if (kind == LINK_FULL && l->record->subscriber.remove) {
			move_cursor(l, kind);
			continue;
		}
		n = ipc_subscriber_encode(
			&l->record->subscriber, l->buffer + *len, LINK_CHUNK - *len);
		if (n == 0)
			break;
		*len += n;
		move_cursor(l, kind);
	}
	store_next_end(l->store);
	if (got < 0) {
		secret_wipe(l->buffer, *len);
		log_event(LOG_ERROR, "subscribers cannot be read from the store",
			F_TEXT("error", strerror(-got)), F_TEXT("store", store_error(l->store)));
	}
	return got;
}

int link_make_full(struct link *l, struct link_message *m)
{
	size_t len;
	int more;

	if (l->load == LOAD_DONE)
		return 0;
	if (l->load == LOAD_WANTED) {
		if (l->n_flight)
			return 0; /* acknowledgements of the load before must not be taken for this
				     one's */
		link_reset_load(l);
		l->load = LOAD_RUNNING;
		l->load_version = store_version(l->store);
	}
	more = fill(l, LINK_FULL, &len);
	if (more < 0)
		return more;
	*m = (struct link_message){.kind = LINK_FULL, .header = {.type = IPC_SUBSCRIBERS}};
	m->header.flags = (l->load_is_first ? IPC_LOAD_FIRST : 0u) | (more ? 0u : IPC_LOAD_LAST);
	l->load_is_first = false;
	if (!more) {
		l->load = LOAD_DONE;
		l->sent_version = l->load_version;
		m->version = l->load_version;
	}
	return pack(l, m, "tkms-subscribers", len);
}

int link_make_delta(struct link *l, struct link_message *m)
{
	size_t len;
	int more;

	if (l->load != LOAD_DONE || l->sent_version >= store_version(l->store))
		return 0;
	more = fill(l, LINK_DELTA, &len);
	if (more < 0)
		return more;
	if (len == 0) {
		/* the state record says that there is more than there is */
		log_event(LOG_ERROR, "subscribers are missing in the store");
		return -EUCLEAN;
	}
	*m = (struct link_message){.kind = LINK_DELTA,
		.header = {.type = IPC_SUBSCRIBERS},
		.version = l->sent_version};
	return pack(l, m, "tkms-subscribers", len);
}
