/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

json_t *vectors_load(const char *file)
{
	char path[512];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s", TKMS_VECTORS, file);
	root = json_load_file(path, 0, &error);
	cr_assert(root, "%s: %s", path, error.text);
	return root;
}

static unsigned int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	cr_assert(at, "not a lower-case hex digit");
	return (unsigned int)(at - digits);
}

size_t vectors_hex(const char *hex, uint8_t *buf, size_t cap)
{
	size_t i, len = strlen(hex) / 2;

	cr_assert(strlen(hex) % 2 == 0 && len <= cap, "hex string of %zu digits", strlen(hex));
	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return len;
}

const char *vectors_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	cr_assert(s, "no string %s", key);
	return s;
}

int64_t vectors_int(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	cr_assert(json_is_integer(value), "no integer %s", key);
	return json_integer_value(value);
}

size_t vectors_octets(const json_t *object, const char *key, uint8_t *buf, size_t cap)
{
	return vectors_hex(vectors_string(object, key), buf, cap);
}
