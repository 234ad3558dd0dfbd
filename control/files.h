/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and directories that only we may touch. */
#ifndef TKMS_CONTROL_FILES_H
#define TKMS_CONTROL_FILES_H

#include <stddef.h>

#include "control/reason.h"

/* Makes sure that a directory of ours exists: creates it (mode, its parent must exist). 0 or
 * -errno. */
int files_make_dir(const char *path, unsigned int mode, struct reason *why);
/* Writes a directory's entries to disk. */
int files_sync_dir(const char *path);
/* The directory part of a path. 0 or -ENAMETOOLONG. */
int files_dirname(const char *path, char *dir, size_t cap);
/*
 * Holds DIR/name locked for as long as the process lives. Descriptor, or -EBUSY (another process
 * holds it) or -errno with the reason.
 */
int files_lock(const char *dir, const char *name, struct reason *why);

#endif
