/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator's socket: JSON lines over a Unix stream socket, one request, one response, in turn.
 *
 *   {"command": "status"}
 *   {"ok": true, "result": {...}}  or  {"ok": false, "error": "what is wrong"}
 *
 * Commands are in control/admin_commands.c. Those that change what the data plane serves answer
 * when it has acknowledged the change; their result has "dataplane": "acknowledged", "not
 * connected" or "not acknowledged yet".
 */
#ifndef TKMS_CONTROL_ADMIN_H
#define TKMS_CONTROL_ADMIN_H

#include "control/reason.h"

struct admin;
struct control;

/* Listens on path (mode 0600). 0, or -errno and the reason. */
int admin_open(struct control *c, const char *path, struct admin **out, struct reason *why);
void admin_close(struct admin *a);

/* The link's status has changed: answers those who wait for it. */
void admin_wake(struct admin *a);

/* Ends an import that is under way; its client is told why. */
void admin_abort_import(struct admin *a, const char *why);

#endif
