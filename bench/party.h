/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subscribers that a benchmark plays: read from a file as tkmsctl imports it (JSON Lines:
 * psk_id, psk, uids), or generated. Generated ones are the same on every run and machine, keys
 * included: never load them into a KMS that serves anybody.
 */
#ifndef TKMS_BENCH_PARTY_H
#define TKMS_BENCH_PARTY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/crypto/crypto.h"
#include "common/identity/identity.h"

struct party {
	struct crypto_key prepared; /* of psk */
	struct identity psk_id;
	struct identity uid; /* the first one of the file */
	uint8_t psk[32];
	uint8_t psk_len;
};

struct parties {
	size_t n;
	struct party *party;
	char *octets; /* what the identities point into */
	size_t octets_len;
};

/*
 * Reads at most max records. Return 0 or -errno (-EINVAL: the file is wrong; a message that names
 * the line has been printed to stderr).
 */
int parties_load(struct parties *p, struct crypto *ctx, const char *path, size_t max);

/* uid_len: length of every UID, at least 32. psk_len: 16..32. 0 or -ENOMEM. */
int parties_generate(
	struct parties *p, struct crypto *ctx, size_t n, size_t uid_len, size_t psk_len);

/* As JSON Lines. 0 or -EIO. */
int parties_print(const struct parties *p, FILE *out);

/* Wipes and frees. */
void parties_clear(struct parties *p);

#endif
