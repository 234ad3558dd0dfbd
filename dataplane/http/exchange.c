/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/exchange.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dataplane/engine/siphash.h"
#include "dataplane/http/head.h"

enum {
	SPARE_MAX = 1024,     /* exchanges kept for reuse */
	OVERLONG_MAX = 65536, /* octets of a body that are read and dropped, so that 413 arrives */
	BODY_FIRST = 1024,    /* of a body whose length was not said */
};

struct exchanges {
	const struct server_config *config;
	struct limiter_rate rate;
	struct exchange *spare;
	unsigned int spares;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct exchanges *exchanges_new(const struct server_config *config)
{
	struct exchanges *e = calloc(1, sizeof(*e));

	if (e) {
		e->config = config;
		e->rate = limiter_rate(
			config->settings->requests_per_source, config->settings->requests_burst);
	}
	return e;
}

void exchanges_free(struct exchanges *e)
{
	while (e && e->spare) {
		struct exchange *x = e->spare;

		e->spare = x->next;
		free(x->body);
		free(x);
	}
	free(e);
}

/* "/path", "/path?query" or "http://host/path?query". */
static bool is_ours(const struct http_config *c, const char *target)
{
	size_t n = strlen(c->path);

	if (strncasecmp(target, "http://", 7) == 0) {
		target = strchr(target + 7, '/');
		if (!target)
			return false;
	}
	if (strncmp(target, c->path, n) != 0)
		return false;
	target += n;
	return *target == '\0' ||
	       (*target == '?' && (strcmp(target + 1, c->query_request) == 0 ||
					  strcmp(target + 1, c->query_resolve) == 0));
}

static void copy_text(char *out, size_t cap, const char *text)
{
	size_t n = strnlen(text, cap - 1);

	memcpy(out, text, n);
	out[n] = '\0';
}

struct exchange *exchange_begin(struct exchanges *e, struct MHD_Connection *connection,
	struct conn *conn, const char *target)
{
	struct exchange *x = e->spare;
	uint8_t *body = NULL;
	uint32_t cap = 0;

	if (x) {
		e->spare = x->next;
		e->spares--;
		body = x->body;
		cap = x->cap;
	} else {
		x = malloc(sizeof(*x));
		if (!x)
			return NULL;
	}
	/* The relay sets up its own part. */
	memset((char *)x + sizeof(x->relay), 0,
		offsetof(struct exchange, target) - sizeof(x->relay));
	x->target[0] = '\0';
	x->body = body;
	x->cap = cap;
	x->connection = connection;
	x->conn = conn;
	x->begun_us = clock_ns() / 1000;
	x->found = is_ours(e->config->settings, target);
	x->relay.head.type = 0;
	x->relay.sent = 0;
	if (e->config->settings->access_log != ACCESS_OFF)
		copy_text(x->target, sizeof(x->target), target);
	return x;
}

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name,
	size_t name_len, const char *value, size_t value_len)
{
	(void)kind;
	head_add(cls, name, name_len, value ? value : "", value ? value_len : 0);
	return MHD_YES;
}

static void find_source(const struct exchanges *e, struct exchange *x, const struct head *h)
{
	const struct siphash_key key = {e->config->key[0], e->config->key[1]};
	const char *entry;
	size_t len;

	x->source = x->conn->source;
	x->relay.client = x->conn->hash;
	if (!x->conn->trusted || !h->forwarded)
		return;
	entry = head_last_entry(h->forwarded, h->forwarded_len, &len);
	if (source_parse(&x->source, entry, len))
		x->relay.client = siphash13(&key, x->source.octets, sizeof(x->source.octets));
}

static bool refuse(struct exchange *x, enum status status)
{
	x->status = status;
	x->state = EXCHANGE_ANSWERED;
	return false;
}

/* From the header. 200: nothing against it so far. */
static enum status judge_head(const struct exchanges *e, const struct exchange *x,
	const struct head *h, const char *method)
{
	if (!x->found)
		return STATUS_404;
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return STATUS_405;
	if (!h->is_mikey || h->is_encoded)
		return STATUS_415;
	return h->length > e->config->settings->message_max ? STATUS_413 : STATUS_200;
}

/* Buffers stay with their exchange: most requests need no new one. */
static bool make_room(struct exchange *x, uint32_t len)
{
	uint32_t cap = x->cap ? x->cap : BODY_FIRST;
	uint8_t *grown;

	if (len <= x->cap)
		return true;
	while (cap < len)
		cap *= 2;
	grown = realloc(x->body, cap);
	if (!grown)
		return false;
	x->body = grown;
	x->cap = cap;
	return true;
}

