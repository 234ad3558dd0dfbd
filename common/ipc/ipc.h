/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between tkms-control and tkms-dataplane over one Unix SEQPACKET socket (SO_PEERCRED
 * checked by both ends).
 *
 * tkms-control listens, the data plane connects and says HELLO; control answers with a SNAPSHOT and
 * a full SUBSCRIBERS load, then deltas. Whatever may be large or secret travels in a memfd (sealed
 * against resizing, passed with SCM_RIGHTS, wiped by the receiver after use); the datagram holds a
 * fixed header only. Integers are little-endian (one machine). SUBSCRIBERS loads come in chunks of
 * bounded size, each acknowledged by itself (status 0 or the errno of what failed). Encoding and
 * decoding are pure and bounded; decoders accept any octets.
 */
#ifndef TKMS_IPC_IPC_H
#define TKMS_IPC_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/identity/identity.h"

enum { IPC_VERSION = 2, IPC_MAGIC = 0x736d6b74 /* "tkms" */ };

enum ipc_type {
	IPC_HELLO = 1,	     /* data plane -> control: struct ipc_hello, inline */
	IPC_SNAPSHOT = 2,    /* control -> data plane: memfd with struct ipc_snapshot encoded */
	IPC_SUBSCRIBERS = 3, /* control -> data plane: memfd with a sequence of struct
				ipc_subscriber encoded */
	IPC_ACK = 4, /* data plane -> control: seq is that of the message acknowledged; status */
	IPC_STATS =
		5, /* data plane -> control: struct ipc_stats encoded inline, about once a second */
	IPC_DRAIN = 6,	 /* data plane -> control: it is to end, and serves on until control says
			    the same: its addresses are with others, or nobody can take them */
	IPC_REFUSED = 8, /* control -> data plane, then it hangs up: status says why (EBUSY: there
			    is another data plane) */
	IPC_CONTACT = 7, /* control -> data plane, not acknowledged: the snapshot's in_sync holds
			    for status milliseconds from now, unless it is said again */
};

enum ipc_load {
	IPC_LOAD_FIRST = 1 << 0, /* begin of a full load: what is not named by the end of it goes */
	IPC_LOAD_LAST = 1 << 1,	 /* end of a full load */
};				 /* neither: a delta */

struct ipc_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint64_t seq;	 /* counts up per sender and connection */
	uint64_t epoch;	 /* SNAPSHOT: of the keyring; ACK: the one served now */
	uint32_t status; /* ACK: 0 or errno value */
	uint32_t flags;	 /* SUBSCRIBERS: enum ipc_load */
	uint32_t length; /* octets after the header, or in the memfd */
	uint32_t reserved;
};

/* A policy, keyring and addresses in plain form; the data plane builds its own prepared snapshot
 * from it. */
struct ipc_key {
	struct identity id;
	struct identity key;				 /* raw octets */
	int64_t seals_from, seals_until, resolves_until; /* seconds since 1900 */
	uint8_t state; /* enum sealing_state values: published 0, active 1, retiring 2 */
};
struct ipc_rule {
	struct identity from, to;
	bool allow;
};
struct ipc_address {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix_len;
	uint16_t port; /* UDP, host byte order */
	uint8_t octets[16];
	/* Another node holds it by now: packets are answered, but nobody is invited (ARP, ND). */
	bool lingers;
};
/* What a node answers. */
enum { IPC_ROLE_REQUEST = 1 << 0, IPC_ROLE_RESOLVE = 1 << 1, IPC_ROLES_ALL = 3 };
struct ipc_ticket_type {
	uint16_t type;
	uint8_t subtype, version;
};
/* A range of addresses. */
struct ipc_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t len;
	uint8_t octets[16];
};
/* A token bucket: so many a second (0: no limit), so many at once. */
struct ipc_limit {
	uint32_t rate, burst;
};
enum { IPC_KEY_ID_MAX = 64, IPC_KEY_MIN = 16, IPC_KEY_MAX = 32 }; /* octets */
enum {
	IPC_KEYS_MAX = 256,
	IPC_RULES_MAX = 256,
	IPC_ADDRESSES_MAX = 64,
	IPC_TYPES_MAX = 8,
	IPC_UIDS_MAX = 64,
	IPC_EDGES_MAX = 32,
	IPC_VLANS_MAX = 64,
	IPC_VLAN_MAX = 4094, /* largest VLAN id; 0 stands for frames without a tag */
};

struct ipc_snapshot {
	uint64_t epoch;
	struct identity kms_identity;
	uint8_t profile; /* 0: 3gpp, 1: rfc6043 */
	uint32_t max_skew_s, default_lifetime_s, max_lifetime_s;
	uint8_t allow_groups, allow_reuse, allow_mode3, allow_no_forking, in_sync;
	uint8_t roles;		    /* IPC_ROLE_* */
	uint64_t addresses_version; /* of the addresses, for who waits for the acknowledgement */
	struct identity end_to_middle_app;
	uint16_t max_message, max_idr_r, max_wildcards, max_identity, max_keys;
	/* Errors to unauthenticated messages; 0: no limit */
	uint32_t errors_per_source_rate, errors_per_source_burst, errors_per_worker_rate;
	/* What a worker takes and answers of one source, one subscriber (with the role of a network
	 * function: the third) and of one and the same message. */
	struct ipc_limit source, subscriber, function, repeat;
	/* Longer packets leave in fragments; 0: those longer than the port's MTU, and 1280. */
	uint16_t ipv4_path_mtu, ipv6_path_mtu;
	unsigned int n_types, n_rules, n_keys, n_addresses, n_edges, n_vlans;
	struct ipc_ticket_type types[IPC_TYPES_MAX];
	struct ipc_rule rules[IPC_RULES_MAX];
	struct ipc_key keys[IPC_KEYS_MAX];
	struct ipc_address addresses[IPC_ADDRESSES_MAX];
	struct ipc_prefix
		edges[IPC_EDGES_MAX];  /* sources whose ports count as sources of their own */
	uint16_t vlans[IPC_VLANS_MAX]; /* that are served; none: frames without a tag */
};

