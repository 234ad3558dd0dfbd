/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts UDP datagrams together from IP fragments, within memory and time fixed in advance.
 *
 * A table of places, each with room for the longest datagram; fragments are copied there, so no
 * packet buffer is held. A datagram is refused as a whole, with everything of it that still comes,
 * when two of its fragments overlap or contradict each other (RFC 5722 for both families); a
 * fragment that comes twice is dropped once. A datagram that is not complete in time is given up.
 * A source (IPv4 address, IPv6 /64) has few places: when it wants more it loses its own oldest;
 * when places run out altogether the oldest goes. Fragments of a datagram follow each other
 * closely, so a flood of unfinished ones hardly ever hits one that would have been finished. One
 * thread; time is injected.
 */
#ifndef TKMS_NET_REASSEMBLY_H
#define TKMS_NET_REASSEMBLY_H

#include "dataplane/net/fragment.h"
#include "dataplane/net/packet.h"

enum {
	REASSEMBLY_ROWS = 32,
	REASSEMBLY_WAYS = 16, /* places of a row; all of a source are in one */
	REASSEMBLY_SOURCE_MAX = 8,
	REASSEMBLY_MS = 2000, /* clients have asked again by then */
};

struct reassembly;

/* secret: keeps others from choosing sources that share a row. NULL with errno ENOMEM. */
struct reassembly *reassembly_new(const uint64_t secret[2]);
void reassembly_free(struct reassembly *r);

/*
 * Takes a fragment that fragment_check() let through; data: its octets. VERDICT_PENDING: it was the
 * one missing, and the datagram is at *datagram until reassembly_settle(); at most
 * REASSEMBLY_ROWS * REASSEMBLY_WAYS can be. VERDICT_FRAGMENT_KEPT, or why it was dropped.
 */
enum verdict reassembly_take(struct reassembly *r, const struct net_flow *flow,
	const struct net_fragment *f, const uint8_t *data, uint64_t now_ms,
	const uint8_t **datagram, uint32_t *len);

/* Datagrams given up since last asked. */
struct reassembly_lost {
	uint32_t timeout; /* not complete in time */
	uint32_t source;  /* for a newer one of its source */
	uint32_t full;	  /* for a newer one of another source */
};

/* Has reassembly_settle() anything to do. */
bool reassembly_busy(const struct reassembly *r);

/* Call after every burst that brought fragments, and now and then: frees the places of complete
 * datagrams and of those that are too old. */
struct reassembly_lost reassembly_settle(struct reassembly *r, uint64_t now_ms);

#endif
