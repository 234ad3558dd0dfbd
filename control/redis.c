/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hiredis builds commands and parses replies; sockets and timers are libevent's, because hiredis
 * 0.14 knows no time limits on asynchronous commands, resolves names while it blocks and takes
 * replies of any size.
 */
#include "control/redis.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/clock.h"

enum { SLICE = 16384, INPUT_MAX = 1 << 20 };

struct pending {
	struct pending *next;
	redis_reply_fn fn;
	void *arg;
	uint64_t sent_ms;
};

struct redis {
	struct redis_owner owner;
	struct redis_limits limits;
	struct bufferevent *bev;
	struct event *timer;
	redisReader *reader;
	struct pending *first, **last;
	uint64_t replied_ms;
	size_t n_values; /* in the reply that is being read */
	unsigned int depth;
	bool is_open, is_subscribed, is_ended;
	char why[256];
};

/* hiredis' objects, which are ours. */

static void value_free(void *object)
{
	struct redis_value *v = object;

	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		value_free(v->items[i]);
	free(v->items);
	free(v->text);
	free(v);
}

static struct redis_value *value_new(const redisReadTask *task, enum redis_kind kind)
{
	struct redis *r = task->privdata;
	struct redis_value *v = NULL;

	if (r->n_values < REDIS_VALUES_MAX)
		v = calloc(1, sizeof(*v));
	if (v) {
		r->n_values++;
		v->kind = kind;
	}
	return v;
}

/* Into its place in the array that it is part of. */
static void *value_place(const redisReadTask *task, struct redis_value *v)
{
	if (v && task->parent) {
		struct redis_value *parent = task->parent->obj;

		parent->items[task->idx] = v;
	}
	return v;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
	struct redis_value *v = value_new(task, task->type == REDIS_REPLY_ERROR	   ? REDIS_FAILURE
						: task->type == REDIS_REPLY_STATUS ? REDIS_STATUS
										   : REDIS_STRING);

	if (!v)
		return NULL;
	v->text = malloc(len + 1);
	if (!v->text) {
		free(v);
		return NULL;
	}
	memcpy(v->text, text, len);
	v->text[len] = '\0';
	v->len = len;
	return value_place(task, v);
}

static void *create_array(const redisReadTask *task, int n)
{
	struct redis *r = task->privdata;
	struct redis_value *v;

	if (n < 0 || (size_t)n > REDIS_VALUES_MAX - r->n_values)
		return NULL;
	v = value_new(task, REDIS_ARRAY);
	if (!v)
		return NULL;
	if (n > 0) {
		v->items = calloc((size_t)n, sizeof(*v->items));
		if (!v->items) {
			free(v);
			return NULL;
		}
		v->n = (size_t)n;
	}
	return value_place(task, v);
}

static void *create_integer(const redisReadTask *task, long long integer)
{
	struct redis_value *v = value_new(task, REDIS_INTEGER);

	if (v)
		v->integer = integer;
	return value_place(task, v);
}

static void *create_nil(const redisReadTask *task)
{
	return value_place(task, value_new(task, REDIS_NIL));
}

static redisReplyObjectFunctions functions = {
	create_string, create_array, create_integer, create_nil, value_free};

int redis_value_is(const struct redis_value *v, const char *text)
{
	return v->text && v->len == strlen(text) && memcmp(v->text, text, v->len) == 0;
}

static int address_text(struct redis_address *a)
{
	char ip[INET6_ADDRSTRLEN];
	const void *octets = &((struct sockaddr_in *)&a->sa)->sin_addr;
	unsigned int port = ntohs(((struct sockaddr_in *)&a->sa)->sin_port);
	bool is6 = a->sa.ss_family == AF_INET6;

	if (is6) {
		octets = &((struct sockaddr_in6 *)&a->sa)->sin6_addr;
		port = ntohs(((struct sockaddr_in6 *)&a->sa)->sin6_port);
	}
	if (port == 0 || !evutil_inet_ntop(a->sa.ss_family, octets, ip, sizeof(ip)))
		return -EINVAL;
	snprintf(a->text, sizeof(a->text), is6 ? "[%s]:%u" : "%s:%u", ip, port);
	return 0;
}

