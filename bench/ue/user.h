/* SPDX-License-Identifier: BSD-3-Clause */
/* A UE read from its file: one subscriber as tkmsctl imports it, and optionally the KMS's identity.
 */
#ifndef TKMS_UE_USER_H
#define TKMS_UE_USER_H

#include <stdint.h>

#include "bench/ue/options.h"
#include "common/ue/tpk.h"
#include "common/ue/ue.h"

enum { USER_UIDS_MAX = 64, USER_OCTETS = 64 + 32 + 255 * (USER_UIDS_MAX + 2) };

/* Secret: in memory of secret_alloc(). Identities point into octets. */
struct user {
	struct ue ue;
	struct identity uids[USER_UIDS_MAX];
	uint8_t psk[32];
	size_t used;
	uint8_t octets[USER_OCTETS];
	uint8_t kms_guessed; /* the KMS's identity is a guess: kms@ the UE's domain */
};

/*
 * Reads {"psk_id", "psk", "uids", ["kms_identity"]}; further members are ignored. Ends the program
 * if the file cannot be used, warns if everybody may read it.
 */
void user_load(struct user *u, const char *file, const struct options *o, struct crypto *crypto);

/* The PSK as ticket protection key. */
struct ue_tpk user_tpk(const struct user *u);

/* Reads {"id", "key"} into memory of the caller (32 octets each at least for the key). */
struct tpk_file {
	struct ue_tpk tpk;
	uint8_t key[32];
	uint8_t id[255];
};
void tpk_load(struct tpk_file *t, const char *file);

/* Warns when others than the owner may read a file with keys. */
void user_check_file(const char *file);

#endif
