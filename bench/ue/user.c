/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/user.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/ue/hex.h"

void user_check_file(const char *file)
{
	struct stat st;
	if (stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		(st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
		(void)fprintf(stderr,
			"tkms-ue: warning: %s holds a key and has mode %04o: chmod 600 %s\n", file,
			(unsigned int)(st.st_mode & 07777), file);
	}
}

static json_t *load(const char *file)
{
	json_error_t e;
	json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &e);
	if (root == NULL) {
		usage_error("%s: line %d: %s", file, e.line, e.text);
	}
	if (!json_is_object(root)) {
		usage_error("%s: one JSON object is needed", file);
	}
	return root;
}

static const char *text(const char *file, const json_t *root, const char *key)
{
	const char *s = json_string_value(json_object_get(root, key));
	if (s == NULL) {
		usage_error("%s: \"%s\" is missing, or not a string", file, key);
	}
	return s;
}

/* Takes len octets of the user's memory. */
static uint8_t *take(struct user *u, size_t len)
{
	uint8_t *p = u->octets + u->used;
	if (len > sizeof(u->octets) - u->used) {
		usage_error("too many identities");
	}
	u->used += len;
	return p;
}

static struct identity keep(struct user *u, const char *file, const char *key, const char *s)
{
	const size_t len = strlen(s);
	if (len == 0 || len > IDENTITY_MAX) {
		usage_error("%s: \"%s\" needs 1 to %d octets", file, key, IDENTITY_MAX);
	}
	uint8_t *p = take(u, len);
	memcpy(p, s, len);
	return (struct identity){p, (uint16_t)len};
}

/* "text" or "hex:..." */
static size_t id_octets(const char *file, const char *key, const char *s, uint8_t out[255])
{
	const size_t prefix = 4;
	ssize_t n;
	if (strncmp(s, "hex:", prefix) == 0) {
		n = hex_decode(s + prefix, out, 255);
	} else {
		n = strlen(s) <= 255 ? (ssize_t)strlen(s) : -1;
		memcpy(out, s, n > 0 ? (size_t)n : 0);
	}
	if (n <= 0) {
		usage_error("%s: \"%s\" needs 1 to 255 octets, as text or hex:...", file, key);
	}
	return (size_t)n;
}

static size_t key_octets(const char *file, const char *key, const char *s, uint8_t out[32])
{
	const ssize_t n = hex_decode(s, out, 32);
	if (n < 16) {
		usage_error("%s: \"%s\" needs 16 to 32 octets in hex", file, key);
	}
	return (size_t)n;
}

static void load_uids(struct user *u, const char *file, const json_t *root)
{
	const json_t *uids = json_object_get(root, "uids");
	const size_t n = json_array_size(uids);
	if (n == 0 || n > USER_UIDS_MAX) {
		usage_error("%s: \"uids\" needs 1 to %d identities", file, USER_UIDS_MAX);
	}
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(uids, i));
		u->uids[i] = keep(u, file, "uids", s != NULL ? s : "");
		if (!identity_valid_uid(u->uids[i])) {
			usage_error("%s: \"uids\": '%s' is not user@domain", file, s);
		}
	}
	u->ue.uids = u->uids;
	u->ue.n_uids = (unsigned int)n;
}

/* Without any word about it: the KMS is called kms in the UE's domain. */
static struct identity guess_kms(struct user *u)
{
	static const char name[] = "kms@";
	const struct identity own = u->uids[0];
	const uint8_t *at = memchr(own.data, '@', own.len);
	const size_t domain = (size_t)(own.data + own.len - (at + 1)), prefix = sizeof(name) - 1;
	uint8_t *p = take(u, prefix + domain);
	if (prefix + domain > IDENTITY_MAX) {
		usage_error("--kms-identity is missing");
	}
	memcpy(p, name, prefix);
	memcpy(p + prefix, at + 1, domain);
	u->kms_guessed = 1;
	return (struct identity){p, (uint16_t)(prefix + domain)};
}

static void load_kms(struct user *u, const char *file, const json_t *root, const struct options *o)
{
	if (o->kms_identity != NULL) {
		u->ue.kms = keep(u, "--kms-identity", "kms_identity", o->kms_identity);
	} else if (json_object_get(root, "kms_identity") != NULL) {
		u->ue.kms = keep(u, file, "kms_identity", text(file, root, "kms_identity"));
	} else {
		u->ue.kms = guess_kms(u);
	}
}

void user_load(struct user *u, const char *file, const struct options *o, struct crypto *crypto)
{
	uint8_t id[255];
	memset(u, 0, sizeof(*u));
	ue_init(&u->ue, crypto, ue_random_system, NULL);
	u->ue.suite = o->suite;
	u->ue.ts_type = o->ts_type;
	user_check_file(file);
	json_t *root = load(file);
	u->ue.psk = u->psk;
	u->ue.psk_len = key_octets(file, "psk", text(file, root, "psk"), u->psk);
	const size_t n = id_octets(file, "psk_id", text(file, root, "psk_id"), id);
	u->ue.psk_id = (struct identity){take(u, n), (uint16_t)n};
	memcpy(u->octets + u->used - n, id, n);
	load_uids(u, file, root);
	load_kms(u, file, root, o);
	json_decref(root);
}

struct ue_tpk user_tpk(const struct user *u)
{
	return (struct ue_tpk){u->ue.psk_id, u->ue.psk, u->ue.psk_len};
}

void tpk_load(struct tpk_file *t, const char *file)
{
	user_check_file(file);
	json_t *root = load(file);
	const size_t id = id_octets(file, "id", text(file, root, "id"), t->id);
	t->tpk.id = (struct identity){t->id, (uint16_t)id};
	t->tpk.len = key_octets(file, "key", text(file, root, "key"), t->key);
	t->tpk.key = t->key;
	json_decref(root);
}
