/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading many records: in order for the data plane, and all of them when a store is opened. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/store_private.h"

static int next(struct store *s, struct db_statement *q, struct store_record *r)
{
	int got = db_step(q), err;

	if (got != 1)
		return got;
	err = store_open_row(s, q, r);
	return err ? err : 1;
}

int store_next_by_id(struct store *s, struct identity after, struct store_record *r)
{
	struct db_statement *q = s->query[Q_READ_BY_ID];
	int got;

	if (s->scan != q) {
		store_next_end(s);
		memcpy(s->after, after.data, after.len);
		db_bind_blob(q, 1, s->after, after.len);
		s->scan = q;
	}
	got = next(s, q, r);
	/* the index said it lives, its record knows */
	return got == 1 && r->subscriber.remove ? -EBADMSG : got;
}

int store_next_by_version(struct store *s, uint64_t after, struct store_record *r)
{
	struct db_statement *q = s->query[Q_READ_BY_VERSION];

	if (s->scan != q) {
		store_next_end(s);
		db_bind_int(q, 1, (int64_t)after);
		s->scan = q;
	}
	return next(s, q, r);
}

void store_next_end(struct store *s)
{
	if (s->scan)
		db_reset(s->scan);
	s->scan = NULL;
}

/* Every UID of the record is in the index, as this record's. */
static int check_uids(struct store *s, const struct ipc_subscriber *subscriber)
{
	struct db_statement *q = s->query[Q_UID_HAS];
	int err = 0;

	for (unsigned int i = 0; !err && i < subscriber->n_uids; i++) {
		int got;

		db_bind_blob(q, 1, subscriber->uids[i].data, subscriber->uids[i].len);
		db_bind_blob(q, 2, subscriber->psk_id.data, subscriber->psk_id.len);
		got = db_step(q);
		if (got != 1)
			err = got ? got : -EBADMSG;
		db_reset(q);
	}
	return err;
}

struct tally {
	struct store_state seen;
	uint64_t uids;
	uint8_t last[IDENTITY_MAX];
	uint16_t last_len;
};

/* Counts a record; PSK ids must ascend, so that none can be counted twice. */
static int count(
	struct store *s, const struct store_record *r, bool index_says_removed, struct tally *t)
{
	const struct ipc_subscriber *sub = &r->subscriber;
	uint16_t n = sub->psk_id.len < t->last_len ? sub->psk_id.len : t->last_len;
	int order = memcmp(sub->psk_id.data, t->last, n);

	if (order < 0 || (order == 0 && sub->psk_id.len <= t->last_len) ||
		sub->remove != index_says_removed)
		return -EBADMSG;
	memcpy(t->last, sub->psk_id.data, sub->psk_id.len);
	t->last_len = sub->psk_id.len;
	*(sub->remove ? &t->seen.removed : &t->seen.live) += 1;
	t->seen.version_sum += r->version;
	if (r->version > t->seen.version)
		t->seen.version = r->version;
	t->uids += sub->n_uids;
	return check_uids(s, sub);
}

static int scan_all(struct store *s, struct tally *t)
{
	struct db_statement *q;
	int err = db_prepare(s->writer,
		"SELECT psk_id, version, record, removed FROM subscribers ORDER BY psk_id", &q);

	while (!err) {
		int got = next(s, q, s->old);

		if (got != 1) {
			err = got;
			break;
		}
		err = count(s, s->old, db_column_int(q, 3) != 0, t);
	}
	db_reset(q);
	return err;
}

/* For messages: printable octets of a PSK id. */
static void printable(const struct store *s, char *text, size_t cap)
{
	const struct identity id = s->old->subscriber.psk_id;
	size_t n = 0;

	for (; n + 1 < cap && n < id.len; n++)
		text[n] = id.data[n] > 0x20 && id.data[n] < 0x7f ? (char)id.data[n] : '?';
	text[n] = '\0';
}

int store_verify(struct store *s, struct reason *why)
{
	const struct store_state *c = &s->committed;
	struct tally t = {.uids = 0};
	int64_t uids = 0;
	char id[64];
	int err = scan_all(s, &t);

	if (err == -EBADMSG || err == -EKEYREJECTED || err == -EPROTONOSUPPORT) {
		printable(s, id, sizeof(id));
		return reason_set(why, err,
			"store: the record of subscriber %s has been altered or cannot be read; "
			"restore the file from a backup",
			id);
	}
	if (!err)
		err = db_query_int(s->writer, "SELECT count(*) FROM uids", &uids);
	if (err)
		return reason_set(
			why, err, "store cannot be read (subscribers): %s", db_error(s->writer));
	if (t.seen.live != c->live || t.seen.removed != c->removed ||
		t.seen.version_sum != c->version_sum || t.seen.version > c->version)
		return reason_set(why, -EBADMSG,
			"store: subscribers are missing or older than they were (%" PRIu64
			" found, %" PRIu64 " expected); restore the file from a backup",
			t.seen.live + t.seen.removed, c->live + c->removed);
	if ((uint64_t)uids != t.uids)
		return reason_set(why, -EBADMSG,
			"store: the index of UIDs has been altered; restore the file from a "
			"backup");
	return 0;
}
