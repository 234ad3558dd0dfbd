/* SPDX-License-Identifier: BSD-3-Clause */
/* The control process and its replica set: what the others are told of this node, and what becomes
 * of what they decide. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "control/clock.h"
#include "control/cluster.h"
#include "control/control.h"
#include "control/hub.h"
#include "control/kek_change.h"
#include "control/keyring_sync.h"
#include "control/log.h"
#include "control/sync.h"

enum { END_PATIENCE_MS = 10000 };

static uint32_t busiest(const struct ipc_stats *s)
{
	uint32_t most = 0;

	for (unsigned int i = 0; i < s->n_workers; i++) {
		if (s->workers[i].busy_permille > most)
			most = s->workers[i].busy_permille;
	}
	return most;
}

static void fill(void *arg, struct heartbeat *h)
{
	const struct control *c = arg;
	const struct link_status *s = c->link ? link_status(c->link) : NULL;

	if (!s)
		return;
	h->is_serving = link_is_serving(c->link);
	h->keyring_epoch = s->epoch_acknowledged;
	if (c->sync)
		sync_fill(c->sync, h);
	h->load_permille = s->has_stats ? busiest(&s->stats) : 0;
	keyring_sync_fill(c->keyring, h);
	h->is_in_sync = keyring_sync_is_in_sync(c->keyring);
	if (c->kek)
		kek_change_fill(c->kek, h);
}

static void changed(void *arg)
{
	struct control *c = arg;
	struct ipc_address addresses[IPC_ADDRESSES_MAX];
	bool in_sync = cluster_is_in_sync(c->cluster);
	uint64_t version;

	(void)cluster_addresses(c->cluster, addresses, &version);
	if (c->link && (version != c->pushed_addresses || in_sync != c->pushed_in_sync))
		link_push_snapshot(c->link);
	c->pushed_addresses = version;
	c->pushed_in_sync = in_sync;
}

static struct cluster_settings settings_of(const struct control *c, const char *state_path)
{
	const struct config *live = c->live;

	return (struct cluster_settings){.origin = store_origin(c->store),
		.name = c->boot->node.name,
		.version = TKMS_VERSION,
		.roles = live->cluster.roles,
		.heartbeat_ms = live->cluster.heartbeat,
		.dead_after_ms = live->cluster.dead_after,
		.max_clock_offset_ms = live->cluster.max_clock_offset,
		.max_staleness_ms = live->sync.max_staleness,
		.lead_ms = live->keys.activation_lead,
		.state_path = state_path};
}

void control_configure_cluster(struct control *c)
{
	struct cluster_settings settings = settings_of(c, NULL);

	cluster_configure(
		c->cluster, &settings, c->live->service.addresses, c->live->service.n_addresses);
}

int control_open_cluster(struct control *c, struct reason *why)
{
	const struct cluster_owner owner = {c, fill, changed};
	struct cluster_settings settings;
	char path[PATH_MAX];
	int err = config_path(c->boot->node.state_dir, "cluster", path, sizeof(path));

	if (err)
		return reason_set(why, err, "name of the state directory is too long");
	settings = settings_of(c, path);
	c->cluster = cluster_new(c->base, &settings, &owner, why);
	if (!c->cluster)
		return -ENOMEM;
	control_configure_cluster(c);
	return 0;
}

static int on_heartbeat(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	const struct control *c = arg;

	(void)table;
	return cluster_record(c->cluster, origin, version, plain, len);
}

static void on_caught_up(void *arg)
{
	const struct control *c = arg;

	cluster_caught_up(c->cluster);
}

static int on_keyring(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	const struct control *c = arg;

	(void)table;
	return keyring_sync_record(c->keyring, origin, version, plain, len);
}

static void on_keyrings_read(void *arg)
{
	const struct control *c = arg;

	keyring_sync_caught_up(c->keyring);
}

/* A node that was restored from a backup has no state file, but has read changes of the others. */
static void remember_origins(struct control *c)
{
	struct store_cursor cursors[STORE_ORIGINS_MAX];
	uint64_t origins[STORE_ORIGINS_MAX];
	unsigned int n = store_cursors(c->store, cursors);

	for (unsigned int i = 0; i < n; i++)
		origins[i] = cursors[i].origin;
	if (cluster_remember(c->cluster, origins, n) && n)
		log_event(LOG_INFO, "members are taken from the store", F_UINT("members", n));
}

static int attach(struct control *c)
{
	const struct hub_module cluster = {.arg = c,
		.tables = 1u << BUS_NODES,
		.record = on_heartbeat,
		.caught_up = on_caught_up};
	const struct hub_module keyring = {.arg = c,
		.tables = 1u << BUS_KEYRINGS,
		.record = on_keyring,
		.caught_up = on_keyrings_read};
	const struct cluster_bus bus = {hub_bus(c->hub), bus_put, bus_forget, bus_status};
	int err;

	cluster_attach(c->cluster, &bus);
	remember_origins(c);
	keyring_sync_attach(c->keyring, &bus);
	err = hub_attach(c->hub, &cluster);
	if (!err)
		err = hub_attach(c->hub, &keyring);
	return err;
}

int control_join(struct control *c, struct reason *why)
{
	int err = hub_open(c, &c->hub, why);

	if (err || !c->hub)
		return err;
	err = attach(c);
	if (!err)
		err = control_open_sync(c);
	return err ? reason_set(why, err, "replica set: %s", strerror(-err)) : 0;
}

void control_wake_cluster(struct control *c)
{
	cluster_acknowledged(c->cluster, link_status(c->link)->addresses_acknowledged);
	cluster_wake(c->cluster);
	control_end_drained(c);
}

void control_end_drained(struct control *c)
{
	enum cluster_progress progress = cluster_progress(c->cluster);

	if (link_status(c->link)->is_ending && cluster_may_end(c->cluster))
		link_release(c->link);
	if (!c->end_by_ms)
		return;
	if (progress == CLUSTER_DRAINS && clock_mono_ms() < c->end_by_ms)
		return;
	if (progress == CLUSTER_DRAINS)
		log_event(LOG_WARNING, "ending before the addresses have moved");
	event_base_loopbreak(c->base);
}

void control_begin_end(struct control *c)
{
	if (c->end_by_ms || cluster_status(c->cluster)->is_alone) {
		event_base_loopbreak(c->base);
		return;
	}
	c->end_by_ms = clock_mono_ms() + END_PATIENCE_MS;
	cluster_drain(c->cluster, DRAIN_ENDING);
	control_end_drained(c);
}
