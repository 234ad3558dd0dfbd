/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node says of itself to the others, several times a second, as a sealed record on the bus
 * (table BUS_NODES; its version is a counter that grows with every heartbeat, also over restarts).
 * Encoding and decoding are pure; decoders accept any octets.
 *
 *   record: fields in order of their tags; field: u16 tag | u16 length | octets (big-endian)
 *
 * Nodes of different versions understand each other: tags are only ever added, octets are only ever
 * added at the end of a field; a reader passes over what it does not know and takes what is missing
 * as zero.
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
	HEARTBEAT_FORGOTTEN_MAX = 16,
	HEARTBEAT_OCTETS_MAX = 64 * 1024, /* the longest is shorter */
};

enum { HEARTBEAT_KEKS_MAX = 3 };

enum heartbeat_role { ROLE_REQUEST = 1 << 0, ROLE_RESOLVE = 1 << 1 };

/* Why a node wants to hold no addresses. */
enum heartbeat_drain {
	DRAIN_OPERATOR = 1 << 0, /* node drain */
	DRAIN_ENDING = 1 << 1,	 /* SIGTERM */
	DRAIN_CLOCK = 1 << 2,	 /* its clock is off */
	DRAIN_BEHIND = 1 << 3,	 /* it does not catch up with the others */
	DRAIN_STALE = 1 << 4,	 /* no contact for sync.max_staleness */
};

/* A sealing key as the data plane of the node has acknowledged it. */
struct heartbeat_key {
	char id[KEYS_ID_MAX + 1];
	uint8_t state; /* enum key_state */
};

/* How far the node has read the changes of an origin (control/sync.h). */
struct heartbeat_cursor {
	uint64_t origin, sequence;
};

/* A service address that the node claims (control/assignment.h). */
struct heartbeat_claim {
	uint8_t family; /* 4 or 6 */
	bool is_held;	/* its data plane answers for it */
	uint8_t octets[16];
	uint64_t number; /* of several claims to an address the highest is in force */
};

/* A dead member that an operator has taken out (node forget), up to its counter. */
struct heartbeat_forgotten {
	uint64_t origin, counter;
};

struct heartbeat {
	char name[HEARTBEAT_NAME_MAX + 1];
	char version[HEARTBEAT_VERSION_MAX + 1]; /* of the program */
	uint32_t roles;				 /* enum heartbeat_role */
	bool is_draining, is_drained;
	bool is_serving;	  /* a data plane is connected and loaded, and goes on */
	bool is_settled;	  /* has been fit to serve for a while: may be given addresses */
	bool is_in_sync;	  /* its data plane answers for unknown keys and PSK ids */
	uint32_t drain_reasons;	  /* enum heartbeat_drain; not 0 when draining */
	int64_t time_ms;	  /* wall clock, milliseconds since 1900 */
	uint64_t keyring_version; /* of its record in BUS_KEYRINGS */
	uint64_t keyring_epoch;	  /* held by its data plane */
	uint32_t load_permille;	  /* busiest worker */
	uint64_t log_first, log_last; /* sequence numbers of its changes that are in Redis */
	unsigned int n_held;
	struct heartbeat_key held[KEYS_MAX];
	unsigned int n_cursors;
	struct heartbeat_cursor cursors[HEARTBEAT_CURSORS_MAX];
	unsigned int n_claims;
	struct heartbeat_claim claims[IPC_ADDRESSES_MAX];
	unsigned int n_forgotten;
	struct heartbeat_forgotten forgotten[HEARTBEAT_FORGOTTEN_MAX];
	unsigned int n_keks; /* names of the KEKs it can open records under; it seals with the first */
	uint64_t keks[HEARTBEAT_KEKS_MAX];
};

/* Octets needed or written, 0 when it does not fit or is no heartbeat; buf NULL counts. */
size_t heartbeat_encode(const struct heartbeat *h, uint8_t *buf, size_t cap);
/* Everything but time and load. */
bool heartbeat_says_the_same(const struct heartbeat *a, const struct heartbeat *b);
/* 0, -EBADMSG (then h is zero). Texts are printable ASCII without blanks; a name is there. */
int heartbeat_decode(struct heartbeat *h, const uint8_t *buf, size_t len);

#endif
