/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/hex.h"

#include <string.h>

static int nibble(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

ssize_t hex_decode(const char *text, uint8_t *out, size_t cap)
{
	const size_t digits = strlen(text);
	if (digits % 2 != 0 || digits / 2 > cap) {
		return -1;
	}
	for (size_t i = 0; i < digits / 2; i++) {
		const int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			return -1;
		}
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (ssize_t)(digits / 2);
}

char *hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

char *base64_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = out;
	for (size_t i = 0; i < len; i += 3, p += 4) {
		const size_t n = len - i < 3 ? len - i : 3;
		const uint32_t v = (uint32_t)data[i] << 16 |
				   (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				   (n > 2 ? data[i + 2] : 0);
		p[0] = digits[v >> 18];
		p[1] = digits[v >> 12 & 63];
		p[2] = '=';
		p[3] = '=';
		if (n > 1) {
			p[2] = digits[v >> 6 & 63];
		}
		if (n > 2) {
			p[3] = digits[v & 63];
		}
	}
	*p = '\0';
	return out;
}
