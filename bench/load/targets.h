/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses of the KMS under test, and connected UDP sockets to each of them from several
 * sources. */
#ifndef TKMS_BENCH_LOAD_TARGETS_H
#define TKMS_BENCH_LOAD_TARGETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "bench/load/config.h"

struct target {
	char name[80]; /* as given */
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

struct targets {
	unsigned int n;
	unsigned int sources;
	struct target target[LOAD_ADDRESSES_MAX];
	struct http_gateway *http; /* NULL: UDP */
	int *fd;		   /* [n][sources] */
	int epoll;		   /* all of them; event data: index into fd */
};

/* Parses the list, or takes a URL, and opens the sockets. Prints why and returns -1 when it cannot.
 */
int targets_open(
	struct targets *t, const char *list, unsigned int sources, const char *bind_prefix);
void targets_close(struct targets *t);

/* Target that a socket (index into fd) belongs to. */
static inline unsigned int targets_of(const struct targets *t, unsigned int fd_index)
{
	return fd_index / t->sources;
}

#endif
