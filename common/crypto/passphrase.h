/* SPDX-License-Identifier: BSD-3-Clause */
/* A key from a passphrase: scrypt (RFC 7914). Cold path; OpenSSL. */
#ifndef TKMS_CRYPTO_PASSPHRASE_H
#define TKMS_CRYPTO_PASSPHRASE_H

#include <stddef.h>
#include <stdint.h>

enum {
	PASSPHRASE_SALT_LEN = 32,
	PASSPHRASE_KEY_LEN = 32,
	PASSPHRASE_MIN = 12, /* octets */
	PASSPHRASE_MAX = 1024,
	/* What is taken from a file that somebody else may have written: at most 256 MiB. */
	PASSPHRASE_LOG_N_MIN = 14,
	PASSPHRASE_LOG_N_MAX = 18,
	PASSPHRASE_LOG_N = 16, /* of new files: 64 MiB */
};

/* N = 2^log_n, r = 8, p = 1. 0, -EINVAL (length or cost out of range), -ENOMEM. key is wiped then.
 */
int passphrase_key(const char *passphrase, size_t len, const uint8_t salt[PASSPHRASE_SALT_LEN],
	unsigned int log_n, uint8_t key[PASSPHRASE_KEY_LEN]);

#endif
