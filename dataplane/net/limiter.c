/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/limiter.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/octets.h"
#include "dataplane/net/source.h"

enum { WORKER_BURST_PARTS = 10 }; /* the worker's burst is a tenth of a second's Errors */

struct limiter {
	struct bucket worker;
	struct buckets *sources;
	struct buckets *errors;
	struct buckets *subscribers;
	struct buckets *repeats;
};

struct limiter *limiter_new(const uint64_t secret[2])
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->worker.tokens = UINT32_MAX; /* full, whatever its size will be */
	l->sources = buckets_new(secret);
	l->errors = buckets_new(secret);
	l->subscribers = buckets_new(secret);
	l->repeats = buckets_new(secret);
	if (!l->sources || !l->errors || !l->subscribers || !l->repeats) {
		limiter_free(l);
		return NULL;
	}
	return l;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	buckets_free(l->sources);
	buckets_free(l->errors);
	buckets_free(l->subscribers);
	buckets_free(l->repeats);
	free(l);
}

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned int len)
{
	if (memcmp(address, prefix, len / 8) != 0)
		return false;
	return len % 8 == 0 || (address[len / 8] ^ prefix[len / 8]) >> (8 - len % 8) == 0;
}

static bool is_edge(const struct limits *limits, const struct net_flow *flow)
{
	for (unsigned int i = 0; i < limits->n_edges; i++) {
		const struct limiter_edge *e = &limits->edges[i];

		if (e->family == flow->family && has_prefix(flow->theirs, e->octets, e->prefix_len))
			return true;
	}
	return false;
}

static uint64_t number_of(const struct limits *limits, const struct net_flow *flow)
{
	uint64_t number = source_number(flow->family, flow->theirs), host = 0;

	if (!is_edge(limits, flow))
		return number;
	if (flow->family == 6)
		memcpy(&host, flow->theirs + 8, sizeof(host));
	return number ^ (host + flow->their_port + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

enum verdict limiter_frame(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms)
{
	if (limits->source.rate == 0 ||
		buckets_take(l->sources, number_of(limits, flow), limits->source, now_ms))
		return VERDICT_PENDING;
	return VERDICT_DROP_SOURCE_LIMIT;
}

enum verdict limiter_error(struct limiter *l, const struct limits *limits,
	const struct net_flow *flow, uint64_t now_ms)
{
	const struct bucket_rate worker = {
		limits->errors_worker, limits->errors_worker / WORKER_BURST_PARTS};

	if (limits->errors_source.rate != 0 &&
		!buckets_take(l->errors, number_of(limits, flow), limits->errors_source, now_ms))
		return VERDICT_DROP_ERROR_SOURCE_LIMIT;
	return bucket_take(&l->worker, worker, now_ms) ? VERDICT_PENDING
						       : VERDICT_DROP_ERROR_WORKER_LIMIT;
}

enum verdict limiter_message(struct limiter *l, const struct limits *limits,
	const struct limiter_message *message, uint64_t now_ms)
{
	enum buckets_token token;
	uint64_t mac;

	memcpy(&mac, message->mac, sizeof(mac));
	token = buckets_take(l->repeats, mac, limits->repeat, now_ms);
	if (token == BUCKETS_NONE)
		return VERDICT_LIMIT_REPEAT;
	if (token == BUCKETS_NEXT ||
		buckets_take(l->subscribers, message->subscriber,
			message->is_function ? limits->function : limits->subscriber, now_ms))
		return VERDICT_PENDING;
	/* It has not been answered: it comes for the first time when it comes again. */
	buckets_forget(l->repeats, mac);
	return VERDICT_LIMIT_SUBSCRIBER;
}
