/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets. */
#ifndef TKMS_HTTP_LISTENER_H
#define TKMS_HTTP_LISTENER_H

#include "dataplane/http/address.h"

/* Several sockets, also of several processes, may listen at the address (SO_REUSEPORT). fd or
 * -errno. */
int listener_open(const struct address *a);

#endif
