/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators read of the replica set in the log: each change once. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/cluster_private.h"
#include "control/cluster_text.h"
#include "control/log.h"

static void log_member(struct logged_member *before, const struct cluster_member *now, bool is_off)
{
	char origin[17];

	snprintf(origin, sizeof(origin), "%016" PRIx64, now->origin);
	if (!before->name[0])
		log_event(LOG_INFO,
			now->is_heard ? "member found" : "member met before, not heard yet",
			F_TEXT("member", now->beat.name), F_TEXT("origin", origin),
			F_TEXT("version", now->beat.version));
	else if (before->is_alive != now->is_alive)
		log_event(now->is_alive ? LOG_INFO : LOG_WARNING,
			now->is_alive ? "member is back" : "member is dead",
			F_TEXT("member", now->beat.name), F_TEXT("origin", origin));
	if (now->is_alive && before->is_draining != now->beat.is_draining)
		log_event(LOG_INFO, now->beat.is_draining ? "member drains" : "member serves again",
			F_TEXT("member", now->beat.name));
	if (is_off && !before->is_clock_off)
		log_event(LOG_WARNING, "clock of a member differs from ours",
			F_TEXT("member", now->beat.name),
			F_TEXT("ahead", now->clock_offset_ms > 0 ? "yes" : "no"),
			F_UINT("by_ms", (uint64_t)llabs(now->clock_offset_ms)));
	*before = (struct logged_member){
		now->origin, now->is_alive, now->beat.is_draining, is_off, ""};
	memcpy(before->name, now->beat.name, sizeof(before->name));
}

static struct logged_member *find(struct cluster *c, uint64_t origin)
{
	struct logged_member *members;

	for (unsigned int i = 0; i < c->logged.n; i++) {
		if (c->logged.members[i].origin == origin)
			return &c->logged.members[i];
	}
	members = reallocarray(c->logged.members, c->logged.n + 1, sizeof(*members));
	if (!members)
		return NULL;
	c->logged.members = members;
	members[c->logged.n] = (struct logged_member){.origin = origin};
	return &members[c->logged.n++];
}

/* Those that were taken out are said to be found again when they come back. */
static void drop_forgotten(struct cluster *c)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < c->logged.n; i++) {
		struct logged_member *m = &c->logged.members[i];

		if (membership_find(&c->replica.membership, m->origin))
			c->logged.members[kept++] = *m;
		else
			log_event(LOG_INFO, "member forgotten", F_TEXT("member", m->name));
	}
	c->logged.n = kept;
}

static void log_members(struct cluster *c)
{
	const struct membership *m = &c->replica.membership;

	drop_forgotten(c);
	for (unsigned int i = 0; i < m->n; i++) {
		const struct cluster_member *member = &m->members[i];
		uint64_t offset = (uint64_t)llabs(member->clock_offset_ms);
		struct logged_member *before;

		if (member->is_self)
			continue;
		before = find(c, member->origin);
		if (before)
			log_member(before, member,
				member->has_clock_offset &&
					offset > m->settings.max_clock_offset_ms);
	}
}

static void log_addresses(struct cluster *c)
{
	const struct holdings *h = &c->replica.holdings;
	char held[1024] = "", lingers[1024] = "";

	if (c->logged.version == c->replica.version)
		return;
	c->logged.version = c->replica.version;
	for (unsigned int i = 0; i < h->n; i++) {
		char *list = h->holding[i].state == HOLDING_CLAIMED ? held : lingers;
		char text[INET6_ADDRSTRLEN];
		size_t len = strlen(list);

		cluster_address_text(
			h->holding[i].address.family, h->holding[i].address.octets, text);
		snprintf(list + len, sizeof(held) - len, "%s%s", len ? "," : "", text);
	}
	log_event(LOG_INFO, "service addresses", F_TEXT("held", held), F_TEXT("given_up", lingers));
}

static void log_drain(const struct cluster_status *before, const struct cluster_status *now)
{
	char reasons[128];

	if (before->drain_reasons == now->drain_reasons)
		return;
	cluster_drain_text(now->drain_reasons, reasons, sizeof(reasons));
	if (now->drain_reasons)
		log_event((now->drain_reasons & ~(DRAIN_OPERATOR | DRAIN_ENDING)) &&
					  before->is_caught_up
				  ? LOG_ERROR
				  : LOG_INFO,
			"this node drains", F_TEXT("reasons", reasons));
	else
		log_event(LOG_INFO, "this node no longer drains");
}

void cluster_log(struct cluster *c)
{
	const struct cluster_status *now = &c->status, *before = &c->logged.status;

	log_addresses(c);
	if (now->is_alone)
		return;
	log_members(c);
	log_drain(before, now);
	if (now->is_healthy != before->is_healthy)
		log_event(now->is_healthy ? LOG_INFO : LOG_WARNING,
			now->is_healthy ? "replica set: heartbeats are exchanged"
					: "replica set: heartbeats are not exchanged; the "
					  "assignment of addresses stands");
	if (now->is_in_sync != before->is_in_sync)
		log_event(now->is_in_sync ? LOG_INFO : LOG_WARNING,
			now->is_in_sync ? "in sync"
					: "not in sync: unknown keys and subscribers get no "
					  "answer");
	if (now->is_disputed && !before->is_disputed)
		log_event(LOG_WARNING,
			"clocks of the members differ, and too few agree to say whose is right");
	c->logged.status = *now;
}

void cluster_log_clear(struct cluster *c)
{
	free(c->logged.members);
}
