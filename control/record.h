/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A subscriber as a stored record: what is sealed. struct ipc_subscriber is its form in memory; the
 * PSK id is the record's name, not part of it. A removed subscriber leaves a record (tombstone), so
 * that an older record cannot come back.
 */
#ifndef TKMS_CONTROL_RECORD_H
#define TKMS_CONTROL_RECORD_H

#include "common/ipc/ipc.h"

/* Which change made a record what it is. The larger one wins, on every node. */
struct record_stamp {
	uint64_t time; /* hybrid clock: 2^-16 ms since 1900, larger than that of what it replaced */
	uint64_t origin; /* of the node that made the change */
};

static inline int record_stamp_compare(struct record_stamp a, struct record_stamp b)
{
	if (a.time != b.time)
		return a.time < b.time ? -1 : 1;
	return a.origin < b.origin ? -1 : a.origin > b.origin;
}

enum {
	RECORD_MAX = 2 + 24 + 2 + IPC_KEY_MAX + 8 + 4 + 1 + IPC_UIDS_MAX * (2 + IDENTITY_MAX),
};

/*
 * suspended: bit i says that UID i belongs to a newer record of another PSK id (IPC_UIDS_MAX bits).
 * Octets, or 0 when it does not fit.
 */
size_t record_encode(const struct ipc_subscriber *s, struct record_stamp stamp, uint64_t suspended,
	uint8_t *buf, size_t cap);
/* Identities point into buf; psk_id is left as it is. A record from before there were stamps has
 * time 0 and origin 0. 0, -EBADMSG, -EPROTONOSUPPORT (a newer format). */
int record_decode(struct ipc_subscriber *s, struct record_stamp *stamp, uint64_t *suspended,
	const uint8_t *buf, size_t len);

/* Same PSK, UIDs in the same order, expiry and roles. */
bool record_equal(const struct ipc_subscriber *a, const struct ipc_subscriber *b);

#endif
