/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the exchanger share. Internal to bench/exchange. */
#ifndef TKMS_BENCH_EXCHANGE_INTERNAL_H
#define TKMS_BENCH_EXCHANGE_INTERNAL_H

#include "bench/exchange/exchange.h"
#include "common/kdf/kdf.h"

/* Algorithms of a suite (readings N22, N23, N25). */
struct suite {
	uint8_t prf, auth_alg, encr_alg;
	uint8_t hash;
	uint8_t mac_len;
	uint8_t key_len; /* encryption keys, MPKs, TGKs, RANDs */
};

enum { SALT_LEN = 14, DERIVE_MAX = EXCHANGE_KEYS_MAX + 2 };

/* A derivation of a batch and the room for its label and result. */
struct derivation {
	uint8_t label[CRYPTO_LABEL_MAX];
	uint8_t out[CRYPTO_PRF_OUT_MAX];
};

struct exchanger {
	struct crypto *crypto;
	const struct suite *suite;
	struct exchange_config config;
	struct rng rng;
	struct grant scratch[EXCHANGE_BATCH_MAX];
	uint8_t plain[EXCHANGE_BATCH_MAX][2048];
	uint8_t mac[EXCHANGE_BATCH_MAX][CRYPTO_MAC_MAX];
	struct derivation derivation[EXCHANGE_BATCH_MAX * DERIVE_MAX];
	struct crypto_prf_op prf[EXCHANGE_BATCH_MAX * DERIVE_MAX];
	struct crypto_mac_op mac_op[EXCHANGE_BATCH_MAX];
	struct crypto_cm_op cm[EXCHANGE_BATCH_MAX];
	struct mikey_message parsed[EXCHANGE_BATCH_MAX];
	struct exchange_key want[EXCHANGE_BATCH_MAX][EXCHANGE_KEYS_MAX + 1];
	unsigned int n_prf;
};

/* Who sends the initial message. */
static inline const struct party *exchange_sender(const struct exchange *x)
{
	return x->kind == EXCHANGE_REQUEST ? x->initiator : x->grant->responder;
}

/*
 * Adds a derivation to the batch and returns where its result will be. exchanger_derive(): from any
 * key, the label of label_len octets has been written into exchanger_next()->label.
 */
const uint8_t *exchanger_derive_psk(struct exchanger *e, const struct exchange *x, enum kdf_key key,
	enum kdf_phase phase, uint8_t len);
const uint8_t *exchanger_derive(struct exchanger *e, const uint8_t *inkey, uint8_t inkey_len,
	uint8_t prf, size_t label_len, uint8_t len);
/* The next free derivation, to write a label to. */
struct derivation *exchanger_next(struct exchanger *e);
/* Computes what was added and empties the batch; results stay until the next one is added. */
void exchanger_derive_all(struct exchanger *e);

#endif
