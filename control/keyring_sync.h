/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyring in a replica set: takes in the documents of the other nodes, says what this node
 * holds, and knows whom the life of a key depends on. Without a set it does next to nothing. One
 * thread, the event loop's.
 *
 * A document of another node is joined into an inbox first; control_step_keys() joins the inbox
 * into the keyring and stores it, as soon as the store can be written.
 */
#ifndef TKMS_CONTROL_KEYRING_SYNC_H
#define TKMS_CONTROL_KEYRING_SYNC_H

#include "control/cluster.h"
#include "control/keys.h"

struct control;
struct keyring_sync;

/* Belongs to c, which has its keyring. NULL: ENOMEM. */
struct keyring_sync *keyring_sync_new(struct control *c);
void keyring_sync_free(struct keyring_sync *s);

/* The bus to write to (copied); before the loop runs. */
void keyring_sync_attach(struct keyring_sync *s, const struct cluster_bus *bus);

/* From the bus: a record of BUS_KEYRINGS. 0 (also when the document was refused: alarmed), -EBADMSG
 * (it cannot be decoded), -EPROTONOSUPPORT. */
int keyring_sync_record(
	struct keyring_sync *s, uint64_t origin, uint64_t version, const void *plain, size_t len);
/* The first reading has ended. */
void keyring_sync_caught_up(struct keyring_sync *s);

/* Joins what has come into k. Bits: 1 if k has changed. */
int keyring_sync_join(struct keyring_sync *s, struct keys *k);
/* The keyring in force has changed: it is said on the bus. */
void keyring_sync_committed(struct keyring_sync *s);
/* The link's status has changed. */
void keyring_sync_acknowledged(struct keyring_sync *s);

/* For the own heartbeat. */
void keyring_sync_fill(struct keyring_sync *s, struct heartbeat *h);
/* For keys_step(); valid until the event loop runs again. */
void keyring_sync_situation(struct keyring_sync *s, struct keys_situation *at);
/* May the data plane have the keyring: not before a new node has joined its set. */
bool keyring_sync_may_serve(const struct keyring_sync *s);
/* R4: no other side of a divided store can have a key that we do not know of. Looks at the clock.
 */
bool keyring_sync_is_in_sync(struct keyring_sync *s);
/* Has that changed since the last call. */
bool keyring_sync_has_turned(struct keyring_sync *s);
/* Has a new node met enough of the others, and what they have: it is a member from now on. */
bool keyring_sync_is_admitted(struct keyring_sync *s, const struct keys *k);

/* Other members, dead or alive, that have not acknowledged a revocation. */
typedef void (*keyring_sync_name_fn)(void *arg, const char *name, bool is_alive);
void keyring_sync_unrevoked(
	struct keyring_sync *s, const char *id, keyring_sync_name_fn fn, void *arg);
/* Live members whose data plane does not hold the key. */
void keyring_sync_lacking(
	struct keyring_sync *s, const char *id, keyring_sync_name_fn fn, void *arg);

/* Why the keyring's life stands still, for status; "" if it does not. */
const char *keyring_sync_explain(struct keyring_sync *s);
uint64_t keyring_sync_refused(const struct keyring_sync *s);

#endif
