/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum kind { LIST, TEXT, UINT, TIME, WORDS };

struct setting {
	const char *name, *fallback, *help;
	enum kind kind;
	uint32_t least, most;
	size_t offset;
};

#define ROW(kind_, name_, fallback_, least_, most_, help_) \
	{.name = #name_,                                   \
		.fallback = fallback_,                     \
		.help = help_,                             \
		.kind = kind_,                             \
		.least = least_,                           \
		.most = most_,                             \
		.offset = offsetof(struct http_config, name_)},
static const struct setting settings[] = {HTTP_SETTINGS(ROW)};
enum { SETTINGS_N = sizeof(settings) / sizeof(settings[0]) };

static const char *const access_words[] = {
	[ACCESS_ERRORS] = "errors", [ACCESS_ALL] = "all", [ACCESS_OFF] = "off"};

/* Where a value stands, for complaints. */
struct place {
	FILE *err;
	const char *file; /* NULL: command line */
	unsigned long line;
};

static int complain(const struct place *p, const char *key, const char *what, const char *value)
{
	if (p->file)
		fprintf(p->err, "%s:%lu: ", p->file, p->line);
	else
		fprintf(p->err, "tkms-http: ");
	fprintf(p->err, "%s: %s%s%s\n", key, what, *value ? ": " : "", value);
	return -EINVAL;
}

static const struct setting *find(const char *name)
{
	for (unsigned int i = 0; i < SETTINGS_N; i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

static int set_uint(
	const struct setting *s, uint32_t *out, const char *value, const struct place *p)
{
	static const struct {
		const char *name;
		unsigned long ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	char *end, range[80];
	unsigned long n, scale = s->kind == TIME ? 0 : 1;

	errno = 0;
	n = strtoul(value, &end, 10);
	for (unsigned int i = 0; s->kind == TIME && i < 4; i++) {
		if (strcmp(end, units[i].name) == 0) {
			scale = units[i].ms;
			end += strlen(end);
		}
	}
	if (*value < '0' || *value > '9' || *end || errno || scale == 0 || n > s->most / scale ||
		n * scale < s->least) {
		snprintf(range, sizeof(range),
			s->kind == TIME ? "needs a time from %ums to %ums, as 100ms, 10s, 1m"
					: "needs a number from %u to %u",
			s->least, s->most);
		return complain(p, s->name, range, value);
	}
	*out = (uint32_t)(n * scale);
	return 0;
}

static int set_text(const struct setting *s, char **out, const char *value, const struct place *p)
{
	char *copy;

	if (strlen(value) < s->least || (s->most && strlen(value) > s->most))
		return complain(p, s->name, "too short or too long", value);
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*out);
	*out = copy;
	return 0;
}

static int list_add(
	const struct setting *s, struct config_list *l, const char *value, const struct place *p)
{
	if (l->n >= s->most)
		return complain(p, s->name, "too many of them", value);
	l->item[l->n] = strdup(value);
	if (!l->item[l->n])
		return -ENOMEM;
	l->n++;
	return 0;
}

static void list_clear(struct config_list *l)
{
	while (l->n)
		free(l->item[--l->n]);
}

static int list_split(
	const struct setting *s, struct config_list *l, const char *value, const struct place *p)
{
	char *copy = strdup(value), *rest = copy, *item;
	int err = copy ? 0 : -ENOMEM;

	list_clear(l);
	while (!err && *value && (item = strsep(&rest, ",")) != NULL)
		err = list_add(s, l, item, p);
	free(copy);
	return err;
}

static int set_value(
	struct http_config *c, const struct setting *s, const char *value, const struct place *p)
{
	void *at = (char *)c + s->offset;

	switch (s->kind) {
	case LIST:
		return list_split(s, at, value, p);
	case TEXT:
		return set_text(s, at, value, p);
	case UINT:
	case TIME:
		return set_uint(s, at, value, p);
	case WORDS:
	default:
		for (unsigned int i = 0; i < 3; i++) {
			if (strcmp(value, access_words[i]) == 0) {
				*(enum access_log *)at = (enum access_log)i;
				return 0;
			}
		}
		return complain(p, s->name, "is errors, all or off", value);
	}
}

int http_config_init(struct http_config *c)
{
	const struct place p = {.err = stderr};
	int err = 0;

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; !err && i < SETTINGS_N; i++)
		err = set_value(c, &settings[i], settings[i].fallback, &p);
	return err;
}

int http_config_set(struct http_config *c, const char *assignment, FILE *err)
{
	const struct place p = {.err = err};
	const char *equals = strchr(assignment, '=');
	const struct setting *s;
	char name[64];

	if (!equals || (size_t)(equals - assignment) >= sizeof(name))
		return complain(&p, "--set", "needs KEY=VALUE", assignment);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
	s = find(name);
	if (!s)
		return complain(&p, name, "unknown setting (--print-config lists all)", "");
	return set_value(c, s, equals + 1, &p);
}

/* State of reading a file: a mapping of scalars and sequences of scalars. */
struct reader {
	struct http_config *c;
	struct place p;
	const struct setting *key;
	bool in_mapping, in_list, done;
	bool seen[SETTINGS_N];
};

static int read_key(struct reader *r, const char *name)
{
	r->key = find(name);
	if (!r->key)
		return complain(&r->p, name, "unknown setting (--print-config lists all)", "");
	if (r->seen[r->key - settings])
		return complain(&r->p, name, "given twice", "");
	r->seen[r->key - settings] = true;
	return 0;
}

static int read_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	const struct setting *s = r->key;

	if (strlen(text) != e->data.scalar.length || !r->in_mapping)
		return complain(&r->p, "file", "not a mapping of settings", "");
	if (!s)
		return read_key(r, text);
	if (r->in_list)
		return list_add(s, (void *)((char *)r->c + s->offset), text, &r->p);
	r->key = NULL;
	return set_value(r->c, s, text, &r->p);
}

