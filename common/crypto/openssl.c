/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference backend: one operation at a time, algorithms fetched once, contexts reused.
 *
 * Raw keys go through EVP_MAC. EVP has no way to continue from a prepared HMAC state, so prepared
 * keys use the SHA functions below EVP, which OpenSSL 3.0 calls deprecated.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/crypto/backend.h"
#include "common/crypto/secret.h"

struct openssl {
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac[2]; /* by enum crypto_hash */
	EVP_CIPHER *aes[2];  /* AES-128-CTR, AES-256-CTR */
	EVP_CIPHER_CTX *cipher;
};

static void close_all(void *priv)
{
	struct openssl *o = priv;
	unsigned int i;

	EVP_CIPHER_CTX_free(o->cipher);
	for (i = 0; i < 2; i++) {
		EVP_CIPHER_free(o->aes[i]);
		EVP_MAC_CTX_free(o->mac[i]);
	}
	EVP_MAC_free(o->hmac);
}

static EVP_MAC_CTX *new_mac(EVP_MAC *hmac, const char *digest)
{
	char name[8];
	OSSL_PARAM params[2];
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);

	if (!mac)
		return NULL;
	strcpy(name, digest);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(mac, params) != 1) {
		EVP_MAC_CTX_free(mac);
		return NULL;
	}
	return mac;
}

static int open_all(void *priv)
{
	struct openssl *o = priv;

	o->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (o->hmac) {
		o->mac[CRYPTO_SHA1] = new_mac(o->hmac, "SHA1");
		o->mac[CRYPTO_SHA256] = new_mac(o->hmac, "SHA256");
	}
	o->aes[0] = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	o->aes[1] = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	o->cipher = EVP_CIPHER_CTX_new();
	if (o->mac[0] && o->mac[1] && o->aes[0] && o->aes[1] && o->cipher)
		return 0;
	close_all(o);
	return ENOMEM;
}

/* Hash over segments from a given state, which stands for one block already hashed. */
static void hash_from(uint8_t hash, const uint32_t state[8], const struct crypto_segment *seg,
	unsigned int n_segments, uint8_t *out)
{
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
	} c;
	unsigned int i;

	if (hash == CRYPTO_SHA1) {
		SHA1_Init(&c.sha1);
		c.sha1.h0 = state[0];
		c.sha1.h1 = state[1];
		c.sha1.h2 = state[2];
		c.sha1.h3 = state[3];
		c.sha1.h4 = state[4];
		c.sha1.Nl = 512;
		for (i = 0; i < n_segments; i++)
			SHA1_Update(&c.sha1, seg[i].data, seg[i].len);
		SHA1_Final(out, &c.sha1);
	} else {
		SHA256_Init(&c.sha256);
		memcpy(c.sha256.h, state, sizeof(c.sha256.h));
		c.sha256.Nl = 512;
		for (i = 0; i < n_segments; i++)
			SHA256_Update(&c.sha256, seg[i].data, seg[i].len);
		SHA256_Final(out, &c.sha256);
	}
	secret_wipe(&c, sizeof(c));
}

static void hmac_state(uint8_t hash, const struct crypto_hmac_state *state,
	const struct crypto_segment *seg, unsigned int n_segments, uint8_t *out)
{
	uint8_t digest[CRYPTO_MAC_MAX];
	struct crypto_segment inner = {digest, (uint32_t)crypto_hash_len(hash)};

	hash_from(hash, state->inner, seg, n_segments, digest);
	hash_from(hash, state->outer, &inner, 1, out);
	secret_wipe(digest, sizeof(digest));
}

/* key NULL: the same key as last time, whose state OpenSSL keeps. */
static void hmac_raw(struct openssl *o, uint8_t hash, const uint8_t *key, size_t key_len,
	const struct crypto_segment *seg, unsigned int n_segments, uint8_t *out)
{
	EVP_MAC_CTX *mac = o->mac[hash];
	size_t len = crypto_hash_len(hash), written = 0;
	unsigned int i;
	int ok;

	ok = EVP_MAC_init(mac, key, key_len, NULL) == 1;
	for (i = 0; ok && i < n_segments; i++)
		ok = seg[i].len == 0 || EVP_MAC_update(mac, seg[i].data, seg[i].len) == 1;
	ok = ok && EVP_MAC_final(mac, out, &written, len) == 1 && written == len;
	crypto_check(ok, "OpenSSL HMAC failed");
}

static void mac(void *priv, const struct crypto_mac_op *ops, unsigned int n)
{
	const struct crypto_mac_op *op;

	for (op = ops; op < ops + n; op++) {
		if (op->state)
			hmac_state(op->hash, op->state, op->seg, op->n_segments, op->out);
		else
			hmac_raw(priv, op->hash, op->key, op->key_len, op->seg, op->n_segments,
				op->out);
	}
}

