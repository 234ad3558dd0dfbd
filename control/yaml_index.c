/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/yaml_index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 8, PATH_OCTETS_MAX = 512, ENTRIES_MAX = 65536 };

struct level {
	bool is_mapping;
	bool has_key;	    /* of a mapping: a value comes next */
	unsigned int count; /* of a sequence */
	size_t path_len;    /* of the path of this container */
};

struct walk {
	struct yaml_index *index;
	struct level levels[DEPTH_MAX];
	unsigned int depth;
	unsigned int documents;
	char path[PATH_OCTETS_MAX];
	size_t path_len;
};

static int refuse(struct walk *w, unsigned int line, const char *why)
{
	w->index->error = why;
	w->index->error_line = line;
	return -EBADMSG;
}

static struct yaml_entry *find(const struct yaml_index *index, const char *path, size_t len)
{
	for (size_t i = 0; i < index->n; i++) {
		const char *p = index->entries[i].path;

		if (strncmp(p, path, len) == 0 && p[len] == '\0')
			return &index->entries[i];
	}
	return NULL;
}

static int add_entry(struct walk *w, unsigned int line)
{
	struct yaml_index *x = w->index;
	bool duplicate = find(x, w->path, w->path_len) != NULL;

	if (x->n == ENTRIES_MAX)
		return refuse(w, line, "too many keys");
	if ((x->n & (x->n - 1)) == 0) {
		size_t cap = x->n ? x->n * 2 : 1;
		struct yaml_entry *grown = realloc(x->entries, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		x->entries = grown;
	}
	x->entries[x->n] = (struct yaml_entry){
		.path = strndup(w->path, w->path_len), .line = line, .is_duplicate = duplicate};
	if (!x->entries[x->n].path)
		return -ENOMEM;
	x->n++;
	return 0;
}

static int push_key(struct walk *w, const yaml_event_t *e, unsigned int line)
{
	struct level *top = &w->levels[w->depth - 1];
	const char *key = (const char *)e->data.scalar.value;
	int n;

	if (strlen(key) != e->data.scalar.length)
		return refuse(w, line, "a key with a NUL octet");
	if (strpbrk(key, ".[]"))
		return refuse(w, line, "a key with a dot or brackets");
	n = snprintf(w->path + top->path_len, sizeof(w->path) - top->path_len, "%s%s",
		top->path_len ? "." : "", key);
	if (n < 0 || (size_t)n >= sizeof(w->path) - top->path_len)
		return refuse(w, line, "a key that is too long");
	w->path_len = top->path_len + (size_t)n;
	top->has_key = true;
	return add_entry(w, line);
}

/* A value begins: entries of sequences get a path, values of keys have theirs. */
static int begin_value(struct walk *w, unsigned int line)
{
	struct level *top;
	int n;

	if (w->depth == 0)
		return 0;
	top = &w->levels[w->depth - 1];
	if (top->is_mapping) {
		if (!top->has_key)
			return refuse(w, line, "a key that is no plain text");
		top->has_key = false;
		return 0;
	}
	n = snprintf(
		w->path + top->path_len, sizeof(w->path) - top->path_len, "[%u]", top->count++);
	if (n < 0 || (size_t)n >= sizeof(w->path) - top->path_len)
		return refuse(w, line, "too deep");
	w->path_len = top->path_len + (size_t)n;
	return add_entry(w, line);
}

static int open_container(struct walk *w, bool is_mapping, unsigned int line)
{
	int err = begin_value(w, line);

	if (err)
		return err;
	if (w->depth == DEPTH_MAX)
		return refuse(w, line, "too deep");
	if (w->depth == 0 && !is_mapping)
		return refuse(w, line, "not a mapping of sections");
	w->levels[w->depth++] = (struct level){.is_mapping = is_mapping, .path_len = w->path_len};
	return 0;
}

static int scalar(struct walk *w, const yaml_event_t *e, unsigned int line)
{
	int err;

	if (w->depth == 0)
		return refuse(w, line, "not a mapping of sections");
	if (w->levels[w->depth - 1].is_mapping && !w->levels[w->depth - 1].has_key)
		return push_key(w, e, line);
	err = begin_value(w, line);
	if (!err)
		w->index->entries[w->index->n - 1].is_leaf = 1;
	return err;
}

static int event(struct walk *w, const yaml_event_t *e)
{
	unsigned int line = (unsigned int)e->start_mark.line + 1;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return w->documents++ ? refuse(w, line, "more than one document") : 0;
	case YAML_ALIAS_EVENT:
		return refuse(w, line, "an alias (write the value out)");
	case YAML_SCALAR_EVENT:
		return scalar(w, e, line);
	case YAML_MAPPING_START_EVENT:
		return open_container(w, true, line);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(w, false, line);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		w->depth--;
		return 0;
	default:
		return 0;
	}
}

int yaml_index_build(struct yaml_index *index, const char *text, size_t len)
{
	struct walk w = {.index = index};
	yaml_parser_t parser;
	yaml_event_t e;
	bool done = false;
	int err = 0;

	memset(index, 0, sizeof(*index));
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!err && !done) {
		if (!yaml_parser_parse(&parser, &e)) {
			err = parser.error == YAML_MEMORY_ERROR
				      ? -ENOMEM
				      : refuse(&w, (unsigned int)parser.problem_mark.line + 1,
						parser.problem && parser.error != YAML_READER_ERROR
							? parser.problem
							: "not UTF-8 text");
			break;
		}
		err = event(&w, &e);
		done = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return err;
}

void yaml_index_clear(struct yaml_index *index)
{
	for (size_t i = 0; i < index->n; i++)
		free(index->entries[i].path);
	free(index->entries);
	memset(index, 0, sizeof(*index));
}

unsigned int yaml_index_line(const struct yaml_index *index, const char *path)
{
	size_t len = strlen(path);

	for (;;) {
		const struct yaml_entry *e = find(index, path, len);

		if (e)
			return e->line;
		while (len > 0 && path[len - 1] != '.' && path[len - 1] != '[')
			len--;
		if (len == 0)
			return 0;
		len--;
	}
}

bool yaml_index_has(const struct yaml_index *index, const char *path)
{
	return find(index, path, strlen(path)) != NULL;
}
