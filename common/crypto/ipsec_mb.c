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
#include "common/crypto/floor.h"
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

/* 0 or a positive errno. */
static int open_mgr_at(IMB_MGR **mgr, size_t *size)
{
	IMB_ARCH arch = IMB_ARCH_NONE;

	if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("aes"))
		return ENOTSUP;
	*size = imb_get_mb_mgr_size();
	*mgr = secret_alloc(*size);
	if (!*mgr)
		return errno;
	if (!imb_set_pointers_mb_mgr(*mgr, 0, 1)) {
		secret_free(*mgr, *size);
		return ENOMEM;
	}
	init_mb_mgr_auto(*mgr, &arch);
	if (imb_get_errno(*mgr) != 0 || arch == IMB_ARCH_NONE || arch == IMB_ARCH_NOAESNI) {
		secret_free(*mgr, *size);
		return ENOTSUP;
	}
	return 0;
}

static int open_mgr(void *priv)
{
	struct ipsec_mb *x = priv;
	const struct lanes_kernel *kernels[LANES_KERNELS + 1];
	int err = open_mgr_at(&x->mgr, &x->mgr_size);

	if (err)
		return err;
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

enum {
	FLOOR_MESSAGE = 16384,
	/* Lanes read at the same place of their messages: a power of two between these would have
	   all of them share a few cache sets, which costs a fifth. */
	FLOOR_STRIDE = FLOOR_MESSAGE + 5 * 64,
	FLOOR_JOBS = 32,
	FLOOR_LANES = 16,
};

struct crypto_floor {
	IMB_MGR *mgr;
	size_t mgr_size;
	IMB_JOB jobs[FLOOR_JOBS];
	_Alignas(64) uint8_t states[2][CRYPTO_SHA256_LEN];
	uint8_t tags[FLOOR_JOBS][CRYPTO_SHA256_LEN];
	uint8_t messages[FLOOR_LANES][FLOOR_STRIDE];
};

/* The key does not matter: any state will do. */
static void floor_job(struct crypto_floor *f, unsigned int i)
{
	IMB_JOB *job = &f->jobs[i];

	memset(job, 0, sizeof(*job));
	job->src = f->messages[i % FLOOR_LANES];
	job->msg_len_to_hash_in_bytes = FLOOR_MESSAGE;
	job->auth_tag_output = f->tags[i];
	job->auth_tag_output_len_in_bytes = CRYPTO_SHA256_LEN;
	job->u.HMAC._hashed_auth_key_xor_ipad = f->states[0];
	job->u.HMAC._hashed_auth_key_xor_opad = f->states[1];
	job->cipher_mode = IMB_CIPHER_NULL;
	job->hash_alg = IMB_AUTH_HMAC_SHA_256;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
}

struct crypto_floor *crypto_floor_open(void)
{
	struct crypto_floor *f = secret_alloc(sizeof(*f));

	if (!f)
		return NULL;
	errno = open_mgr_at(&f->mgr, &f->mgr_size);
	if (errno) {
		int err = errno;

		secret_free(f, sizeof(*f));
		errno = err;
		return NULL;
	}
	return f;
}

void crypto_floor_close(struct crypto_floor *f)
{
	secret_free(f->mgr, f->mgr_size);
	secret_free(f, sizeof(*f));
}

uint64_t crypto_floor_burst(struct crypto_floor *f)
{
	unsigned int i;

	for (i = 0; i < FLOOR_JOBS; i++)
		floor_job(f, i);
	crypto_check(IMB_SUBMIT_HASH_BURST(f->mgr, f->jobs, FLOOR_JOBS, IMB_AUTH_HMAC_SHA_256) ==
			     FLOOR_JOBS,
		"ipsec-mb did not do a hash burst");
	/* Padding fills a block of its own; then comes the outer hash. */
	return (uint64_t)FLOOR_JOBS * (FLOOR_MESSAGE / 64 + 2);
}
