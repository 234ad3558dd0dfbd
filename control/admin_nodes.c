/* SPDX-License-Identifier: BSD-3-Clause */
/* The replica set for operators: what status says of it, and the commands node.*. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/admin_private.h"
#include "control/clock.h"
#include "control/cluster.h"
#include "control/cluster_text.h"
#include "control/log.h"
#include "control/sync.h"

enum { ORIGIN_TEXT = 17 };

static void origin_text(uint64_t origin, char text[ORIGIN_TEXT])
{
	snprintf(text, ORIGIN_TEXT, "%016" PRIx64, origin);
}

json_t *admin_roles(uint32_t roles)
{
	json_t *list = json_array();

	if (roles & ROLE_REQUEST)
		json_array_append_new(list, json_string("request"));
	if (roles & ROLE_RESOLVE)
		json_array_append_new(list, json_string("resolve"));
	return list;
}

static json_t *held_by(const struct heartbeat *beat)
{
	json_t *list = json_array();
	char text[INET6_ADDRSTRLEN];

	for (unsigned int i = 0; i < beat->n_claims; i++) {
		const struct heartbeat_claim *claim = &beat->claims[i];

		cluster_address_text(claim->family, claim->octets, text);
		if (claim->is_held)
			json_array_append_new(list, json_string(text));
	}
	return list;
}

static const struct cluster_member *self_of(const struct control *c)
{
	unsigned int n;
	const struct cluster_member *members = cluster_members(c->cluster, &n);

	while (!members->is_self)
		members++;
	return members;
}

/* In the order of the configuration; only what the data plane is known to answer for. */
json_t *admin_addresses_held(const struct control *c)
{
	const struct heartbeat *beat = &self_of(c)->beat;
	json_t *list = json_array();
	char text[INET6_ADDRSTRLEN];

	for (unsigned int a = 0; a < c->live->service.n_addresses; a++) {
		const struct ipc_address *address = &c->live->service.addresses[a];

		for (unsigned int i = 0; i < beat->n_claims; i++) {
			const struct heartbeat_claim *claim = &beat->claims[i];

			if (!claim->is_held || claim->family != address->family ||
				memcmp(claim->octets, address->octets, sizeof(claim->octets)) != 0)
				continue;
			cluster_address_text(claim->family, claim->octets, text);
			json_array_append_new(list, json_string(text));
		}
	}
	return list;
}

static json_t *reasons(uint32_t drain_reasons)
{
	json_t *list = json_array();

	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = cluster_drain_name(bit);

		if (drain_reasons & bit)
			json_array_append_new(list, json_string(name ? name : "other"));
	}
	return list;
}

static const char *progress_name(enum cluster_progress progress)
{
	switch (progress) {
	case CLUSTER_DRAINS:
		return "draining";
	case CLUSTER_DRAINED:
		return "drained";
	case CLUSTER_STUCK:
		return "stuck";
	default:
		return "serving";
	}
}

json_t *admin_cluster(const struct control *c)
{
	const struct cluster_status *s = cluster_status(c->cluster);
	unsigned int n, alive = 0;
	const struct cluster_member *members = cluster_members(c->cluster, &n);

	for (unsigned int i = 0; i < n; i++)
		alive += members[i].is_alive;
	return json_pack("{s:i, s:i, s:b, s:b, s:b, s:b, s:s, s:o, s:I, s:I}", "members", (int)n,
		"alive", (int)alive, "healthy", s->is_alone || s->is_healthy, "in_sync",
		s->is_alone || s->is_in_sync, "behind", s->is_behind, "clocks_disputed",
		s->is_disputed, "state", progress_name(cluster_progress(c->cluster)),
		"drain_reasons", reasons(s->drain_reasons), "alone_ms", (json_int_t)s->alone_ms,
		"moves", (json_int_t)s->moves);
}

