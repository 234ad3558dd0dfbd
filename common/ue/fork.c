/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/fork.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/protect.h"

static void fork_key(struct crypto *ctx, uint8_t prf, const uint8_t *label, size_t label_len,
	struct ue_keyset *keys, const struct mikey_key *k)
{
	uint8_t forked[CRYPTO_INKEY_MAX];
	const struct crypto_prf_op op = {
		.inkey = ue_keyset_at(keys, k->key),
		.inkey_len = k->key.len,
		.label = label,
		.label_len = (uint16_t)label_len,
		.out = forked,
		.out_len = k->key.len,
		.hash = (uint8_t)ue_prf_hash(prf),
	};
	crypto_prf(ctx, &op, 1);
	memcpy(keys->octets + k->key.off, forked, k->key.len);
	secret_wipe(forked, sizeof(forked));
}

enum ue_result ue_fork(struct crypto *ctx, uint8_t prf, struct identity idr_r,
	struct kdf_rand rand_kms, struct ue_keyset *keys)
{
	uint8_t mpk_label[CRYPTO_LABEL_MAX], tgk_label[CRYPTO_LABEL_MAX];
	const struct mikey_key *mpk_r = ue_keyset_mpk(keys, 1);
	if (idr_r.len > IDENTITY_MAX) {
		return UE_IDENTITY;
	}
	if (mpk_r == NULL) {
		return UE_NO_MPK;
	}
	size_t mpk_len = kdf_label_fork(mpk_label, KDF_FORK_MPKR, idr_r.data, idr_r.len, rand_kms);
	size_t tgk_len = kdf_label_fork(tgk_label, KDF_FORK_TGK, idr_r.data, idr_r.len, rand_kms);
	fork_key(ctx, prf, mpk_label, mpk_len, keys, mpk_r);
	for (unsigned int i = 0; i < keys->n; i++) {
		if (keys->key[i].type == MIKEY_TGK || keys->key[i].type == MIKEY_TGK_SALT) {
			fork_key(ctx, prf, tgk_label, tgk_len, keys, &keys->key[i]);
		}
	}
	return UE_OK;
}
