/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator moves keys on: rotate, activate, revoke. Each waits for the other members too. */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/cluster.h"
#include "control/keyring_sync.h"
#include "control/log.h"

enum {
	CONTACT_PATIENCE_MS = 10000, /* for a rotation to begin at all */
	SUCCESSOR_PATIENCE_MS =
		3000,		    /* a key that is to be revoked goes without a successor then */
	REVOKE_PATIENCE_MS = 20000, /* for the members' acknowledgements */
	WITHOUT_MAX = 64,
};

/* Puts next_keys, which the caller has changed, into force. */
int admin_keys_commit(struct control *c, struct reason *why)
{
	int err = control_commit_keys(c);

	secret_wipe(c->next_keys, sizeof(*c->next_keys));
	if (!err)
		return 0;
	return reason_set(why, err, "%s",
		err == -EBUSY	 ? "an import is running; try again when it has ended"
		: err == -ENOSPC ? "the keyring cannot be stored: no space left on the disk of "
				   "node.state_dir"
				 : "the keyring cannot be stored (see the log)");
}

/* What the operator is told about a key that has changed. */
json_t *admin_key_describe(const struct control *c, const char *id)
{
	const struct key *key = keys_get(c->keys, id);

	return json_pack("{s:s, s:s, s:I}", "id", id, "state",
		key ? key_state_name(key->state) : "destroyed", "epoch",
		(json_int_t)c->keys->epoch);
}

static bool is_alone(const struct control *c)
{
	return cluster_status(c->cluster)->is_alone;
}

static bool is_cut_off(struct control *c)
{
	return control_situation(c).peers == KEYS_CUT_OFF;
}

/* Publishes a key of this client's own, to seal lead_s from now. */
static int publish(struct admin_client *client, int64_t lead_s, struct reason *why)
{
	struct control *c = client->admin->control;
	struct keys_schedule schedule = control_schedule(c);
	struct keys *next = control_edit_keys(c);
	int err;

	schedule.lead_s = lead_s;
	err = keys_rotate(next, &schedule, clock_now());
	if (err) {
		secret_wipe(next, sizeof(*next));
		return reason_set(why, err, "no key can be made: %s", strerror(-err));
	}
	strcpy(client->rotate_id, next->key[next->n - 1].id);
	err = admin_keys_commit(c, why);
	if (err)
		return err;
	log_event(LOG_INFO, "keyring: a new key is published by the operator",
		F_TEXT("id", client->rotate_id), F_UINT("epoch", c->keys->epoch));
	return 0;
}

/* A rotation that does not begin, or the one before does not end. 0: it may yet. */
static int wait_to_begin(struct admin_client *client, struct reason *why)
{
	struct control *c = client->admin->control;
	bool is_late = clock_mono_ms() >= client->wait_until_ms;

	if (keys_published(c->keys) && is_alone(c) && !link_status(c->link)->is_connected)
		return reason_set(why, -ENOTCONN,
			"the rotation before waits for the data plane, which is not connected");
	if (keys_published(c->keys) && is_late)
		return reason_set(why, -ETIMEDOUT, "the rotation before does not end: %s",
			is_alone(c) ? "the data plane does not acknowledge it"
				    : keyring_sync_explain(c->keyring));
	if (!keys_published(c->keys) && is_cut_off(c) &&
		clock_mono_ms() + ADMIN_WAIT_MS >= client->wait_until_ms + CONTACT_PATIENCE_MS)
		return reason_set(why, -ENOTCONN,
			"this node is cut off from the others of its set: a rotation waits for "
			"contact");
	return 0;
}

/* First the rotation that is pending, then one's own, until the data plane seals with the new key.
 */
