/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/lanes_shani_kernel.h"

static void hmac_sha1(const struct lanes_hmac *msgs)
{
	hmac(CRYPTO_SHA1, msgs);
}

static void hmac_sha256(const struct lanes_hmac *msgs)
{
	hmac(CRYPTO_SHA256, msgs);
}

static void keys_sha1(const struct lanes_key *keys)
{
	key_state(CRYPTO_SHA1, keys, 0x36363636, WIDTH);
	key_state(CRYPTO_SHA1, keys, 0x5c5c5c5c, WIDTH);
}

static void keys_sha256(const struct lanes_key *keys)
{
	key_state(CRYPTO_SHA256, keys, 0x36363636, WIDTH);
	key_state(CRYPTO_SHA256, keys, 0x5c5c5c5c, WIDTH);
}

const struct lanes_kernel lanes_shani = {
	"sha-ni", WIDTH, WIDTH, {hmac_sha1, hmac_sha256}, {keys_sha1, keys_sha256}};
