/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the bus. */
#include "control/control.h"
#include "control/hub.h"
#include "control/metrics.h"

static void write_refused(const struct bus_status *s, struct exposition *e)
{
	static const char *const names[BUS_REFUSALS] = {
		[BUS_FORGED] = "forged",
		[BUS_ROLLED_BACK] = "rolled_back",
		[BUS_OTHER_KEK] = "other_kek",
	};

	exposition_family(e, "tkms_sync_refused_records_total", EXPOSITION_COUNTER,
		"Records in Redis that this node refused, by reason.");
	for (unsigned int i = 0; i < BUS_REFUSALS; i++) {
		const struct exposition_labels labels = {{"reason"}, {names[i]}};

		exposition_uint(e, &labels, s->refused[i]);
	}
}

void metrics_write_sync(const struct control *c, struct exposition *e)
{
	const struct bus_status *s = c->hub ? bus_status(hub_bus(c->hub)) : NULL;

	exposition_gauge(e, "tkms_sync_configured", "1 when this node has Redis Sentinels to ask.",
		s != NULL);
	exposition_gauge(e, "tkms_sync_reachable", "1 when the Redis primary can be reached.",
		s && s->is_reachable);
	if (!s)
		return;
	exposition_gauge_real(e, "tkms_sync_max_staleness_seconds",
		"Time without contact after which this node gives up its addresses.",
		(double)c->live->sync.max_staleness / SECOND);
	exposition_counter(e, "tkms_sync_reconnects_total",
		"Connections to a Redis primary that were lost.", s->reconnects);
	exposition_counter(e, "tkms_sync_timeouts_total",
		"Commands that Redis did not answer in time.", s->timeouts);
	exposition_counter(
		e, "tkms_sync_writes_total", "Records that were written to Redis.", s->writes);
	exposition_counter(e, "tkms_sync_rewrites_total",
		"Records that were gone or old in Redis and were written again.", s->rewrites);
	write_refused(s, e);
}
