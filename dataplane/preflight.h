/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what is missing before it fails, and names what fixes it. Main thread. */
#ifndef TKMS_DATAPLANE_PREFLIGHT_H
#define TKMS_DATAPLANE_PREFLIGHT_H

#include "dataplane/eal_args.h"
#include "dataplane/net/address.h"

/* Checks everything that can be known before the EAL starts. Returns the number of errors; each is
 * logged with its fix. */
unsigned int preflight_run(const struct options *o, const struct eal_facts *facts);

/* Warns of service addresses that the kernel has too: it would answer for them. */
void preflight_addresses(const struct net_addresses *addresses);

#endif
