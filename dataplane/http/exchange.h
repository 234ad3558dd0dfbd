/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One HTTP request and its answer: header, body, status, log line. Private to the server.
 *
 *   begin (request line) -> head -> body ... -> whole -> [relay -> answered] -> answer -> end
 */
#ifndef TKMS_HTTP_EXCHANGE_H
#define TKMS_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>

#include "dataplane/http/conns.h"
#include "dataplane/http/server.h"

enum exchange_state {
	EXCHANGE_HEAD,
	EXCHANGE_BODY,
	EXCHANGE_RELAYING, /* the connection is suspended */
	EXCHANGE_ANSWERED, /* status is known */
};

enum { EXCHANGE_TARGET_MAX = 128 };

struct exchange {
	struct relay_request relay;
	struct exchange *next; /* when not in use */
	struct MHD_Connection *connection;
	struct conn *conn;
	struct MHD_Response *response; /* STATUS_200 */
	uint8_t *body;
	uint32_t len, cap;
	uint32_t answer_len;
	uint64_t begun_us;
	struct source source; /* whom it comes from */
	enum exchange_state state;
	enum status status;
	bool found;    /* the target is ours */
	bool dropping; /* the body: status says why */
	bool closing;  /* the connection cannot be used any further */
	bool queued;   /* the answer is libmicrohttpd's */
	char method[12];
	char target[EXCHANGE_TARGET_MAX];
};

struct exchanges;

struct exchanges *exchanges_new(const struct server_config *config);
void exchanges_free(struct exchanges *e);

static inline struct exchange *exchange_of(struct relay_request *r)
{
	return (struct exchange *)(void *)((char *)r - offsetof(struct exchange, relay));
}

/* NULL: no memory; the connection will be closed. */
struct exchange *exchange_begin(struct exchanges *e, struct MHD_Connection *connection,
	struct conn *conn, const char *target);
/*
 * Judges the header. true: the body may come (of a request that will be refused too, if it is
 * short: so the connection can go on); false: status is set, and libmicrohttpd will close the
 * connection.
 */
bool exchange_head(
	struct exchanges *e, struct exchange *x, const char *method, const char *version);
/* Takes octets of the body. -1: the connection is to be closed. */
int exchange_body(struct exchanges *e, struct exchange *x, const char *octets, size_t len);
/* The body is complete. true: it can go to the relay; false: status is set. */
bool exchange_whole(struct exchanges *e, struct exchange *x);
/* The relay is done with it. */
void exchange_answered(struct exchanges *e, struct exchange *x, enum relay_outcome outcome,
	const uint8_t *octets, size_t len);
/* Hands the answer to libmicrohttpd. */
enum MHD_Result exchange_answer(struct exchanges *e, struct exchange *x, bool last);
void exchange_end(struct exchanges *e, struct exchange *x, uint64_t now_us);

#endif
