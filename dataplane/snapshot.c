/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <urcu-qsbr.h>

#include "common/crypto/secret.h"
#include "common/mikey/message.h"

enum { SKEW_MAX_S = 86400, IPV4_MTU_MIN = 576, IPV6_MTU_MIN = 1280 };

static const char *refuse(const struct ipc_snapshot *ipc)
{
	if (ipc->kms_identity.len == 0 || ipc->kms_identity.len > IDENTITY_MAX)
		return "identity of the KMS is missing or too long";
	if (ipc->profile > 1)
		return "unknown profile";
	if (ipc->n_types == 0 || ipc->n_types > POLICY_TYPES_MAX)
		return "number of ticket types";
	if (ipc->n_rules > POLICY_RULES_MAX)
		return "number of rules";
	if (ipc->n_keys > KEYRING_KEYS_MAX)
		return "number of sealing keys";
	if (ipc->n_addresses > IPC_ADDRESSES_MAX)
		return "number of addresses";
	if (ipc->max_skew_s == 0 || ipc->max_skew_s > SKEW_MAX_S)
		return "clock skew";
	if (ipc->default_lifetime_s == 0 || ipc->max_lifetime_s < ipc->default_lifetime_s)
		return "ticket lifetimes";
	if (ipc->max_message == 0)
		return "message size";
	if (ipc->max_idr_r == 0 || ipc->max_idr_r > MIKEY_IDRR_MAX)
		return "number of IDRr";
	if (ipc->max_identity == 0 || ipc->max_identity > IDENTITY_MAX)
		return "identity length";
	if (ipc->max_keys == 0)
		return "number of keys in a ticket";
	return NULL;
}

/* Copies an identity's octets to where the snapshot keeps them. */
static struct identity keep(struct snapshot *s, struct identity id)
{
	struct identity kept = {.data = s->octets + s->n_octets, .len = id.len};

	if (id.len > 0)
		memcpy(s->octets + s->n_octets, id.data, id.len);
	s->n_octets += id.len;
	return kept;
}

static size_t octets_needed(const struct ipc_snapshot *ipc)
{
	size_t n = (size_t)ipc->kms_identity.len + ipc->end_to_middle_app.len;

	for (unsigned int i = 0; i < ipc->n_rules; i++)
		n += (size_t)ipc->rules[i].from.len + ipc->rules[i].to.len;
	return n;
}

static void policy_fill(struct snapshot *s, const struct ipc_snapshot *ipc)
{
	struct policy *p = &s->policy;

	policy_defaults(p);
	p->profile = ipc->profile == 0 ? POLICY_3GPP : POLICY_RFC6043;
	p->kms_identity = keep(s, ipc->kms_identity);
	p->end_to_middle_app = keep(s, ipc->end_to_middle_app);
	p->max_skew_s = ipc->max_skew_s;
	p->default_lifetime_s = ipc->default_lifetime_s;
	p->max_lifetime_s = ipc->max_lifetime_s;
	p->allow_groups = ipc->allow_groups != 0;
	p->allow_reuse = ipc->allow_reuse != 0;
	p->allow_mode3 = ipc->allow_mode3 != 0;
	p->allow_no_forking = ipc->allow_no_forking != 0;
	p->in_sync = ipc->in_sync != 0;
	p->roles = ipc->roles;
	p->max_message = ipc->max_message;
	p->max_idr_r = ipc->max_idr_r;
	p->max_wildcards = ipc->max_wildcards;
	p->max_identity = ipc->max_identity;
	p->max_keys = ipc->max_keys;
	p->n_types = ipc->n_types;
	for (unsigned int i = 0; i < ipc->n_types; i++)
		p->types[i] = (struct policy_ticket_type){
			ipc->types[i].type, ipc->types[i].subtype, ipc->types[i].version};
	for (unsigned int i = 0; i < ipc->n_rules; i++)
		s->rules[i] = (struct policy_rule){keep(s, ipc->rules[i].from),
			keep(s, ipc->rules[i].to), ipc->rules[i].allow};
	p->rules = s->rules;
	p->n_rules = ipc->n_rules;
}

static int keyring_fill(struct snapshot *s, struct crypto *ctx, const struct ipc_snapshot *ipc)
{
	struct sealing_key_spec specs[KEYRING_KEYS_MAX];

	/* Pointers only: nothing secret stays on the stack. */
	for (unsigned int i = 0; i < ipc->n_keys; i++) {
		const struct ipc_key *key = &ipc->keys[i];

		specs[i] = (struct sealing_key_spec){
			.id = key->id,
			.key = key->key.data,
			.len = key->key.len,
			.seals_from = key->seals_from,
			.seals_until = key->seals_until,
			.resolves_until = key->resolves_until,
			.state = (enum sealing_state)key->state,
		};
	}
	return keyring_build(&s->keyring, ctx, ipc->epoch, specs, ipc->n_keys);
}

static struct bucket_rate rate_of(struct ipc_limit limit)
{
	return (struct bucket_rate){limit.rate, limit.burst};
}

