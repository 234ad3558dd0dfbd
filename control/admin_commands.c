/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "control/admin_private.h"
#include "control/log.h"
#include "control/subscriber_json.h"

enum { LIST_MAX = 10000 };

static int status(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	(void)request;
	(void)why;
	*result = admin_status(client->admin->control);
	return 0;
}

static int subscriber_count(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	(void)request;
	(void)why;
	*result = json_pack(
		"{s:I}", "subscribers", (json_int_t)store_count(client->admin->control->store));
	return 0;
}

static int get_psk_id(const json_t *request, uint8_t octets[IDENTITY_MAX], struct identity *id,
	struct reason *why)
{
	const json_t *text = json_object_get(request, "psk_id");

	if (!json_is_string(text))
		return reason_set(why, -EINVAL, "psk_id is missing");
	return psk_id_parse(json_string_value(text), json_string_length(text), octets, id, why);
}

static int subscriber_show(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct store *store = client->admin->control->store;
	struct store_record *r;
	uint8_t octets[IDENTITY_MAX];
	struct identity id;
	int err = get_psk_id(request, octets, &id, why);

	if (err)
		return err;
	r = store_record_new();
	if (!r)
		return reason_set(why, -ENOMEM, "out of memory");
	err = store_get(store, id, r);
	if (err == -ENOENT)
		reason_set(why, err, "there is no such subscriber");
	else if (err)
		reason_set(why, err, "the record cannot be read: %s", strerror(-err));
	else
		*result = subscriber_to_json(&r->subscriber);
	store_record_free(r);
	return err;
}

/* PSK ids after "after" (none: from the start), at most "limit"; "next" goes on from there. */
static int subscriber_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct store *store = client->admin->control->store;
	json_int_t limit = json_integer_value(json_object_get(request, "limit"));
	const json_t *from = json_object_get(request, "after");
	uint8_t octets[IDENTITY_MAX];
	struct identity after = {octets, 0};
	char text[PSK_ID_TEXT_MAX] = "";
	struct store_record *r;
	json_t *list;
	int got = 0;

	if (from && (!json_is_string(from) ||
			    psk_id_parse(json_string_value(from), json_string_length(from), octets,
				    &after, why) != 0))
		return reason_set(why, -EINVAL, "\"after\" is no psk_id");
	if (limit < 1 || limit > LIST_MAX)
		limit = LIST_MAX;
	r = store_record_new();
	if (!r)
		return reason_set(why, -ENOMEM, "out of memory");
	list = json_array();
	while ((json_int_t)json_array_size(list) < limit &&
		(got = store_next_by_id(store, after, r)) == 1) {
		psk_id_format(r->subscriber.psk_id, text);
		json_array_append_new(list, json_string(text));
	}
	store_next_end(store);
	store_record_free(r);
	if (got < 0) {
		json_decref(list);
		return reason_set(why, got, "the store cannot be read: %s", strerror(-got));
	}
	*result = json_pack("{s:o, s:s?}", "psk_ids", list, "next", got == 1 ? text : NULL);
	return 0;
}

static int subscriber_remove(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	char text[PSK_ID_TEXT_MAX];
	uint8_t octets[IDENTITY_MAX];
	struct identity id;
	int err = get_psk_id(request, octets, &id, why);

	*result = NULL;
	if (err)
		return err;
	err = store_begin(c->store);
	if (err == -EBUSY)
		return reason_set(why, err, "an import is running; try again when it has ended");
	if (!err)
		err = store_remove(c->store, id);
	if (!err)
		err = store_commit(c->store);
	store_abort(c->store); /* nothing after a commit */
	if (err == -ENOENT)
		return reason_set(why, err, "there is no such subscriber");
	if (err)
		return reason_set(
			why, err, "store: %s (%s)", strerror(-err), store_error(c->store));
	psk_id_format(id, text);
	log_event(LOG_INFO, "subscriber removed", F_TEXT("psk_id", text),
		F_UINT("version", store_version(c->store)));
	control_push_subscribers(c);
	return admin_wait_change(client, request,
		json_pack("{s:s, s:I}", "psk_id", text, "subscribers",
			(json_int_t)store_count(c->store)));
}

admin_command_fn admin_find_command(const char *name)
{
	static const struct {
		const char *name;
		admin_command_fn fn;
	} commands[] = {
		{"status", status},
		{"kek.load", admin_kek_load},
		{"kek.rotate", admin_kek_rotate},
		{"kek.drop", admin_kek_drop},
		{"key.list", admin_key_list},
		{"key.export", admin_key_export},
		{"key.import", admin_key_import},
		{"key.activate", admin_key_activate},
		{"key.rotate", admin_key_rotate},
		{"key.revoke", admin_key_revoke},
		{"node.list", admin_node_list},
		{"node.drain", admin_node_drain},
		{"node.undrain", admin_node_undrain},
		{"node.forget", admin_node_forget},
		{"subscriber.count", subscriber_count},
		{"subscriber.show", subscriber_show},
		{"subscriber.list", subscriber_list},
		{"subscriber.remove", subscriber_remove},
		{"subscriber.import.begin", admin_import_begin},
		{"subscriber.import.lines", admin_import_lines},
		{"subscriber.import.commit", admin_import_commit},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].fn;
	}
	return NULL;
}