static json_t *describe(const struct cluster_member *m)
{
	char origin[ORIGIN_TEXT];
	json_t *out;

	origin_text(m->origin, origin);
	out = json_pack("{s:s, s:s, s:b, s:b, s:s, s:o, s:s, s:o, s:o, s:b, s:I, s:i, s:o, s:o}",
		"name", m->beat.name, "origin", origin, "self", m->is_self, "alive", m->is_alive,
		"state", cluster_member_state(m), "drain_reasons", reasons(m->beat.drain_reasons),
		"version", m->beat.version, "roles", admin_roles(m->beat.roles), "addresses_held",
		held_by(&m->beat), "in_sync", m->beat.is_in_sync, "keyring_epoch",
		(json_int_t)m->beat.keyring_epoch, "load_permille", (int)m->beat.load_permille,
		"seen_ms_ago",
		m->is_heard ? json_integer((json_int_t)(clock_mono_ms() - m->seen_ms))
			    : json_null(),
		"clock_offset_ms",
		m->has_clock_offset ? json_integer((json_int_t)m->clock_offset_ms) : json_null());
	return out;
}

int admin_node_list(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	unsigned int n;
	const struct cluster_member *members = cluster_members(client->admin->control->cluster, &n);
	json_t *list = json_array();

	(void)request;
	(void)why;
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(list, describe(&members[i]));
	*result = json_pack(
		"{s:o, s:o}", "nodes", list, "cluster", admin_cluster(client->admin->control));
	return 0;
}

/* Others drain themselves: a node does not tell another one what to do. */
static int check_self(const struct control *c, const json_t *request, struct reason *why)
{
	const char *name = json_string_value(json_object_get(request, "node"));

	if (name && strcmp(name, c->boot->node.name) != 0)
		return reason_set(why, -EINVAL,
			"this node is %s: drain and undrain are run on the node itself",
			c->boot->node.name);
	return 0;
}

static json_t *drain_result(const struct control *c)
{
	return json_pack("{s:s, s:s, s:o}", "node", c->boot->node.name, "state",
		progress_name(cluster_progress(c->cluster)), "addresses_held",
		admin_addresses_held(c));
}

int admin_node_drain(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	int err = check_self(c, request, why);

	if (err)
		return err;
	if (cluster_status(c->cluster)->is_alone)
		return reason_set(why, -ENOTSUP,
			"this node is alone (no sync.sentinels): nobody can take its addresses");
	cluster_drain(c->cluster, DRAIN_OPERATOR);
	*result = drain_result(c);
	return 0;
}

int admin_node_undrain(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	int err = check_self(c, request, why);

	if (err)
		return err;
	cluster_undrain(c->cluster, DRAIN_OPERATOR);
	*result = drain_result(c);
	return 0;
}

/* By origin, or by a name; of several with that name the one that is dead. */
static int find_member(
	const struct control *c, const char *name, uint64_t *origin, struct reason *why)
{
	unsigned int n, dead = 0, found = 0;
	const struct cluster_member *members = cluster_members(c->cluster, &n);
	char text[ORIGIN_TEXT];

	*origin = 0;
	for (unsigned int i = 0; i < n; i++) {
		origin_text(members[i].origin, text);
		if (strcmp(text, name) == 0) {
			*origin = members[i].origin;
			return 0;
		}
		if (strcmp(members[i].beat.name, name) != 0)
			continue;
		if (!members[i].is_alive || !dead)
			*origin = members[i].origin;
		dead += !members[i].is_alive;
		found++;
	}
	if (dead > 1)
		return reason_set(why, -EINVAL,
			"several dead members have that name: give the origin (node list --json)");
	return found ? 0 : reason_set(why, -ENOENT, "no member has that name or origin");
}

int admin_node_forget(
	struct admin_client *client, const json_t *request, json_t **result, struct reason *why)
{
	struct control *c = client->admin->control;
	const char *name = json_string_value(json_object_get(request, "node"));
	char text[ORIGIN_TEXT];
	uint64_t origin = 0;
	int err = name ? find_member(c, name, &origin, why)
		       : reason_set(why, -EINVAL, "\"node\" is missing");

	if (err)
		return err;
	err = cluster_forget(c->cluster, origin);
	if (err == -EBUSY)
		return reason_set(why, err, "%s is alive: stop it first", name);
	if (err == -EINVAL)
		return reason_set(why, err, "%s is this node", name);
	if (err)
		return reason_set(why, err, "%s", strerror(-err));
	if (c->sync)
		sync_adopt(c->sync, origin);
	origin_text(origin, text);
	log_event(LOG_INFO, "operator forgets a member", F_TEXT("member", name),
		F_TEXT("origin", text));
	*result = json_pack("{s:s, s:s}", "node", name, "origin", text);
	return 0;
}
