/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that holds keys: wiped, locked, kept out of core dumps, compared in constant time. */
#ifndef TKMS_CRYPTO_SECRET_H
#define TKMS_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroes n octets; never optimised away. p may be NULL if n is 0. */
void secret_wipe(void *p, size_t n);

/* Compares n octets in time that depends on n only. Returns true if equal. */
bool secret_equal(const void *a, const void *b, size_t n);

/*
 * Page-aligned, zeroed memory of at least n octets: mlocked, MADV_DONTDUMP, MADV_WIPEONFORK.
 * Returns NULL with errno (ENOMEM also when RLIMIT_MEMLOCK is too small: raise it). Free with
 * secret_free(), which wipes first. Any thread.
 */
void *secret_alloc(size_t n);
void secret_free(void *p, size_t n);

/*
 * Locks and hides an existing page-aligned mapping of n octets (an arena, a memfd).
 * Returns 0 or -errno.
 */
int secret_protect(void *p, size_t n);

/*
 * Makes the whole process safe to hold secrets: not dumpable, no core file, future and current
 * memory locked if the limit allows. Call first in main(). Returns 0, or -errno of the first step
 * that failed (the process must then not load keys). lock_all: also mlockall() (SECRET_LOCK_ALL).
 */
enum secret_lock { SECRET_LOCK_SELECTED, SECRET_LOCK_ALL };
int secret_process_harden(enum secret_lock lock);

/* Fills with n octets of getrandom(2). Returns 0 or -errno. Never on the hot path. */
int secret_random(void *p, size_t n);

#endif
