/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keyring_sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/clock.h"
#include "control/control.h"
#include "control/keyring_sync_private.h"
#include "control/log.h"

enum { DATAPLANE_GONE_MS = 5000 };

struct keyring_sync *keyring_sync_new(struct control *c)
{
	struct keyring_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->control = c;
	s->inbox = keys_new();
	s->scratch = keys_new();
	s->seen = keys_new();
	s->buffer = secret_alloc(BUS_RECORD_MAX);
	s->lost_ms = clock_mono_ms();
	if (s->inbox && s->scratch && s->seen && s->buffer)
		return s;
	keyring_sync_free(s);
	return NULL;
}

void keyring_sync_free(struct keyring_sync *s)
{
	if (!s)
		return;
	keys_free(s->inbox);
	keys_free(s->scratch);
	keys_free(s->seen);
	secret_free(s->buffer, BUS_RECORD_MAX);
	free(s);
}

static void put(struct keyring_sync *s)
{
	const struct keys *keys = s->control->keys;
	size_t len;
	int err;

	if (!s->bus.put || keys->epoch == 0)
		return;
	len = keys_encode(keys, s->buffer, BUS_RECORD_MAX);
	err = len ? s->bus.put(s->bus.bus, BUS_KEYRINGS, keys->epoch, s->buffer, len) : -EINVAL;
	secret_wipe(s->buffer, len);
	if (err)
		log_event(LOG_ERROR, "keyring cannot be given to the others",
			F_TEXT("error", strerror(-err)));
}

void keyring_sync_attach(struct keyring_sync *s, const struct cluster_bus *bus)
{
	s->bus = *bus;
	put(s);
}

void keyring_sync_committed(struct keyring_sync *s)
{
	put(s);
}

static const char *const oddities[] = {
	[KEYS_ODD_NOTHING] = "",
	[KEYS_ODD_DIFFERS] = "it has another key under an id of ours; its keyring is refused",
	[KEYS_ODD_FUTURE] =
		"it has a key of the far future (is its clock right?); that key is left out",
	[KEYS_ODD_EARLY] =
		"it has destroyed a key before its end (is its clock right?); here it lives on",
};

/* Alarms once, until something else is odd. */
static void alarm_oddity(
	struct keyring_sync *s, uint64_t origin, const struct keys_join_report *report)
{
	if (report->oddity == KEYS_ODD_NOTHING)
		return;
	s->refused++;
	if (s->odd_origin == origin && s->odd.oddity == report->oddity &&
		strcmp(s->odd.id, report->id) == 0)
		return;
	s->odd = *report;
	s->odd_origin = origin;
	log_event(LOG_ERROR, "keyring of another node is odd", F_UINT("origin", origin),
		F_TEXT("node", keyring_name_of(s, origin)), F_TEXT("key", report->id),
		F_TEXT("reason", oddities[report->oddity]));
}

/* Into the inbox, if it fits to what is there and to the keyring in force. */
static int take(struct keyring_sync *s, uint64_t origin, const struct keys *other)
{
	struct keys_schedule schedule = control_schedule(s->control);
	struct keys_join_report report;
	int64_t now = clock_now();
	int err;

	memcpy(s->scratch, s->control->keys, sizeof(*s->scratch));
	err = keys_join(s->scratch, other, now, &schedule, &report);
	if (err >= 0) {
		alarm_oddity(s, origin, &report);
		err = keys_join(s->inbox, other, now, &schedule, &report);
	}
	secret_wipe(s->scratch, sizeof(*s->scratch));
	if (err == -EUCLEAN)
		alarm_oddity(s, origin, &report);
	else if (err < 0)
		log_event(LOG_ERROR, "keyring of another node cannot be joined",
			F_TEXT("node", keyring_name_of(s, origin)),
			F_TEXT("error", strerror(-err)));
	return err;
}

int keyring_sync_record(
	struct keyring_sync *s, uint64_t origin, uint64_t version, const void *plain, size_t len)
{
	int err = keys_decode(s->seen, plain, len);

	(void)version;
	if (!err && take(s, origin, s->seen) >= 0) {
		cluster_keyring_read(s->control->cluster, origin, version);
		control_step_keys(s->control);
	}
	secret_wipe(s->seen, sizeof(*s->seen));
	return err;
}

