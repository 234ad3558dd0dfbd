/* SPDX-License-Identifier: BSD-3-Clause */
/* Where things are in a YAML document: key paths with their lines, so that every complaint can name
 * its line. */
#ifndef TKMS_CONTROL_YAML_INDEX_H
#define TKMS_CONTROL_YAML_INDEX_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_entry {
	char *path;		       /* "policy.rules[1].from" */
	unsigned int line;	       /* 1-based, of the key, or of the entry of a sequence */
	unsigned int is_leaf : 1;      /* a scalar */
	unsigned int is_duplicate : 1; /* the same key came before */
};

struct yaml_index {
	struct yaml_entry *entries;
	size_t n;
	unsigned int error_line; /* of what yaml_index_build() refused */
	const char *error;	 /* static text */
};

/*
 * Reads a document of len octets. 0, -EBADMSG (no YAML, more than one document, aliases, keys that
 * are no plain text, too deep; error and error_line say what), -ENOMEM. yaml_index_clear() in every
 * case.
 */
int yaml_index_build(struct yaml_index *index, const char *text, size_t len);
void yaml_index_clear(struct yaml_index *index);

/* Line of a path, or of the nearest parent that the document has; 0: nothing of it. */
unsigned int yaml_index_line(const struct yaml_index *index, const char *path);

/* Is there exactly that path. */
bool yaml_index_has(const struct yaml_index *index, const char *path);

#endif
