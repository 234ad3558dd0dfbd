/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mikey_vectors.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_AN_ERROR_CASE = -2 };

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "";
}

static void set_octets(struct mikey_vector *v, const char *hex)
{
	v->len = strlen(hex) / 2;
	v->octets = malloc(v->len);
	cr_assert_not_null(v->octets);
	for (size_t i = 0; i < v->len; i++) {
		unsigned int octet;

		cr_assert_eq(sscanf(hex + 2 * i, "%2x", &octet), 1);
		v->octets[i] = (uint8_t)octet;
	}
}

static struct mikey_vector *add(struct mikey_vectors *all, const char *hex)
{
	struct mikey_vector *v;

	all->v = realloc(all->v, (all->n + 1) * sizeof(*all->v));
	cr_assert_not_null(all->v);
	v = &all->v[all->n++];
	memset(v, 0, sizeof(*v));
	v->error_no = NOT_AN_ERROR_CASE;
	set_octets(v, hex);
	return v;
}

static json_t *load(const char *file)
{
	char path[512];
	json_error_t err;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s", TKMS_VECTORS, file);
	root = json_load_file(path, 0, &err);
	cr_assert_not_null(root, "%s: %s", path, err.text);
	return root;
}

static void load_exchanges(struct mikey_vectors *all)
{
	json_t *root = load("exchanges.json"), *exchange, *step;
	size_t i, k;

	json_array_foreach (root, i, exchange) {
		json_array_foreach (json_object_get(exchange, "steps"), k, step) {
			struct mikey_vector *v;

			if (text(step, "message")[0] == '\0')
				continue;
			v = add(all, text(step, "message"));
			snprintf(v->step, sizeof(v->step), "%s", text(step, "step"));
			snprintf(v->name, sizeof(v->name), "%s/%s/%s", text(exchange, "name"),
				text(exchange, "suite"), text(step, "step"));
		}
	}
	json_decref(root);
}

static void load_errors(struct mikey_vectors *all)
{
	json_t *root = load("errors.json"), *item;
	size_t i;

	json_array_foreach (root, i, item) {
		struct mikey_vector *v = add(all, text(item, "message"));

		snprintf(v->name, sizeof(v->name), "%s/%s", text(item, "name"), text(item, "suite"));
		snprintf(v->reason, sizeof(v->reason), "%s", text(item, "oracle_reason"));
		v->error_no = (int)json_integer_value(json_object_get(item, "oracle_error_no"));
		if (text(item, "response")[0] == '\0')
			continue;
		v = add(all, text(item, "response"));
		snprintf(v->name, sizeof(v->name), "%s/%s/response", text(item, "name"),
			text(item, "suite"));
		snprintf(v->step, sizeof(v->step), "ERROR");
	}
	json_decref(root);
}

struct mikey_vectors mikey_vectors_load(void)
{
	struct mikey_vectors all = {0, NULL};

	load_exchanges(&all);
	cr_assert_gt(all.n, 100);
	load_errors(&all);
	cr_assert_gt(all.n, 200);
	return all;
}

void mikey_vectors_free(struct mikey_vectors *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].octets);
	free(all->v);
}