static void network_fill(struct snapshot *s, const struct ipc_snapshot *ipc)
{
	struct limits *l = &s->limits;

	l->source = rate_of(ipc->source);
	l->subscriber = rate_of(ipc->subscriber);
	l->function = rate_of(ipc->function);
	l->repeat = rate_of(ipc->repeat);
	l->errors_source =
		(struct bucket_rate){ipc->errors_per_source_rate, ipc->errors_per_source_burst};
	l->errors_worker = ipc->errors_per_worker_rate;
	l->n_edges = ipc->n_edges;
	for (unsigned int i = 0; i < ipc->n_edges; i++) {
		l->edges[i].family = ipc->edges[i].family;
		l->edges[i].prefix_len = ipc->edges[i].len;
		memcpy(l->edges[i].octets, ipc->edges[i].octets, NET_IPV6_OCTETS);
	}
	for (unsigned int i = 0; i < ipc->n_vlans; i++)
		net_vlans_add(&s->vlans, ipc->vlans[i]);
	if (ipc->n_vlans == 0)
		net_vlans_add(&s->vlans, 0);
	s->ipv4_path_mtu = ipc->ipv4_path_mtu ? ipc->ipv4_path_mtu : UINT16_MAX;
	s->ipv6_path_mtu = ipc->ipv6_path_mtu ? ipc->ipv6_path_mtu : IPV6_MTU_MIN;
}

static const char *refuse_network(const struct ipc_snapshot *ipc)
{
	if (ipc->n_edges > LIMITER_EDGES_MAX)
		return "number of trusted edges";
	for (unsigned int i = 0; i < ipc->n_edges; i++)
		if ((ipc->edges[i].family != 4 && ipc->edges[i].family != 6) ||
			ipc->edges[i].len > (ipc->edges[i].family == 4 ? 32 : 128))
			return "trusted edges";
	if (ipc->n_vlans > IPC_VLANS_MAX)
		return "number of VLANs";
	for (unsigned int i = 0; i < ipc->n_vlans; i++)
		if (ipc->vlans[i] > IPC_VLAN_MAX)
			return "VLAN id";
	if (ipc->ipv4_path_mtu != 0 && ipc->ipv4_path_mtu < IPV4_MTU_MIN)
		return "path MTU of IPv4";
	if (ipc->ipv6_path_mtu != 0 && ipc->ipv6_path_mtu < IPV6_MTU_MIN)
		return "path MTU of IPv6";
	return NULL;
}

static int fill(
	struct snapshot *s, struct crypto *ctx, const struct ipc_snapshot *ipc, const char **why)
{
	int err;

	s->epoch = ipc->epoch;
	s->said_in_sync = ipc->in_sync != 0;
	policy_fill(s, ipc);
	network_fill(s, ipc);
	for (unsigned int i = 0; i < ipc->n_addresses; i++) {
		const struct ipc_address *a = &ipc->addresses[i];

		err = net_addresses_add(&s->addresses, a->family, a->octets, a->port);
		if (!err && a->lingers)
			net_addresses_linger(&s->addresses, a->family, a->octets);
		if (err) {
			*why = "an address that cannot be served";
			return err;
		}
	}
	err = keyring_fill(s, ctx, ipc);
	if (err == -EINVAL)
		*why = "sealing keys";
	return err;
}

int snapshot_build(
	struct snapshot **out, struct crypto *ctx, const struct ipc_snapshot *ipc, const char **why)
{
	struct snapshot *s;
	int err;

	*out = NULL;
	*why = refuse(ipc);
	if (!*why)
		*why = refuse_network(ipc);
	if (*why)
		return -EINVAL;
	*why = "out of memory";
	s = calloc(1, sizeof(*s) + ipc->n_rules * sizeof(s->rules[0]));
	if (!s)
		return -ENOMEM;
	s->octets = malloc(octets_needed(ipc) + 1);
	err = s->octets ? fill(s, ctx, ipc, why) : -ENOMEM;
	if (err) {
		snapshot_free(s);
		return err;
	}
	*why = "";
	*out = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	keyring_clear(&s->keyring);
	if (s->octets)
		secret_wipe(s->octets, s->n_octets);
	free(s->octets);
	secret_wipe(s, sizeof(*s));
	free(s);
}

/* rcu_xchg_pointer() orders what was built before what is published; it pairs with
 * rcu_dereference() of the readers. */
void snapshot_publish(struct shared *shared, struct snapshot *s)
{
	struct snapshot *old = rcu_xchg_pointer(&shared->snapshot, s);

	synchronize_rcu();
	snapshot_free(old);
}

void snapshot_set_contact(struct shared *shared, bool is_in_contact)
{
	struct snapshot *s = shared->snapshot;

	if (s)
		__atomic_store_n(
			&s->policy.in_sync, s->said_in_sync && is_in_contact, __ATOMIC_RELAXED);
}

void subscribers_publish(struct shared *shared, struct subscriber_table *table)
{
	struct subscriber_table *old = rcu_xchg_pointer(&shared->subscribers, table);

	synchronize_rcu();
	if (old)
		subscriber_table_free(old);
}

void shared_clear(struct shared *shared)
{
	snapshot_free(shared->snapshot);
	shared->snapshot = NULL;
	if (shared->subscribers)
		subscriber_table_free(shared->subscribers);
	shared->subscribers = NULL;
}

const struct snapshot *snapshot_view(const struct shared *shared, struct engine_view *view)
{
	const struct snapshot *s = rcu_dereference(shared->snapshot);
	const struct subscriber_table *table = rcu_dereference(shared->subscribers);

	if (!s || !table)
		return NULL;
	*view = (struct engine_view){
		.keyring = &s->keyring, .policy = &s->policy, .subscribers = table};
	return s;
}