static int rotate_progress(struct admin_client *client, const char **outcome, struct reason *why)
{
	struct control *c = client->admin->control;
	int64_t lead_s = control_schedule(c).lead_s;
	const struct key *key;
	int err;

	if (!*client->rotate_id && (keys_published(c->keys) || is_cut_off(c)))
		return wait_to_begin(client, why);
	if (!*client->rotate_id) {
		err = publish(client, lead_s, why);
		if (err)
			return err;
		json_object_set_new(client->waiting, "id", json_string(client->rotate_id));
		client->wait_until_ms = clock_mono_ms() + ADMIN_WAIT_MS + (uint64_t)lead_s * 1000;
	}
	key = keys_get(c->keys, client->rotate_id);
	json_object_set_new(client->waiting, "state",
		json_string(key ? key_state_name(key->state) : "destroyed"));
	if (key && key->state == KEY_PUBLISHED && clock_mono_ms() < client->wait_until_ms &&
		(!is_alone(c) || link_status(c->link)->is_connected))
		return 0;
	if (key && key->state == KEY_PUBLISHED && !is_alone(c))
		return reason_set(why, -ETIMEDOUT, "%s is published; %s", client->rotate_id,
			keyring_sync_explain(c->keyring));
	if (key && key->state != KEY_PUBLISHED && client->wait_epoch == 0)
		client->wait_epoch = c->keys->epoch;
	return admin_progress_acknowledged(client, outcome, why);
}

static void begin_waiting(struct admin_client *client, admin_progress_fn progress)
{
	client->waiting = json_object();
	client->progress = progress;
	*client->rotate_id = '\0';
	client->wait_version = 0;
	client->wait_epoch = 0;
	client->wait_until_ms = clock_mono_ms() + ADMIN_WAIT_MS +
				(uint64_t)control_schedule(client->admin->control).lead_s * 1000;
}

int admin_key_rotate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;

	(void)request;
	(void)result;
	if (store_is_taken(c->store))
		return reason_set(why, -EBUSY, "an import is running; try again when it has ended");
	begin_waiting(client, rotate_progress);
	return ADMIN_DEFERRED;
}

static int get_without(const json_t *request, const char *without[WITHOUT_MAX], unsigned int *n,
	struct reason *why)
{
	const json_t *list = json_object_get(request, "without"), *name;
	size_t i;

	*n = 0;
	json_array_foreach(list, i, name)
	{
		if (!json_is_string(name) || *n == WITHOUT_MAX)
			return reason_set(why, -EINVAL, "\"without\" is a list of at most %d names",
				WITHOUT_MAX);
		without[(*n)++] = json_string_value(name);
	}
	return 0;
}

static int explain_activate(int err, const char *missing, struct reason *why)
{
	switch (err) {
	case -ENOENT:
		return reason_set(why, err, "there is no such key");
	case -EALREADY:
		return reason_set(why, err, "that key is active");
	case -ESRCH:
		return reason_set(why, err,
			"that key is no longer to be activated: it is dead, or a "
			"newer one has taken over");
	case -EAGAIN:
		return reason_set(
			why, err, "the time of that key has not come (keys.activation_lead)");
	case -EBUSY:
		return reason_set(why, err,
			"the data plane of %s does not hold that key (--without %s: activate it "
			"all "
			"the same; tickets sealed with it are not resolved there)",
			missing, missing);
	default:
		return reason_set(why, err, "%s", strerror(-err));
	}
}

int admin_key_activate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	const char *id = json_string_value(json_object_get(request, "id"));
	struct keys_situation at = control_situation(c);
	const char *without[WITHOUT_MAX], *missing = "";
	unsigned int n;
	int err = get_without(request, without, &n, why);

	(void)result;
	if (err)
		return err;
	if (is_alone(c))
		return reason_set(why, -EINVAL, "a single node activates its keys by itself");
	err = id ? keys_activate(control_edit_keys(c), id, &at, without, n, &missing) : -ENOENT;
	if (err) {
		secret_wipe(c->next_keys, sizeof(*c->next_keys));
		return explain_activate(err, missing, why);
	}
	err = admin_keys_commit(c, why);
	if (err)
		return err;
	log_event(LOG_WARNING, "sealing key activated by the operator", F_TEXT("id", id),
		F_TEXT("without", n ? without[0] : ""), F_UINT("epoch", c->keys->epoch));
	return admin_wait(client, admin_key_describe(c, id));
}

