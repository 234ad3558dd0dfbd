/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"

enum kw_direction { KW_UNWRAP = 0, KW_WRAP = 1 };

/* Returns octets written, -EBADMSG when the cipher refuses the data, or -ENOMEM. */
static int run(enum kw_direction direction, const uint8_t key[16], const uint8_t iv[8],
	const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int written = 0, result = -ENOMEM;

	if (!ctx)
		return -ENOMEM;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (EVP_CipherInit_ex(ctx, EVP_aes_128_wrap(), NULL, key, iv, direction) == 1)
		result = EVP_CipherUpdate(ctx, out, &written, in, (int)len) == 1 && written > 0
				 ? written
				 : -EBADMSG;
	EVP_CIPHER_CTX_free(ctx);
	return result;
}

int crypto_kw_wrap(
	const uint8_t key[16], const uint8_t iv[8], const uint8_t *in, size_t len, uint8_t *out)
{
	int written;

	if (len < 16 || len % 8 != 0 || len > INT_MAX - 8)
		return -EINVAL;
	written = run(KW_WRAP, key, iv, in, len, out);
	if (written == (int)(len + 8))
		return 0;
	secret_wipe(out, len + 8);
	return -ENOMEM;
}

int crypto_kw_unwrap(
	const uint8_t key[16], const uint8_t iv[8], const uint8_t *in, size_t len, uint8_t *out)
{
	int written;

	if (len < 16 || len % 8 != 0 || len > INT_MAX - 8)
		return -EINVAL;
	written = run(KW_UNWRAP, key, iv, in, len + 8, out);
	if (written == (int)len)
		return 0;
	secret_wipe(out, len);
	return written < 0 ? written : -EBADMSG;
}
