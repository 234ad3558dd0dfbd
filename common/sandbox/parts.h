/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of sandbox_enter(), one per file. Each: 0 or -errno. */
#ifndef TKMS_SANDBOX_PARTS_H
#define TKMS_SANDBOX_PARTS_H

#include "common/sandbox/sandbox.h"

/* Every thread keeps the capabilities of keep that it has, and no others in any set. */
int sandbox_drop_capabilities(uint64_t keep);

/* -EOPNOTSUPP: the kernel has no Landlock. The calling thread only. */
int sandbox_restrict_files(const struct sandbox_folder *folders, unsigned int n);

/* Every thread. */
int sandbox_filter_calls(enum sandbox_profile profile);

#endif
