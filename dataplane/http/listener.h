/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets. */
#ifndef TKMS_HTTP_LISTENER_H
#define TKMS_HTTP_LISTENER_H

#include <stdbool.h>

#include "dataplane/http/address.h"

/* Several sockets, also of several processes, may listen at the address (SO_REUSEPORT). fd or
 * -errno. */
int listener_open(const struct address *a);
/* New connections are not answered any more, those whose handshake has begun come through. 0 or
 * -errno. */
int listener_refuse(int fd);
/* Is there a connection to be accepted. */
bool listeners_waiting(const int *fds, unsigned int n);

#endif
