/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A batch of PRFs and MACs whose shapes, keys and texts come from the input: every kernel of the
 * lanes gives what OpenSSL gives, and reads nothing outside the input.
 *
 * Input: operations of HEAD octets (see next_op()) as many as OPS_MAX, then octets for keys and
 * texts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/batch.h"
#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 8, OPS_MAX = 40 };

struct pool {
	const uint8_t *data;
	size_t len;
};

struct shapes {
	struct crypto_prf_op prf[OPS_MAX];
	struct crypto_mac_op mac[OPS_MAX];
	unsigned int n_prf, n_mac;
};

/* At most want octets from the pool, somewhere in it. */
static size_t take(const struct pool *pool, unsigned int where, size_t want, const uint8_t **out)
{
	size_t at = pool->len ? where * 251u % pool->len : 0;

	*out = pool->data + at;
	return want < pool->len - at ? want : pool->len - at;
}

/* kind and hash, key length, two lengths of 2 octets each, where, output length */
static void next_op(struct shapes *s, const struct pool *pool, const uint8_t head[HEAD])
{
	const uint8_t hash = head[0] >> 1 & 1, where = head[6];
	const size_t a = (size_t)(head[2] << 8 | head[3]), b = (size_t)(head[4] << 8 | head[5]);
	const uint8_t *key, *text;
	size_t key_len, len;

	if (head[0] & 1) {
		struct crypto_mac_op *op = &s->mac[s->n_mac];

		key_len = take(pool, where, 1 + head[1] % CRYPTO_MAC_KEY_MAX, &key);
		if (!key_len)
			return;
		*op = (struct crypto_mac_op){
			.key = key, .key_len = (uint16_t)key_len, .n_segments = 2, .hash = hash};
		op->seg[0].len = (uint32_t)take(pool, where + 1u, a, &op->seg[0].data);
		op->seg[1].len = (uint32_t)take(pool, where + 2u, b, &op->seg[1].data);
		s->n_mac++;
	} else {
		key_len = take(pool, where, 1 + head[1] % CRYPTO_INKEY_MAX, &key);
		len = take(pool, where + 1u, 1 + a % CRYPTO_LABEL_MAX, &text);
		if (!key_len || !len)
			return;
		s->prf[s->n_prf++] = (struct crypto_prf_op){.inkey = key,
			.inkey_len = (uint16_t)key_len,
			.label = text,
			.label_len = (uint16_t)len,
			.out_len = (uint16_t)(1 + head[7] % CRYPTO_PRF_OUT_MAX),
			.hash = hash};
	}
}

struct outputs {
	uint8_t prf[OPS_MAX][CRYPTO_PRF_OUT_MAX];
	uint8_t mac[OPS_MAX][CRYPTO_MAC_MAX];
};

static void aim(struct shapes *s, struct outputs *out)
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < s->n_prf; i++)
		s->prf[i].out = out->prf[i];
	for (i = 0; i < s->n_mac; i++)
		s->mac[i].out = out->mac[i];
}

static void compare(struct shapes *s)
{
	static struct outputs want, got;
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];
	struct crypto *reference = crypto_open("openssl");
	struct batch *batch = secret_alloc(sizeof(*batch));
	unsigned int i;

	if (!reference || !batch)
		abort();
	aim(s, &want);
	crypto_prf(reference, s->prf, s->n_prf);
	crypto_mac(reference, s->mac, s->n_mac);
	lanes_available(kernels);
	for (i = 0; kernels[i]; i++) {
		batch->lanes.wide[CRYPTO_SHA1] = (struct lanes_choice){kernels[i], 1};
		batch->lanes.wide[CRYPTO_SHA256] = (struct lanes_choice){kernels[i], 1};
		aim(s, &got);
		batch_prf(batch, s->prf, s->n_prf);
		batch_mac(batch, s->mac, s->n_mac);
		if (memcmp(&want, &got, sizeof(want)) != 0)
			abort();
	}
	secret_free(batch, sizeof(*batch));
	crypto_close(reference);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shapes s = {.n_prf = 0};
	struct pool pool;
	unsigned int i, n;

	if (size < 1)
		return 0;
	n = data[0] % (OPS_MAX + 1);
	if (size < 1 + (size_t)n * HEAD)
		return 0;
	pool = (struct pool){data + 1 + (size_t)n * HEAD, size - 1 - (size_t)n * HEAD};
	for (i = 0; i < n; i++)
		next_op(&s, &pool, data + 1 + (size_t)i * HEAD);
	compare(&s);
	return 0;
}
