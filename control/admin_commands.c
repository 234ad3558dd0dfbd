/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/hex.h"
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

static int key_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	(void)request;
	(void)why;
	*result = admin_key_list(client->admin->control);
	return 0;
}

/* id, octets and times of a key to import, before anything is decided about it. */
static int parse_key(const json_t *request, const struct keys_schedule *schedule, struct key *key,
	struct reason *why)
{
	const char *id = json_string_value(json_object_get(request, "id"));
	const json_t *octets = json_object_get(request, "key");
	const char *until = json_string_value(json_object_get(request, "resolves_until"));
	bool is_short_allowed = json_is_true(json_object_get(request, "allow_short"));
	size_t len = json_string_length(octets) / 2;
	int64_t now = clock_now();

	if (!id || !keys_valid_id(id))
		return reason_set(why, -EINVAL,
			"a key's id is \"" KEYS_ID_PREFIX "\" and up to %d letters, digits, - . _",
			KEYS_ID_MAX - (int)strlen(KEYS_ID_PREFIX));
	if (!json_is_string(octets) || len > KEYS_LEN ||
		len < (is_short_allowed ? (size_t)IPC_KEY_MIN : (size_t)KEYS_LEN) ||
		hex_decode(json_string_value(octets), json_string_length(octets), key->octets) != 0)
		return reason_set(why, -EINVAL, "a sealing key has 32 octets%s",
			is_short_allowed ? " (16 at least)"
					 : " (--allow-short, for test vectors only: 16 at least)");
	strcpy(key->id, id);
	key->len = (uint8_t)len;
	key->state = json_is_true(json_object_get(request, "activate")) ? KEY_ACTIVE : KEY_RETIRING;
	key->seals_from = now;
	key->seals_until = key->state == KEY_ACTIVE ? now + 2 * schedule->rotation_s : now;
	key->resolves_until = now + 2 * schedule->rotation_s + schedule->max_lifetime_s;
	if (until && clock_parse(until, &key->resolves_until) != 0)
		return reason_set(why, -EINVAL,
			"\"%.40s\" is no time as 2030-12-31T23:59:59Z (RFC 3339)", until);
	if (key->resolves_until <= now || key->resolves_until < key->seals_until)
		return reason_set(why, -EINVAL, "resolves-until is %s",
			key->state == KEY_ACTIVE
				? "before the end of the time in which the key seals"
				: "in the past");
	return 0;
}

int admin_key_import(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	struct keys_schedule schedule = control_schedule(c);
	struct key key = {.len = 0};
	int err = parse_key(request, &schedule, &key, why);

	*result = NULL;
	if (!err) {
		err = keys_import(control_edit_keys(c), &key, clock_now());
		if (err)
			reason_set(why, err, "%s",
				err == -EEXIST	 ? "there is, or was, a key of that id"
				: err == -ENOSPC ? "too many keys are held"
						 : "a key that cannot be used");
	}
	secret_wipe(key.octets, sizeof(key.octets));
	if (!err) {
		err = control_commit_keys(c);
		if (err)
			reason_set(why, err, "%s",
				err == -EBUSY ? "an import is running; try again when it has ended"
					      : "the keyring cannot be stored (see the log)");
	}
	secret_wipe(c->next_keys, sizeof(*c->next_keys));
	if (err)
		return err;
	log_event(LOG_WARNING, "sealing key imported", F_TEXT("id", key.id),
		F_TEXT("state", key_state_name(key.state)), F_UINT("epoch", c->keys->epoch));
	return admin_wait(
		client, json_pack("{s:s, s:s, s:I}", "id", key.id, "state",
				key_state_name(key.state), "epoch", (json_int_t)c->keys->epoch));
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
	link_push_subscribers(c->link);
	return admin_wait(client, json_pack("{s:s, s:I}", "psk_id", text, "subscribers",
					  (json_int_t)store_count(c->store)));
}

admin_command_fn admin_find_command(const char *name)
{
	static const struct {
		const char *name;
		admin_command_fn fn;
	} commands[] = {
		{"status", status},
		{"key.list", key_list},
		{"key.import", admin_key_import},
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
