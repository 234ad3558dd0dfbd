/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mikey_vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vectors.h"

enum { NOT_AN_ERROR_CASE = -2 };

/* Messages are absent from some steps: "" then. */
static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "";
}

static struct mikey_vector *add(struct mikey_vectors *all, const char *hex)
{
	struct mikey_vector *v;

	all->v = realloc(all->v, (all->n + 1) * sizeof(*all->v));
	cr_assert_not_null(all->v);
	v = &all->v[all->n++];
	memset(v, 0, sizeof(*v));
	v->error_no = NOT_AN_ERROR_CASE;
	v->len = strlen(hex) / 2;
	v->octets = malloc(v->len);
	cr_assert_not_null(v->octets);
	vectors_hex(hex, v->octets, v->len);
	return v;
}

static void load_exchanges(struct mikey_vectors *all)
{
	json_t *root = vectors_load("exchanges.json"), *exchange, *step;
	size_t i, k;

	json_array_foreach(root, i, exchange)
	{
		json_array_foreach(json_object_get(exchange, "steps"), k, step)
		{
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
	json_t *root = vectors_load("errors.json"), *item;
	size_t i;

	json_array_foreach(root, i, item)
	{
		struct mikey_vector *v = add(all, text(item, "message"));

		snprintf(
			v->name, sizeof(v->name), "%s/%s", text(item, "name"), text(item, "suite"));
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
