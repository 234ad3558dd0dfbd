/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection to a Redis server or a Sentinel: asynchronous, on libevent, with time limits on
 * connecting and on every command, and bounds on what the other side may send. It is used until its
 * first error and never again: who needs another one opens another one. One thread, the event
 * loop's; nothing blocks.
 */
#ifndef TKMS_CONTROL_REDIS_H
#define TKMS_CONTROL_REDIS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct event_base;
struct redis;

enum {
	REDIS_REPLY_MAX = 8 << 20,  /* octets of a reply */
	REDIS_VALUES_MAX = 1 << 17, /* values in a reply, nested ones too */
	REDIS_ADDRESS_TEXT = 64,
};

struct redis_address {
	struct sockaddr_storage sa;
	int len;
	char text[REDIS_ADDRESS_TEXT]; /* ADDRESS:PORT */
};
/* Numbers only, IPv6 in brackets. 0, -EINVAL. */
int redis_address_parse(struct redis_address *a, const char *text);
/* From what a Sentinel says. 0, -EINVAL. */
int redis_address_set(struct redis_address *a, const char *ip, const char *port);

enum redis_kind {
	REDIS_NIL,
	REDIS_STATUS,
	REDIS_FAILURE, /* an error of the server: text */
	REDIS_INTEGER,
	REDIS_STRING,
	REDIS_ARRAY,
};

struct redis_value {
	enum redis_kind kind;
	int64_t integer;
	size_t len;
	char *text; /* len octets and a zero; NULL unless STATUS, FAILURE or STRING */
	size_t n;
	struct redis_value **items; /* of an ARRAY; none is NULL */
};
/* Is it a text of exactly these octets. */
int redis_value_is(const struct redis_value *v, const char *text);

/* The reply; NULL: the connection has ended before one came. Valid during the call only. */
typedef void (*redis_reply_fn)(void *arg, const struct redis_value *v);

struct redis_owner {
	void *arg;
	void (*opened)(void *arg);
	/* The connection is no more (why: words for the operator), and neither is its struct. Not
	 * called after redis_close(). */
	void (*ended)(void *arg, const char *why);
	/* Published by somebody on a channel that is subscribed to. */
	void (*published)(void *arg, const struct redis_value *message);
};

struct redis_limits {
	unsigned int connect_ms;
	unsigned int reply_ms; /* from the later of: command sent, reply before it came */
};

/* Begins to connect. NULL with errno. */
struct redis *redis_open(struct event_base *base, const struct redis_address *to,
	const struct redis_limits *limits, const struct redis_owner *owner);
/* Replies that are still awaited are told as NULL. NULL is nothing. */
void redis_close(struct redis *r);

struct redis_text {
	const void *data;
	size_t len;
};
#define REDIS_WORD(s)                                   \
	{                                               \
		.data = (s), .len = __builtin_strlen(s) \
	}

enum { REDIS_WORDS_MAX = 512 };

/*
 * Sends a command of n words, at once (the server answers in order); fn (may be NULL) is called
 * once, never from within. 0, -EINVAL, -ENOTCONN (not yet opened, or ended), -ENOMEM.
 */
int redis_send(
	struct redis *r, const struct redis_text *words, size_t n, redis_reply_fn fn, void *arg);
/* Subscribes to a channel: no other commands but PING from then on. fn gets the confirmation. */
int redis_subscribe(struct redis *r, const char *channel, redis_reply_fn fn, void *arg);

#endif
