/* SPDX-License-Identifier: BSD-3-Clause */
/* From what the file says to what it means: defaults, types, ranges, and what must fit together. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/identity/identity.h"
#include "control/config_raw.h"
#include "control/duration.h"
#include "control/keys.h"
#include "control/metrics_server.h"

#define KEY(section, name) #section "." #name
#define COMPLAIN(src, key, ...) \
	config_complain(        \
		(src)->errors, (src)->file, yaml_index_line((src)->index, key), key, __VA_ARGS__)

static void check_range(
	const struct setting *s, const char *key, uint64_t value, const struct config_source *src)
{
	char min[32], max[32], got[32];

	if (value >= s->min && value <= s->max)
		return;
	if (s->kind == SETTING_TIME) {
		duration_format(s->min, min, sizeof(min));
		duration_format(s->max, max, sizeof(max));
		duration_format(value, got, sizeof(got));
	} else {
		snprintf(min, sizeof(min), "%llu", (unsigned long long)s->min);
		snprintf(max, sizeof(max), "%llu", (unsigned long long)s->max);
		snprintf(got, sizeof(got), "%llu", (unsigned long long)value);
	}
	COMPLAIN(src, key, "%s is out of range (%s to %s%s)", got, min, max,
		s->kind == SETTING_TEXT ? " octets" : "");
}

static void settle_text(const struct setting *s, const char *key, const char *text, void *to,
	const struct config_source *src)
{
	check_range(s, key, strlen(text), src);
	*(const char **)to = text;
}

static void settle_time(const struct setting *s, const char *key, const char *text, void *to,
	const struct config_source *src)
{
	uint64_t ms = 0;
	int err = duration_parse(text, &ms);

	if (err == -ERANGE)
		COMPLAIN(src, key, "\"%s\" is out of range", text);
	else if (err)
		COMPLAIN(src, key,
			"\"%s\" is no duration (a whole number and ms, s, m, h or d, as 300s)",
			text);
	else
		check_range(s, key, ms, src);
	*(uint64_t *)to = ms;
}

static void settle_choice(const struct setting *s, const char *key, const char *text, void *to,
	const struct config_source *src)
{
	const char *const *names = setting_choices(s->kind);
	char list[128] = "";

	for (unsigned int i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*(unsigned int *)to = i;
			return;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
			names[i]);
	}
	COMPLAIN(src, key, "\"%s\" is none of: %s", text, list);
}

/* Read here and not by libcyaml, which takes "12abc" for 12 and "020" for 16. */
static void settle_uint(const struct setting *s, const char *key, const char *text, uint32_t *to,
	const struct config_source *src)
{
	uint64_t value;

	if (!*text || text[strspn(text, "0123456789")] || (text[0] == '0' && text[1])) {
		COMPLAIN(src, key, "\"%s\" is no whole number", text);
		return;
	}
	errno = 0;
	value = strtoull(text, NULL, 10);
	if (errno == ERANGE) {
		COMPLAIN(src, key, "%s is out of range (%llu to %llu)", text,
			(unsigned long long)s->min, (unsigned long long)s->max);
		return;
	}
	check_range(s, key, value, src);
	*to = (uint32_t)value;
}

static bool parse_bool(const char *text, bool *value)
{
	*value = strcmp(text, "true") == 0;
	return *value || strcmp(text, "false") == 0;
}

static void settle_bool(
	const char *key, const char *text, bool *to, const struct config_source *src)
{
	if (!parse_bool(text, to))
		COMPLAIN(src, key, "\"%s\" is neither true nor false", text);
}

static void settle(struct config *c, const struct setting *s, const struct config_source *src)
{
	const void *given = *(void *const *)((const char *)c->raw + s->raw_offset);
	void *to = (char *)c + s->offset;
	const char *text = given ? given : s->fallback;
	char key[64];

	snprintf(key, sizeof(key), "%s.%s", s->section, s->name);
	if (!text) {
		COMPLAIN(src, key, "missing (%s)", s->help);
		return;
	}
	switch (s->kind) {
	case SETTING_UINT:
		settle_uint(s, key, text, to, src);
		return;
	case SETTING_BOOL:
		settle_bool(key, text, to, src);
		return;
	case SETTING_TEXT:
		settle_text(s, key, text, to, src);
		return;
	case SETTING_TIME:
		settle_time(s, key, text, to, src);
		return;
	default:
		settle_choice(s, key, text, to, src);
	}
}

/* Why an address cannot be a service address, or NULL. */
static const char *refuse_address(const struct ipc_address *a)
{
	static const uint8_t loopback6[16] = {[15] = 1}, none[16] = {0};
	uint32_t ip, host;

	if (a->family == 6) {
		if (memcmp(a->octets, none, 16) == 0 || memcmp(a->octets, loopback6, 16) == 0 ||
			a->octets[0] == 0xff)
			return "is no unicast address of a network";
		return NULL;
	}
	memcpy(&ip, a->octets, 4);
	ip = ntohl(ip);
	if (ip >> 24 == 0 || ip >> 24 == 127 || ip >> 28 >= 14)
		return "is no unicast address of a network";
	host = a->prefix_len == 0 ? UINT32_MAX : (uint32_t)((1ull << (32 - a->prefix_len)) - 1);
	if (a->prefix_len < 31 && ((ip & host) == 0 || (ip & host) == host))
		return "is the network's own or its broadcast address";
	return NULL;
}

