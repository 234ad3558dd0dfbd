/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TKMS_CONTROL_NOTIFY_H
#define TKMS_CONTROL_NOTIFY_H

/* Tells the service manager ($NOTIFY_SOCKET, sd_notify(3)), as "READY=1". 0 when there is none or
 * it was told, -errno. */
int notify_send(const char *state);

#endif
