/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/engine/evp.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct long_lived {
	const void *prepared; /* NULL: free */
	uint8_t key[32];
	uint8_t len;
};

struct evp {
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac[2]; /* by enum crypto_hash */
	EVP_CIPHER *aes[2];
	EVP_CIPHER_CTX *cipher;
	const struct long_lived *last; /* a message's keys are looked up once */
	size_t mask;
	struct long_lived *keys; /* open addressing */
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "tkms-bench: OpenSSL: %s failed\n", what);
	abort();
}

static EVP_MAC_CTX *new_mac(EVP_MAC *hmac, const char *digest)
{
	char name[8];
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
	OSSL_PARAM params[2];

	snprintf(name, sizeof(name), "%s", digest);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (!mac || EVP_MAC_CTX_set_params(mac, params) != 1)
		fail("EVP_MAC");
	return mac;
}

struct evp *evp_new(size_t n)
{
	struct evp *e = calloc(1, sizeof(*e));
	size_t size = 16;

	while (size < 2 * n)
		size *= 2;
	if (e)
		e->keys = calloc(size, sizeof(*e->keys));
	if (!e || !e->keys) {
		free(e);
		errno = ENOMEM;
		return NULL;
	}
	e->mask = size - 1;
	e->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!e->hmac)
		fail("EVP_MAC_fetch");
	e->mac[CRYPTO_SHA1] = new_mac(e->hmac, "SHA1");
	e->mac[CRYPTO_SHA256] = new_mac(e->hmac, "SHA256");
	e->aes[0] = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	e->aes[1] = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	e->cipher = EVP_CIPHER_CTX_new();
	if (!e->aes[0] || !e->aes[1] || !e->cipher)
		fail("EVP_CIPHER");
	return e;
}

void evp_free(struct evp *e)
{
	if (!e)
		return;
	EVP_CIPHER_CTX_free(e->cipher);
	for (int i = 0; i < 2; i++) {
		EVP_MAC_CTX_free(e->mac[i]);
		EVP_CIPHER_free(e->aes[i]);
	}
	EVP_MAC_free(e->hmac);
	free(e->keys);
	free(e);
}

static struct long_lived *slot_of(struct evp *e, const void *prepared)
{
	size_t i = ((uintptr_t)prepared >> 3) * 0x9e3779b97f4a7c15 >> 20 & e->mask;

	while (e->keys[i].prepared && e->keys[i].prepared != prepared)
		i = (i + 1) & e->mask;
	return &e->keys[i];
}

void evp_add_key(struct evp *e, const void *prepared, const uint8_t *key, size_t len)
{
	struct long_lived *slot = slot_of(e, prepared);

	slot->prepared = prepared;
	slot->len = (uint8_t)len;
	memcpy(slot->key, key, len);
}

static const struct long_lived *find(struct evp *e, const void *prepared)
{
	if (!e->last || e->last->prepared != prepared)
		e->last = slot_of(e, prepared);
	if (!e->last->prepared)
		fail("finding a key");
	return e->last;
}

/* key NULL: the one before. */
static void hmac(struct evp *e, uint8_t hash, const uint8_t *key, size_t key_len,
	const struct crypto_segment *seg, unsigned int n, uint8_t *out)
{
	EVP_MAC_CTX *mac = e->mac[hash];
	size_t len = hash == CRYPTO_SHA1 ? CRYPTO_SHA1_LEN : CRYPTO_SHA256_LEN;

	if (EVP_MAC_init(mac, key, key_len, NULL) != 1)
		fail("EVP_MAC_init");
	for (unsigned int i = 0; i < n; i++) {
		if (seg[i].len && EVP_MAC_update(mac, seg[i].data, seg[i].len) != 1)
			fail("EVP_MAC_update");
	}
	if (EVP_MAC_final(mac, out, &len, len) != 1)
		fail("EVP_MAC_final");
}

/* out ^= P(s, label, m) of RFC 3830 4.1.2. */
static void prf_block(struct evp *e, const struct crypto_prf_op *op, const uint8_t *s, size_t s_len)
{
	uint8_t a[CRYPTO_MAC_MAX], p[CRYPTO_MAC_MAX];
	size_t hash_len = op->hash == CRYPTO_SHA1 ? CRYPTO_SHA1_LEN : CRYPTO_SHA256_LEN;
	struct crypto_segment label = {op->label, op->label_len};
	struct crypto_segment both[2] = {{a, (uint32_t)hash_len}, label};

	hmac(e, op->hash, s, s_len, &label, 1, a);
	for (size_t done = 0; done < op->out_len; done += hash_len) {
		if (done > 0)
			hmac(e, op->hash, NULL, 0, both, 1, a);
		hmac(e, op->hash, NULL, 0, both, 2, p);
		for (size_t i = 0; i < hash_len && done + i < op->out_len; i++)
			op->out[done + i] ^= p[i];
	}
}

void evp_prf(struct evp *e, const struct crypto_prf_op *ops, unsigned int n)
{
	for (const struct crypto_prf_op *op = ops; op < ops + n; op++) {
		memset(op->out, 0, op->out_len);
		if (op->key) {
			const struct long_lived *k = find(e, op->key);

			prf_block(e, op, k->key, k->len);
			continue;
		}
		for (size_t at = 0; at < op->inkey_len; at += 32)
			prf_block(e, op, op->inkey + at,
				op->inkey_len - at < 32 ? op->inkey_len - at : 32);
	}
}

void evp_mac(struct evp *e, const struct crypto_mac_op *ops, unsigned int n)
{
	for (const struct crypto_mac_op *op = ops; op < ops + n; op++) {
		const struct long_lived *k = op->state ? find(e, op->state) : NULL;

		hmac(e, op->hash, k ? k->key : op->key, k ? k->len : op->key_len, op->seg,
			op->n_segments, op->out);
	}
}

void evp_cm(struct evp *e, const struct crypto_cm_op *ops, unsigned int n)
{
	int written;

	for (const struct crypto_cm_op *op = ops; op < ops + n; op++) {
		if (op->len == 0)
			continue;
		if (EVP_EncryptInit_ex2(
			    e->cipher, e->aes[op->key_len == 32], op->key, op->iv, NULL) != 1 ||
			EVP_EncryptUpdate(e->cipher, op->dst, &written, op->src, op->len) != 1 ||
			written != op->len)
			fail("AES-CTR");
	}
}
