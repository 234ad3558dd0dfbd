/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/kdf108.h"

#include <assert.h>
#include <string.h>

#include "dataplane/engine/octets.h"

size_t kdf108_head(uint8_t head[KDF108_HEAD_MAX], uint32_t block, const char *label)
{
	const size_t n = strlen(label);

	assert(4 + n + 1 <= KDF108_HEAD_MAX);
	octets_put32(head, block);
	memcpy(head + 4, label, n);
	head[4 + n] = 0;
	return 4 + n + 1;
}

void kdf108_tail(uint8_t tail[KDF108_TAIL_LEN], size_t out_len)
{
	octets_put32(tail, (uint32_t)(8 * out_len));
}

void kdf108_generation_key(struct crypto *ctx, const uint8_t *key, size_t len, struct identity id,
	uint8_t gk[CRYPTO_SHA256_LEN])
{
	uint8_t head[KDF108_HEAD_MAX];
	uint8_t tail[KDF108_TAIL_LEN];
	const size_t head_len = kdf108_head(head, 1, KDF108_LABEL_GENERATION_KEY);

	kdf108_tail(tail, CRYPTO_SHA256_LEN);
	const struct crypto_mac_op op = {
		.key = key,
		.key_len = (uint16_t)len,
		.seg = {{head, (uint32_t)head_len}, {id.data, id.len}, {tail, sizeof(tail)}},
		.n_segments = 3,
		.out = gk,
		.hash = CRYPTO_SHA256,
	};

	crypto_mac(ctx, &op, 1);
}
