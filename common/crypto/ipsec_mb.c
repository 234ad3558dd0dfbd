/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The many-messages backend: AES-CM through intel-ipsec-mb's cipher bursts, HMAC through lanes.h.
 *
 * The library's HMAC needs prepared key states, and its only way to prepare them is one key at a
 * time in one lane (220 ns a compression); most keys here are used once. That is why hashing has
 * its own lanes, and the library keeps the cipher.
 */
#include <errno.h>
#include <intel-ipsec-mb.h>
#include <string.h>

#include "common/crypto/backend.h"
#include "common/crypto/batch.h"
#include "common/crypto/secret.h"

enum { ROUND_KEYS_MAX = 15, BURST = 64 };

struct schedule {
	_Alignas(16) uint8_t encrypt[ROUND_KEYS_MAX][16];
	_Alignas(16) uint8_t decrypt[ROUND_KEYS_MAX][16]; /* the library always writes both */
};

struct ipsec_mb {
	IMB_MGR *mgr;
	size_t mgr_size;
	IMB_JOB jobs[BURST];
	struct schedule schedules[BURST];
	struct batch batch;
};

static int open_mgr(void *priv)
{
	struct ipsec_mb *x = priv;
	IMB_ARCH arch = IMB_ARCH_NONE;
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];

	if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("aes"))
		return ENOTSUP;
	x->mgr_size = imb_get_mb_mgr_size();
	x->mgr = secret_alloc(x->mgr_size);
	if (!x->mgr)
		return errno;
	if (!imb_set_pointers_mb_mgr(x->mgr, 0, 1)) {
		secret_free(x->mgr, x->mgr_size);
		return ENOMEM;
	}
	init_mb_mgr_auto(x->mgr, &arch);
	if (imb_get_errno(x->mgr) != 0 || arch == IMB_ARCH_NONE || arch == IMB_ARCH_NOAESNI) {
		secret_free(x->mgr, x->mgr_size);
		return ENOTSUP;
	}
	lanes_available(kernels);
	lanes_choose(&x->batch.lanes, kernels);
	return 0;
}

static void close_mgr(void *priv)
{
	struct ipsec_mb *x = priv;

	secret_free(x->mgr, x->mgr_size);
}

static void prf(void *priv, const struct crypto_prf_op *ops, unsigned int n)
{
	struct ipsec_mb *x = priv;

	batch_prf(&x->batch, ops, n);
}

static void mac(void *priv, const struct crypto_mac_op *ops, unsigned int n)
{
	struct ipsec_mb *x = priv;

	batch_mac(&x->batch, ops, n);
}

static void key_prepare(void *priv, const uint8_t *key, size_t len, struct crypto_key *out)
{
	struct ipsec_mb *x = priv;

	batch_key_prepare(&x->batch, key, len, out);
}

static void expand(struct ipsec_mb *x, const struct crypto_cm_op *op, struct schedule *to)
{
	if (op->key_len == 16)
		IMB_AES_KEYEXP_128(x->mgr, op->key, to->encrypt, to->decrypt);
	else
		IMB_AES_KEYEXP_256(x->mgr, op->key, to->encrypt, to->decrypt);
}

static void fill(IMB_JOB *job, const struct crypto_cm_op *op, const struct schedule *keys)
{
	memset(job, 0, sizeof(*job));
	job->enc_keys = keys->encrypt;
	job->dec_keys = keys->encrypt;
	job->key_len_in_bytes = op->key_len;
	job->src = op->src;
	job->dst = op->dst;
	job->msg_len_to_cipher_in_bytes = op->len;
	job->iv = op->iv;
	job->iv_len_in_bytes = CRYPTO_IV_LEN;
	job->cipher_mode = IMB_CIPHER_CNTR;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_CIPHER_HASH;
	job->hash_alg = IMB_AUTH_NULL;
}

static void submit(struct ipsec_mb *x, unsigned int n, unsigned int key_len)
{
	uint32_t done;

	if (n == 0)
		return;
	done = IMB_SUBMIT_CIPHER_BURST(
		x->mgr, x->jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, (IMB_KEY_SIZE_BYTES)key_len);
	crypto_check(done == n, "ipsec-mb did not do a cipher burst");
}

static void cm_of_key_len(
	struct ipsec_mb *x, const struct crypto_cm_op *ops, unsigned int n, unsigned int key_len)
{
	const struct crypto_cm_op *op;
	unsigned int jobs = 0;

	for (op = ops; op < ops + n; op++) {
		if (op->key_len != key_len || op->len == 0)
			continue;
		expand(x, op, &x->schedules[jobs]);
		fill(&x->jobs[jobs], op, &x->schedules[jobs]);
		if (++jobs == BURST) {
			submit(x, jobs, key_len);
			jobs = 0;
		}
	}
	submit(x, jobs, key_len);
}

static void cm(void *priv, const struct crypto_cm_op *ops, unsigned int n)
{
	cm_of_key_len(priv, ops, n, 16);
	cm_of_key_len(priv, ops, n, 32);
}

static void wipe_scratch(void *priv)
{
	struct ipsec_mb *x = priv;

	secret_wipe(x->jobs, sizeof(x->jobs));
	secret_wipe(x->schedules, sizeof(x->schedules));
	batch_wipe(&x->batch);
}

const struct crypto_backend crypto_backend_ipsec_mb = {
	.name = "ipsec-mb",
	.priv_size = sizeof(struct ipsec_mb),
	.open = open_mgr,
	.close = close_mgr,
	.prf = prf,
	.mac = mac,
	.cm = cm,
	.key_prepare = key_prepare,
	.wipe_scratch = wipe_scratch,
};
