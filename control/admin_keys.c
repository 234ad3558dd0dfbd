/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's commands on sealing keys. */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/cluster.h"
#include "control/hex.h"
#include "control/log.h"

/* As the data plane that is connected has counted; NULL: it has not said. */
static const struct ipc_key_count *find_count(const struct ipc_stats *s, const char *id)
{
	for (unsigned int i = 0; i < s->n_keys; i++) {
		if (strcmp(s->keys[i].id, id) == 0)
			return &s->keys[i];
	}
	return NULL;
}

static json_t *key_list(const struct control *c)
{
	const struct ipc_stats *stats = &link_status(c->link)->stats;
	json_t *list = json_array();

	for (unsigned int i = 0; i < c->keys->n; i++) {
		const struct key *k = &c->keys->key[i];
		const struct ipc_key_count *count = find_count(stats, k->id);
		char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], resolves[CLOCK_TEXT_MAX];

		clock_format(k->seals_from, from);
		clock_format(k->seals_until, until);
		clock_format(k->resolves_until, resolves);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id", k->id, "state",
				      key_state_name(k->state), "seals_from", from, "seals_until",
				      until, "resolves_until", resolves, "sealed",
				      (json_int_t)(count ? count->sealed : 0), "resolved",
				      (json_int_t)(count ? count->resolved : 0)));
	}
	return json_pack("{s:I, s:o}", "epoch", (json_int_t)c->keys->epoch, "keys", list);
}

int admin_key_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	(void)request;
	(void)why;
	*result = key_list(client->admin->control);
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

/* The others have to hold a key before it seals; only a rotation waits until they do. */
static int check_alone(struct control *c, struct reason *why)
{
	unsigned int n;

	(void)cluster_members(c->cluster, &n);
	if (cluster_status(c->cluster)->is_alone ||
		(n == 1 && control_situation(c).peers != KEYS_CUT_OFF))
		return 0;
	return reason_set(why, -EBUSY,
		"--activate is for a node alone: the others of a set have to hold a key before it "
		"seals. Import it without --activate, then it resolves; tkmsctl key rotate makes a "
		"new key that seals");
}

int admin_key_import(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	struct keys_schedule schedule = control_schedule(c);
	struct key key = {.len = 0};
	bool is_wrapped = json_object_get(request, "sealed") != NULL;
	int err = is_wrapped ? admin_key_unwrap(request, &key, why)
			     : parse_key(request, &schedule, &key, why);

	*result = NULL;
	if (!err && key.state == KEY_ACTIVE)
		err = check_alone(c, why);
	if (!err) {
		err = keys_import(control_edit_keys(c), &key, clock_now());
		if (err)
			reason_set(why, err, "%s",
				err == -EEXIST	 ? "there is, or was, a key of that id"
				: err == -ENOSPC ? "too many keys are held"
						 : "a key that cannot be used");
	}
	secret_wipe(key.octets, sizeof(key.octets));
	if (!err)
		err = admin_keys_commit(c, why);
	if (err)
		return err;
	log_event(LOG_WARNING, "sealing key imported", F_TEXT("id", key.id),
		F_TEXT("state", key_state_name(key.state)), F_UINT("epoch", c->keys->epoch));
	return admin_wait(client, admin_key_describe(c, key.id));
}
