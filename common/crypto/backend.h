/* SPDX-License-Identifier: BSD-3-Clause */
/* What a backend of crypto.h implements. Private to common/crypto and its tests. */
#ifndef TKMS_CRYPTO_BACKEND_H
#define TKMS_CRYPTO_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"

/*
 * priv is zeroed secret memory of priv_size octets that belongs to the backend. Arrays have 1 to
 * CRYPTO_BATCH_MAX operations that crypto.c has checked against the limits of crypto.h.
 */
struct crypto_backend {
	const char *name;
	size_t priv_size;
	/* 0 or a positive errno. On failure nothing is left to close. */
	int (*open)(void *priv);
	void (*close)(void *priv);
	void (*prf)(void *priv, const struct crypto_prf_op *ops, unsigned int n);
	void (*mac)(void *priv, const struct crypto_mac_op *ops, unsigned int n);
	void (*cm)(void *priv, const struct crypto_cm_op *ops, unsigned int n);
	void (*key_prepare)(void *priv, const uint8_t *key, size_t len, struct crypto_key *out);
	void (*wipe_scratch)(void *priv);
};

extern const struct crypto_backend crypto_backend_ipsec_mb;
extern const struct crypto_backend crypto_backend_openssl;

/*
 * Ends the process: a limit was broken or a primitive failed, and a result that was not computed
 * must never pass for one.
 */
_Noreturn void crypto_fatal(const char *what);

static inline void crypto_check(bool ok, const char *what)
{
	if (__builtin_expect(!ok, 0))
		crypto_fatal(what);
}

static inline size_t crypto_hash_len(uint8_t hash)
{
	return hash == CRYPTO_SHA1 ? CRYPTO_SHA1_LEN : CRYPTO_SHA256_LEN;
}

#endif