int redis_address_parse(struct redis_address *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->sa);
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&a->sa, &a->len) < 0)
		return -EINVAL;
	return address_text(a);
}

int redis_address_set(struct redis_address *a, const char *ip, const char *port)
{
	char text[REDIS_ADDRESS_TEXT];
	int n = snprintf(text, sizeof(text), strchr(ip, ':') ? "[%s]:%s" : "%s:%s", ip, port);

	return n < 0 || (size_t)n >= sizeof(text) ? -EINVAL : redis_address_parse(a, text);
}

static void redis_free(struct redis *r)
{
	if (r->bev)
		bufferevent_free(r->bev);
	if (r->timer)
		event_free(r->timer);
	if (r->reader)
		redisReaderFree(r->reader);
	free(r);
}

static struct pending *take_pending(struct redis *r)
{
	struct pending *p = r->first;

	if (p) {
		r->first = p->next;
		if (!r->first)
			r->last = &r->first;
	}
	return p;
}

/* Nothing is read or told any more; the memory goes once nobody is working with it. */
static void end(struct redis *r, const char *why)
{
	if (r->is_ended)
		return;
	r->is_ended = true;
	r->depth++;
	bufferevent_disable(r->bev, EV_READ | EV_WRITE);
	event_del(r->timer);
	for (struct pending *p; (p = take_pending(r)); free(p)) {
		if (p->fn)
			p->fn(p->arg, NULL);
	}
	if (why)
		r->owner.ended(r->owner.arg, why);
	if (--r->depth == 0)
		redis_free(r);
}

void redis_close(struct redis *r)
{
	if (r)
		end(r, NULL);
}

static void arm(struct redis *r)
{
	uint64_t now = clock_mono_ms(), since, ms;
	struct timeval tv;

	if (!r->is_open || !r->first) {
		if (r->is_open)
			event_del(r->timer);
		return;
	}
	since = r->first->sent_ms > r->replied_ms ? r->first->sent_ms : r->replied_ms;
	ms = since + r->limits.reply_ms;
	ms = ms > now ? ms - now : 0;
	tv = (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
	if (event_add(r->timer, &tv) < 0)
		event_active(r->timer, EV_TIMEOUT, 0); /* without a time limit it is not used */
}

static void on_timer(evutil_socket_t sock, short events, void *arg)
{
	struct redis *r = arg;

	(void)sock;
	(void)events;
	snprintf(r->why, sizeof(r->why),
		r->is_open ? "no answer within %u ms" : "no connection within %u ms",
		r->is_open ? r->limits.reply_ms : r->limits.connect_ms);
	end(r, r->why);
}

static void take_reply(struct redis *r, const struct redis_value *v)
{
	struct pending *p;

	if (r->is_subscribed && v->kind == REDIS_ARRAY && v->n == 3 &&
		redis_value_is(v->items[0], "message")) {
		if (r->owner.published && v->items[2]->text)
			r->owner.published(r->owner.arg, v->items[2]);
		return;
	}
	p = take_pending(r);
	if (!p) {
		end(r, "the server sends what was not asked for");
		return;
	}
	r->replied_ms = clock_mono_ms();
	if (p->fn)
		p->fn(p->arg, v);
	free(p);
	if (!r->is_ended)
		arm(r);
}

/* Every value has its place: an array whose parsing broke off is never told. */
static int parse(struct redis *r)
{
	void *reply;

	while (!r->is_ended) {
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK)
			return -EBADMSG;
		if (!reply)
			return r->reader->len - r->reader->pos > REDIS_REPLY_MAX ? -EMSGSIZE : 0;
		r->n_values = 0;
		take_reply(r, reply);
		value_free(reply);
	}
	return 0;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct redis *r = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	char slice[SLICE];
	int n, err = 0;

	r->depth++;
	while (!err && !r->is_ended && (n = evbuffer_remove(in, slice, sizeof(slice))) > 0) {
		if (redisReaderFeed(r->reader, slice, (size_t)n) != REDIS_OK)
			err = -ENOMEM;
		else
			err = parse(r);
	}
	if (err == -EMSGSIZE)
		end(r, "a reply is too long");
	else if (err) {
		snprintf(r->why, sizeof(r->why), "no protocol of Redis (%s)",
			redisReaderGetError(r->reader));
		end(r, r->why);
	}
	if (--r->depth == 0 && r->is_ended)
		redis_free(r);
}

