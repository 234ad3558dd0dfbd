/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets as text: hex and base64. */
#ifndef TKMS_UE_HEX_H
#define TKMS_UE_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Octets, -1 if text is not hex or does not fit. */
ssize_t hex_decode(const char *text, uint8_t *out, size_t cap);

/* out has 2 * len + 1 octets. Returns out. */
char *hex_encode(const uint8_t *data, size_t len, char *out);

/* out has BASE64_LEN(len) + 1 octets. Returns out. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)
char *base64_encode(const uint8_t *data, size_t len, char *out);

#endif
