/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kek_change.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "control/cluster.h"
#include "control/control.h"
#include "control/hub.h"
#include "control/kek.h"
#include "control/log.h"
#include "control/sync.h"

enum { SLICE = 250, RETRY_MS = 1000 };

struct kek_change {
	struct control *control;
	struct event *ev;
	bool is_done;
	int last_error; /* logged when it changes */
};

static uint64_t number(const uint8_t id[SEAL_KEK_ID_LEN])
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < SEAL_KEK_ID_LEN; i++)
		value = value << 8 | id[i];
	return value;
}

int kek_change_prepare(struct sealer *sealer, const char *kek_file, struct reason *why)
{
	static const char *const suffixes[] = {KEK_NEXT, KEK_PREVIOUS};
	uint8_t *kek = secret_alloc(SEAL_KEK_LEN);
	int err = kek ? 0 : reason_set(why, -ENOMEM, "no memory that can be locked");

	for (unsigned int i = 0; !err && i < 2; i++) {
		err = kek_load_other(kek_file, suffixes[i], kek, why);
		if (err == -ENOENT)
			err = 0;
		else if (!err && sealer_add(sealer, kek, NULL) < 0)
			err = reason_set(
				why, -EIO, "KEK file %s%s cannot be used", kek_file, suffixes[i]);
	}
	secret_free(kek, SEAL_KEK_LEN);
	return err;
}

static void again_in(struct kek_change *k, long ms)
{
	struct timeval pause = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (event_add(k->ev, &pause) < 0)
		log_event(LOG_ERROR, "change of the KEK stops: out of memory");
}

/* What others read is sealed again too. */
static void finish(struct kek_change *k)
{
	struct control *c = k->control;

	k->is_done = true;
	if (hub_bus(c->hub))
		bus_set_sealers(hub_bus(c->hub), c->sealer, NULL);
	if (c->sync)
		sync_tell_again(c->sync);
	if (sealer_count(c->sealer) > 1)
		log_event(LOG_INFO, "all that is stored is sealed under the KEK in use",
			F_UINT("kek", number(sealer_kek_id(c->sealer))));
}

static void on_slice(evutil_socket_t sock, short events, void *arg)
{
	struct kek_change *k = arg;
	int got = store_reseal(k->control->store, SLICE);

	(void)sock;
	(void)events;
	if (got < 0 && got != -EBUSY && got != k->last_error)
		log_event(LOG_ERROR, "stored records cannot be sealed again; trying on",
			F_TEXT("error", strerror(-got)),
			F_TEXT("store", store_error(k->control->store)));
	k->last_error = got < 0 ? got : 0;
	if (got == 0)
		finish(k);
	else
		again_in(k, got < 0 ? RETRY_MS : 0);
}

static int start(struct kek_change *k)
{
	int err = store_reseal_begin(k->control->store);

	if (err)
		return err;
	k->is_done = false;
	again_in(k, 0);
	return 0;
}

struct kek_change *kek_change_new(struct control *c)
{
	struct kek_change *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return NULL;
	k->control = c;
	k->is_done = true;
	k->ev = event_new(c->base, -1, 0, on_slice, k);
	if (!k->ev) {
		free(k);
		return NULL;
	}
	/* the state says under which KEK to go on, whatever the files are called */
	err = sealer_use(c->sealer, store_kek_id(c->store));
	if (!err && sealer_count(c->sealer) > 1)
		err = start(k);
	if (err)
		log_event(LOG_ERROR, "change of the KEK cannot go on",
			F_TEXT("error", strerror(-err)));
	return k;
}

void kek_change_free(struct kek_change *k)
{
	if (!k)
		return;
	event_free(k->ev);
	free(k);
}

int kek_change_load(struct kek_change *k, const uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	int err = sealer_add(k->control->sealer, kek, NULL);

	if (err == -ENOSPC)
		return reason_set(why, err, "there are %d KEKs already: tkmsctl kek drop first",
			SEALER_KEKS_MAX);
	if (err)
		return reason_set(why, err, "the KEK cannot be used");
	cluster_wake(k->control->cluster);
	return 0;
}

static bool knows(const struct heartbeat *h, uint64_t kek)
{
	for (unsigned int i = 0; i < h->n_keks; i++) {
		if (h->keks[i] == kek)
			return true;
	}
	return false;
}

enum use { OPENS, SEALS };

