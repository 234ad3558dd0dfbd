/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/backend.h"
#include "common/crypto/secret.h"

struct crypto {
	const struct crypto_backend *backend;
	size_t size;
	_Alignas(64) uint8_t priv[];
};

void crypto_fatal(const char *what)
{
	fprintf(stderr, "crypto: %s\n", what);
	abort();
}

static const struct crypto_backend *find_backend(const char *name)
{
	static const struct crypto_backend *const backends[] = {
		&crypto_backend_ipsec_mb, &crypto_backend_openssl};
	size_t i;

	if (!name)
		return backends[0];
	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

struct crypto *crypto_open(const char *name)
{
	const struct crypto_backend *backend = find_backend(name);
	struct crypto *ctx;
	size_t size;
	int err;

	if (!backend) {
		errno = ENOENT;
		return NULL;
	}
	size = sizeof(*ctx) + backend->priv_size;
	ctx = secret_alloc(size);
	if (!ctx)
		return NULL;
	ctx->backend = backend;
	ctx->size = size;
	err = backend->open(ctx->priv);
	if (err) {
		secret_free(ctx, size);
		errno = err;
		return NULL;
	}
	return ctx;
}

void crypto_close(struct crypto *ctx)
{
	if (!ctx)
		return;
	ctx->backend->wipe_scratch(ctx->priv);
	ctx->backend->close(ctx->priv);
	secret_free(ctx, ctx->size);
}

const char *crypto_name(const struct crypto *ctx)
{
	return ctx->backend->name;
}

static void check_prf(const struct crypto_prf_op *op)
{
	crypto_check(!op->key != !op->inkey, "prf: not exactly one key");
	crypto_check(op->key || (op->inkey_len >= 1 && op->inkey_len <= CRYPTO_INKEY_MAX),
		"prf: inkey length");
	crypto_check(op->label && op->label_len >= 1 && op->label_len <= CRYPTO_LABEL_MAX,
		"prf: label length");
	crypto_check(op->out && op->out_len >= 1 && op->out_len <= CRYPTO_PRF_OUT_MAX,
		"prf: out length");
	crypto_check(op->hash == CRYPTO_SHA1 || op->hash == CRYPTO_SHA256, "prf: hash");
}

static void check_mac(const struct crypto_mac_op *op)
{
	crypto_check(!op->state != !op->key, "mac: not exactly one key");
	crypto_check(op->state || (op->key_len >= 1 && op->key_len <= CRYPTO_MAC_KEY_MAX),
		"mac: key length");
	crypto_check(op->n_segments <= CRYPTO_SEGMENTS_MAX, "mac: segments");
	crypto_check(op->out != NULL, "mac: out");
	crypto_check(op->hash == CRYPTO_SHA1 || op->hash == CRYPTO_SHA256, "mac: hash");
}

static void check_cm(const struct crypto_cm_op *op)
{
	uint32_t counter;

	crypto_check(op->key && (op->key_len == 16 || op->key_len == 32), "cm: key length");
	crypto_check(op->len == 0 || (op->src && op->dst), "cm: buffers");
	/* ipsec-mb carries no further than 32 bits, OpenSSL does. */
	memcpy(&counter, op->iv + CRYPTO_IV_LEN - sizeof(counter), sizeof(counter));
	crypto_check(UINT32_MAX - __builtin_bswap32(counter) >= (op->len ? op->len - 1u : 0u) / 16,
		"cm: counter");
}

static unsigned int chunk(unsigned int n)
{
	return n < CRYPTO_BATCH_MAX ? n : CRYPTO_BATCH_MAX;
}

void crypto_prf(struct crypto *ctx, const struct crypto_prf_op *ops, unsigned int n)
{
	unsigned int i, c;

	for (i = 0; i < n; i++)
		check_prf(&ops[i]);
	for (; n; ops += c, n -= c) {
		c = chunk(n);
		ctx->backend->prf(ctx->priv, ops, c);
	}
}

void crypto_mac(struct crypto *ctx, const struct crypto_mac_op *ops, unsigned int n)
{
	unsigned int i, c;

	for (i = 0; i < n; i++)
		check_mac(&ops[i]);
	for (; n; ops += c, n -= c) {
		c = chunk(n);
		ctx->backend->mac(ctx->priv, ops, c);
	}
}

void crypto_cm(struct crypto *ctx, const struct crypto_cm_op *ops, unsigned int n)
{
	unsigned int i, c;

	for (i = 0; i < n; i++)
		check_cm(&ops[i]);
	for (; n; ops += c, n -= c) {
		c = chunk(n);
		ctx->backend->cm(ctx->priv, ops, c);
	}
}

void crypto_key_prepare(struct crypto *ctx, const uint8_t *key, size_t len, struct crypto_key *out)
{
	crypto_check(len >= 1 && len <= CRYPTO_PREPARED_KEY_MAX, "key_prepare: key length");
	ctx->backend->key_prepare(ctx->priv, key, len, out);
}

void crypto_wipe_scratch(struct crypto *ctx)
{
	ctx->backend->wipe_scratch(ctx->priv);
}

void crypto_cm_iv(
	uint8_t iv[CRYPTO_IV_LEN], const uint8_t salt[14], uint32_t csb_id, const uint8_t t64[8])
{
	unsigned int i;

	memcpy(iv, salt, 14);
	iv[14] = 0;
	iv[15] = 0;
	for (i = 0; i < 4; i++)
		iv[2 + i] ^= (uint8_t)(csb_id >> (24 - 8 * i));
	for (i = 0; i < 8; i++)
		iv[6 + i] ^= t64[i];
}

bool crypto_key_acceptable(const uint8_t *key, size_t len)
{
	uint8_t diff = 0;
	size_t i;

	if (len < 16 || len > 64)
		return false;
	if (len <= 32)
		return true;
	for (i = 0; i < 32; i++)
		diff |= key[i] ^ (32 + i < len ? key[32 + i] : 0);
	return diff != 0;
}
