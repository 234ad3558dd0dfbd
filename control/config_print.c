/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings for people: documentation, and what a reload changed. */
#include <errno.h>
#include <string.h>

#include "control/config_raw.h"
#include "control/duration.h"

enum { VALUE_MAX = 4096, COLUMNS = 100 };

/* A comment, broken at blanks. */
static void print_comment(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strlen(text), cut = n;

		if (n > COLUMNS - 4) {
			for (cut = COLUMNS - 4; cut > 0 && text[cut] != ' '; cut--)
				;
			if (cut == 0)
				cut = n;
		}
		fprintf(out, "  # %.*s\n", (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
}

static void print_range(FILE *out, const struct setting *s)
{
	const char *const *names = setting_choices(s->kind);
	char min[32], max[32];

	switch (s->kind) {
	case SETTING_UINT:
		fprintf(out, "  # (number, %llu to %llu", (unsigned long long)s->min,
			(unsigned long long)s->max);
		break;
	case SETTING_TIME:
		duration_format(s->min, min, sizeof(min));
		duration_format(s->max, max, sizeof(max));
		fprintf(out, "  # (duration, %s to %s", min, max);
		break;
	case SETTING_BOOL:
		fprintf(out, "  # (true or false");
		break;
	case SETTING_TEXT:
		fprintf(out, "  # (text, %llu to %llu octets", (unsigned long long)s->min,
			(unsigned long long)s->max);
		break;
	default:
		fprintf(out, "  # (one of");
		for (; *names; names++)
			fprintf(out, " %s", *names);
	}
	fprintf(out, "; %s)\n", s->reload == CONFIG_LIVE ? "reload takes it" : "needs a restart");
}

static void print_lists(FILE *out, const char *section)
{
	for (size_t i = 0; i < setting_lists_count; i++) {
		const struct setting_list *l = &setting_lists[i];

		if (strcmp(l->section, section) != 0)
			continue;
		print_comment(out, l->help);
		fprintf(out, "  # (list; %s)\n",
			l->reload == CONFIG_LIVE ? "reload takes it" : "needs a restart");
		if (l->fallback)
			fprintf(out, "  # Example: %s: %s\n  %s: %s\n", l->name, l->example,
				l->name, l->fallback);
		else
			fprintf(out, "  # Must be given.\n  %s: %s\n", l->name, l->example);
	}
}

void config_print_defaults(FILE *out)
{
	fprintf(out, "# Configuration of tkms-control: every setting with its default.\n");
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];

		if (i == 0 || strcmp(s->section, settings[i - 1].section) != 0)
			fprintf(out, "%s%s:\n", i ? "\n" : "", s->section);
		print_comment(out, s->help);
		print_range(out, s);
		if (!s->fallback)
			fprintf(out, "  # Must be given.\n  %s: kms@example.org\n", s->name);
		else
			fprintf(out, "  %s: %s\n", s->name, *s->fallback ? s->fallback : "\"\"");
		if (i + 1 == settings_count || strcmp(s->section, settings[i + 1].section) != 0)
			print_lists(out, s->section);
	}
}

static bool rules_equal(const struct config *a, const struct config *b)
{
	if (a->policy.n_rules != b->policy.n_rules)
		return false;
	for (unsigned int i = 0; i < a->policy.n_rules; i++) {
		const struct ipc_rule *x = &a->policy.rules[i], *y = &b->policy.rules[i];

		if (x->allow != y->allow || !identity_equal(x->from, y->from) ||
			!identity_equal(x->to, y->to))
			return false;
	}
	return true;
}

static bool addresses_equal(const struct config *a, const struct config *b)
{
	if (a->service.n_addresses != b->service.n_addresses)
		return false;
	for (unsigned int i = 0; i < a->service.n_addresses; i++) {
		const struct ipc_address *x = &a->service.addresses[i],
					 *y = &b->service.addresses[i];

		if (x->family != y->family || x->prefix_len != y->prefix_len ||
			memcmp(x->octets, y->octets, sizeof(x->octets)) != 0)
			return false;
	}
	return true;
}

static bool vlans_equal(const struct config *a, const struct config *b)
{
	return a->service.n_vlans == b->service.n_vlans &&
	       memcmp(a->service.vlans, b->service.vlans,
		       a->service.n_vlans * sizeof(a->service.vlans[0])) == 0;
}

static bool edges_equal(const struct config *a, const struct config *b)
{
	/* Octets without padding, zeroed behind the address. */
	return a->limits.n_trusted_edges == b->limits.n_trusted_edges &&
	       memcmp(a->limits.trusted_edges, b->limits.trusted_edges,
		       a->limits.n_trusted_edges * sizeof(a->limits.trusted_edges[0])) == 0;
}

static bool types_equal(const struct config *a, const struct config *b)
{
	if (a->policy.n_ticket_types != b->policy.n_ticket_types)
		return false;
	for (unsigned int i = 0; i < a->policy.n_ticket_types; i++) {
		const struct ipc_ticket_type *x = &a->policy.ticket_types[i],
					     *y = &b->policy.ticket_types[i];

		if (x->type != y->type || x->subtype != y->subtype || x->version != y->version)
			return false;
	}
	return true;
}

static bool sentinels_equal(const struct config *a, const struct config *b)
{
	if (a->sync.n_sentinels != b->sync.n_sentinels)
		return false;
	for (unsigned int i = 0; i < a->sync.n_sentinels; i++) {
		if (strcmp(a->sync.sentinels[i], b->sync.sentinels[i]) != 0)
			return false;
	}
	return true;
}

void config_compare(const struct config *boot, const struct config *live,
	const struct config *fresh, config_change_fn fn, void *arg)
{
	char a[VALUE_MAX], b[VALUE_MAX], key[64];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];

		setting_format(s, s->reload == CONFIG_RESTART ? boot : live, a, sizeof(a));
		setting_format(s, fresh, b, sizeof(b));
		snprintf(key, sizeof(key), "%s.%s", s->section, s->name);
		if (strcmp(a, b) != 0)
			fn(arg, key, a, b, s->reload);
	}
	if (!addresses_equal(live, fresh))
		fn(arg, "service.addresses", "(list)", "(list)", CONFIG_LIVE);
	if (!vlans_equal(live, fresh))
		fn(arg, "service.vlans", "(list)", "(list)", CONFIG_LIVE);
	if (!edges_equal(live, fresh))
		fn(arg, "limits.trusted_edges", "(list)", "(list)", CONFIG_LIVE);
	if (live->cluster.roles != fresh->cluster.roles)
		fn(arg, "cluster.roles", "(list)", "(list)", CONFIG_LIVE);
	if (!types_equal(live, fresh))
		fn(arg, "policy.ticket_types", "(list)", "(list)", CONFIG_LIVE);
	if (!sentinels_equal(boot, fresh))
		fn(arg, "sync.sentinels", "(list)", "(list)", CONFIG_RESTART);
	if (!rules_equal(live, fresh))
		fn(arg, "policy.rules", "(list)", "(list)", CONFIG_LIVE);
}

int config_path(const char *dir, const char *name, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}
