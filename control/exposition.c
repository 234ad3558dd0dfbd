/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/exposition.h"

#include <errno.h>
#include <inttypes.h>

int exposition_begin(struct exposition *e)
{
	*e = (struct exposition){0};
	e->out = open_memstream(&e->text, &e->len);
	return e->out ? 0 : -ENOMEM;
}

int exposition_end(struct exposition *e)
{
	int err = ferror(e->out) ? -ENOMEM : 0;

	if (fclose(e->out) != 0 && !err)
		err = -ENOMEM;
	e->out = NULL;
	return err;
}

void exposition_family(
	struct exposition *e, const char *name, enum exposition_type type, const char *help)
{
	e->family = name;
	fprintf(e->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		type == EXPOSITION_COUNTER ? "counter" : "gauge");
}

/* What the format knows to escape is escaped; what could still garble a line is not let through. */
static void put_value(struct exposition *e, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\\' || *p == '"')
			fprintf(e->out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", e->out);
		else if (*p < 0x20 || *p >= 0x7f)
			fputc('?', e->out);
		else
			fputc(*p, e->out);
	}
}

static void put_name(struct exposition *e, const struct exposition_labels *labels)
{
	fputs(e->family, e->out);
	if (!labels || !labels->name[0])
		return;
	for (unsigned int i = 0; i < 2 && labels->name[i]; i++) {
		fprintf(e->out, "%s%s=\"", i ? "," : "{", labels->name[i]);
		put_value(e, labels->value[i] ? labels->value[i] : "");
		fputc('"', e->out);
	}
	fputc('}', e->out);
}

void exposition_uint(struct exposition *e, const struct exposition_labels *labels, uint64_t value)
{
	put_name(e, labels);
	fprintf(e->out, " %" PRIu64 "\n", value);
}

void exposition_real(struct exposition *e, const struct exposition_labels *labels, double value)
{
	put_name(e, labels);
	fprintf(e->out, " %.9g\n", value);
}

void exposition_gauge(struct exposition *e, const char *name, const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_GAUGE, help);
	exposition_uint(e, NULL, value);
}

void exposition_gauge_real(struct exposition *e, const char *name, const char *help, double value)
{
	exposition_family(e, name, EXPOSITION_GAUGE, help);
	exposition_real(e, NULL, value);
}

void exposition_counter(struct exposition *e, const char *name, const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_COUNTER, help);
	exposition_uint(e, NULL, value);
}