static const char *parse_address(const char *text, struct ipc_address *a)
{
	char ip[64], *end;
	const char *slash = strchr(text, '/');
	unsigned long prefix;

	memset(a, 0, sizeof(*a));
	if (!slash || (size_t)(slash - text) >= sizeof(ip) || slash[1] < '0' || slash[1] > '9')
		return "is no ADDRESS/PREFIX-LENGTH";
	memcpy(ip, text, (size_t)(slash - text));
	ip[slash - text] = '\0';
	if (inet_pton(AF_INET, ip, a->octets) == 1)
		a->family = 4;
	else if (inet_pton(AF_INET6, ip, a->octets) == 1)
		a->family = 6;
	else
		return "is no IPv4 or IPv6 address";
	prefix = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || prefix > (a->family == 4 ? 32 : 128))
		return "has a wrong prefix length";
	a->prefix_len = (uint8_t)prefix;
	return refuse_address(a);
}

static void settle_addresses(struct config *c, const struct config_source *src)
{
	const struct raw_service *raw = &c->raw->service;
	char key[64];

	if (raw->addresses_count == 0)
		COMPLAIN(src, KEY(service, addresses),
			"missing (at least one ADDRESS/PREFIX-LENGTH)");
	if (raw->addresses_count > IPC_ADDRESSES_MAX) {
		COMPLAIN(src, KEY(service, addresses), "more than %d", IPC_ADDRESSES_MAX);
		return;
	}
	for (unsigned int i = 0; i < raw->addresses_count; i++) {
		struct ipc_address *a = &c->service.addresses[i];
		const char *why = parse_address(raw->addresses[i], a);

		for (unsigned int j = 0; !why && j < i; j++) {
			if (memcmp(a->octets, c->service.addresses[j].octets, 16) == 0 &&
				a->family == c->service.addresses[j].family)
				why = "is there twice";
		}
		a->port = (uint16_t)c->service.port;
		snprintf(key, sizeof(key), "service.addresses[%u]", i);
		if (why)
			COMPLAIN(src, key, "\"%s\" %s", raw->addresses[i], why);
	}
	c->service.n_addresses = raw->addresses_count;
}

static bool parse_number(const char **p, unsigned long max, unsigned long *out)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoul(*p, &end, 10);
	*p = end;
	return errno == 0 && *out <= max;
}

static bool parse_ticket_type(const char *text, struct ipc_ticket_type *t)
{
	unsigned long type, subtype, version;

	if (!parse_number(&text, 65535, &type) || *text++ != '.' ||
		!parse_number(&text, 255, &subtype) || *text++ != '.' ||
		!parse_number(&text, 255, &version) || *text != '\0')
		return false;
	*t = (struct ipc_ticket_type){(uint16_t)type, (uint8_t)subtype, (uint8_t)version};
	return true;
}

static void settle_ticket_types(struct config *c, const struct config_source *src)
{
	static const struct ipc_ticket_type defaults[] = {{1, 1, 1}, {2, 0, 0}};
	const struct raw_policy *raw = &c->raw->policy;
	char key[64];

	if (!yaml_index_has(src->index, KEY(policy, ticket_types))) {
		memcpy(c->policy.ticket_types, defaults, sizeof(defaults));
		c->policy.n_ticket_types = sizeof(defaults) / sizeof(defaults[0]);
		return;
	}
	if (raw->ticket_types_count == 0 || raw->ticket_types_count > IPC_TYPES_MAX) {
		COMPLAIN(src, KEY(policy, ticket_types), "needs 1 to %d entries", IPC_TYPES_MAX);
		return;
	}
	for (unsigned int i = 0; i < raw->ticket_types_count; i++) {
		snprintf(key, sizeof(key), "policy.ticket_types[%u]", i);
		if (!parse_ticket_type(raw->ticket_types[i], &c->policy.ticket_types[i]))
			COMPLAIN(src, key,
				"\"%s\" is no ticket type (as 1.1.1: type, subtype, version)",
				raw->ticket_types[i]);
	}
	c->policy.n_ticket_types = raw->ticket_types_count;
}

static struct identity identity_of(const char *text)
{
	size_t len = strlen(text);

	return (struct identity){
		.data = (const uint8_t *)text, .len = (uint16_t)(len > 65535 ? 65535 : len)};
}

