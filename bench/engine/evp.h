/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The yardstick "a good straightforward KMS with OpenSSL": the operations of common/crypto on EVP
 * alone, one at a time, algorithms fetched once, contexts reused, the key of a PRF set once for its
 * HMACs. EVP cannot continue from prepared HMAC states, so long-lived keys are given as raw keys,
 * found by the address of their prepared form.
 */
#ifndef TKMS_BENCH_ENGINE_EVP_H
#define TKMS_BENCH_ENGINE_EVP_H

#include <stddef.h>

#include "common/crypto/crypto.h"

struct evp;

/* Room for n long-lived keys. NULL with errno. */
struct evp *evp_new(size_t n);
void evp_free(struct evp *e);

/* prepared: address of a struct crypto_key, or of the SHA-256 struct crypto_hmac_state of a key.
 * len at most 32. */
void evp_add_key(struct evp *e, const void *prepared, const uint8_t *key, size_t len);

void evp_prf(struct evp *e, const struct crypto_prf_op *ops, unsigned int n);
void evp_mac(struct evp *e, const struct crypto_mac_op *ops, unsigned int n);
void evp_cm(struct evp *e, const struct crypto_cm_op *ops, unsigned int n);

#endif