/*
 * All encoders: octets needed or written, or 0 when it does not fit cap or exceeds a limit above.
 * buf NULL: only counts. All decoders check every count, length and range given here; octets left
 * over are an error.
 */
size_t ipc_snapshot_encode(const struct ipc_snapshot *s, uint8_t *buf, size_t cap);
/* Identities point into buf. 0 or -EBADMSG. */
int ipc_snapshot_decode(struct ipc_snapshot *s, const uint8_t *buf, size_t len);

struct ipc_subscriber {
	bool remove; /* only psk_id counts */
	struct identity psk_id;
	struct identity psk; /* raw octets */
	int64_t expires;     /* seconds since 1900, 0: never */
	uint32_t roles;
	unsigned int n_uids;
	struct identity uids[IPC_UIDS_MAX];
};
size_t ipc_subscriber_encode(const struct ipc_subscriber *s, uint8_t *buf, size_t cap);
/* Decodes the record at *off and advances it. 1: got one, 0: end, -EBADMSG. */
int ipc_subscriber_decode(struct ipc_subscriber *s, const uint8_t *buf, size_t len, size_t *off);

struct ipc_hello {
	uint32_t pid;
	uint32_t workers;
	uint64_t epoch;	      /* served now, 0: none */
	uint64_t subscribers; /* served now */
	char version[32];
};
size_t ipc_hello_encode(const struct ipc_hello *h, uint8_t *buf, size_t cap);
int ipc_hello_decode(struct ipc_hello *h, const uint8_t *buf, size_t len);

/* Counters per worker and verdict, names included: control knows no verdict by itself. */
enum { IPC_COUNTERS_MAX = 256, IPC_WORKERS_MAX = 128, IPC_NAME_MAX = 48 };
/* Counters that say how it is now: workers whose loops stand still; 1 when no port has a link. */
#define IPC_WORKERS_STUCK "workers_stuck"
#define IPC_CUT_OFF	  "cut_off"
struct ipc_counter {
	char name[IPC_NAME_MAX];
	uint64_t value; /* sum over the workers */
};
struct ipc_worker {
	uint32_t cpu;
	uint64_t epoch;
	uint64_t bursts, messages; /* polled bursts with messages; messages in them */
	uint32_t busy_permille;
};
/* Tickets sealed and resolved with a sealing key since the data plane got it. */
struct ipc_key_count {
	char id[IPC_KEY_ID_MAX + 1];
	uint64_t sealed, resolved;
};
struct ipc_stats {
	uint64_t epoch;
	uint64_t subscribers;
	unsigned int n_counters, n_workers, n_keys;
	struct ipc_counter counters[IPC_COUNTERS_MAX];
	struct ipc_worker workers[IPC_WORKERS_MAX];
	struct ipc_key_count keys[IPC_KEYS_MAX];
};
size_t ipc_stats_encode(const struct ipc_stats *s, uint8_t *buf, size_t cap);
int ipc_stats_decode(struct ipc_stats *s, const uint8_t *buf, size_t len);

/* Socket helpers (the only ones that do I/O). */
/*
 * Sends a header (the caller fills every field) and inline octets or (fd >= 0) a memfd. h->length
 * must be len, or the octets used in the memfd. 0, -EAGAIN (would block), -EINVAL, or -errno.
 */
int ipc_send(int sock, const struct ipc_header *h, const void *body, size_t len, int fd);
/*
 * Receives one datagram: fills h, body (up to cap) and *fd (-1 or a received memfd, checked: a
 * memfd, sealed against resizing, size >= h->length). Length of the body (h->length when *fd is -1,
 * else 0), -EAGAIN, -ECONNRESET (closed), -EPROTONOSUPPORT (other IPC_VERSION; close the
 * connection), -EBADMSG, or -errno.
 */
int ipc_receive(int sock, struct ipc_header *h, void *body, size_t cap, int *fd);
/*
 * Creates a memfd of len > 0 octets, mapped writable at *map, zeroed, locked, not dumped, not
 * inherited by fork(), sealed against resizing. fd or -errno (-ENOMEM, -EAGAIN or -EPERM:
 * RLIMIT_MEMLOCK is too small).
 */
int ipc_memfd_create(const char *name, size_t len, void **map);
/*
 * Maps a received memfd (shared with the sender only). 0 or -errno. len 0: *map is NULL and fd is
 * not looked at (an empty SUBSCRIBERS load comes without a memfd: fd -1).
 */
int ipc_memfd_map(int fd, size_t len, void **map);
/* Wipes, unmaps, closes; fd -1 and map NULL are allowed. */
void ipc_memfd_close(int fd, void *map, size_t len);
/* Unmaps and closes without a wipe: for a sender whose peer may still be reading. */
void ipc_memfd_release(int fd, void *map, size_t len);
/* Is fd a memfd sealed against resizing with at least len octets: 0, -EBADMSG, or -errno. */
int ipc_memfd_check(int fd, size_t len);
/* Credentials of the peer. 0 or -errno; allowed: root or our own uid, else -EACCES. */
int ipc_check_peer(int sock);

#endif
