/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the replica set as this node sees it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "control/cluster.h"
#include "control/cluster_text.h"
#include "control/control.h"
#include "control/metrics.h"

/* A name alone need not be unique: a node that was set up again is another member. */
struct member_labels {
	char origin[24];
	struct exposition_labels labels;
};

static const struct exposition_labels *label(
	struct member_labels *l, const struct cluster_member *member)
{
	snprintf(l->origin, sizeof(l->origin), "%016llx", (unsigned long long)member->origin);
	l->labels =
		(struct exposition_labels){{"member", "origin"}, {member->beat.name, l->origin}};
	return &l->labels;
}

static double alive_of(const struct cluster_member *m)
{
	return m->is_alive;
}
static double serving_of(const struct cluster_member *m)
{
	return m->is_alive && m->beat.is_serving;
}
static double draining_of(const struct cluster_member *m)
{
	return m->beat.is_draining;
}
static double epoch_of(const struct cluster_member *m)
{
	return (double)m->beat.keyring_epoch;
}
static double load_of(const struct cluster_member *m)
{
	return m->beat.load_permille / 1000.0;
}
static double still_of(const struct cluster_member *m)
{
	return m->is_self ? 0 : (double)m->still_ms / 1000.0;
}

static void write_members(
	const struct cluster_member *members, unsigned int n, struct exposition *e)
{
	static const struct {
		const char *name, *help;
		double (*value)(const struct cluster_member *m);
	} columns[] = {
		{"tkms_member_alive", "1 when this node takes the member for alive.", alive_of},
		{"tkms_member_serving", "1 when the member is alive and has a data plane.",
			serving_of},
		{"tkms_member_draining", "1 when the member wants to hold no addresses.",
			draining_of},
		{"tkms_member_keyring_epoch",
			"Epoch of the keyring that the member's data plane holds, as it says.",
			epoch_of},
		{"tkms_member_load_ratio", "Busy share of the member's busiest worker, 0 to 1.",
			load_of},
		{"tkms_member_still_seconds",
			"For how long the member's heartbeats have stood still.", still_of},
	};
	struct member_labels l;

	for (unsigned int k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
		exposition_family(e, columns[k].name, EXPOSITION_GAUGE, columns[k].help);
		for (unsigned int i = 0; i < n; i++)
			exposition_real(e, label(&l, &members[i]), columns[k].value(&members[i]));
	}
	exposition_family(e, "tkms_member_clock_offset_seconds", EXPOSITION_GAUGE,
		"The member's clock less this node's.");
	for (unsigned int i = 0; i < n; i++)
		if (members[i].has_clock_offset && members[i].is_alive && !members[i].is_self)
			exposition_real(e, label(&l, &members[i]),
				(double)members[i].clock_offset_ms / 1000.0);
}

static bool is_held(const struct heartbeat *beat, const struct ipc_address *address)
{
	for (unsigned int i = 0; i < beat->n_claims; i++) {
		const struct heartbeat_claim *claim = &beat->claims[i];

		if (claim->is_held && claim->family == address->family &&
			memcmp(claim->octets, address->octets, sizeof(claim->octets)) == 0)
			return true;
	}
	return false;
}

static void write_addresses(
	const struct control *c, const struct heartbeat *self, struct exposition *e)
{
	char text[INET6_ADDRSTRLEN];
	const struct exposition_labels labels = {{"address"}, {text}};

	exposition_family(e, "tkms_service_address_held", EXPOSITION_GAUGE,
		"1 when this node holds the service address.");
	for (unsigned int i = 0; i < c->live->service.n_addresses; i++) {
		const struct ipc_address *address = &c->live->service.addresses[i];

		cluster_address_text(address->family, address->octets, text);
		exposition_uint(e, &labels, is_held(self, address));
	}
}

static void write_drain(uint32_t reasons, struct exposition *e)
{
	exposition_gauge(e, "tkms_node_draining", "1 when this node wants to hold no addresses.",
		reasons != 0);
	exposition_family(e, "tkms_node_drain_reason", EXPOSITION_GAUGE,
		"1 for each reason why this node drains.");
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = cluster_drain_name(bit);
		const struct exposition_labels labels = {{"reason"}, {name}};

		if (name)
			exposition_uint(e, &labels, (reasons & bit) != 0);
	}
}

void metrics_write_cluster(const struct control *c, struct exposition *e)
{
	const struct cluster_status *s = cluster_status(c->cluster);
	unsigned int n;
	const struct cluster_member *members = cluster_members(c->cluster, &n);

	exposition_gauge(e, "tkms_members", "Members of the replica set, this node included.", n);
	write_members(members, n, e);
	for (unsigned int i = 0; i < n; i++)
		if (members[i].is_self)
			write_addresses(c, &members[i].beat, e);
	write_drain(s->drain_reasons, e);
	exposition_gauge(e, "tkms_node_in_sync",
		"1 when this node knows all that the others know and its clock is right.",
		s->is_alone || s->is_in_sync);
	exposition_gauge(e, "tkms_clocks_disputed",
		"1 when clocks differ and nobody can say whose is right.", s->is_disputed);
	exposition_counter(e, "tkms_address_moves_total",
		"Service addresses that this node has taken or given up.", s->moves);
	exposition_gauge_real(e, "tkms_sync_staleness_seconds",
		"Time since this node last had contact with the others through Redis.",
		s->is_alone ? 0 : (double)s->alone_ms / 1000.0);
}
