/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the workers share: keyring, policy, addresses and limits as one immutable snapshot, and the
 * subscriber table. Each is built completely, published with one pointer exchange, and what it
 * replaces is wiped and freed after a grace period.
 *
 * The main thread writes. Workers are liburcu QSBR readers: what snapshot_view() returned is valid
 * until their next quiescent state.
 */
#ifndef TKMS_DATAPLANE_SNAPSHOT_H
#define TKMS_DATAPLANE_SNAPSHOT_H

#include "common/ipc/ipc.h"
#include "dataplane/engine/engine.h"
#include "dataplane/net/address.h"
#include "dataplane/net/limiter.h"

struct snapshot {
	uint64_t epoch;
	bool said_in_sync; /* what control said; the policy's is that, while it is in contact */
	struct keyring keyring;
	struct policy policy;
	struct net_addresses addresses;
	struct net_vlans vlans;
	struct limits limits;
	uint16_t ipv4_path_mtu, ipv6_path_mtu;
	size_t n_octets;
	uint8_t *octets;	    /* what the policy's identities point to */
	struct policy_rule rules[]; /* policy.n_rules */
};

/* The roots. Zeroed: nothing is served. */
struct shared {
	struct snapshot *snapshot;	      /* RCU */
	struct subscriber_table *subscribers; /* RCU */
};

/*
 * Builds a snapshot of what tkms-control sent; nothing of it points into ipc afterwards. 0, -EINVAL
 * (with the reason in *why, static text), -ENOMEM. snapshot_free() wipes; NULL is allowed.
 */
int snapshot_build(struct snapshot **out, struct crypto *ctx, const struct ipc_snapshot *ipc,
	const char **why);
void snapshot_free(struct snapshot *s);

/* Publishes, waits for the grace period, wipes and frees what was there. Takes ownership. */
void snapshot_publish(struct shared *shared, struct snapshot *s);
/*
 * Main thread: control is, or is no longer, known to be in contact: without it nobody is in sync.
 * The one field of a snapshot in service that changes; workers may see it a message later.
 */
void snapshot_set_contact(struct shared *shared, bool is_in_contact);
void subscribers_publish(struct shared *shared, struct subscriber_table *table);

/* Ends with no reader left: wipes everything. */
void shared_clear(struct shared *shared);

/* Reader: what is served now; NULL as long as either is missing. view is filled then. */
const struct snapshot *snapshot_view(const struct shared *shared, struct engine_view *view);

#endif
