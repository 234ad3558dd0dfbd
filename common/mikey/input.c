/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/mikey/decode.h"

struct source {
	const uint8_t *in;
	size_t len;
};

struct sink {
	uint8_t *out;
	size_t cap;
	size_t len;
};

static bool is_text(struct source s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.in[i] > 0x7e || (s.in[i] < 0x20 && !isspace(s.in[i])))
			return false;
	}
	return true;
}

/* Moves over prefix (letters in any case), if it is there. */
static bool skip(struct source *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || strncasecmp((const char *)s->in, prefix, n) != 0)
		return false;
	s->in += n;
	s->len -= n;
	return true;
}

static void skip_blanks(struct source *s)
{
	while (s->len > 0 && (s->in[0] == ' ' || s->in[0] == '\t')) {
		s->in++;
		s->len--;
	}
}

/* The data of a key-mgmt attribute for MIKEY, if line is one. */
static bool sdp_line(struct source line, struct source *data)
{
	skip_blanks(&line);
	if (!skip(&line, "a=key-mgmt:"))
		return false;
	skip_blanks(&line);
	if (!skip(&line, "mikey "))
		return false;
	*data = line;
	return true;
}

static bool sdp_find(struct source s, struct source *data)
{
	while (s.len > 0) {
		const uint8_t *end = memchr(s.in, '\n', s.len);
		size_t line_len = end != NULL ? (size_t)(end - s.in) : s.len;

		if (sdp_line((struct source){s.in, line_len}, data))
			return true;
		if (end != NULL)
			line_len++;
		s.in += line_len;
		s.len -= line_len;
	}
	return false;
}

static int put(struct sink *k, unsigned int octet)
{
	if (k->len == k->cap)
		return -EMSGSIZE;
	k->out[k->len++] = (uint8_t)octet;
	return 0;
}

static bool is_hex(struct source s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!isxdigit(s.in[i]) && !isspace(s.in[i]) && s.in[i] != ':')
			return false;
	}
	return true;
}

static unsigned int hex_digit(uint8_t c)
{
	return (unsigned int)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
}

static int hex_decode(struct source s, struct sink *k)
{
	unsigned int value = 0, digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!isxdigit(s.in[i]))
			continue;
		value = value << 4 | hex_digit(s.in[i]);
		if (++digits % 2 == 0) {
			if (put(k, value & 0xff) != 0)
				return -EMSGSIZE;
		}
	}
	return digits % 2 == 0 && digits > 0 ? 0 : -EINVAL;
}

static int base64_value(uint8_t c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

static int base64_decode(struct source s, struct sink *k)
{
	unsigned int value = 0, chars = 0, padding = 0;

	for (size_t i = 0; i < s.len; i++) {
		int v = base64_value(s.in[i]);

		if (isspace(s.in[i]))
			continue;
		if (s.in[i] == '=') {
			padding++;
			continue;
		}
		if (v < 0 || padding > 0)
			return -EINVAL;
		value = (value << 6 | (unsigned int)v) & 0xffffff;
		if (chars++ % 4 != 0 && put(k, value >> (8 - chars % 4 * 2) % 8 & 0xff) != 0)
			return -EMSGSIZE;
	}
	if (chars == 0 || chars % 4 == 1 || (padding > 0 && (chars + padding) % 4 != 0) ||
		padding > 2)
		return -EINVAL;
	return 0;
}

ssize_t mikey_decode_input(
	const uint8_t *in, size_t len, uint8_t *out, size_t cap, enum mikey_input *form)
{
	struct source s = {in, len}, data = s;
	struct sink k = {.out = out, .cap = cap};
	enum mikey_input found = MIKEY_INPUT_BINARY;
	int res = 0;

	if (len == 0)
		return -EINVAL;
	if (is_text((struct source){in, 1}) && sdp_find(s, &data)) {
		found = MIKEY_INPUT_SDP;
		res = base64_decode(data, &k);
	} else if (!is_text(s)) {
		if (len > cap)
			return -EMSGSIZE;
		memcpy(out, in, len);
		k.len = len;
	} else {
		while (data.len > 0 && isspace(data.in[0])) {
			data.in++;
			data.len--;
		}
		skip(&data, "0x");
		found = is_hex(data) ? MIKEY_INPUT_HEX : MIKEY_INPUT_BASE64;
		res = is_hex(data) ? hex_decode(data, &k) : base64_decode(data, &k);
	}
	if (res != 0)
		return res;
	if (form != NULL)
		*form = found;
	return (ssize_t)k.len;
}
