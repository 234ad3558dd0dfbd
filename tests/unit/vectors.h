/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON test vectors of tests/vectors, all octets in hex. Failures end the test. */
#ifndef TKMS_TESTS_VECTORS_H
#define TKMS_TESTS_VECTORS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Loads a file of the vectors' directory. Free with json_decref(). */
json_t *vectors_load(const char *file);

/* Decodes the hex string member key of object into buf. Returns octets. */
size_t vectors_octets(const json_t *object, const char *key, uint8_t *buf, size_t cap);

/* The same from a string. */
size_t vectors_hex(const char *hex, uint8_t *buf, size_t cap);

const char *vectors_string(const json_t *object, const char *key);
int64_t vectors_int(const json_t *object, const char *key);

#endif
