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

/* The folder of the EAL's run-time files and the one above it: opened while that is still allowed.
 * -1: there is none. */
struct eal_runtime {
	int parent, folder;
	char parent_path[256], folder_path[384]; /* empty: not known */
};
/* After eal_start(). 0 or -errno. */
int eal_runtime_open(struct eal_runtime *r, const struct eal_args *args);

/* Ends the EAL, removes its run-time files, closes runtime. */
void eal_stop(const struct eal_args *args, struct eal_runtime *runtime);

#endif
