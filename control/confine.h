/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving up what only the start needed. */
#ifndef TKMS_CONTROL_CONFINE_H
#define TKMS_CONTROL_CONFINE_H

#include "control/config.h"
#include "control/reason.h"

/*
 * Call when everything is open, with one thread. From here on: no capability (IPC_LOCK if
 * RLIMIT_MEMLOCK is not infinite), files of the node's folders only, the system calls of
 * common/sandbox/filter.c. 0 or -errno with a reason.
 */
int confine(const struct config *config, const char *config_path, struct reason *why);

#endif
