/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker spends on others and sends to them at most: token buckets for the frames of a
 * source, for the Errors to a source and to all, for the messages of a subscriber, and for one and
 * the same message.
 *
 * A source is an IPv4 address or an IPv6 /64; at a trusted edge, which relays for many clients, it
 * is address and port. Addresses can be forged, so a limit on sources alone bounds nothing that is
 * reflected: messages with a right MAC can only be repeated by others, and the last two limits hold
 * wherever they come from. A subscriber is charged for a message when it comes for the first time
 * only: whoever has caught messages of his cannot use up his share. One thread; time is injected.
 */
#ifndef TKMS_NET_LIMITER_H
#define TKMS_NET_LIMITER_H

#include "dataplane/net/buckets.h"
#include "dataplane/net/packet.h"

enum { LIMITER_EDGES_MAX = 32 };

struct limiter_edge {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix_len;
	uint8_t octets[NET_IPV6_OCTETS];
};

/* Immutable once published in a snapshot. */
struct limits {
	struct bucket_rate source;	  /* frames that are answered or looked into */
	struct bucket_rate subscriber;	  /* messages */
	struct bucket_rate function;	  /* messages of a subscriber that is a network function */
	struct bucket_rate repeat;	  /* the same message */
	struct bucket_rate errors_source; /* Errors to unauthenticated messages */
	uint32_t errors_worker;		  /* a second; burst: a tenth of it */
	unsigned int n_edges;
	struct limiter_edge edges[LIMITER_EDGES_MAX];
};

struct limiter;

/* secret: keeps others from choosing what shares a row of a table. NULL with errno ENOMEM. */
struct limiter *limiter_new(const uint64_t secret[2]);
void limiter_free(struct limiter *l);

/* All return VERDICT_PENDING when it may be. now_ms: a monotonic clock. */

/* May a frame be looked into, else VERDICT_DROP_SOURCE_LIMIT. */
enum verdict limiter_frame(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);

/* May an Error to an unauthenticated message leave, else VERDICT_DROP_ERROR_SOURCE_LIMIT or
 * VERDICT_DROP_ERROR_WORKER_LIMIT. */
enum verdict limiter_error(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms);

/* Who sent a message whose MAC is right. */
struct limiter_message {
	uint64_t subscriber; /* any number of his own */
	bool is_function;
	const uint8_t *mac; /* of the message: at least 8 octets */
};

/* May it be answered, else VERDICT_LIMIT_REPEAT or VERDICT_LIMIT_SUBSCRIBER. */
enum verdict limiter_message(struct limiter *l, const struct limits *limits,
	const struct limiter_message *message, uint64_t now_ms);

#endif
