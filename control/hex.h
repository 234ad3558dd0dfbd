/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TKMS_CONTROL_HEX_H
#define TKMS_CONTROL_HEX_H

#include <stddef.h>
#include <stdint.h>

/* text_len digits, an even number, into text_len / 2 octets. 0 or -EINVAL. */
int hex_decode(const char *text, size_t text_len, uint8_t *out);
/* Lower case; text has room for 2 * len + 1 octets. */
void hex_encode(const uint8_t *data, size_t len, char *text);

#endif
