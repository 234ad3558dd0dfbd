/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyring document: what is sealed as a whole. */
#include <errno.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/ipc/cursor.h"
#include "control/keys.h"

/* 1 did not say whether a key was ever active, and knew no sets. */
enum { FORMAT = 2, STATE_BITS = 0x07, WAS_ACTIVE = 0x80 };

/* Nobody counts so far: one that says so would stop all others from counting on. */
#define EPOCH_MAX (UINT64_C(1) << 56)

static struct identity octets(const void *data, size_t len)
{
	return (struct identity){.data = data, .len = (uint16_t)len};
}

size_t keys_encode(const struct keys *k, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	ipc_put_uint(&w, FORMAT, 1);
	ipc_put_uint(&w, k->epoch, 8);
	ipc_put_uint(&w, k->n, 2);
	for (unsigned int i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];

		ipc_put_identity(&w, octets(key->id, strlen(key->id)), KEYS_ID_MAX);
		ipc_put_identity(&w, octets(key->octets, key->len), KEYS_LEN);
		ipc_put_uint(&w, key->state | (key->was_active ? WAS_ACTIVE : 0), 1);
		ipc_put_uint(&w, key->epoch, 8);
		ipc_put_uint(&w, (uint64_t)key->seals_from, 8);
		ipc_put_uint(&w, (uint64_t)key->seals_until, 8);
		ipc_put_uint(&w, (uint64_t)key->resolves_until, 8);
	}
	ipc_put_uint(&w, k->admission, 1);
	ipc_put_uint(&w, k->min_epoch, 8);
	return ipc_writer_end(&w);
}

static void get_state(struct ipc_reader *r, unsigned int format, struct key *key)
{
	uint8_t octet = (uint8_t)ipc_get_uint(r, 1);

	key->state = octet & STATE_BITS;
	key->was_active = format == 1 ? key->state == KEY_ACTIVE : octet & WAS_ACTIVE;
	if (key->state > KEY_REVOKED || (octet & ~(STATE_BITS | WAS_ACTIVE)) ||
		(format == 1 && octet != key->state) ||
		(key->state == KEY_ACTIVE && !key->was_active) ||
		(key->state == KEY_PUBLISHED && key->was_active))
		r->failed = true;
}

static void get_key(struct ipc_reader *r, unsigned int format, struct key *key)
{
	struct identity id = ipc_get_identity(r, 1, KEYS_ID_MAX);
	struct identity secret = ipc_get_identity(r, 0, KEYS_LEN);

	if (id.data)
		memcpy(key->id, id.data, id.len);
	if (secret.data)
		memcpy(key->octets, secret.data, secret.len);
	key->len = (uint8_t)secret.len;
	get_state(r, format, key);
	key->epoch = ipc_get_uint(r, 8);
	key->seals_from = ipc_get_time(r);
	key->seals_until = ipc_get_time(r);
	key->resolves_until = ipc_get_time(r);
	if (!keys_valid_id(key->id) || strlen(key->id) != id.len ||
		(key_is_held(key) ? !crypto_key_acceptable(key->octets, key->len)
				  : key->len != 0) ||
		key->seals_from > key->seals_until || key->seals_until > key->resolves_until)
		r->failed = true;
}

static bool is_twice(struct keys *k, unsigned int i)
{
	return keys_find(k, k->key[i].id) != &k->key[i];
}

int keys_decode(struct keys *k, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};
	unsigned int active = 0, format;

	explicit_bzero(k, sizeof(*k));
	format = (unsigned int)ipc_get_uint(&r, 1);
	if (format > FORMAT)
		return -EPROTONOSUPPORT;
	if (format == 0)
		return -EBADMSG;
	k->epoch = ipc_get_max(&r, 8, EPOCH_MAX);
	k->n = (unsigned int)ipc_get_max(&r, 2, KEYS_MAX);
	for (unsigned int i = 0; i < k->n && !r.failed; i++) {
		get_key(&r, format, &k->key[i]);
		r.failed = r.failed || is_twice(k, i);
		active += k->key[i].state == KEY_ACTIVE;
	}
	if (format == FORMAT) {
		k->admission = (uint8_t)ipc_get_max(&r, 1, KEYS_FOUNDER);
		k->min_epoch = ipc_get_max(&r, 8, EPOCH_MAX);
	}
	if (r.failed || r.off != len || active > 1) {
		explicit_bzero(k, sizeof(*k));
		return -EBADMSG;
	}
	return 0;
}
