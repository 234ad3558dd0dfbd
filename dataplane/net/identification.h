/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Identification of IP packets that we send: counters that begin at random numbers, one for
 * every few destinations, so that nobody learns from his own packets which numbers others get
 * (RFC 7739 5.3). One thread.
 */
#ifndef TKMS_NET_IDENTIFICATION_H
#define TKMS_NET_IDENTIFICATION_H

#include "dataplane/net/packet.h"

enum { IDENTIFICATION_COUNTERS = 1024 };

struct identification {
	uint64_t secret[2];
	uint32_t next[IDENTIFICATION_COUNTERS];
};

/* All of it from a random source. 0 or -errno. */
int identification_init(struct identification *ids);

/* For the next packet of the flow. IPv4 takes the low 16 bits. */
uint32_t identification_next(struct identification *ids, const struct net_flow *flow);

#endif
