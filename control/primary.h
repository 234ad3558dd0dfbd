/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection to the Redis primary, made again as often as it is needed: found through the
 * Sentinels, checked by ROLE when it is new and every second after that, left when most Sentinels
 * name another one. A second connection waits for what is published on one channel. One thread, the
 * event loop's.
 */
#ifndef TKMS_CONTROL_PRIMARY_H
#define TKMS_CONTROL_PRIMARY_H

#include <stdbool.h>

#include "control/redis.h"

struct primary;

struct primary_settings {
	const char *const *sentinels; /* ADDRESS:PORT */
	unsigned int n_sentinels;
	const char *name;	   /* as the Sentinels know it */
	const char *user;	   /* "": the default user */
	const char *password_file; /* "": none */
	const char *channel;	   /* to listen to */
};

struct primary_owner {
	void *arg;
	void (*ready)(void *arg);
	/* Commands under way have been told as NULL. */
	void (*lost)(void *arg, const char *why);
	void (*published)(void *arg, const struct redis_value *message);
};

/* Copies what it is given. NULL with errno. */
struct primary *primary_new(struct event_base *base, const struct primary_settings *settings,
	const struct primary_owner *owner);
void primary_free(struct primary *p);

bool primary_is_ready(const struct primary *p);
/* As redis_send(); -ENOTCONN while there is no primary. */
int primary_send(
	struct primary *p, const struct redis_text *words, size_t n, redis_reply_fn fn, void *arg);

struct primary_status {
	char address[REDIS_ADDRESS_TEXT]; /* "": none */
	char error[320];     /* why there is none, "": there is one, or no attempt has ended */
	uint64_t reconnects; /* connections made after the first */
	uint64_t timeouts;
	unsigned int sentinels; /* that answer */
};
const struct primary_status *primary_status(struct primary *p);

#endif
