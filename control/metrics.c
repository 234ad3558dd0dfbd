/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics.h"

#include <sys/statvfs.h>

#include "control/clock.h"
#include "control/control.h"

static void write_process(const struct control *c, struct exposition *e)
{
	const struct exposition_labels labels = {
		{"version", "node"}, {TKMS_VERSION, c->boot->node.name}};

	exposition_family(e, "tkms_build_info", EXPOSITION_GAUGE,
		"Version and name of the node; the value is 1.");
	exposition_uint(e, &labels, 1);
	exposition_gauge(e, "tkms_start_time_seconds",
		"UNIX time at which the control process started.",
		(uint64_t)clock_to_unix(c->started_at));
}

static void write_keys(const struct control *c, struct exposition *e)
{
	static const enum key_state states[] = {
		KEY_PUBLISHED, KEY_ACTIVE, KEY_RETIRING, KEY_DESTROYED, KEY_REVOKED};
	const struct key *active = keys_active(c->keys);

	exposition_gauge(e, "tkms_keyring_epoch",
		"Epoch of the keyring that the control process has.", c->keys->epoch);
	exposition_family(e, "tkms_sealing_keys", EXPOSITION_GAUGE, "Sealing keys by state.");
	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct exposition_labels labels = {{"state"}, {key_state_name(states[i])}};
		uint64_t n = 0;

		for (unsigned int k = 0; k < c->keys->n; k++)
			n += c->keys->key[k].state == states[i];
		exposition_uint(e, &labels, n);
	}
	exposition_gauge_real(e, "tkms_rotation_interval_seconds",
		"Age at which the active sealing key gets a successor.",
		(double)c->live->keys.rotation_interval / SECOND);
	if (!active)
		return;
	exposition_gauge(e, "tkms_active_key_seals_from_timestamp_seconds",
		"UNIX time from which the active sealing key seals.",
		(uint64_t)clock_to_unix(active->seals_from));
	exposition_gauge(e, "tkms_active_key_seals_until_timestamp_seconds",
		"UNIX time until which the active sealing key may seal.",
		(uint64_t)clock_to_unix(active->seals_until));
}

static void write_store(const struct control *c, struct exposition *e)
{
	struct statvfs fs;

	exposition_gauge(e, "tkms_subscribers", "Subscribers in the store.", store_count(c->store));
	exposition_gauge(e, "tkms_store_version",
		"Version of the newest change of a subscriber in the store.",
		store_version(c->store));
	exposition_gauge(e, "tkms_store_failing",
		"1 when the keyring could not be stored at the last attempt (full disk, for one).",
		c->retry_keys_at_ms != 0);
	if (statvfs(c->boot->node.state_dir, &fs) < 0)
		return; /* a sample that is missing says it: there is an alert on that */
	exposition_gauge(e, "tkms_state_filesystem_avail_bytes", "Free space where the store is.",
		(uint64_t)fs.f_bavail * fs.f_frsize);
	exposition_gauge(e, "tkms_state_filesystem_size_bytes",
		"Size of the file system where the store is.", (uint64_t)fs.f_blocks * fs.f_frsize);
}

void metrics_write(const struct control *c, struct exposition *e)
{
	write_process(c, e);
	write_keys(c, e);
	write_store(c, e);
	metrics_write_dataplane(c, e);
	metrics_write_sync(c, e);
	metrics_write_cluster(c, e);
}
