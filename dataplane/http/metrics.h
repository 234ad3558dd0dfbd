/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the edge counts, and how Prometheus sees it. Every worker writes its own struct metrics in
 * shared memory; the supervisor adds them up. No label comes from a client.
 */
#ifndef TKMS_HTTP_METRICS_H
#define TKMS_HTTP_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/http/config.h"

/* X(status, reason): what the edge answers with. */
#define HTTP_STATUSES(X)                                        \
	X(200, "")                                              \
	X(400, "not a MIKEY request, or not a well-formed one") \
	X(404, "no such resource")                              \
	X(405, "POST only")                                     \
	X(413, "message too long")                              \
	X(415, "application/mikey only")                        \
	X(429, "too many requests from you")                    \
	X(503, "overloaded, try again")                         \
	X(504, "no KMS answered in time")

enum status {
#define X(code, reason) STATUS_##code,
	HTTP_STATUSES(X)
#undef X
		STATUSES
};

unsigned int status_code(enum status s);
const char *status_reason(enum status s);

/* X(name, type, help) */
#define HTTP_METRICS(X)                                                                            \
	X(connections_opened, counter, "Connections accepted")                                     \
	X(connections_refused, counter, "Connections closed because their source had too many")    \
	X(connections_timed_out, counter,                                                          \
		"Connections closed because the client was slow or idle")                          \
	X(connections, gauge, "Connections open now")                                              \
	X(requests_broken, counter, "Requests that were malformed or broken off before an answer") \
	X(in_flight, gauge, "Requests waiting for an answer of the KMS")                           \
	X(pairs, gauge, "Sockets and CSB IDs in use or at rest")                                   \
	X(pairs_evicted, counter, "Rests of sockets cut short because the table was full")         \
	X(datagrams_sent, counter, "Messages sent to data planes")                                 \
	X(datagrams_retried, counter, "Messages sent again because of silence")                    \
	X(datagrams_probing, counter, "Copies of messages sent to addresses that were silent")     \
	X(datagrams_unsent, counter, "Messages that the kernel refused to send")                   \
	X(answers_unvouched, counter, "Errors without MAC that had another address asked")         \
	X(answers_stray, counter, "Datagrams nobody waited for: late, duplicate or forged")        \
	X(answers_malformed, counter, "Datagrams that are no answer to anything")                  \
	X(log_lines_lost, counter, "Lines of the access log that could not be written")            \
	X(log_lines_left_out, counter, "Lines of the access log beyond access_log_rate")

enum { METRICS_BUCKETS = 14 };

struct metrics_address {
	_Atomic uint64_t answers;
	_Atomic uint64_t silent; /* 0 or 1 */
};

/* One writer. */
struct metrics {
#define X(name, type, help) _Atomic uint64_t name;
	HTTP_METRICS(X)
#undef X
	_Atomic uint64_t status[STATUSES];
	_Atomic uint64_t answer_us[METRICS_BUCKETS + 1]; /* answers by time, last: longer */
	_Atomic uint64_t answer_us_sum;
	struct metrics_address address[SETTINGS_LIST_MAX];
};

static inline void metrics_add(_Atomic uint64_t *counter, uint64_t n)
{
	/* One writer: no need for a locked instruction. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline void metrics_set(_Atomic uint64_t *gauge, uint64_t n)
{
	atomic_store_explicit(gauge, n, memory_order_relaxed);
}

/* The worker is gone, and what it had open and under way with it. Counters stay. */
void metrics_gone(struct metrics *m);

/* Time from a whole request to its answer. */
void metrics_answered(struct metrics *m, uint64_t us);

/* The text format of Prometheus, of n workers together. */
void metrics_print(FILE *out, const struct metrics *m, unsigned int n, const struct http_config *c);

#endif
