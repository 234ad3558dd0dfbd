/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/load.h"

#include <errno.h>
#include <string.h>

#include "dataplane/log.h"

enum { EXPECTED_MIN = 1024, RECORD_OCTETS_MIN = 64, REFUSED_LOGGED_MAX = 10 };

static int apply(
	struct subscriber_table *table, struct crypto *crypto, const struct ipc_subscriber *s)
{
	struct subscriber_spec spec = {
		.psk_id = s->psk_id,
		.psk = s->psk.data,
		.psk_len = s->psk.len,
		.uids = s->uids,
		.n_uids = s->n_uids,
		.expires = s->expires,
		.roles = s->roles,
	};
	int err;

	if (!s->remove)
		return subscriber_table_put(table, crypto, &spec);
	err = subscriber_table_remove(table, s->psk_id);
	return err == -ENOENT ? 0 : err; /* gone is gone */
}

static bool is_fatal(int err)
{
	return err == -EBADMSG || err == -ENOMEM;
}

static int apply_all(
	struct subscriber_table *table, struct crypto *crypto, const uint8_t *buf, size_t len)
{
	struct ipc_subscriber record;
	unsigned int n = 0, refused = 0;
	size_t off = 0;
	int first = 0, err, got;

	while ((got = ipc_subscriber_decode(&record, buf, len, &off)) > 0) {
		err = apply(table, crypto, &record);
		if (err && refused++ < REFUSED_LOGGED_MAX)
			log_line(LOG_ERROR, "subscriber refused",
				"record=%u psk_id=\"%.*s\" error=\"%s\"", n, (int)record.psk_id.len,
				(const char *)record.psk_id.data, strerror(-err));
		if (err && (!first || is_fatal(err)))
			first = err;
		if (is_fatal(err))
			break;
		n++;
	}
	if (refused > REFUSED_LOGGED_MAX)
		log_line(LOG_ERROR, "more subscribers refused", "records=%u", refused);
	return got < 0 ? got : first;
}

static int begin(struct load *l, size_t len)
{
	size_t expected = len / RECORD_OCTETS_MIN;

	load_abort(l);
	l->table = subscriber_table_new(expected > EXPECTED_MIN ? expected : EXPECTED_MIN);
	return l->table ? 0 : -ENOMEM;
}

static int full_part(struct load *l, const uint8_t *buf, size_t len, uint32_t flags)
{
	int err = flags & IPC_LOAD_FIRST ? begin(l, len) : 0;

	if (!err)
		err = apply_all(l->table, l->crypto, buf, len);
	if (is_fatal(err)) {
		load_abort(l);
		l->skipping = !(flags & IPC_LOAD_LAST);
		return err;
	}
	if (flags & IPC_LOAD_LAST) {
		struct subscriber_table *table = l->table;

		l->table = NULL;
		subscribers_publish(l->shared, table);
		log_line(LOG_INFO, "subscribers loaded", "subscribers=%zu",
			subscriber_table_count(table));
	}
	return err;
}

int load_part(struct load *l, const uint8_t *buf, size_t len, uint32_t flags)
{
	int err;

	if ((flags & IPC_LOAD_FIRST) || l->table)
		return full_part(l, buf, len, flags);
	if (l->skipping) {
		l->skipping = !(flags & IPC_LOAD_LAST);
		return -ECANCELED;
	}
	if ((flags & IPC_LOAD_LAST) || !l->shared->subscribers)
		return -EPROTO;
	err = apply_all(l->shared->subscribers, l->crypto, buf, len);
	subscriber_table_reclaim(l->shared->subscribers);
	return err;
}

void load_abort(struct load *l)
{
	if (l->table)
		subscriber_table_free(l->table);
	l->table = NULL;
	l->skipping = false;
}
