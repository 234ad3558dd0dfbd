/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/passphrase.h"

#include <errno.h>
#include <openssl/evp.h>

#include "common/crypto/secret.h"

enum { R = 8, P = 1 };
#define MEMORY_MAX (UINT64_C(300) << 20)

int passphrase_key(const char *passphrase, size_t len, const uint8_t salt[PASSPHRASE_SALT_LEN],
	unsigned int log_n, uint8_t key[PASSPHRASE_KEY_LEN])
{
	secret_wipe(key, PASSPHRASE_KEY_LEN);
	if (len < PASSPHRASE_MIN || len > PASSPHRASE_MAX || log_n < PASSPHRASE_LOG_N_MIN ||
		log_n > PASSPHRASE_LOG_N_MAX)
		return -EINVAL;
	if (EVP_PBE_scrypt(passphrase, len, salt, PASSPHRASE_SALT_LEN, UINT64_C(1) << log_n, R, P,
		    MEMORY_MAX, key, PASSPHRASE_KEY_LEN) == 1)
		return 0;
	secret_wipe(key, PASSPHRASE_KEY_LEN);
	return -ENOMEM;
}