void keyring_sync_caught_up(struct keyring_sync *s)
{
	s->is_caught_up = true;
	control_step_keys(s->control);
}

int keyring_sync_join(struct keyring_sync *s, struct keys *k)
{
	struct keys_schedule schedule = control_schedule(s->control);
	struct keys_join_report report;
	uint64_t before = k->epoch, said;
	bool is_new = k->epoch == 0;
	int err;

	if (!s->bus.put)
		return 0;
	err = keys_join(k, s->inbox, clock_now(), &schedule, &report);
	if (err < 0)
		return err;
	if (is_new)
		k->admission = KEYS_JOINING; /* is_admitted() ends it */
	/* what the others have seen of us is newer than what we know: our store is a backup */
	said = s->bus.status(s->bus.bus)->own_seen[BUS_KEYRINGS];
	if (said > k->epoch) {
		log_event(LOG_WARNING,
			"this node has said more than its store knows: was it restored "
			"from a backup?",
			F_UINT("epoch", k->epoch), F_UINT("said", said));
		k->epoch = said + 1;
	}
	if (k->admission != KEYS_MEMBER && keyring_sync_is_admitted(s, k)) {
		k->admission = KEYS_MEMBER;
		k->epoch++;
		log_event(LOG_INFO, "this node has joined its replica set",
			F_UINT("epoch", k->epoch));
	}
	return k->epoch != before;
}

static void hold(struct keyring_sync *s, const struct key *key)
{
	struct heartbeat_key *held = &s->held[s->n_held++];

	memset(held, 0, sizeof(*held));
	strcpy(held->id, key->id);
	held->state = key->state;
}

/* What the data plane has acknowledged is just what is in force. */
static void hold_all(struct keyring_sync *s)
{
	const struct keys *k = s->control->keys;

	s->n_held = 0;
	for (unsigned int i = 0; i < k->n; i++) {
		if (k->key[i].state != KEY_DESTROYED)
			hold(s, &k->key[i]);
	}
}

/*
 * No data plane for a while: one that comes is given the keyring before it serves, so nobody could
 * lack a key. But one that still runs without us may hold keys that were revoked since.
 */
static void hold_without_dataplane(struct keyring_sync *s)
{
	const struct keys *k = s->control->keys;

	for (unsigned int i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];
		struct heartbeat_key *held = NULL;

		for (unsigned int j = 0; j < s->n_held; j++) {
			if (strcmp(s->held[j].id, key->id) == 0)
				held = &s->held[j];
		}
		if (held && key_is_held(key))
			held->state = key->state;
		else if (!held && key_is_held(key) && s->n_held < KEYS_MAX)
			hold(s, key);
	}
}

void keyring_sync_acknowledged(struct keyring_sync *s)
{
	const struct link_status *link = link_status(s->control->link);

	if (link->is_connected) {
		s->lost_ms = 0;
		if (link->snapshots_acknowledged &&
			link->epoch_acknowledged == s->control->keys->epoch)
			hold_all(s);
	} else if (!s->lost_ms) {
		s->lost_ms = clock_mono_ms();
	}
}

void keyring_sync_fill(struct keyring_sync *s, struct heartbeat *h)
{
	const struct keys *k = s->control->keys;

	if (s->lost_ms && clock_mono_ms() - s->lost_ms > DATAPLANE_GONE_MS)
		hold_without_dataplane(s);
	h->n_held = s->n_held;
	memcpy(h->held, s->held, s->n_held * sizeof(s->held[0]));
	h->keyring_version = s->bus.put ? k->epoch : 0;
	if (!keyring_sync_may_serve(s)) {
		h->is_serving = false;
		h->keyring_epoch = 0;
	}
}

bool keyring_sync_may_serve(const struct keyring_sync *s)
{
	const struct keys *k = s->control->keys;

	return !s->bus.put || (k->admission == KEYS_MEMBER && k->n > 0);
}

bool keyring_sync_has_turned(struct keyring_sync *s)
{
	bool in_sync = keyring_sync_is_in_sync(s), has_turned = in_sync != s->pushed_in_sync;

	s->pushed_in_sync = in_sync;
	return has_turned;
}

uint64_t keyring_sync_refused(const struct keyring_sync *s)
{
	return s->refused;
}
