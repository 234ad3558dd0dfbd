/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prometheus' text format (0.0.4): families of samples with labels, written into memory. Names are
 * the caller's and fixed; values of labels may be anything and are escaped. One thread.
 */
#ifndef TKMS_CONTROL_EXPOSITION_H
#define TKMS_CONTROL_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum exposition_type { EXPOSITION_GAUGE, EXPOSITION_COUNTER };

struct exposition {
	FILE *out;
	char *text; /* complete after exposition_end() */
	size_t len;
	const char *family;
};

/* At most two labels; a name of NULL ends them. */
struct exposition_labels {
	const char *name[2];
	const char *value[2];
};

/* 0 or -ENOMEM. */
int exposition_begin(struct exposition *e);
/* 0 or -errno; text and len are set, free(text) in any case. */
int exposition_end(struct exposition *e);

/* Begins a family: all its samples follow before the next one. help has no line breaks. */
void exposition_family(
	struct exposition *e, const char *name, enum exposition_type type, const char *help);
/* labels may be NULL. */
void exposition_uint(struct exposition *e, const struct exposition_labels *labels, uint64_t value);
void exposition_real(struct exposition *e, const struct exposition_labels *labels, double value);

/* A family of one sample without labels. */
void exposition_gauge(struct exposition *e, const char *name, const char *help, uint64_t value);
void exposition_gauge_real(struct exposition *e, const char *name, const char *help, double value);
void exposition_counter(struct exposition *e, const char *name, const char *help, uint64_t value);

#endif
