/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A subscriber as a stored record: what is sealed. struct ipc_subscriber is its form in memory; the
 * PSK id is the record's name, not part of it. A removed subscriber leaves a record (tombstone), so
 * that an older record cannot come back.
 */
#ifndef TKMS_CONTROL_RECORD_H
#define TKMS_CONTROL_RECORD_H

#include "common/ipc/ipc.h"

enum {
	RECORD_MAX = 2 + 2 + IPC_KEY_MAX + 8 + 4 + 1 + IPC_UIDS_MAX * (2 + IDENTITY_MAX),
};

/* Octets, or 0 when it does not fit. */
size_t record_encode(const struct ipc_subscriber *s, uint8_t *buf, size_t cap);
/* Identities point into buf; psk_id is left as it is. 0, -EBADMSG, -EPROTONOSUPPORT (a newer
 * format). */
int record_decode(struct ipc_subscriber *s, const uint8_t *buf, size_t len);

/* Same PSK, UIDs in the same order, expiry and roles. */
bool record_equal(const struct ipc_subscriber *a, const struct ipc_subscriber *b);

#endif
