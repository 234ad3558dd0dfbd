/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ipc/ipc.h"

#include <errno.h>

#include "common/ipc/cursor.h"

enum { PROFILE_MAX = 1, STATE_MAX = 2 };

static void put_limit(struct ipc_writer *w, struct ipc_limit limit)
{
	ipc_put_uint(w, limit.rate, 4);
	ipc_put_uint(w, limit.burst, 4);
}

static struct ipc_limit get_limit(struct ipc_reader *r)
{
	struct ipc_limit limit;

	limit.rate = (uint32_t)ipc_get_uint(r, 4);
	limit.burst = (uint32_t)ipc_get_uint(r, 4);
	return limit;
}

static void put_policy(struct ipc_writer *w, const struct ipc_snapshot *s)
{
	ipc_put_uint(w, s->epoch, 8);
	ipc_put_identity(w, s->kms_identity, IDENTITY_MAX);
	ipc_put_uint(w, s->profile, 1);
	ipc_put_uint(w, s->max_skew_s, 4);
	ipc_put_uint(w, s->default_lifetime_s, 4);
	ipc_put_uint(w, s->max_lifetime_s, 4);
	ipc_put_uint(w, s->allow_groups, 1);
	ipc_put_uint(w, s->allow_reuse, 1);
	ipc_put_uint(w, s->allow_mode3, 1);
	ipc_put_uint(w, s->allow_no_forking, 1);
	ipc_put_uint(w, s->in_sync, 1);
	ipc_put_uint(w, s->roles, 1);
	ipc_put_uint(w, s->addresses_version, 8);
	ipc_put_identity(w, s->end_to_middle_app, IDENTITY_MAX);
	ipc_put_uint(w, s->max_message, 2);
	ipc_put_uint(w, s->max_idr_r, 2);
	ipc_put_uint(w, s->max_wildcards, 2);
	ipc_put_uint(w, s->max_identity, 2);
	ipc_put_uint(w, s->max_keys, 2);
	ipc_put_uint(w, s->errors_per_source_rate, 4);
	ipc_put_uint(w, s->errors_per_source_burst, 4);
	ipc_put_uint(w, s->errors_per_worker_rate, 4);
	put_limit(w, s->source);
	put_limit(w, s->subscriber);
	put_limit(w, s->function);
	put_limit(w, s->repeat);
	ipc_put_uint(w, s->ipv4_path_mtu, 2);
	ipc_put_uint(w, s->ipv6_path_mtu, 2);
}

static void get_policy(struct ipc_reader *r, struct ipc_snapshot *s)
{
	s->epoch = ipc_get_uint(r, 8);
	s->kms_identity = ipc_get_identity(r, 1, IDENTITY_MAX);
	s->profile = (uint8_t)ipc_get_max(r, 1, PROFILE_MAX);
	s->max_skew_s = (uint32_t)ipc_get_uint(r, 4);
	s->default_lifetime_s = (uint32_t)ipc_get_uint(r, 4);
	s->max_lifetime_s = (uint32_t)ipc_get_uint(r, 4);
	s->allow_groups = (uint8_t)ipc_get_max(r, 1, 1);
	s->allow_reuse = (uint8_t)ipc_get_max(r, 1, 1);
	s->allow_mode3 = (uint8_t)ipc_get_max(r, 1, 1);
	s->allow_no_forking = (uint8_t)ipc_get_max(r, 1, 1);
	s->in_sync = (uint8_t)ipc_get_max(r, 1, 1);
	s->roles = (uint8_t)ipc_get_max(r, 1, IPC_ROLES_ALL);
	s->addresses_version = ipc_get_uint(r, 8);
	s->end_to_middle_app = ipc_get_identity(r, 0, IDENTITY_MAX);
	s->max_message = (uint16_t)ipc_get_uint(r, 2);
	s->max_idr_r = (uint16_t)ipc_get_uint(r, 2);
	s->max_wildcards = (uint16_t)ipc_get_uint(r, 2);
	s->max_identity = (uint16_t)ipc_get_uint(r, 2);
	s->max_keys = (uint16_t)ipc_get_uint(r, 2);
	s->errors_per_source_rate = (uint32_t)ipc_get_uint(r, 4);
	s->errors_per_source_burst = (uint32_t)ipc_get_uint(r, 4);
	s->errors_per_worker_rate = (uint32_t)ipc_get_uint(r, 4);
	s->source = get_limit(r);
	s->subscriber = get_limit(r);
	s->function = get_limit(r);
	s->repeat = get_limit(r);
	s->ipv4_path_mtu = (uint16_t)ipc_get_uint(r, 2);
	s->ipv6_path_mtu = (uint16_t)ipc_get_uint(r, 2);
}

