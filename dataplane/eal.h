/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting and ending DPDK's EAL: what the machine offers, run-time files, leftovers of killed
 * processes. Main thread. */
#ifndef TKMS_DATAPLANE_EAL_H
#define TKMS_DATAPLANE_EAL_H

#include "dataplane/eal_args.h"

/* Looks at the machine. 0 or -errno. */
int eal_facts_gather(struct eal_facts *facts);

/* Removes what killed data planes left, then initialises the EAL. 0 or -errno, logged. */
int eal_start(struct eal_args *args);

/* Ends the EAL and removes its run-time files. */
void eal_stop(const struct eal_args *args);

#endif
