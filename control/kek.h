/* SPDX-License-Identifier: BSD-3-Clause */
/* The key encryption key: 32 octets in a file that nobody else can read, raw or as 64 hex digits.
 */
#ifndef TKMS_CONTROL_KEK_H
#define TKMS_CONTROL_KEK_H

#include <stdint.h>

#include "control/reason.h"
#include "control/seal.h"

/*
 * Reads the KEK: from $CREDENTIALS_DIRECTORY/kek if there is one (systemd), else from path. A file
 * must belong to root or to us and must not be accessible to anybody else; a credential's owner and
 * group are systemd's business. 0, or -errno and the reason.
 */
int kek_load(const char *path, uint8_t kek[SEAL_KEK_LEN], struct reason *why);

/* The same from the file, or credential, of that name and ".next" or ".previous": those of a change
 * of the KEK (control/kek_change.h). -ENOENT: there is none, or a credential that says "none". */
#define KEK_NEXT     ".next"
#define KEK_PREVIOUS ".previous"
int kek_load_other(
	const char *path, const char *suffix, uint8_t kek[SEAL_KEK_LEN], struct reason *why);

/* Makes a new random KEK in a file of its own, mode 0600, on disk when it returns. -EEXIST: there
 * is one (it is left alone). */
int kek_create(const char *path, struct reason *why);

#endif