static void put_network(struct ipc_writer *w, const struct ipc_snapshot *s)
{
	ipc_put_uint(w, s->n_edges, 1);
	for (unsigned int i = 0; i < s->n_edges; i++) {
		ipc_put_uint(w, s->edges[i].family, 1);
		ipc_put_uint(w, s->edges[i].len, 1);
		ipc_put(w, s->edges[i].octets, sizeof(s->edges[i].octets));
	}
	ipc_put_uint(w, s->n_vlans, 1);
	for (unsigned int i = 0; i < s->n_vlans; i++)
		ipc_put_uint(w, s->vlans[i], 2);
}

static void get_network(struct ipc_reader *r, struct ipc_snapshot *s)
{
	s->n_edges = (unsigned int)ipc_get_max(r, 1, IPC_EDGES_MAX);
	for (unsigned int i = 0; i < s->n_edges && !r->failed; i++) {
		struct ipc_prefix *p = &s->edges[i];
		const uint8_t *octets;

		p->family = (uint8_t)ipc_get_uint(r, 1);
		if (p->family != 4 && p->family != 6)
			r->failed = true;
		p->len = (uint8_t)ipc_get_max(r, 1, p->family == 4 ? 32 : 128);
		octets = ipc_get(r, sizeof(p->octets));
		if (octets)
			memcpy(p->octets, octets, sizeof(p->octets));
	}
	s->n_vlans = (unsigned int)ipc_get_max(r, 1, IPC_VLANS_MAX);
	for (unsigned int i = 0; i < s->n_vlans && !r->failed; i++)
		s->vlans[i] = (uint16_t)ipc_get_max(r, 2, IPC_VLAN_MAX);
}

static void put_lists(struct ipc_writer *w, const struct ipc_snapshot *s)
{
	ipc_put_uint(w, s->n_types, 1);
	for (unsigned int i = 0; i < s->n_types; i++) {
		ipc_put_uint(w, s->types[i].type, 2);
		ipc_put_uint(w, s->types[i].subtype, 1);
		ipc_put_uint(w, s->types[i].version, 1);
	}
	ipc_put_uint(w, s->n_rules, 2);
	for (unsigned int i = 0; i < s->n_rules; i++) {
		ipc_put_identity(w, s->rules[i].from, IDENTITY_MAX);
		ipc_put_identity(w, s->rules[i].to, IDENTITY_MAX);
		ipc_put_uint(w, s->rules[i].allow, 1);
	}
	ipc_put_uint(w, s->n_keys, 2);
	for (unsigned int i = 0; i < s->n_keys; i++) {
		const struct ipc_key *k = &s->keys[i];

		ipc_put_identity(w, k->id, IPC_KEY_ID_MAX);
		ipc_put_identity(w, k->key, IPC_KEY_MAX);
		ipc_put_uint(w, (uint64_t)k->seals_from, 8);
		ipc_put_uint(w, (uint64_t)k->seals_until, 8);
		ipc_put_uint(w, (uint64_t)k->resolves_until, 8);
		ipc_put_uint(w, k->state, 1);
	}
	ipc_put_uint(w, s->n_addresses, 1);
	for (unsigned int i = 0; i < s->n_addresses; i++) {
		const struct ipc_address *a = &s->addresses[i];

		ipc_put_uint(w, a->family, 1);
		ipc_put_uint(w, a->prefix_len, 1);
		ipc_put_uint(w, a->port, 2);
		ipc_put_uint(w, a->lingers, 1);
		ipc_put(w, a->octets, sizeof(a->octets));
	}
	put_network(w, s);
}

