/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/admin_private.h"
#include "control/clock.h"
#include "control/kek_change.h"
#include "control/keyring_sync.h"

static json_t *worker_list(const struct ipc_stats *s)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < s->n_workers; i++) {
		const struct ipc_worker *w = &s->workers[i];

		json_array_append_new(list,
			json_pack("{s:i, s:I, s:I, s:I, s:i}", "cpu", (int)w->cpu, "epoch",
				(json_int_t)w->epoch, "bursts", (json_int_t)w->bursts, "messages",
				(json_int_t)w->messages, "busy_permille", (int)w->busy_permille));
	}
	return list;
}

static json_t *dataplane(const struct link_status *s)
{
	json_t *counters, *out;

	if (!s->is_connected)
		return json_pack("{s:b, s:i, s:{}}", "connected", 0, "workers", 0, "counters");
	counters = json_object();
	for (unsigned int i = 0; i < s->stats.n_counters; i++)
		json_object_set_new(counters, s->stats.counters[i].name,
			json_integer((json_int_t)s->stats.counters[i].value));
	out = json_pack("{s:b, s:i, s:s, s:i, s:I, s:I, s:b, s:o, s:o}", "connected", 1, "pid",
		(int)s->hello.pid, "version", s->hello.version, "workers", (int)s->hello.workers,
		"epoch", (json_int_t)s->stats.epoch, "subscribers",
		(json_int_t)s->stats.subscribers, "loaded", s->is_loaded, "counters", counters,
		"worker_list", worker_list(&s->stats));
	return out;
}

json_t *admin_status(const struct control *c)
{
	const struct key *active = keys_active(c->keys);

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:I, s:s?, s:{s:s, s:I}, s:o, s:o, s:o, s:I, s:o}",
		"node", c->boot->node.name, "version", TKMS_VERSION, "identity",
		c->boot->kms.identity, "roles", admin_roles(c->live->cluster.roles),
		"addresses_held", admin_addresses_held(c), "keyring_epoch",
		(json_int_t)c->keys->epoch, "active_key", active ? active->id : NULL, "keyring",
		"waiting", keyring_sync_explain(c->keyring), "refused",
		(json_int_t)keyring_sync_refused(c->keyring), "kek", kek_change_status(c->kek),
		"sync", admin_sync(c), "dataplane",
		dataplane(link_status(c->link)), "subscribers", (json_int_t)store_count(c->store),
		"cluster", admin_cluster(c));
}
