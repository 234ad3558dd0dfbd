/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node says of itself to the others, several times a second, as a sealed record on the bus
 * (table BUS_NODES; its version is a counter that grows with every heartbeat, also over restarts).
 * Encoding and decoding are pure; decoders accept any octets. Fields are only ever added, at the
 * end: a reader passes over what it does not know, and takes what is missing as zero.
 */
#ifndef TKMS_CONTROL_HEARTBEAT_H
#define TKMS_CONTROL_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/keys.h"

enum {
	HEARTBEAT_NAME_MAX = 63,
	HEARTBEAT_VERSION_MAX = 31,
	HEARTBEAT_CURSORS_MAX = 256,
};

enum heartbeat_role { ROLE_REQUEST = 1 << 0, ROLE_RESOLVE = 1 << 1 };

/* A sealing key as the data plane of the node has acknowledged it. */
struct heartbeat_key {
	char id[KEYS_ID_MAX + 1];
	uint8_t state; /* enum key_state */
};

/* How far the node has read the changes of an origin (control/sync.h). */
struct heartbeat_cursor {
	uint64_t origin, sequence;
};

struct heartbeat {
	char name[HEARTBEAT_NAME_MAX + 1];
	char version[HEARTBEAT_VERSION_MAX + 1]; /* of the program */
	uint32_t roles;				 /* enum heartbeat_role */
	bool is_draining, is_drained;
	bool is_serving;	      /* a data plane is connected, loaded and in sync */
	int64_t time_ms;	      /* wall clock, milliseconds since 1900 */
	uint64_t keyring_version;     /* of its record in BUS_KEYRINGS */
	uint64_t keyring_epoch;	      /* held by its data plane */
	uint32_t load_permille;	      /* busiest worker */
	uint64_t log_first, log_last; /* sequence numbers of its changes that are in Redis */
	unsigned int n_held;
	struct heartbeat_key held[KEYS_MAX];
	unsigned int n_cursors;
	struct heartbeat_cursor cursors[HEARTBEAT_CURSORS_MAX];
};

/* Octets needed or written, 0 when it does not fit; buf NULL counts. */
size_t heartbeat_encode(const struct heartbeat *h, uint8_t *buf, size_t cap);
/* 0, -EBADMSG. */
int heartbeat_decode(struct heartbeat *h, const uint8_t *buf, size_t len);

#endif
