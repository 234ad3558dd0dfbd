/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of a KMS: a list as users write it, and what is known of each. */
#ifndef TKMS_CLIENT_ADDRESS_H
#define TKMS_CLIENT_ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	CLIENT_ADDRESSES_MAX = 64,
	CLIENT_PORT = 2269, /* registered for MIKEY */
	CLIENT_ADDRESS_TEXT = 64,
};

struct client_address {
	struct sockaddr_storage sa;
	socklen_t sa_len;
	char text[CLIENT_ADDRESS_TEXT + 8]; /* "192.0.2.1:2269", "[2001:db8::1]:2269" */
	/* Memory of what was silent. Times are microseconds of a monotonic clock. */
	uint64_t dead_until_us;
	uint64_t marked_us;    /* when it was last found silent */
	uint64_t alive_us;     /* when it last answered; 0: never */
	unsigned int silences; /* in a row */
};

struct client_pool {
	unsigned int n;
	struct client_address address[CLIENT_ADDRESSES_MAX];
};

/*
 * Reads "ADDR[,ADDR...]"; ADDR is IP, IP:port, [v6] or [v6]:port (a bare v6 is understood too). No
 * names: a client of a KMS does not depend on DNS. 0, or -EINVAL with the offending part in *bad
 * (within list) and its length in *bad_len, -E2BIG (too many).
 */
int client_pool_parse(
	struct client_pool *pool, const char *list, const char **bad, size_t *bad_len);

/*
 * An address did not answer what was sent at sent_us: others go first for a while, longer each
 * time. With many messages under way one silence is one silence, however many of them met it, and a
 * lost datagram is none when the address has answered others since.
 */
void client_address_silent(struct client_address *a, uint64_t sent_us, uint64_t now_us);
/* It answered. */
void client_address_alive(struct client_address *a, uint64_t now_us);

#endif
