/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TKMS_CONTROL_UNIX_SOCKET_H
#define TKMS_CONTROL_UNIX_SOCKET_H

#include "control/reason.h"

/*
 * A listening socket (SOCK_STREAM or SOCK_SEQPACKET) at path, mode 0600, not blocking. A socket
 * that is there is replaced (the caller holds the directory's lock); anything else is left alone.
 * Descriptor, or -errno and the reason.
 */
int unix_socket_listen(const char *path, int type, struct reason *why);

/* Connects, blocking. Descriptor or -errno. */
int unix_socket_connect(const char *path, int type);

#endif
