/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealed records: authenticated encryption under the KEK that binds a record to its type, name and
 * version, for stores that are not trusted (SQLite file, Redis, backups). Every record has a key of
 * its own:
 *
 *   key    = HKDF-SHA-256(KEK, salt = 32 random octets, info = "tkms record v1", type, name,
 * version) sealed = format 01 | KEK id (8) | salt (32) | AES-256-GCM(key, IV 0, AAD = format, KEK
 * id and info) | tag (16)
 *
 * The IV may be constant because no key is ever used twice. Strings in info are length-prefixed.
 * A sealer belongs to one thread.
 */
#ifndef TKMS_CONTROL_SEAL_H
#define TKMS_CONTROL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SEAL_KEK_LEN = 32,
	SEAL_KEK_ID_LEN = 8,
	SEAL_SALT_LEN = 32,
	SEAL_TAG_LEN = 16,
	SEAL_OVERHEAD = 1 + SEAL_KEK_ID_LEN + SEAL_SALT_LEN + SEAL_TAG_LEN,
	SEAL_NAME_MAX = 255,
	SEAL_TYPE_MAX = 32,
};

struct seal_name {
	const char *type; /* at most SEAL_TYPE_MAX octets */
	const void *name; /* at most SEAL_NAME_MAX octets */
	size_t name_len;
	uint64_t version;
};

struct sealer;

/* Copies the KEK into secret memory. NULL with errno. sealer_free() wipes. */
struct sealer *sealer_new(const uint8_t kek[SEAL_KEK_LEN]);
void sealer_free(struct sealer *s);

/* Names the KEK that it seals with, without telling anything about it. */
const uint8_t *sealer_kek_id(const struct sealer *s);

/*
 * Further KEKs, for the time of a change: records under any of them are opened, one of them seals.
 * sealer_add(): 0 (also when it has that KEK already; id, which may be NULL, gets its name),
 * -ENOSPC, -EIO. sealer_use(): 0, -ENOENT. sealer_drop() wipes: 0, -ENOENT, -EBUSY (it seals with
 * it).
 */
enum { SEALER_KEKS_MAX = 3 };
int sealer_add(struct sealer *s, const uint8_t kek[SEAL_KEK_LEN], uint8_t id[SEAL_KEK_ID_LEN]);
int sealer_use(struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN]);
int sealer_drop(struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN]);
unsigned int sealer_count(const struct sealer *s);
/* 0: the one that seals. */
const uint8_t *sealer_id_at(const struct sealer *s, unsigned int i);
bool sealer_has(const struct sealer *s, const uint8_t id[SEAL_KEK_ID_LEN]);

/* The name of the KEK of a record; NULL: it is none. */
const uint8_t *sealed_kek_id(const uint8_t *sealed, size_t len);

/* Writes len + SEAL_OVERHEAD octets to out. 0, -EINVAL (name too long), -EIO (no random octets or
 * OpenSSL failed). */
int seal(struct sealer *s, const struct seal_name *name, const void *plain, size_t len,
	uint8_t *out);

/*
 * Writes len - SEAL_OVERHEAD octets to plain (wiped unless 0 is returned). 0, -EKEYREJECTED (sealed
 * under another KEK), -EPROTONOSUPPORT (newer format), -EBADMSG (anything else: tampered, or not
 * the record of that name), -EIO.
 */
int unseal(struct sealer *s, const struct seal_name *name, const uint8_t *sealed, size_t len,
	void *plain);

#endif