static void get_addresses(struct ipc_reader *r, struct ipc_snapshot *s)
{
	s->n_addresses = (unsigned int)ipc_get_max(r, 1, IPC_ADDRESSES_MAX);
	for (unsigned int i = 0; i < s->n_addresses && !r->failed; i++) {
		struct ipc_address *a = &s->addresses[i];
		const uint8_t *octets;

		a->family = (uint8_t)ipc_get_uint(r, 1);
		if (a->family != 4 && a->family != 6)
			r->failed = true;
		a->prefix_len = (uint8_t)ipc_get_max(r, 1, a->family == 4 ? 32 : 128);
		a->port = (uint16_t)ipc_get_uint(r, 2);
		a->lingers = ipc_get_max(r, 1, 1);
		octets = ipc_get(r, sizeof(a->octets));
		if (octets)
			memcpy(a->octets, octets, sizeof(a->octets));
	}
}

static void get_lists(struct ipc_reader *r, struct ipc_snapshot *s)
{
	s->n_types = (unsigned int)ipc_get_max(r, 1, IPC_TYPES_MAX);
	for (unsigned int i = 0; i < s->n_types && !r->failed; i++) {
		s->types[i].type = (uint16_t)ipc_get_uint(r, 2);
		s->types[i].subtype = (uint8_t)ipc_get_uint(r, 1);
		s->types[i].version = (uint8_t)ipc_get_uint(r, 1);
	}
	s->n_rules = (unsigned int)ipc_get_max(r, 2, IPC_RULES_MAX);
	for (unsigned int i = 0; i < s->n_rules && !r->failed; i++) {
		s->rules[i].from = ipc_get_identity(r, 1, IDENTITY_MAX);
		s->rules[i].to = ipc_get_identity(r, 1, IDENTITY_MAX);
		s->rules[i].allow = ipc_get_max(r, 1, 1);
	}
	s->n_keys = (unsigned int)ipc_get_max(r, 2, IPC_KEYS_MAX);
	for (unsigned int i = 0; i < s->n_keys && !r->failed; i++) {
		struct ipc_key *k = &s->keys[i];

		k->id = ipc_get_identity(r, 1, IPC_KEY_ID_MAX);
		k->key = ipc_get_identity(r, IPC_KEY_MIN, IPC_KEY_MAX);
		k->seals_from = ipc_get_time(r);
		k->seals_until = ipc_get_time(r);
		k->resolves_until = ipc_get_time(r);
		k->state = (uint8_t)ipc_get_max(r, 1, STATE_MAX);
	}
	get_addresses(r, s);
	if (!r->failed)
		get_network(r, s);
}

size_t ipc_snapshot_encode(const struct ipc_snapshot *s, uint8_t *buf, size_t cap)
{
	struct ipc_writer w = {.buf = buf, .cap = cap};

	if (s->n_types > IPC_TYPES_MAX || s->n_rules > IPC_RULES_MAX || s->n_keys > IPC_KEYS_MAX ||
		s->n_addresses > IPC_ADDRESSES_MAX || s->n_edges > IPC_EDGES_MAX ||
		s->n_vlans > IPC_VLANS_MAX)
		return 0;
	put_policy(&w, s);
	put_lists(&w, s);
	return ipc_writer_end(&w);
}

int ipc_snapshot_decode(struct ipc_snapshot *s, const uint8_t *buf, size_t len)
{
	struct ipc_reader r = {.buf = buf, .len = len};

	memset(s, 0, sizeof(*s));
	get_policy(&r, s);
	if (!r.failed)
		get_lists(&r, s);
	return r.failed || r.off != len ? -EBADMSG : 0;
}
