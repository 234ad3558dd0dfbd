/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control/keys*.c. */
#ifndef TKMS_CONTROL_KEYS_PRIVATE_H
#define TKMS_CONTROL_KEYS_PRIVATE_H

#include "control/keys.h"

/* Wipes the octets; state is one of the dead ones. */
void keys_erase(struct key *key, enum key_state state);
void keys_forget(struct keys *k, unsigned int i);
/* Room for one more key: 0, -ENOSPC. */
int keys_make_room(struct keys *k, int64_t now);
/* A new published key whose time starts at seals_from, or after those of all others. */
int keys_create(struct keys *k, const struct keys_schedule *s, int64_t now, int64_t seals_from);
/* Keys that were outranked by one that is or was active retire. */
void keys_settle(struct keys *k);
void keys_make_active(struct keys *k, struct key *key);
/* Nobody needs the name of the dead key any more. */
bool key_is_forgettable(const struct key *key, const struct keys_schedule *s, int64_t now);

#endif
