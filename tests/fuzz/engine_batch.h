/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inputs of fuzz_engine.c: a MIKEY message, or FUZZ_BATCH and messages one after the other, each
 * behind its length in 2 octets.
 */
#ifndef TKMS_TESTS_ENGINE_BATCH_H
#define TKMS_TESTS_ENGINE_BATCH_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_BATCH = 0xba }; /* no version of MIKEY */

/*
 * One change to a message of the input, or to the batch: a message more, one less, another place.
 * A single message may become a batch. Like mikey_mutate().
 */
size_t fuzz_batch_mutate(uint8_t *data, size_t size, size_t max, uint32_t seed);

#endif
