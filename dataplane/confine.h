/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving up what only the start needed. */
#ifndef TKMS_DATAPLANE_CONFINE_H
#define TKMS_DATAPLANE_CONFINE_H

#include "dataplane/eal.h"
#include "dataplane/port.h"

/*
 * Call when the ports are open and before workers run. Of the capabilities stay: NET_ADMIN if a
 * port has to be set back at the end, IPC_LOCK if RLIMIT_MEMLOCK would otherwise bound the keys.
 * Files may be removed where the EAL cleans up, and nowhere else. 0 or -errno, logged.
 */
int confine(const struct eal_runtime *runtime, const struct port *ports, unsigned int n);

#endif
