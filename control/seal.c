/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/seal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "common/crypto/secret.h"

enum { FORMAT = 1, HASH_LEN = 32, IV_LEN = 12, INFO_MAX = 512 };

static const char INFO_LABEL[] = "tkms record v1";
static const char ID_LABEL[] = "tkms kek id v1";

struct kek {
	uint8_t octets[SEAL_KEK_LEN];
	uint8_t id[SEAL_KEK_ID_LEN];
};

struct sealer {
	unsigned int n_keks;
	struct kek kek[SEALER_KEKS_MAX]; /* the first one seals */
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac;
	EVP_CIPHER *gcm;
	EVP_CIPHER_CTX *cipher;
};

struct info {
	uint8_t octets[INFO_MAX];
	size_t len;
};

static void add(struct info *i, const void *data, size_t len)
{
	memcpy(i->octets + i->len, data, len);
	i->len += len;
}

static void add_prefixed(struct info *i, const void *data, size_t len)
{
	uint8_t prefix[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	add(i, prefix, sizeof(prefix));
	add(i, data, len);
}

static int make_info(struct info *i, const struct seal_name *name)
{
	uint8_t version[8];
	size_t type_len = strlen(name->type);

	if (type_len > SEAL_TYPE_MAX || name->name_len > SEAL_NAME_MAX)
		return -EINVAL;
	i->len = 0;
	for (unsigned int n = 0; n < 8; n++)
		version[n] = (uint8_t)(name->version >> (56 - 8 * n));
	add_prefixed(i, INFO_LABEL, sizeof(INFO_LABEL) - 1);
	add_prefixed(i, name->type, type_len);
	add_prefixed(i, name->name, name->name_len);
	add(i, version, sizeof(version));
	return 0;
}

static int hmac(struct sealer *s, const uint8_t *key, size_t key_len, const struct info *data,
	const void *tail, size_t tail_len, uint8_t out[HASH_LEN])
{
	size_t n;

	if (EVP_MAC_init(s->mac, key, key_len, NULL) != 1 ||
		EVP_MAC_update(s->mac, data->octets, data->len) != 1 ||
		EVP_MAC_update(s->mac, tail, tail_len) != 1 ||
		EVP_MAC_final(s->mac, out, &n, HASH_LEN) != 1 || n != HASH_LEN)
		return -EIO;
	return 0;
}

/* RFC 5869 with an output of one block: T(1) = HMAC(HMAC(salt, KEK), info | 01). */
static int derive(struct sealer *s, const uint8_t kek[SEAL_KEK_LEN],
	const uint8_t salt[SEAL_SALT_LEN], const struct info *info, uint8_t key[HASH_LEN])
{
	static const uint8_t one = 1;
	uint8_t prk[HASH_LEN];
	struct info none = {.len = 0};
	int err = hmac(s, salt, SEAL_SALT_LEN, &none, kek, SEAL_KEK_LEN, prk);

	if (!err)
		err = hmac(s, prk, sizeof(prk), info, &one, 1, key);
	secret_wipe(prk, sizeof(prk));
	return err;
}

static int open_openssl(struct sealer *s)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};

	s->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	s->mac = s->hmac ? EVP_MAC_CTX_new(s->hmac) : NULL;
	s->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	s->cipher = EVP_CIPHER_CTX_new();
	if (!s->mac || !s->gcm || !s->cipher || EVP_MAC_CTX_set_params(s->mac, params) != 1)
		return -EIO;
	return 0;
}

static int kek_name(struct sealer *s, const uint8_t kek[SEAL_KEK_LEN], uint8_t id[SEAL_KEK_ID_LEN])
{
	static const uint8_t no_salt[SEAL_SALT_LEN];
	struct info label = {.len = 0};
	uint8_t hash[HASH_LEN];
	int err;

	add(&label, ID_LABEL, sizeof(ID_LABEL) - 1);
	err = derive(s, kek, no_salt, &label, hash);
	if (!err)
		memcpy(id, hash, SEAL_KEK_ID_LEN);
	secret_wipe(hash, sizeof(hash));
	return err;
}

struct sealer *sealer_new(const uint8_t kek[SEAL_KEK_LEN])
{
	struct sealer *s = secret_alloc(sizeof(*s));
	int err;

	if (!s)
		return NULL;
	err = open_openssl(s);
	if (!err)
		err = sealer_add(s, kek, NULL);
	if (err) {
		sealer_free(s);
		errno = -err;
		return NULL;
	}
	return s;
}

static struct kek *find(struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN])
{
	for (unsigned int i = 0; i < s->n_keks; i++) {
		if (memcmp(s->kek[i].id, id, SEAL_KEK_ID_LEN) == 0)
			return &s->kek[i];
	}
	return NULL;
}

int sealer_add(struct sealer *s, const uint8_t kek[SEAL_KEK_LEN], uint8_t id[SEAL_KEK_ID_LEN])
{
	uint8_t name[SEAL_KEK_ID_LEN];
	int err = kek_name(s, kek, name);

	if (err)
		return err;
	if (id)
		memcpy(id, name, sizeof(name));
	if (find(s, name))
		return 0;
	if (s->n_keks == SEALER_KEKS_MAX)
		return -ENOSPC;
	memcpy(s->kek[s->n_keks].octets, kek, SEAL_KEK_LEN);
	memcpy(s->kek[s->n_keks].id, name, sizeof(name));
	s->n_keks++;
	return 0;
}

