/* SPDX-License-Identifier: BSD-3-Clause */
/* "sync" of the status, and what a change of subscribers says of Redis. */
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/hub.h"
#include "control/sync.h"

static json_t *peers(const struct sync_status *s)
{
	json_t *list = json_array();
	char origin[BUS_ORIGIN_TEXT];

	for (unsigned int i = 0; i < s->n_peers; i++) {
		const struct sync_peer_status *p = &s->peers[i];

		bus_origin_text(p->origin, origin);
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:I}", "origin", origin, "first",
				      (json_int_t)p->first, "last", (json_int_t)p->last, "cursor",
				      (json_int_t)p->cursor, "gap", (json_int_t)p->gap));
	}
	return list;
}

json_t *admin_sync(const struct control *c)
{
	json_t *out = hub_status(c->hub, store_origin(c->store));
	const struct sync_status *s;

	if (!c->sync)
		return out;
	s = sync_status(c->sync);
	json_object_set_new(out, "changes",
		json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:o}",
			"log_first", (json_int_t)s->log_first, "log_last", (json_int_t)s->log_last,
			"reached", (json_int_t)s->reached, "rewriting", s->is_rewriting, "applied",
			(json_int_t)s->applied, "older", (json_int_t)s->older, "contested",
			(json_int_t)s->contested, "gaps", (json_int_t)s->gaps, "forged",
			(json_int_t)s->forged, "repaired", (json_int_t)s->repaired, "error",
			*s->error ? s->error : NULL, "peers", peers(s)));
	return out;
}

int admin_wait_change(struct admin_client *client, const json_t *request, json_t *result)
{
	const struct control *c = client->admin->control;
	bool waits = json_is_true(json_object_get(request, "wait"));

	client->wait_log = store_log(c->store).last;
	client->wait_redis_ms = clock_mono_ms();
	if (c->sync && waits)
		client->wait_redis_ms += ADMIN_WAIT_MS;
	else if (c->sync && bus_status(hub_bus(c->hub))->is_reachable)
		client->wait_redis_ms += ADMIN_WAIT_REDIS_MS;
	(void)admin_wait(client, result);
	client->progress = admin_progress_change;
	return ADMIN_DEFERRED;
}

int admin_progress_change(struct admin_client *client, const char **outcome, struct reason *why)
{
	const struct control *c = client->admin->control;
	bool has_reached = c->sync && sync_has_reached(c->sync, client->wait_log);
	int got = admin_progress_acknowledged(client, outcome, why);

	if (got != 1 || !c->sync)
		return got;
	if (!has_reached && clock_mono_ms() < client->wait_redis_ms)
		return 0;
	json_object_set_new(
		client->waiting, "redis", json_string(has_reached ? "reached" : "not reached yet"));
	return 1;
}
