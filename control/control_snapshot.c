/* SPDX-License-Identifier: BSD-3-Clause */
/* What the data plane shall serve, from configuration and keyring. */
#include <string.h>

#include "control/cluster.h"
#include "control/control.h"
#include "control/keyring_sync.h"

static struct identity text_identity(const char *text)
{
	return (struct identity){(const uint8_t *)text, (uint16_t)strlen(text)};
}

static void fill_keys(struct ipc_snapshot *s, const struct keys *keys)
{
	for (unsigned int i = 0; i < keys->n; i++) {
		const struct key *k = &keys->key[i];

		if (!key_is_held(k))
			continue;
		s->keys[s->n_keys++] = (struct ipc_key){.id = text_identity(k->id),
			.key = {k->octets, k->len},
			.seals_from = k->seals_from,
			.seals_until = k->seals_until,
			.resolves_until = k->resolves_until,
			.state = k->state};
	}
}

void control_fill_snapshot(void *arg, struct ipc_snapshot *s)
{
	const struct control *c = arg;
	const struct config *live = c->live;

	memset(s, 0, sizeof(*s));
	s->epoch = c->keys->epoch;
	s->kms_identity = text_identity(c->boot->kms.identity);
	s->profile = live->kms.profile == CONFIG_3GPP ? 0 : 1;
	s->max_skew_s = (uint32_t)(live->policy.max_skew / SECOND);
	s->default_lifetime_s = (uint32_t)(live->policy.default_lifetime / SECOND);
	s->max_lifetime_s = (uint32_t)(live->policy.max_lifetime / SECOND);
	s->allow_groups = live->policy.allow_groups;
	s->allow_reuse = live->policy.allow_reuse;
	s->allow_mode3 = live->policy.allow_mode3;
	s->allow_no_forking = live->policy.allow_no_forking;
	s->in_sync = cluster_is_in_sync(c->cluster) && keyring_sync_is_in_sync(c->keyring);
	s->roles = live->cluster.roles;
	s->end_to_middle_app = text_identity(live->policy.end_to_middle_app);
	s->max_message = (uint16_t)live->limits.max_message;
	s->max_idr_r = (uint16_t)live->limits.max_recipients;
	s->max_wildcards = (uint16_t)live->limits.max_wildcards;
	s->max_identity = (uint16_t)live->limits.max_identity;
	s->max_keys = (uint16_t)live->limits.max_keys;
	s->errors_per_source_rate = live->limits.errors_per_source;
	s->errors_per_source_burst = live->limits.errors_burst;
	s->errors_per_worker_rate = live->limits.errors_per_worker;
	s->source = (struct ipc_limit){live->limits.messages_per_source, live->limits.source_burst};
	s->subscriber = (struct ipc_limit){
		live->limits.messages_per_subscriber, live->limits.subscriber_burst};
	s->function =
		(struct ipc_limit){live->limits.messages_per_function, live->limits.function_burst};
	s->repeat = (struct ipc_limit){live->limits.repeats_per_message, live->limits.repeat_burst};
	s->ipv4_path_mtu = (uint16_t)live->service.ipv4_path_mtu;
	s->ipv6_path_mtu = (uint16_t)live->service.ipv6_path_mtu;
	s->n_types = live->policy.n_ticket_types;
	memcpy(s->types, live->policy.ticket_types, sizeof(s->types));
	s->n_rules = live->policy.n_rules;
	memcpy(s->rules, live->policy.rules, sizeof(s->rules));
	s->n_addresses = cluster_addresses(c->cluster, s->addresses, &s->addresses_version);
	s->n_edges = live->limits.n_trusted_edges;
	memcpy(s->edges, live->limits.trusted_edges, sizeof(s->edges));
	s->n_vlans = live->service.n_vlans;
	memcpy(s->vlans, live->service.vlans, sizeof(s->vlans));
	if (keyring_sync_may_serve(c->keyring))
		fill_keys(s, c->keys);
	else
		s->n_addresses = 0; /* a new node that has not joined its set yet */
}