static void on_opened(struct redis *r)
{
	int one = 1;

	r->is_open = true;
	event_del(r->timer);
	/* small commands go out at once; a link that does not know this is only slower */
	(void)setsockopt(bufferevent_getfd(r->bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r->owner.opened(r->owner.arg);
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
	struct redis *r = arg;
	int err = EVUTIL_SOCKET_ERROR();

	(void)bev;
	r->depth++;
	if (events & BEV_EVENT_CONNECTED) {
		on_opened(r);
	} else if (events & BEV_EVENT_EOF) {
		end(r, "the server has closed the connection");
	} else if (events & BEV_EVENT_ERROR) {
		snprintf(r->why, sizeof(r->why), "%s", evutil_socket_error_to_string(err));
		end(r, r->why);
	}
	if (--r->depth == 0 && r->is_ended)
		redis_free(r);
}

struct redis *redis_open(struct event_base *base, const struct redis_address *to,
	const struct redis_limits *limits, const struct redis_owner *owner)
{
	struct timeval tv = {limits->connect_ms / 1000, limits->connect_ms % 1000 * 1000};
	struct redis *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->owner = *owner;
	r->limits = *limits;
	r->last = &r->first;
	r->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	r->timer = evtimer_new(base, on_timer, r);
	r->reader = redisReaderCreateWithFunctions(&functions);
	if (!r->bev || !r->timer || !r->reader || event_add(r->timer, &tv) < 0) {
		redis_free(r);
		errno = ENOMEM;
		return NULL;
	}
	r->reader->privdata = r; /* hiredis's macro for it does not compile with clang */
	bufferevent_setcb(r->bev, on_read, NULL, on_event, r);
	bufferevent_setwatermark(r->bev, EV_READ, 0, INPUT_MAX);
	if (bufferevent_socket_connect(r->bev, (const struct sockaddr *)&to->sa, to->len) < 0 ||
		bufferevent_enable(r->bev, EV_READ | EV_WRITE) < 0) {
		int err = errno;

		redis_free(r);
		errno = err ? err : EIO;
		return NULL;
	}
	return r;
}

int redis_send(
	struct redis *r, const struct redis_text *words, size_t n, redis_reply_fn fn, void *arg)
{
	const char *argv[REDIS_WORDS_MAX];
	size_t lens[REDIS_WORDS_MAX];
	struct pending *p;
	char *command;
	int len, err;

	if (n == 0 || n > REDIS_WORDS_MAX)
		return -EINVAL;
	if (!r->is_open || r->is_ended)
		return -ENOTCONN;
	for (size_t i = 0; i < n; i++) {
		argv[i] = words[i].data;
		lens[i] = words[i].len;
	}
	p = calloc(1, sizeof(*p));
	len = p ? (int)redisFormatCommandArgv(&command, (int)n, argv, lens) : -1;
	if (len < 0) {
		free(p);
		return -ENOMEM;
	}
	err = bufferevent_write(r->bev, command, (size_t)len);
	secret_wipe(command, (size_t)len); /* may hold a password */
	redisFreeCommand(command);
	if (err < 0) {
		free(p);
		return -ENOMEM;
	}
	p->fn = fn;
	p->arg = arg;
	p->sent_ms = clock_mono_ms();
	*r->last = p;
	r->last = &p->next;
	if (p == r->first)
		arm(r);
	return 0;
}

int redis_subscribe(struct redis *r, const char *channel, redis_reply_fn fn, void *arg)
{
	const struct redis_text words[] = {REDIS_WORD("SUBSCRIBE"), REDIS_WORD(channel)};
	int err = redis_send(r, words, 2, fn, arg);

	if (!err)
		r->is_subscribed = true;
	return err;
}
