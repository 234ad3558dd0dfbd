/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Subscribers as tkms-control sends them. A full load is built into a new table and replaces the
 * old one as a whole when its last part has come: one that breaks off changes nothing. (Until then
 * both need memory.) Deltas change the table that is served. Main thread.
 */
#ifndef TKMS_DATAPLANE_LOAD_H
#define TKMS_DATAPLANE_LOAD_H

#include "dataplane/snapshot.h"

struct load {
	struct shared *shared;
	struct crypto *crypto;
	struct subscriber_table *table; /* of the full load that is under way, NULL: none */
	bool skipping; /* a full load was given up: its further parts are not deltas */
};

/*
 * One part: records in buf, flags of enum ipc_load. 0 or the -errno of the first record that was
 * refused; the others are applied. -EBADMSG (not decodable), -ENOMEM: a full load is given up (its
 * further parts get -ECANCELED), of a delta the rest is left out. -EPROTO: a delta before the first
 * full load.
 */
int load_part(struct load *l, const uint8_t *buf, size_t len, uint32_t flags);

/* Forgets a full load that did not end. */
void load_abort(struct load *l);

#endif
