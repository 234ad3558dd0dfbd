/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The yardstick of benchmarks: what one SHA-256 compression costs when ipsec-mb's lanes are full and nothing else is to be done
 * (HMAC-SHA-256 bursts over messages of 16 KiB). Not used by the KMS.
 */
#ifndef TKMS_CRYPTO_FLOOR_H
#define TKMS_CRYPTO_FLOOR_H

#include <stdint.h>

struct crypto_floor;

/* NULL with errno ENOMEM or ENOTSUP. One thread. */
struct crypto_floor *crypto_floor_open(void);
void crypto_floor_close(struct crypto_floor *f);

/* Hashes one burst and returns its compressions. */
uint64_t crypto_floor_burst(struct crypto_floor *f);

#endif
