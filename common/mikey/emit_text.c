/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "common/mikey/decode.h"
#include "common/mikey/emit.h"

enum { OCTETS_PER_LINE = 32 };

struct emit_text {
	struct emit base;
	FILE *out;
	int depth;
};

static struct emit_text *self(struct emit *e)
{
	return (struct emit_text *)e;
}

static void indent(struct emit_text *t)
{
	for (int i = 0; i < t->depth; i++)
		fputs("  ", t->out);
}

static void text_group(struct emit *e, const char *name, struct mikey_span where)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "%s  [offset %u, %u octet%s]\n", name, where.off, where.len,
		where.len == 1 ? "" : "s");
	t->depth++;
}

/* The elements speak for themselves. */
static void text_list(struct emit *e, const char *name)
{
	(void)e;
	(void)name;
}

static void text_list_end(struct emit *e)
{
	(void)e;
}

static void text_group_end(struct emit *e)
{
	self(e)->depth--;
}

static void text_number(struct emit *e, const char *name, uint32_t value)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "%s: %u\n", name, value);
}

static void text_code(struct emit *e, const char *name, uint32_t value, const char *meaning)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "%s: %u (%s)\n", name, value, meaning != NULL ? meaning : "unknown");
}

static void text_octets(struct emit *e, const char *name, const uint8_t *data, size_t len)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "%s (%zu octet%s):", name, len, len == 1 ? "" : "s");
	for (size_t i = 0; i < len; i++) {
		if (len > OCTETS_PER_LINE && i % OCTETS_PER_LINE == 0) {
			fputc('\n', t->out);
			indent(t);
			fputs("  ", t->out);
		} else if (i == 0) {
			fputc(' ', t->out);
		}
		fprintf(t->out, "%02x", data[i]);
	}
	fputc('\n', t->out);
}

static void text_text(struct emit *e, const char *name, const char *s, size_t len)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "%s: %.*s\n", name, (int)len, s);
}

static void text_error(struct emit *e, size_t offset, const char *what)
{
	struct emit_text *t = self(e);

	indent(t);
	fprintf(t->out, "ERROR at offset %zu: %s\n", offset, what);
}

int mikey_decode_text(FILE *out, const uint8_t *octets, size_t len)
{
	static const struct emit_ops ops = {
		.group = text_group,
		.group_end = text_group_end,
		.list = text_list,
		.list_end = text_list_end,
		.number = text_number,
		.code = text_code,
		.octets = text_octets,
		.text = text_text,
		.error = text_error,
	};
	struct emit_text t = {.base.ops = &ops, .out = out};
	int res = dissect(&t.base, octets, len);

	if (fflush(out) != 0 || ferror(out))
		return -EIO;
	return res;
}
