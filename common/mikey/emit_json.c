/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/mikey/decode.h"
#include "common/mikey/emit.h"

enum {
	DEPTH_MAX = 32, /* the dissector's own limit on nesting is far below */
	KEY_MAX = 48,
};

struct emit_json {
	struct emit base;
	json_t *stack[DEPTH_MAX]; /* borrowed but for the first */
	int depth;
	int error; /* 0 or -ENOMEM */
};

static struct emit_json *self(struct emit *e)
{
	return (struct emit_json *)e;
}

/* "CS ID map type" is cs_id_map_type, "#CS" is n_cs. */
static void key_of(char key[KEY_MAX], const char *name)
{
	size_t n = 0;

	for (; *name != '\0' && n < KEY_MAX - 3; name++) {
		if (*name == '#') {
			key[n++] = 'n';
			key[n++] = '_';
		} else if (isalnum((unsigned char)*name)) {
			key[n++] = (char)tolower((unsigned char)*name);
		} else if (n > 0 && key[n - 1] != '_' && name[1] != '\0') {
			key[n++] = '_';
		}
	}
	key[n] = '\0';
}

/* Takes over value; NULL: it could not be made. */
static void add(struct emit_json *j, const char *name, json_t *value)
{
	json_t *parent = j->stack[j->depth];
	char key[KEY_MAX];

	key_of(key, name);
	if (value == NULL || (json_is_array(parent) ? json_array_append_new(parent, value)
						    : json_object_set_new(parent, key, value)) != 0)
		j->error = -ENOMEM;
}

static void push(struct emit_json *j, const char *name, json_t *value)
{
	add(j, name, value);
	if (j->error == 0)
		j->stack[++j->depth] = value;
}

static void json_group(struct emit *e, const char *name, struct mikey_span where)
{
	struct emit_json *j = self(e);
	bool element = json_is_array(j->stack[j->depth]);

	if (j->error != 0)
		return;
	push(j, name, json_object());
	if (j->error != 0)
		return;
	if (element)
		add(j, "name", json_string(name));
	add(j, "offset", json_integer(where.off));
	add(j, "length", json_integer(where.len));
}

static void json_list(struct emit *e, const char *name)
{
	if (self(e)->error == 0)
		push(self(e), name, json_array());
}

static void json_end(struct emit *e)
{
	if (self(e)->error == 0)
		self(e)->depth--;
}

static void json_number(struct emit *e, const char *name, uint32_t value)
{
	if (self(e)->error == 0)
		add(self(e), name, json_integer(value));
}

static void json_code(struct emit *e, const char *name, uint32_t value, const char *meaning)
{
	if (self(e)->error == 0)
		add(self(e), name,
			json_pack("{s:I, s:s?}", "value", (json_int_t)value, "name", meaning));
}

static void json_octets(struct emit *e, const char *name, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *hex;

	if (self(e)->error != 0)
		return;
	hex = malloc(2 * len + 1);
	if (hex == NULL) {
		self(e)->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 0x0f];
	}
	add(self(e), name, json_stringn(hex, 2 * len));
	free(hex);
}

static void json_text(struct emit *e, const char *name, const char *s, size_t len)
{
	if (self(e)->error == 0)
		add(self(e), name, json_stringn(s, len));
}

static void json_error_field(struct emit *e, size_t offset, const char *what)
{
	if (self(e)->error == 0)
		add(self(e), "error",
			json_pack("{s:I, s:s}", "offset", (json_int_t)offset, "text", what));
}

int mikey_decode_json(FILE *out, const uint8_t *octets, size_t len)
{
	static const struct emit_ops ops = {
		.group = json_group,
		.group_end = json_end,
		.list = json_list,
		.list_end = json_end,
		.number = json_number,
		.code = json_code,
		.octets = json_octets,
		.text = json_text,
		.error = json_error_field,
	};
	struct emit_json j = {.base.ops = &ops};
	int res;

	j.stack[0] = json_object();
	if (j.stack[0] == NULL)
		return -ENOMEM;
	res = dissect(&j.base, octets, len);
	if (j.error != 0)
		res = j.error;
	else if (json_dumpf(j.stack[0], out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0 ||
		 fputc('\n', out) == EOF || fflush(out) != 0)
		res = -EIO;
	json_decref(j.stack[0]);
	return res;
}