/* The first live member that does not open records under that KEK, or seal under it; NULL: none. */
static const char *who_lacks(const struct kek_change *k, uint64_t kek, enum use use)
{
	unsigned int n;
	const struct cluster_member *m = cluster_members(k->control->cluster, &n);

	for (unsigned int i = 0; i < n; i++) {
		bool has = use == SEALS ? m[i].beat.n_keks && m[i].beat.keks[0] == kek
					: knows(&m[i].beat, kek);

		if (!m[i].is_self && m[i].is_alive && !has)
			return m[i].beat.name;
	}
	return NULL;
}

/* What a member has that was not heard since the start nobody can say; the dead were asked. */
static int check_heard(const struct kek_change *k, struct reason *why)
{
	unsigned int n;
	const struct cluster_member *m = cluster_members(k->control->cluster, &n);

	for (unsigned int i = 0; i < n; i++) {
		if (!m[i].is_heard)
			return reason_set(why, -EBUSY,
				"%s was not heard since this node started: wait for it, or tkmsctl "
				"node forget it",
				m[i].beat.name);
	}
	return 0;
}

int kek_change_begin(struct kek_change *k, const uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	struct sealer *sealer = k->control->sealer;
	uint8_t id[SEAL_KEK_ID_LEN], old[SEAL_KEK_ID_LEN];
	const char *lacks;
	int err = kek_change_load(k, kek, why);

	if (err)
		return err;
	if (sealer_add(sealer, kek, id) < 0)
		return reason_set(why, -EIO, "the KEK cannot be used");
	memcpy(old, sealer_kek_id(sealer), sizeof(old));
	if (memcmp(id, old, sizeof(id)) == 0)
		return 0; /* it has begun, or ended, before */
	err = check_heard(k, why);
	if (err)
		return err;
	lacks = who_lacks(k, number(id), OPENS);
	if (lacks)
		return reason_set(why, -EBUSY,
			"%s does not have the new KEK yet: tkmsctl kek load there, then again here",
			lacks);
	err = sealer_use(sealer, id);
	if (!err)
		err = start(k);
	if (err) {
		(void)sealer_use(sealer, old); /* it was there a moment ago */
		return reason_set(why, err, "%s",
			err == -EBUSY ? "an import is running; try again when it has ended"
				      : store_error(k->control->store));
	}
	log_event(LOG_WARNING, "KEK changed; stored records are sealed again",
		F_UINT("kek", number(id)));
	return 0;
}

bool kek_change_is_done(const struct kek_change *k)
{
	return k->is_done;
}

int kek_change_drop(struct kek_change *k, struct reason *why)
{
	struct sealer *sealer = k->control->sealer;
	const char *lacks = who_lacks(k, number(sealer_kek_id(sealer)), SEALS);

	if (!k->is_done)
		return reason_set(why, -EBUSY, "stored records are still being sealed again");
	if (lacks)
		return reason_set(why, -EBUSY,
			"%s still seals under another KEK: tkmsctl kek rotate there first", lacks);
	if (check_heard(k, why))
		return -EBUSY;
	while (sealer_count(sealer) > 1) {
		int err = sealer_drop(sealer, sealer_id_at(sealer, 1));

		if (err)
			return reason_set(why, err, "the old KEK cannot be dropped");
	}
	log_event(LOG_WARNING, "old KEKs dropped", F_UINT("kek", number(sealer_kek_id(sealer))));
	return 0;
}

void kek_change_fill(const struct kek_change *k, struct heartbeat *h)
{
	const struct sealer *sealer = k->control->sealer;

	h->n_keks = sealer_count(sealer);
	for (unsigned int i = 0; i < h->n_keks; i++)
		h->keks[i] = number(sealer_id_at(sealer, i));
}

json_t *kek_change_status(const struct kek_change *k)
{
	const struct sealer *sealer = k->control->sealer;
	json_t *others = json_array();
	char text[17];

	for (unsigned int i = 1; i < sealer_count(sealer); i++) {
		snprintf(text, sizeof(text), "%016" PRIx64, number(sealer_id_at(sealer, i)));
		json_array_append_new(others, json_string(text));
	}
	snprintf(text, sizeof(text), "%016" PRIx64, number(sealer_kek_id(sealer)));
	return json_pack("{s:s, s:o, s:b}", "id", text, "others", others, "resealing", !k->is_done);
}
