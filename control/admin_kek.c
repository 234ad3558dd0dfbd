/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator changes the KEK: control/kek_change.h. */
#include <errno.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/admin_private.h"
#include "control/hex.h"
#include "control/kek_change.h"

typedef int (*kek_fn)(struct kek_change *k, const uint8_t kek[SEAL_KEK_LEN], struct reason *why);

static int with_kek(
	struct admin_client *client, const json_t *request, kek_fn fn, struct reason *why)
{
	const json_t *text = json_object_get(request, "kek");
	uint8_t kek[SEAL_KEK_LEN];
	int err;

	if (json_string_length(text) != 2 * sizeof(kek) ||
		hex_decode(json_string_value(text), 2 * sizeof(kek), kek) != 0)
		err = reason_set(why, -EINVAL, "a KEK has %d octets", SEAL_KEK_LEN);
	else
		err = fn(client->admin->control->kek, kek, why);
	secret_wipe(kek, sizeof(kek));
	return err;
}

int admin_kek_load(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	int err = with_kek(client, request, kek_change_load, why);

	if (!err)
		*result = kek_change_status(client->admin->control->kek);
	return err;
}

static int rotate_progress(struct admin_client *client, const char **outcome, struct reason *why)
{
	struct control *c = client->admin->control;

	(void)why;
	if (!kek_change_is_done(c->kek))
		return 0;
	json_decref(client->waiting);
	client->waiting = kek_change_status(c->kek);
	*outcome = "not concerned";
	return 1;
}

int admin_kek_rotate(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	int err = with_kek(client, request, kek_change_begin, why);

	(void)result;
	if (err)
		return err;
	client->waiting = json_object();
	client->progress = rotate_progress;
	return ADMIN_DEFERRED;
}

int admin_kek_drop(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	int err = kek_change_drop(c->kek, why);

	(void)request;
	if (!err)
		*result = kek_change_status(c->kek);
	return err;
}
