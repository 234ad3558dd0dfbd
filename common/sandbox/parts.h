/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of sandbox_enter(), one per file. Each: 0 or -errno. */
#ifndef TKMS_SANDBOX_PARTS_H
#define TKMS_SANDBOX_PARTS_H

#include "common/sandbox/sandbox.h"

/*
 * Every thread keeps the capabilities of keep that it has, and no others in any set, and enters
 * the Landlock rules before (-1: none).
 */
int sandbox_restrict_threads(uint64_t keep, int rules);

/* Landlock rules, a descriptor. -EOPNOTSUPP: the kernel has no Landlock. */
int sandbox_file_rules(const struct sandbox_folder *folders, unsigned int n);

/* The calling thread, by nothing but system calls; it must be without new privileges. */
int sandbox_enter_rules(int rules);

/* Every thread. */
int sandbox_filter_calls(enum sandbox_profile profile);

#endif