static int read_list(struct reader *r)
{
	if (!r->key || r->in_list || r->key->kind != LIST)
		return complain(&r->p, r->key ? r->key->name : "file", "is no list", "");
	list_clear((void *)((char *)r->c + r->key->offset));
	r->in_list = true;
	return 0;
}

static int read_event(struct reader *r, const yaml_event_t *e)
{
	r->p.line = e->start_mark.line + 1;
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r);
	case YAML_SEQUENCE_END_EVENT:
		r->in_list = false;
		r->key = NULL;
		return 0;
	case YAML_MAPPING_START_EVENT:
		if (r->in_mapping)
			return complain(&r->p, r->key ? r->key->name : "file", "is no mapping", "");
		r->in_mapping = true;
		return 0;
	case YAML_ALIAS_EVENT:
		return complain(&r->p, "file", "an alias (write the value out)", "");
	case YAML_STREAM_END_EVENT:
		r->done = true;
		return 0;
	default:
		return 0;
	}
}

int http_config_load(struct http_config *c, const char *path, FILE *err)
{
	struct reader r = {.c = c, .p = {.err = err, .file = path}};
	FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	yaml_event_t e;
	int status = 0;

	if (!file) {
		status = -errno;
		fprintf(err, "tkms-http: %s: %s\n", path, strerror(errno));
		return status;
	}
	if (!yaml_parser_initialize(&parser)) {
		fclose(file);
		return -ENOMEM;
	}
	yaml_parser_set_input_file(&parser, file);
	while (!status && !r.done) {
		if (!yaml_parser_parse(&parser, &e)) {
			r.p.line = parser.problem_mark.line + 1;
			status = complain(&r.p, "file",
				parser.problem ? parser.problem : "not UTF-8 text", "");
			break;
		}
		status = read_event(&r, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return status;
}

static int settle_addresses(struct http_config *c, const struct place *p)
{
	int err = 0;

	for (unsigned int i = 0; i < c->kms.n; i++) {
		if (address_parse(&c->kms_address[i], c->kms.item[i], 2269) < 0)
			err = complain(
				p, "kms", "is not IP, IP:port, [v6] or [v6]:port", c->kms.item[i]);
	}
	for (unsigned int i = 0; i < c->listen.n; i++) {
		if (address_parse(&c->listen_address[i], c->listen.item[i], 0) < 0)
			err = complain(
				p, "listen", "is not IP:port or [v6]:port", c->listen.item[i]);
	}
	for (unsigned int i = 0; i < c->trusted_proxies.n; i++) {
		if (range_parse(&c->proxy[i], c->trusted_proxies.item[i]) < 0)
			err = complain(p, "trusted_proxies", "is not an address or ADDRESS/LENGTH",
				c->trusted_proxies.item[i]);
	}
	c->metrics_address.len = 0;
	if (*c->metrics && address_parse(&c->metrics_address, c->metrics, 0) < 0)
		err = complain(p, "metrics", "is not IP:port or [v6]:port", c->metrics);
	return err;
}

int http_config_settle(struct http_config *c, FILE *out)
{
	const struct place p = {.err = out};
	int err = settle_addresses(c, &p);

	if (c->kms.n == 0)
		err = complain(&p, "kms", "missing: the addresses of the data planes", "");
	if (c->listen.n == 0)
		err = complain(&p, "listen", "missing", "");
	if (*c->path != '/' || strpbrk(c->path, " ?#"))
		err = complain(&p, "path", "needs / first and no blank, ? or #", c->path);
	if (c->first_port && c->first_port + c->workers * c->ports > 65536)
		err = complain(&p, "first_port",
			"first_port + workers x ports goes beyond port 65535", "");
	if (c->kms.n * c->ports > 16384)
		err = complain(
			&p, "ports", "more than 16384 sockets (addresses of kms x ports)", "");
	if (c->wait_shortest > c->wait_longest)
		err = complain(&p, "wait_shortest", "is longer than wait_longest", "");
	if (c->answer_timeout > c->stop_timeout)
		err = complain(&p, "answer_timeout", "is longer than stop_timeout", "");
	return err;
}

void http_config_free(struct http_config *c)
{
	for (unsigned int i = 0; i < SETTINGS_N; i++) {
		void *at = (char *)c + settings[i].offset;

		if (settings[i].kind == LIST)
			list_clear(at);
		if (settings[i].kind == TEXT)
			free(*(char **)at);
	}
	memset(c, 0, sizeof(*c));
}

void http_config_print(FILE *out)
{
	fputs("# Settings of tkms-http with their defaults. Only kms has to be given.\n", out);
	for (unsigned int i = 0; i < SETTINGS_N; i++) {
		const struct setting *s = &settings[i];

		fprintf(out, "\n# %s\n", s->help);
		if (s->kind == UINT)
			fprintf(out, "# %u to %u\n", s->least, s->most);
		if (s->kind == TIME)
			fprintf(out, "# %ums to %ums\n", s->least, s->most);
		if (strcmp(s->name, "kms") == 0)
			fputs("kms: [192.0.2.1, 192.0.2.2]\n", out);
		else if (s->kind == LIST)
			fprintf(out, "%s: [%s%s%s]\n", s->name, *s->fallback ? "\"" : "",
				s->fallback, *s->fallback ? "\"" : "");
		else
			fprintf(out, s->kind == TEXT ? "%s: \"%s\"\n" : "%s: %s\n", s->name,
				s->fallback);
	}
}
