/* SPDX-License-Identifier: BSD-3-Clause */
/* The control process and the changes of subscribers that go between the nodes. */
#include <errno.h>

#include "control/admin.h"
#include "control/cluster.h"
#include "control/control.h"
#include "control/hub.h"
#include "control/sync.h"

static void on_changed(void *arg)
{
	const struct control *c = arg;

	link_push_subscribers(c->link);
	cluster_wake(c->cluster);
}

static void on_reached(void *arg)
{
	const struct control *c = arg;

	admin_wake(c->admin);
}

static int on_record(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	(void)table;
	return sync_record(arg, origin, version, plain, len);
}

static void on_reachable(void *arg, bool is_reachable)
{
	sync_reachable(arg, is_reachable);
}

static void on_caught_up(void *arg)
{
	sync_caught_up(arg);
}

static void on_notice(void *arg, const char *text, size_t len)
{
	sync_notice(arg, text, len);
}

int control_open_sync(struct control *c)
{
	const struct sync_settings settings = {.max_skew_ms = c->live->policy.max_skew};
	const struct sync_owner owner = {c, on_changed, on_reached};
	struct hub_module module = {.tables = 1u << BUS_LOGS,
		.record = on_record,
		.reachable = on_reachable,
		.caught_up = on_caught_up,
		.notice = on_notice};

	c->sync = sync_new(c->base, c->store, c->sealer, hub_bus(c->hub), &settings, &owner);
	if (!c->sync)
		return -ENOMEM;
	module.arg = c->sync;
	return hub_attach(c->hub, &module);
}

void control_push_subscribers(struct control *c)
{
	link_push_subscribers(c->link);
	sync_push(c->sync);
}
