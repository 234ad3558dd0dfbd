/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "bench/exchange/internal.h"
#include "common/crypto/secret.h"

static const struct suite suites[] = {
	[EXCHANGE_SUITE_A] = {MIKEY_PRF_MIKEY_1, MIKEY_AUTH_HMAC_SHA_1_160, MIKEY_ENCR_AES_CM_128,
		CRYPTO_SHA1, 20, 16},
	[EXCHANGE_SUITE_B] = {MIKEY_PRF_HMAC_SHA_256, MIKEY_AUTH_HMAC_SHA_256_256,
		MIKEY_ENCR_AES_CM_256, CRYPTO_SHA256, 32, 32},
};

struct exchanger *exchanger_new(
	const char *backend, const struct exchange_config *config, uint64_t seed)
{
	struct exchanger *e = secret_alloc(sizeof(*e));

	if (!e)
		return NULL;
	e->config = *config;
	e->suite = &suites[config->suite];
	rng_seed(&e->rng, seed);
	e->crypto = crypto_open(backend);
	if (!e->crypto) {
		int error = errno;

		secret_free(e, sizeof(*e));
		errno = error;
		return NULL;
	}
	return e;
}

void exchanger_free(struct exchanger *e)
{
	if (!e)
		return;
	crypto_close(e->crypto);
	secret_free(e, sizeof(*e));
}

struct crypto *exchanger_crypto(struct exchanger *e)
{
	return e->crypto;
}

struct rng *exchanger_rng(struct exchanger *e)
{
	return &e->rng;
}

struct derivation *exchanger_next(struct exchanger *e)
{
	return &e->derivation[e->n_prf];
}

static const uint8_t *add(struct exchanger *e, struct crypto_prf_op op, size_t label_len)
{
	struct derivation *d = &e->derivation[e->n_prf];

	op.label = d->label;
	op.label_len = (uint16_t)label_len;
	op.out = d->out;
	e->prf[e->n_prf++] = op;
	return d->out;
}

const uint8_t *exchanger_derive(struct exchanger *e, const uint8_t *inkey, uint8_t inkey_len,
	uint8_t prf, size_t label_len, uint8_t len)
{
	return add(e,
		(struct crypto_prf_op){
			.inkey = inkey,
			.inkey_len = inkey_len,
			.out_len = len,
			.hash = prf == MIKEY_PRF_HMAC_SHA_256 ? CRYPTO_SHA256 : CRYPTO_SHA1,
		},
		label_len);
}

const uint8_t *exchanger_derive_psk(struct exchanger *e, const struct exchange *x, enum kdf_key key,
	enum kdf_phase phase, uint8_t len)
{
	struct kdf_rand rand = {x->rand, e->suite->key_len}, none = {NULL, 0};
	size_t label_len = kdf_label_message(exchanger_next(e)->label, key, phase, x->csb_id,
		x->kind == EXCHANGE_REQUEST ? rand : none,
		x->kind == EXCHANGE_REQUEST ? none : rand);

	return add(e,
		(struct crypto_prf_op){
			.key = &exchange_sender(x)->prepared,
			.out_len = len,
			.hash = e->suite->hash,
		},
		label_len);
}

void exchanger_derive_all(struct exchanger *e)
{
	if (e->n_prf > 0)
		crypto_prf(e->crypto, e->prf, e->n_prf);
	e->n_prf = 0;
}

const char *exchange_result_text(enum exchange_result r)
{
	static const char *const text[EXCHANGE_RESULTS] = {
		[EXCHANGE_OK] = "ok",
		[EXCHANGE_ERROR_VERIFIED] = "Error message, MAC right",
		[EXCHANGE_ERROR_HINT] = "Error message without a MAC",
		[EXCHANGE_MALFORMED] = "answer does not parse",
		[EXCHANGE_HEADER] = "not an answer to this message",
		[EXCHANGE_SKEW] = "timestamp too far from the local clock",
		[EXCHANGE_MAC] = "wrong MAC",
		[EXCHANGE_KEMAC] = "KEMAC does not decrypt to keys",
		[EXCHANGE_KEYS] = "wrong keys",
		[EXCHANGE_POLICY] = "ticket is not the one asked for",
	};

	return r < EXCHANGE_RESULTS ? text[r] : "?";
}