static void hmac(struct openssl *o, const struct crypto_prf_op *op, const uint8_t *s, size_t s_len,
	const struct crypto_segment *seg, unsigned int n_segments, uint8_t *out)
{
	if (!op->key)
		hmac_raw(o, op->hash, s, s_len, seg, n_segments, out);
	else if (op->hash == CRYPTO_SHA1)
		hmac_state(op->hash, &op->key->sha1, seg, n_segments, out);
	else
		hmac_state(op->hash, &op->key->sha256, seg, n_segments, out);
}

/* out ^= P(s, label, m) */
static void prf_block(struct openssl *o, const struct crypto_prf_op *op, const uint8_t *s,
	size_t s_len, uint8_t *out)
{
	uint8_t a[CRYPTO_MAC_MAX], next[CRYPTO_MAC_MAX], p[CRYPTO_MAC_MAX];
	const size_t hash_len = crypto_hash_len(op->hash);
	struct crypto_segment label = {op->label, op->label_len};
	struct crypto_segment seg[2] = {{a, (uint32_t)hash_len}, label};
	size_t done, i;

	hmac(o, op, s, s_len, &label, 1, a);
	for (done = 0; done < op->out_len; done += hash_len) {
		if (done) {
			hmac(o, op, NULL, 0, seg, 1, next);
			memcpy(a, next, hash_len);
		}
		hmac(o, op, NULL, 0, seg, 2, p);
		for (i = 0; i < hash_len && done + i < op->out_len; i++)
			out[done + i] ^= p[i];
	}
	secret_wipe(a, sizeof(a));
	secret_wipe(next, sizeof(next));
	secret_wipe(p, sizeof(p));
}

static void prf(void *priv, const struct crypto_prf_op *ops, unsigned int n)
{
	const struct crypto_prf_op *op;
	size_t at, len;

	for (op = ops; op < ops + n; op++) {
		memset(op->out, 0, op->out_len);
		if (op->key) {
			prf_block(priv, op, NULL, 0, op->out);
			continue;
		}
		for (at = 0; at < op->inkey_len; at += len) {
			len = op->inkey_len - at < 32 ? op->inkey_len - at : 32;
			prf_block(priv, op, op->inkey + at, len, op->out);
		}
	}
}

static void cm(void *priv, const struct crypto_cm_op *ops, unsigned int n)
{
	struct openssl *o = priv;
	const struct crypto_cm_op *op;
	int written;

	for (op = ops; op < ops + n; op++) {
		if (op->len == 0)
			continue;
		crypto_check(EVP_EncryptInit_ex2(o->cipher, o->aes[op->key_len == 32], op->key,
				     op->iv, NULL) == 1 &&
				     EVP_EncryptUpdate(
					     o->cipher, op->dst, &written, op->src, op->len) == 1 &&
				     written == op->len,
			"OpenSSL AES-CTR failed");
	}
}

static void key_prepare(void *priv, const uint8_t *key, size_t len, struct crypto_key *out)
{
	uint8_t ipad[64], opad[64];
	SHA_CTX sha1;
	SHA256_CTX sha256;
	unsigned int i;

	(void)priv;
	memset(out, 0, sizeof(*out));
	for (i = 0; i < 64; i++) {
		ipad[i] = (i < len ? key[i] : 0) ^ 0x36;
		opad[i] = (i < len ? key[i] : 0) ^ 0x5c;
	}
	for (i = 0; i < 2; i++) {
		const uint8_t *pad = i ? opad : ipad;
		uint32_t *h = i ? out->sha1.outer : out->sha1.inner;

		SHA1_Init(&sha1);
		SHA1_Transform(&sha1, pad);
		h[0] = sha1.h0;
		h[1] = sha1.h1;
		h[2] = sha1.h2;
		h[3] = sha1.h3;
		h[4] = sha1.h4;
		SHA256_Init(&sha256);
		SHA256_Transform(&sha256, pad);
		memcpy(i ? out->sha256.outer : out->sha256.inner, sha256.h, sizeof(sha256.h));
	}
	secret_wipe(ipad, sizeof(ipad));
	secret_wipe(opad, sizeof(opad));
	secret_wipe(&sha1, sizeof(sha1));
	secret_wipe(&sha256, sizeof(sha256));
}

/* OpenSSL keeps the last key inside its contexts: using others overwrites it. */
static void wipe_scratch(void *priv)
{
	static const uint8_t zero[32];
	struct openssl *o = priv;
	struct crypto_segment none = {zero, 1};
	uint8_t out[CRYPTO_MAC_MAX];
	struct crypto_cm_op op = {.key = zero, .src = zero, .dst = out, .len = 1, .key_len = 32};

	hmac_raw(o, CRYPTO_SHA1, zero, sizeof(zero), &none, 1, out);
	hmac_raw(o, CRYPTO_SHA256, zero, sizeof(zero), &none, 1, out);
	cm(o, &op, 1);
}

const struct crypto_backend crypto_backend_openssl = {
	.name = "openssl",
	.priv_size = sizeof(struct openssl),
	.open = open_all,
	.close = close_all,
	.prf = prf,
	.mac = mac,
	.cm = cm,
	.key_prepare = key_prepare,
	.wipe_scratch = wipe_scratch,
};
