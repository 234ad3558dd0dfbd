/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the bus and of what goes over it. */
#include "control/control.h"
#include "control/hub.h"
#include "control/metrics.h"
#include "control/sync.h"

static void write_refused(const struct bus_status *s, struct exposition *e)
{
	exposition_family(e, "tkms_sync_refused_records_total", EXPOSITION_COUNTER,
		"Records in Redis that this node refused, by reason.");
	for (unsigned int i = 0; i < BUS_REFUSALS; i++) {
		const struct exposition_labels labels = {
			{"reason"}, {bus_refusal_name((enum bus_refusal)i)}};

		exposition_uint(e, &labels, s->refused[i]);
	}
}

static void write_changes(struct sync *sync, struct exposition *e)
{
	const struct sync_status *s = sync_status(sync);
	uint64_t unread = 0;

	for (unsigned int i = 0; i < s->n_peers; i++) {
		if (s->peers[i].last > s->peers[i].cursor)
			unread += s->peers[i].last - s->peers[i].cursor;
	}
	exposition_gauge(e, "tkms_sync_unread_chunks",
		"Chunks of changes of subscribers that others have told and this node has not "
		"stored.",
		unread);
	exposition_gauge(e, "tkms_sync_untold_chunks",
		"Chunks of this node's changes of subscribers that have not reached Redis.",
		s->log_last > s->reached ? s->log_last - s->reached : 0);
	exposition_gauge(e, "tkms_sync_changes_stuck",
		"1 when changes of subscribers do not get on (tkmsctl status says why).",
		*s->error != '\0');
	exposition_counter(e, "tkms_sync_applied_changes_total",
		"Changes of subscribers that were taken from others.", s->applied);
	exposition_counter(e, "tkms_sync_contested_uids_total",
		"UIDs that two nodes gave to different PSK ids; the newer record has them.",
		s->contested);
	exposition_counter(e, "tkms_sync_missing_chunks_total",
		"Chunks of changes that were missing or altered in Redis.", s->gaps);
	exposition_counter(e, "tkms_sync_forged_chunks_total",
		"Chunks of changes that did not open, as often as they were read.", s->forged);
	exposition_counter(e, "tkms_sync_repaired_chunks_total",
		"Chunks of this node's changes that Redis had lost and were written again.",
		s->repaired);
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
	exposition_gauge(e, "tkms_sync_failing",
		"1 when the Redis primary cannot be reached or does not take writes.",
		*s->error != '\0');
	exposition_gauge(e, "tkms_sync_sentinels", "Redis Sentinels that answer.", s->sentinels);
	exposition_gauge(e, "tkms_sync_sentinels_configured",
		"Redis Sentinels of the configuration.", c->boot->sync.n_sentinels);
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
	if (c->sync)
		write_changes(c->sync, e);
}
