/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyring document: what is sealed as a whole. */
#include <errno.h>
#include <string.h>

#include "common/ipc/cursor.h"
#include "control/keys.h"

enum { FORMAT = 1 };

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
		ipc_put_uint(&w, key->state, 1);
		ipc_put_uint(&w, key->epoch, 8);
		ipc_put_uint(&w, (uint64_t)key->seals_from, 8);
		ipc_put_uint(&w, (uint64_t)key->seals_until, 8);
		ipc_put_uint(&w, (uint64_t)key->resolves_until, 8);
	}
	return ipc_writer_end(&w);
}

static void get_key(struct ipc_reader *r, struct key *key)
{
	struct identity id = ipc_get_identity(r, 1, KEYS_ID_MAX);
	struct identity secret = ipc_get_identity(r, 0, KEYS_LEN);

	if (id.data)
		memcpy(key->id, id.data, id.len);
	if (secret.data)
		memcpy(key->octets, secret.data, secret.len);
	key->len = (uint8_t)secret.len;
	key->state = (uint8_t)ipc_get_max(r, 1, KEY_REVOKED);
	key->epoch = ipc_get_uint(r, 8);
	key->seals_from = ipc_get_time(r);
	key->seals_until = ipc_get_time(r);
	key->resolves_until = ipc_get_time(r);
	if (!keys_valid_id(key->id) || (key_is_held(key) ? key->len < IPC_KEY_MIN : key->len != 0))
		r->failed = true;
}

int keys_decode(struct keys *k, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};
	unsigned int active = 0;

	explicit_bzero(k, sizeof(*k));
	if (ipc_get_uint(&r, 1) > FORMAT)
		return -EPROTONOSUPPORT;
	if (buf && len && buf[0] != FORMAT)
		return -EBADMSG;
	k->epoch = ipc_get_uint(&r, 8);
	k->n = (unsigned int)ipc_get_max(&r, 2, KEYS_MAX);
	for (unsigned int i = 0; i < k->n && !r.failed; i++) {
		get_key(&r, &k->key[i]);
		active += k->key[i].state == KEY_ACTIVE;
	}
	if (r.failed || r.off != len || active > 1) {
		explicit_bzero(k, sizeof(*k));
		return -EBADMSG;
	}
	return 0;
}
