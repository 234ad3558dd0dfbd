/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Import of subscribers: begin, lines (many times), commit. All in one transaction of the store: it
 * is in force as a whole or not at all, whenever who dies.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/subscriber_json.h"

enum { ERRORS_MAX = 20 };

void admin_import_drop(struct admin_client *client, const char *why)
{
	if (!client->import)
		return;
	store_abort(client->admin->control->store);
	free(client->import->lines_of);
	free(client->import);
	client->import = NULL;
	client->import_ended = why;
	log_event(LOG_WARNING, "import ended; nothing of it was stored",
		F_TEXT("reason", why ? why : "its client has gone"));
}

int admin_import_begin(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct store *store = client->admin->control->store;
	struct import *import;
	int err;

	*result = NULL;
	client->import_ended = NULL;
	import = calloc(1, sizeof(*import));
	if (!import)
		return reason_set(why, -ENOMEM, "out of memory");
	err = store_begin(store);
	if (err) {
		free(import);
		return reason_set(why, err, "%s",
			err == -EBUSY ? "another import is running" : store_error(store));
	}
	import->mode =
		json_is_true(json_object_get(request, "replace")) ? STORE_REPLACE : STORE_INSERT;
	import->heard_ms = clock_mono_ms();
	client->import = import;
	return 0;
}

/* Remembers the line of the version that comes next. */
static int note_line(struct import *import, uint32_t line)
{
	if (import->n_lines == import->cap) {
		size_t cap = import->cap ? import->cap * 2 : 1024;
		uint32_t *grown = realloc(import->lines_of, cap * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		import->lines_of = grown;
		import->cap = cap;
	}
	import->lines_of[import->n_lines++] = line;
	return 0;
}

static void explain_conflict(const struct admin_client *client, const struct ipc_subscriber *s,
	const struct store_conflict *conflict, struct reason *why)
{
	uint64_t base = store_base_version(client->admin->control->store);
	char holder[PSK_ID_TEXT_MAX], own[PSK_ID_TEXT_MAX], where[64] = "in the store";

	psk_id_format((struct identity){conflict->holder, conflict->holder_len}, holder);
	psk_id_format(s->psk_id, own);
	if (conflict->version > base && conflict->version - base <= client->import->n_lines)
		snprintf(where, sizeof(where), "line %u",
			client->import->lines_of[conflict->version - base - 1]);
	if (conflict->what == STORE_SAME_UID)
		reason_set(why, -EEXIST, "UID %.*s of psk_id %s belongs to psk_id %s (%s)",
			(int)conflict->uid.len, (const char *)conflict->uid.data, own, holder,
			where);
	else if (conflict->version > base)
		reason_set(why, -EEXIST, "psk_id %s is there twice (%s)", own, where);
	else
		reason_set(why, -EEXIST,
			"psk_id %s exists in the store and differs (--replace puts the new one in "
			"its place)",
			own);
}

/* One line of the file. 0, -EINVAL/-EEXIST with the reason (the import goes on, to find more),
 * other -errno: the store failed. */
static int take_line(
	struct admin_client *client, const json_t *text, uint32_t line, struct reason *why)
{
	struct store *store = client->admin->control->store;
	struct store_conflict conflict;
	struct subscriber_input in;
	json_error_t error;
	bool replaced = false;
	json_t *json = json_loadb(
		json_string_value(text), json_string_length(text), JSON_REJECT_DUPLICATES, &error);
	int err;

	if (!json && strncmp(json_string_value(text), "\xef\xbb\xbf", 3) == 0)
		return reason_set(why, -EINVAL,
			"begins with a byte order mark (EF BB BF): save the file as UTF-8 without "
			"one");
	if (!json) {
		/* jansson quotes what it met: perhaps a key */
		char *near = strstr(error.text, " near '");

		if (near)
			*near = '\0';
		return reason_set(
			why, -EINVAL, "no JSON (column %d): %s", error.column, error.text);
	}
	err = subscriber_from_json(json, &in, why);
	if (!err) {
		err = store_put(store, &in.subscriber, client->import->mode, &replaced, &conflict);
		if (err == -EEXIST) {
			explain_conflict(client, &in.subscriber, &conflict, why);
		} else if (err) {
			reason_set(why, err, "store: %s (%s)", strerror(-err), store_error(store));
			err = -EIO; /* not one of those that the import survives */
		}
	}
	if (!err)
		err = note_line(client->import, line);
	if (!err)
		*(replaced ? &client->import->replaced : &client->import->added) += 1;
	secret_wipe(&in, sizeof(in));
	json_decref(json);
	return err;
}

static int check_running(struct admin_client *client, struct reason *why)
{
	if (client->import)
		return 0;
	return reason_set(why, -EINVAL, "no import is running%s%s",
		client->import_ended ? ": " : "", client->import_ended ? client->import_ended : "");
}

int admin_import_lines(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	const json_t *lines = json_object_get(request, "lines");
	json_int_t first = json_integer_value(json_object_get(request, "first"));
	json_t *errors;
	int err = check_running(client, why);

	if (err)
		return err;
	client->import->heard_ms = clock_mono_ms();
	errors = json_array();
	for (size_t i = 0; i < json_array_size(lines) && client->import->errors < ERRORS_MAX; i++) {
		const json_t *text = json_array_get(lines, i);
		struct reason what;

		if (!json_is_string(text) ||
			strspn(json_string_value(text), " \t\r") == json_string_length(text))
			continue;
		err = take_line(client, text, (uint32_t)(first + (json_int_t)i), &what);
		if (err && err != -EINVAL && err != -EEXIST) {
			json_decref(errors);
			admin_import_drop(client, "the store failed");
			return reason_set(
				why, err, "line %" PRIu64 ": %s", (uint64_t)first + i, what.text);
		}
		if (err) {
			client->import->errors++;
			json_array_append_new(
				errors, json_pack("{s:I, s:s}", "line", first + (json_int_t)i,
						"error", what.text));
		}
	}
	*result = json_pack(
		"{s:o, s:b}", "errors", errors, "enough", client->import->errors >= ERRORS_MAX);
	return 0;
}

int admin_import_commit(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	struct import import;
	int err = check_running(client, why);

	(void)result;
	if (err)
		return err;
	if (client->import->errors) {
		admin_import_drop(client, "lines were wrong");
		return reason_set(why, -EINVAL, "nothing was imported: lines were wrong");
	}
	import = *client->import;
	err = store_commit(c->store);
	if (err) {
		/* the transaction has ended with the commit that failed */
		admin_import_drop(client, "the store failed");
		return reason_set(
			why, err, "store: %s (%s)", strerror(-err), store_error(c->store));
	}
	free(client->import->lines_of);
	free(client->import);
	client->import = NULL;
	log_event(LOG_INFO, "subscribers imported", F_UINT("added", import.added),
		F_UINT("replaced", import.replaced), F_UINT("version", store_version(c->store)));
	control_push_subscribers(c);
	return admin_wait_change(client, request,
		json_pack("{s:I, s:I, s:I}", "added", (json_int_t)import.added, "replaced",
			(json_int_t)import.replaced, "subscribers",
			(json_int_t)store_count(c->store)));
}
