/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes MIKEY messages as who knows their structure does: payloads are inserted, removed,
 * duplicated, exchanged and resized, also those inside tickets; next-payload values and lengths
 * stay right. MACs do not: fuzz_engine.c repairs them.
 */
#ifndef TKMS_TESTS_MIKEY_MUTATOR_H
#define TKMS_TESTS_MIKEY_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/*
 * One change to the message in data[0 .. size), chosen by seed: the same seed makes the same
 * change. Returns the new length, at most max; 0: no message, or no change that fits, and data is
 * as it was.
 */
size_t mikey_mutate(uint8_t *data, size_t size, size_t max, uint32_t seed);

#endif