int sealer_use(struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN])
{
	struct kek *kek = find(s, id);
	struct kek chosen;

	if (!kek)
		return -ENOENT;
	chosen = *kek;
	*kek = s->kek[0];
	s->kek[0] = chosen;
	secret_wipe(&chosen, sizeof(chosen));
	return 0;
}

int sealer_drop(struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN])
{
	struct kek *kek = find(s, id);

	if (!kek)
		return -ENOENT;
	if (kek == &s->kek[0])
		return -EBUSY;
	*kek = s->kek[--s->n_keks];
	secret_wipe(&s->kek[s->n_keks], sizeof(s->kek[0]));
	return 0;
}

unsigned int sealer_count(const struct sealer *s)
{
	return s->n_keks;
}

const uint8_t *sealer_id_at(const struct sealer *s, unsigned int i)
{
	return s->kek[i].id;
}

bool sealer_has(const struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN])
{
	for (unsigned int i = 0; i < s->n_keks; i++) {
		if (memcmp(s->kek[i].id, id, SEAL_KEK_ID_LEN) == 0)
			return true;
	}
	return false;
}

const uint8_t *sealed_kek_id(const uint8_t *sealed, size_t len)
{
	return len >= SEAL_OVERHEAD ? sealed + 1 : NULL;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	EVP_MAC_CTX_free(s->mac);
	EVP_MAC_free(s->hmac);
	EVP_CIPHER_CTX_free(s->cipher);
	EVP_CIPHER_free(s->gcm);
	secret_free(s, sizeof(*s));
}

const uint8_t *sealer_kek_id(const struct sealer *s)
{
	return s->kek[0].id;
}

/* head: format and KEK id, as they stand in the record. */
static bool begin(struct sealer *s, int encrypt, const uint8_t *key, const uint8_t *head,
	const struct info *info)
{
	static const uint8_t iv[IV_LEN];
	int n;

	return EVP_CipherInit_ex2(s->cipher, s->gcm, key, iv, encrypt, NULL) == 1 &&
	       EVP_CipherUpdate(s->cipher, NULL, &n, head, 1 + SEAL_KEK_ID_LEN) == 1 &&
	       EVP_CipherUpdate(s->cipher, NULL, &n, info->octets, (int)info->len) == 1;
}

int seal(
	struct sealer *s, const struct seal_name *name, const void *plain, size_t len, uint8_t *out)
{
	uint8_t *salt = out + 1 + SEAL_KEK_ID_LEN, *body = salt + SEAL_SALT_LEN, key[HASH_LEN];
	struct info info;
	int n = 0, err = make_info(&info, name);

	if (!err && len > INT32_MAX)
		err = -EINVAL;
	if (err)
		return err;
	out[0] = FORMAT;
	memcpy(out + 1, s->kek[0].id, SEAL_KEK_ID_LEN);
	err = secret_random(salt, SEAL_SALT_LEN) ? -EIO
						 : derive(s, s->kek[0].octets, salt, &info, key);
	if (!err && (!begin(s, 1, key, out, &info) ||
			    EVP_CipherUpdate(s->cipher, body, &n, plain, (int)len) != 1 ||
			    EVP_CipherFinal_ex(s->cipher, body + n, &n) != 1 ||
			    EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN,
				    body + len) != 1))
		err = -EIO;
	secret_wipe(key, sizeof(key));
	return err;
}

static int open_body(struct sealer *s, const struct kek *kek, const struct info *info,
	const uint8_t *sealed, size_t len, uint8_t *plain)
{
	const uint8_t *salt = sealed + 1 + SEAL_KEK_ID_LEN, *body = salt + SEAL_SALT_LEN;
	uint8_t key[HASH_LEN], tag[SEAL_TAG_LEN];
	int n = 0, err = derive(s, kek->octets, salt, info, key);

	memcpy(tag, body + len, SEAL_TAG_LEN);
	if (!err && (!begin(s, 0, key, sealed, info) ||
			    EVP_CIPHER_CTX_ctrl(
				    s->cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, tag) != 1 ||
			    EVP_CipherUpdate(s->cipher, plain, &n, body, (int)len) != 1))
		err = -EIO;
	if (!err && EVP_CipherFinal_ex(s->cipher, plain + n, &n) != 1)
		err = -EBADMSG;
	secret_wipe(key, sizeof(key));
	return err;
}

int unseal(struct sealer *s, const struct seal_name *name, const uint8_t *sealed, size_t len,
	void *plain)
{
	const struct kek *kek;
	size_t plain_len;
	struct info info;
	int err = make_info(&info, name);

	if (err)
		return err;
	if (len < SEAL_OVERHEAD || len > INT32_MAX || sealed[0] == 0)
		return -EBADMSG;
	if (sealed[0] > FORMAT)
		return -EPROTONOSUPPORT;
	kek = find(s, sealed + 1);
	if (!kek)
		return -EKEYREJECTED;
	plain_len = len - SEAL_OVERHEAD;
	err = open_body(s, kek, &info, sealed, plain_len, plain);
	if (err)
		secret_wipe(plain, plain_len);
	return err;
}
