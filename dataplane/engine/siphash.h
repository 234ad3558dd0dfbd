/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-1-3 (Aumasson, Bernstein): a keyed hash for tables whose keys an attacker chooses. Not a
 * MAC.
 */
#ifndef TKMS_ENGINE_SIPHASH_H
#define TKMS_ENGINE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const uint8_t *data, size_t len);

#endif