static int revoke_now(struct admin_client *client, struct reason *why)
{
	struct control *c = client->admin->control;
	int err = keys_revoke(control_edit_keys(c), client->revoke_id);
	const struct key *active;

	if (err) {
		secret_wipe(c->next_keys, sizeof(*c->next_keys));
		return reason_set(why, err, "%s",
			err == -ENOENT ? "there is no such key"
				       : "that key is revoked or destroyed already");
	}
	if (store_is_taken(c->store))
		admin_abort_import(
			client->admin, "given up: a key was revoked; run the import again");
	/* the successor of a revoked active key comes in the same document: no moment without a key
	 */
	err = control_step_next_keys(c);
	if (err < 0)
		log_event(LOG_ERROR, "revoked key has no successor yet",
			F_TEXT("error", strerror(-err)));
	err = admin_keys_commit(c, why);
	if (err)
		return err;
	active = keys_active(c->keys);
	log_event(LOG_WARNING, "sealing key revoked", F_TEXT("id", client->revoke_id),
		F_UINT("epoch", c->keys->epoch), F_TEXT("active", active ? active->id : "none"));
	json_decref(client->waiting);
	client->waiting = admin_key_describe(c, client->revoke_id);
	client->wait_epoch = c->keys->epoch;
	client->wait_until_ms =
		clock_mono_ms() + (is_alone(c) ? ADMIN_WAIT_MS : REVOKE_PATIENCE_MS);
	return 0;
}

struct missing {
	json_t *live, *away;
};

static void note_missing(void *arg, const char *name, bool is_alive)
{
	struct missing *m = arg;

	json_array_append_new(is_alive ? m->live : m->away, json_string(name));
}

static int revoked_progress(struct admin_client *client, const char **outcome, struct reason *why)
{
	struct control *c = client->admin->control;
	struct missing m = {json_array(), json_array()};
	int got = admin_progress_acknowledged(client, outcome, why);

	keyring_sync_unrevoked(c->keyring, client->revoke_id, note_missing, &m);
	if (got == 1 && json_array_size(m.live) && clock_mono_ms() < client->wait_until_ms)
		got = 0;
	/* without contact nobody knows who is alive */
	if (got == 1 && json_array_size(m.away) && !cluster_status(c->cluster)->is_healthy) {
		json_array_extend(m.live, m.away);
		json_array_clear(m.away);
	}
	json_object_set_new(client->waiting, "missing", m.live);
	json_object_set_new(client->waiting, "away", m.away);
	return got;
}

static bool lacks_successor(struct control *c)
{
	const struct key *next = keys_published(c->keys);
	struct keys_situation at = control_situation(c);

	for (unsigned int i = 0; next && i < at.n_members; i++) {
		if (!keys_member_holds(&at.members[i], next->id))
			return true;
	}
	return !next;
}

/*
 * In a set the successor of the active key is published first, so that it can seal from the moment
 * that the other is revoked; but that is not waited for for long.
 */
static int revoke_progress(struct admin_client *client, const char **outcome, struct reason *why)
{
	struct control *c = client->admin->control;
	const struct key *key = keys_get(c->keys, client->revoke_id);
	int err;

	if (key && key->state == KEY_ACTIVE && !is_alone(c) && !is_cut_off(c) &&
		lacks_successor(c) && clock_mono_ms() < client->wait_until_ms) {
		err = keys_published(c->keys) ? 0 : publish(client, 0, why);
		if (!err)
			return 0;
	}
	err = revoke_now(client, why);
	client->progress = revoked_progress;
	return err ? err : revoked_progress(client, outcome, why);
}

int admin_key_revoke(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	const char *id = json_string_value(json_object_get(request, "id"));
	const struct key *key = id ? keys_get(c->keys, id) : NULL;

	(void)result;
	if (!key || !key_is_held(key))
		return reason_set(why, key ? -EALREADY : -ENOENT, "%s",
			key ? "that key is revoked or destroyed already" : "there is no such key");
	begin_waiting(client, revoke_progress);
	strcpy(client->revoke_id, id);
	client->wait_until_ms = clock_mono_ms() + SUCCESSOR_PATIENCE_MS;
	return ADMIN_DEFERRED;
}