bool exchange_head(struct exchanges *e, struct exchange *x, const char *method, const char *version)
{
	struct head h = {0};
	bool limited;

	copy_text(x->method, sizeof(x->method), method);
	MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, add_header, &h);
	find_source(e, x, &h);
	/* First: what will be refused costs work and a line of the log too. */
	limited = !limiter_take(e->config->limiter, &e->rate, x->relay.client, clock_ns());
	if (head_ambiguous(&h, strcmp(version, "HTTP/1.1") == 0)) {
		x->closing = true;
		return refuse(x, limited ? STATUS_429 : STATUS_400);
	}
	x->status = limited ? STATUS_429 : judge_head(e, x, &h, method);
	if (x->status != STATUS_200) {
		/* Somebody who asks first gets the answer first. */
		if (h.expects || h.length > OVERLONG_MAX)
			return refuse(x, x->status);
		x->dropping = true;
		x->state = EXCHANGE_BODY;
		return true;
	}
	if (!make_room(x, h.length ? (uint32_t)h.length : BODY_FIRST))
		return refuse(x, STATUS_503);
	x->state = EXCHANGE_BODY;
	return true;
}

int exchange_body(struct exchanges *e, struct exchange *x, const char *octets, size_t len)
{
	if (len > OVERLONG_MAX || x->len + len > OVERLONG_MAX)
		return -1;
	if (!x->dropping && (x->len + len > e->config->settings->message_max ||
				    !make_room(x, x->len + (uint32_t)len))) {
		x->dropping = true;
		x->status = STATUS_413;
	}
	if (!x->dropping)
		memcpy(x->body + x->len, octets, len);
	x->len += (uint32_t)len;
	return 0;
}

bool exchange_whole(struct exchanges *e, struct exchange *x)
{
	(void)e;
	if (x->dropping)
		return refuse(x, x->status);
	if (wire_request(x->body, x->len, &x->relay.head) != WIRE_REQUEST_OK)
		return refuse(x, STATUS_400);
	x->relay.message = x->body;
	x->relay.len = (uint16_t)x->len;
	return true;
}

void exchange_answered(struct exchanges *e, struct exchange *x, enum relay_outcome outcome,
	const uint8_t *octets, size_t len)
{
	(void)e;
	x->state = EXCHANGE_ANSWERED;
	x->status = STATUS_504;
	if (outcome != RELAY_ANSWERED)
		return;
	x->status = STATUS_200;
	x->answer_len = (uint32_t)len;
	/* The message is not needed any more; its buffer lives as long as the response. */
	if (!make_room(x, (uint32_t)len)) {
		x->status = STATUS_503;
		return;
	}
	memcpy(x->body, octets, len);
	x->response = MHD_create_response_from_buffer(len, x->body, MHD_RESPMEM_PERSISTENT);
	if (!x->response)
		x->status = STATUS_503;
}

static struct MHD_Response *reason(struct exchange *x)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "%s\n", status_reason(x->status));
	struct MHD_Response *r =
		MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);

	x->answer_len = (uint32_t)n;
	if (!r || MHD_add_response_header(r, "Content-Type", "text/plain") != MHD_YES ||
		((x->status == STATUS_429 || x->status == STATUS_503) &&
			MHD_add_response_header(r, "Retry-After", "1") != MHD_YES) ||
		(x->status == STATUS_405 &&
			MHD_add_response_header(r, "Allow", "POST") != MHD_YES)) {
		if (r)
			MHD_destroy_response(r);
		return NULL;
	}
	return r;
}

enum MHD_Result exchange_answer(struct exchanges *e, struct exchange *x, bool last)
{
	struct MHD_Response *r = x->response;
	enum MHD_Result result;

	(void)e;
	if (!r)
		r = reason(x);
	else if (MHD_add_response_header(r, "Content-Type", "application/mikey") != MHD_YES)
		return MHD_NO;
	if (!r)
		return MHD_NO;
	x->response = r;
	if ((last || x->closing) && MHD_add_response_header(r, "Connection", "close") != MHD_YES)
		return MHD_NO;
	result = MHD_queue_response(x->connection, status_code(x->status), r);
	x->queued = result == MHD_YES;
	return result;
}

static void log_exchange(const struct exchanges *e, const struct exchange *x, uint64_t now_us)
{
	enum access_log mode = e->config->settings->access_log;
	char client[INET6_ADDRSTRLEN];

	if (mode == ACCESS_OFF || (mode == ACCESS_ERRORS && x->status == STATUS_200))
		return;
	source_text(&x->source, client);
	access_add(e->config->access,
		&(struct access_line){.now_us = now_us,
			.client = client,
			.method = *x->method ? x->method : "-",
			.target = x->target,
			.status = status_code(x->status),
			.octets_in = x->len,
			.octets_out = x->answer_len,
			.us = now_us > x->begun_us ? (uint32_t)(now_us - x->begun_us) : 0,
			.sent = x->relay.sent,
			.type = x->relay.head.type ? x->relay.head.type : -1});
}

void exchange_end(struct exchanges *e, struct exchange *x, uint64_t now_us)
{
	if (x->queued) {
		metrics_add(&e->config->metrics->status[x->status], 1);
		log_exchange(e, x, now_us);
	} else {
		metrics_add(&e->config->metrics->requests_broken, 1);
	}
	if (x->response)
		MHD_destroy_response(x->response);
	if (e->spares == SPARE_MAX) {
		free(x->body);
		free(x);
		return;
	}
	x->next = e->spare;
	e->spare = x;
	e->spares++;
}
