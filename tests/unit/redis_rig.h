/* SPDX-License-Identifier: BSD-3-Clause */
/* Redis servers and Sentinels on loopback, ports that were free, for unit tests. They die with the
 * test. */
#ifndef TKMS_TESTS_REDIS_RIG_H
#define TKMS_TESTS_REDIS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;

enum { RIG_SERVERS = 2, RIG_TEXT = 64 };

struct rig {
	char dir[64];
	const char *config; /* lines more for every server, NULL: none */
	int port[RIG_SERVERS], sentinel_port;
	pid_t server[RIG_SERVERS], sentinel; /* 0: not running */
	char sentinel_text[RIG_TEXT];	     /* ADDRESS:PORT */
};

/* The first server is the primary, the other (if n is 2) its replica; a Sentinel watches them. */
void rig_start(struct rig *r, unsigned int n, const char *config);
void rig_stop(struct rig *r);
void rig_start_server(struct rig *r, unsigned int i);
void rig_kill(pid_t *pid);

int rig_free_port(void);

/* redis-cli to a server, the words after "redis-cli -p PORT"; its output without the last newline
 * into out. Fails the test when it fails. Length. */
size_t rig_cli(const struct rig *r, unsigned int server, const char *words, void *out, size_t cap);
/* The same with the last word given as octets. */
void rig_set(
	const struct rig *r, unsigned int server, const char *words, const void *data, size_t len);

/* Runs the loop until the condition holds. False: it did not within ms. */
bool rig_until(struct event_base *base, bool (*holds)(void *arg), void *arg, unsigned int ms);
/* Runs the loop for so long. */
void rig_run(struct event_base *base, unsigned int ms);

/* Says the same to everybody who connects and sends something, whatever it is. */
struct liar;
struct liar *liar_new(struct event_base *base, const char *answer, size_t len);
const char *liar_text(const struct liar *l); /* ADDRESS:PORT */
void liar_free(struct liar *l);

#endif