static void settle_rules(struct config *c, const struct config_source *src)
{
	const struct raw_policy *raw = &c->raw->policy;

	if (raw->rules_count > IPC_RULES_MAX) {
		COMPLAIN(src, KEY(policy, rules), "more than %d", IPC_RULES_MAX);
		return;
	}
	for (unsigned int i = 0; i < raw->rules_count; i++) {
		const char *ends[2] = {raw->rules[i].from, raw->rules[i].to};
		char allow[64];

		for (unsigned int j = 0; j < 2; j++) {
			char key[64];
			struct identity id = identity_of(ends[j]);

			snprintf(key, sizeof(key), "policy.rules[%u].%s", i, j ? "to" : "from");
			if (id.len < 1 || id.len > IDENTITY_MAX)
				COMPLAIN(src, key, "needs 1 to %d octets", IDENTITY_MAX);
			else if (identity_wildcards(id) >= 8)
				COMPLAIN(src, key, "has too many '?' (at most 7)");
		}
		c->policy.rules[i].from = identity_of(ends[0]);
		c->policy.rules[i].to = identity_of(ends[1]);
		snprintf(allow, sizeof(allow), "policy.rules[%u].allow", i);
		settle_bool(allow, raw->rules[i].allow, &c->policy.rules[i].allow, src);
	}
	c->policy.n_rules = raw->rules_count;
}

static void settle_roles(struct config *c, const struct config_source *src)
{
	const struct raw_cluster *raw = &c->raw->cluster;
	char key[64];

	if (!yaml_index_has(src->index, KEY(cluster, roles)))
		c->cluster.roles = IPC_ROLES_ALL;
	else if (raw->roles_count == 0)
		COMPLAIN(src, KEY(cluster, roles), "needs at least one of: request, resolve");
	for (unsigned int i = 0; i < raw->roles_count; i++) {
		snprintf(key, sizeof(key), "cluster.roles[%u]", i);
		if (strcmp(raw->roles[i], "request") == 0)
			c->cluster.roles |= IPC_ROLE_REQUEST;
		else if (strcmp(raw->roles[i], "resolve") == 0)
			c->cluster.roles |= IPC_ROLE_RESOLVE;
		else
			COMPLAIN(src, key, "\"%s\" is none of: request, resolve", raw->roles[i]);
	}
}

static void settle_name(struct config *c, const struct config_source *src)
{
	const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (!*c->node.name) {
		if (gethostname(c->hostname, sizeof(c->hostname) - 1) < 0 || !*c->hostname)
			COMPLAIN(src, KEY(node, name), "missing, and the host has no name");
		c->node.name = c->hostname;
	}
	if (c->node.name[strspn(c->node.name, allowed)] != '\0')
		COMPLAIN(src, KEY(node, name),
			"\"%s\" has octets other than letters, digits, - . _", c->node.name);
}

static void check_path(const char *key, const char *path, const struct config_source *src)
{
	if (*path && *path != '/')
		COMPLAIN(src, key, "\"%s\" is no absolute path", path);
}

static void check_listen(const struct config *c, const struct config_source *src)
{
	if (*c->metrics.listen && metrics_listen_check(c->metrics.listen) < 0)
		COMPLAIN(src, KEY(metrics, listen), "\"%s\" is no ADDRESS:PORT (as 127.0.0.1:9269)",
			c->metrics.listen);
}

/* What no setting can say alone; only when each for itself is right. */
static void check_together(const struct config *c, const struct config_source *src)
{
	uint64_t held;

	if (!identity_valid_uid(identity_of(c->kms.identity)))
		COMPLAIN(src, KEY(kms, identity),
			"\"%s\" is no identity (user@domain, without blanks and '?')",
			c->kms.identity);
	check_path(KEY(node, state_dir), c->node.state_dir, src);
	check_path(KEY(node, run_dir), c->node.run_dir, src);
	check_path(KEY(node, kek_file), c->node.kek_file, src);
	if (c->policy.default_lifetime > c->policy.max_lifetime)
		COMPLAIN(src, KEY(policy, default_lifetime), "is longer than policy.max_lifetime");
	if (c->keys.activation_lead >= c->keys.rotation_interval)
		COMPLAIN(src, KEY(keys, activation_lead),
			"is not shorter than keys.rotation_interval");
	if (c->cluster.dead_after < 3 * c->cluster.heartbeat)
		COMPLAIN(src, KEY(cluster, dead_after),
			"is shorter than three times cluster.heartbeat");
	held = keys_held_at_most(
		c->keys.rotation_interval / SECOND, c->policy.max_lifetime / SECOND);
	if (held > KEYS_SCHEDULED_MAX)
		COMPLAIN(src, KEY(keys, rotation_interval),
			"is too short for policy.max_lifetime: %llu keys would be held, at most %d "
			"can be",
			(unsigned long long)held, KEYS_SCHEDULED_MAX);
}

void config_settle(struct config *c, const struct config_source *src)
{
	for (size_t i = 0; i < settings_count; i++)
		settle(c, &settings[i], src);
	settle_addresses(c, src);
	settle_ticket_types(c, src);
	settle_rules(c, src);
	settle_roles(c, src);
	config_settle_network(c, src);
	config_settle_sync(c, src);
	if (src->errors->n)
		return;
	settle_name(c, src);
	check_listen(c, src);
	check_together(c, src);
}
