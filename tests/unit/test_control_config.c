/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config.h"

#define GOOD                                \
	"kms:\n"                            \
	"  identity: kms@company.example\n" \
	"service:\n"                        \
	"  addresses: [192.0.2.10/24, \"2001:db8::10/64\"]\n"

static char path[] = "/tmp/tkms-config-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(control_config, .init = setup, .fini = teardown);

static struct config *load(const char *text, size_t len, struct config_errors *errors)
{
	struct config *c;
	FILE *f = fopen(path, "w");

	cr_assert(f);
	cr_assert_eq(fwrite(text, 1, len, f), len);
	fclose(f);
	*errors = (struct config_errors){0};
	if (config_load(path, &c, errors) == 0)
		cr_assert_eq(errors->n, 0);
	else
		cr_assert(errors->n > 0 && c == NULL);
	return c;
}

static struct config *load_good(const char *text)
{
	struct config_errors errors;
	struct config *c = load(text, strlen(text), &errors);

	cr_assert(c, "%s", errors.text);
	return c;
}

Test(control_config, defaults_are_those_of_the_table)
{
	struct config *c = load_good(GOOD);

	cr_assert_str_eq(c->kms.identity, "kms@company.example");
	cr_assert_eq(c->kms.profile, CONFIG_3GPP);
	cr_assert_str_eq(c->node.state_dir, "/var/lib/tkms");
	cr_assert_str_eq(c->node.kek_file, "/etc/tkms/kek");
	cr_assert_neq(*c->node.name, '\0', "the host's name");
	cr_assert_eq(c->service.port, 2269);
	cr_assert_eq(c->policy.max_skew, 300 * SECOND);
	cr_assert_eq(c->policy.default_lifetime, DAY);
	cr_assert_eq(c->policy.max_lifetime, 7 * DAY);
	cr_assert(c->policy.allow_groups && c->policy.allow_reuse && c->policy.allow_mode3);
	cr_assert_eq(c->policy.n_ticket_types, 2);
	cr_assert_eq(c->policy.ticket_types[0].version, 1);
	cr_assert_eq(c->policy.ticket_types[1].type, 2);
	cr_assert_eq(c->policy.n_rules, 0);
	cr_assert_eq(c->limits.max_message, 8192);
	cr_assert_eq(c->limits.max_recipients, 32);
	cr_assert_eq(c->limits.max_wildcards, 8);
	cr_assert_eq(c->limits.max_identity, 255);
	cr_assert_eq(c->limits.max_keys, 16);
	cr_assert_eq(c->limits.errors_per_source, 100);
	cr_assert_eq(c->limits.errors_burst, 500);
	cr_assert_eq(c->limits.errors_per_worker, 10000);
	cr_assert_geq(c->limits.messages_per_source, 50000u, "an edge must not be throttled");
	cr_assert_geq(c->limits.source_burst, c->limits.messages_per_source);
	cr_assert_eq(c->limits.messages_per_subscriber, 200);
	cr_assert_eq(c->limits.messages_per_function, 10000);
	cr_assert_eq(c->limits.repeats_per_message, 10);
	cr_assert_eq(c->limits.n_trusted_edges, 0);
	cr_assert_eq(c->service.ipv4_path_mtu, 1500);
	cr_assert_eq(c->service.ipv6_path_mtu, 1280);
	cr_assert_eq(c->service.n_vlans, 1);
	cr_assert_eq(c->service.vlans[0], 0);
	cr_assert_eq(c->keys.rotation_interval, DAY);
	config_free(c);
}

Test(control_config, values_arrive)
{
	struct config *c = load_good(
		"kms: {identity: k@d, profile: rfc6043}\n"
		"node: {name: n1, state_dir: /s, run_dir: /r}\n"
		"service: {port: 4000, addresses: [10.1.2.3/31, \"fe80::1/128\"], vlans: [7, "
		"4094]}\n"
		"limits: {trusted_edges: [10.0.8.0/21, \"2001:db8::/32\"]}\n"
		"policy:\n"
		"  max_skew: 10m\n"
		"  default_lifetime: 3600s\n"
		"  max_lifetime: 2d\n"
		"  allow_groups: false\n"
		"  end_to_middle_app: app@d\n"
		"  ticket_types: [2.0.0]\n"
		"  rules:\n"
		"    - {from: \"?@guest.example\", to: \"?\", allow: false}\n"
		"keys: {rotation_interval: 90m, activation_lead: 200ms}\n"
		"log: {level: debug, format: json}\n");

	cr_assert_eq(c->kms.profile, CONFIG_RFC6043);
	cr_assert_str_eq(c->node.name, "n1");
	cr_assert_eq(c->service.n_addresses, 2);
	cr_assert_eq(c->service.addresses[0].family, 4);
	cr_assert_eq(c->service.addresses[0].prefix_len, 31);
	cr_assert_eq(c->service.addresses[0].port, 4000);
	cr_assert_arr_eq(c->service.addresses[0].octets, ((uint8_t[]){10, 1, 2, 3}), 4);
	cr_assert_eq(c->service.addresses[1].family, 6);
	cr_assert_eq(c->service.n_vlans, 2);
	cr_assert_eq(c->service.vlans[0], 7);
	cr_assert_eq(c->service.vlans[1], 4094);
	cr_assert_eq(c->limits.n_trusted_edges, 2);
	cr_assert_eq(c->limits.trusted_edges[0].len, 21);
	cr_assert_arr_eq(c->limits.trusted_edges[0].octets, ((uint8_t[]){10, 0, 8, 0}), 4);
	cr_assert_eq(c->limits.trusted_edges[1].family, 6);
	cr_assert_eq(c->policy.max_skew, 600 * SECOND);
	cr_assert_eq(c->policy.max_lifetime, 2 * DAY);
	cr_assert_not(c->policy.allow_groups);
	cr_assert_str_eq(c->policy.end_to_middle_app, "app@d");
	cr_assert_eq(c->policy.n_ticket_types, 1);
	cr_assert_eq(c->policy.n_rules, 1);
	cr_assert_eq(c->policy.rules[0].from.len, strlen("?@guest.example"));
	cr_assert_not(c->policy.rules[0].allow);
	cr_assert_eq(c->keys.activation_lead, 200);
	cr_assert_eq(c->log.level, 3);
	cr_assert_eq(c->log.format, 1);
	config_free(c);
}

struct bad {
	const char *text;
	const char *place; /* ":LINE: KEY: " */
	const char *what;
};

static const struct bad bads[] = {
	{GOOD "foo: 1\n", ":5: foo: ", "unknown key"},
	{GOOD "policy:\n  max_skew: 10s\n  max_sqew: 10s\n",
		":7: policy.max_sqew: ", "unknown key"},
	{GOOD "policy:\n  rules:\n    - {from: a, to: b, allow: true}\n    - {from: a, too: b}\n",
		":8: policy.rules[1].too: ", "unknown key"},
	{GOOD "limits:\n  max_keys: 3\n\n  max_keys: 4\n", ":8: limits.max_keys: ", "given twice"},
	{GOOD "limits: {max_keys: 17}\n", ":5: limits.max_keys: ", "17 is out of range (1 to 16)"},
	{GOOD "limits:\n  max_keys: 12abc\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: 1e1\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: 010\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: 0x8\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: -1\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: \"\"\n", ":6: limits.max_keys: ", "no whole number"},
	{GOOD "limits:\n  max_keys: 4294967297\n", ":6: limits.max_keys: ", "out of range"},
	{GOOD "limits:\n  max_keys: 99999999999999999999\n",
		":6: limits.max_keys: ", "out of range"},
	{GOOD "limits:\n  max_keys: 0\n", ":6: limits.max_keys: ", "out of range"},
	{GOOD "limits:\n  max_message: many\n", ":6: limits.max_message: ", "many"},
	{GOOD "limits:\n  max_message: -1\n", ":6: limits.max_message: ", "-1"},
	{GOOD "limits:\n  max_message: 99999999999999999999\n", ":6: limits.max_message: ", ""},
	{GOOD "limits:\n  max_message: [1]\n", ":6: limits.max_message: ", ""},
	{GOOD "policy:\n  max_skew: 5\n", ":6: policy.max_skew: ", "\"5\" is no duration"},
	{GOOD "policy:\n  max_skew: 2d\n",
		":6: policy.max_skew: ", "2d is out of range (1s to 1d)"},
	{GOOD "policy:\n  max_skew: 99999999999999999999d\n",
		":6: policy.max_skew: ", "out of range"},
	{GOOD "policy:\n  max_skew:\n", ":6: policy.max_skew: ", "no duration"},
	{GOOD "policy:\n  allow_groups: perhaps\n", ":6: policy.allow_groups: ", "perhaps"},
	{GOOD "policy:\n  default_lifetime: 8d\n",
		":6: policy.default_lifetime: ", "longer than policy.max_lifetime"},
	{GOOD "policy:\n  ticket_types: [1.1.1, 1.1]\n",
		":6: policy.ticket_types[1]: ", "\"1.1\" is no ticket type"},
	{GOOD "policy:\n  ticket_types: [1.1.256]\n",
		":6: policy.ticket_types[0]: ", "no ticket type"},
	{GOOD "policy:\n  ticket_types: []\n", ":6: policy.ticket_types: ", "1 to 8"},
	{GOOD "policy:\n  rules:\n    - {from: \"\", to: b, allow: true}\n",
		":7: policy.rules[0].from: ", "1 to 255"},
	{GOOD "policy:\n  rules:\n    - from: \"????????\"\n      to: b\n      allow: true\n",
		":7: policy.rules[0].from: ", "too many"},
	{GOOD "policy:\n  rules:\n    - {from: a, to: b}\n", "policy.rules[0]", "allow"},
	{GOOD "limits:\n  trusted_edges: [10.0.0.0]\n",
		":6: limits.trusted_edges[0]: ", "no ADDRESS/PREFIX-LENGTH"},
	{GOOD "limits:\n  trusted_edges: [10.0.0.1/31]\n",
		":6: limits.trusted_edges[0]: ", "bits behind the prefix"},
	{GOOD "limits:\n  trusted_edges: [10.0.0.1/32, x/3]\n",
		":6: limits.trusted_edges[1]: ", "no IPv4 or IPv6 address"},
	{GOOD "limits:\n  trusted_edges: [10.0.0.1/33]\n",
		":6: limits.trusted_edges[0]: ", "wrong prefix length"},
	{GOOD "  vlans: [4095]\n", ":5: service.vlans[0]: ", "no VLAN id"},
	{GOOD "  vlans: [-1]\n", ":5: service.vlans[0]: ", "no VLAN id"},
	{GOOD "  vlans: [5, 0, 5]\n", ":5: service.vlans[2]: ", "twice"},
	{GOOD "  vlans: []\n", ":5: service.vlans: ", "1 to 64"},
	{GOOD "log:\n  level: loud\n",
		":6: log.level: ", "\"loud\" is none of: error, warning, info, debug"},
	{GOOD "keys:\n  rotation_interval: 1h\n  activation_lead: 2h\n",
		":7: keys.activation_lead: ", "not shorter"},
	{GOOD "keys:\n  rotation_interval: 60s\n  activation_lead: 1s\n",
		":6: keys.rotation_interval: ", "too short"},
	{GOOD "node:\n  state_dir: var/lib\n", ":6: node.state_dir: ", "no absolute path"},
	{GOOD "node:\n  name: \"a b\"\n", ":6: node.name: ", "octets other than"},
	{GOOD "policy.max_skew: 5s\n", ":5: ", "a dot or brackets"},
	{GOOD "\"policy[\": 5s\n", ":5: ", "a dot or brackets"},
	{GOOD "node: 3\n", ":5: node: ", ""},
	{GOOD "node: &x\n  name: a\nlog: *x\n", ":7: ", "alias"},
	{GOOD "---\nlog: {}\n", ":5: ", "more than one document"},
	{GOOD "log: [\n", ":6: ", ""},
	{GOOD "\tlog: 1\n", ":5: ", ""},
	{"service:\n  addresses: [10.0.0.1/8]\n", ": kms.identity: ", "missing"},
	{"kms:\n  profile: 3gpp\nservice:\n  addresses: [10.0.0.1/8]\n",
		":1: kms.identity: ", "missing"},
	{"kms:\n  identity: nobody\nservice:\n  addresses: [10.0.0.1/8]\n",
		":2: kms.identity: ", "\"nobody\" is no identity"},
	{"kms:\n  identity: a?@b\nservice:\n  addresses: [10.0.0.1/8]\n",
		":2: kms.identity: ", "no identity"},
	{"kms:\n  identity: k@d\n  profile: 4gpp\nservice:\n  addresses: [10.0.0.1/8]\n",
		":3: kms.profile: ", "3gpp, rfc6043"},
	{"kms:\n  identity: k@d\n", ": service.addresses: ", "missing"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: []\n",
		":4: service.addresses: ", "missing"},
	{"kms:\n  identity: k@d\nservice:\n  addresses:\n    - 10.0.0.1/8\n    - 10.0.0.300/8\n",
		":6: service.addresses[1]: ", "\"10.0.0.300/8\" is no IPv4 or IPv6 address"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.0.0.1]\n",
		":4: service.addresses[0]: ", "no ADDRESS/PREFIX-LENGTH"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.0.0.1/33]\n",
		":4: service.addresses[0]: ", "prefix length"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.0.0.1/8x]\n",
		":4: service.addresses[0]: ", "prefix length"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.0.0.0/8]\n",
		":4: service.addresses[0]: ", "network's own"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.255.255.255/8]\n",
		":4: service.addresses[0]: ", "broadcast"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [224.0.0.1/8]\n",
		":4: service.addresses[0]: ", "unicast"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [\"::1/128\"]\n",
		":4: service.addresses[0]: ", "unicast"},
	{"kms:\n  identity: k@d\nservice:\n  addresses: [10.0.0.1/8, 10.0.0.1/16]\n",
		":4: service.addresses[1]: ", "twice"},
	{"kms:\n  identity: k@d\nservice:\n  port: 65536\n  addresses: [10.0.0.1/8]\n",
		":4: service.port: ", "out of range"},
	{"", ": kms.identity: ", "empty"},
	{"# nothing\n", ": kms.identity: ", "empty"},
	{"just text\n", ":1: ", "not a mapping"},
	{"[1, 2]\n", ":1: ", "not a mapping"},
	{"kms:\n  identity: \"\xff\xfe\"\n", ":1: ", "not UTF-8"},
	{"a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h:\n        i: 1\n",
		":9: ", "too deep"},
};

Test(control_config, wrong_files_are_refused_with_file_line_and_key)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct config_errors errors;
		struct config *c = load(bads[i].text, strlen(bads[i].text), &errors);
		char expected[256];

		cr_assert_null(c, "accepted: %s", bads[i].text);
		snprintf(expected, sizeof(expected), "%s%s", *bads[i].place == ':' ? path : "",
			bads[i].place);
		cr_assert(strstr(errors.text, expected), "%zu: \"%s\" is not in \"%s\"", i,
			expected, errors.text);
		cr_assert(strstr(errors.text, bads[i].what), "%zu: \"%s\" is not in \"%s\"", i,
			bads[i].what, errors.text);
		cr_assert(strstr(errors.text, path));
		free(errors.text);
	}
}

Test(control_config, all_complaints_come_at_once)
{
	static const char text[] =
		GOOD "limits:\n  max_keys: 17\n  max_message: 1\nlog:\n  level: x\n";
	struct config_errors errors;

	cr_assert_null(load(text, strlen(text), &errors));
	cr_assert_eq(errors.n, 3);
	cr_assert(strstr(errors.text, ":6: ") && strstr(errors.text, ":7: ") &&
		  strstr(errors.text, ":9: "));
	free(errors.text);
}

Test(control_config, a_file_cut_anywhere_or_with_any_octet_flipped_does_no_harm)
{
	char text[] = GOOD "policy:\n  rules:\n    - {from: \"?@g\", to: \"?\", allow: false}\n  "
			   "max_skew: 5m\n";
	struct config_errors errors;

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		config_free(load(text, cut, &errors));
		free(errors.text);
	}
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			text[i] ^= (char)(1 << bit);
			config_free(load(text, sizeof(text) - 1, &errors));
			free(errors.text);
			text[i] ^= (char)(1 << bit);
		}
	}
}

Test(control_config, files_that_cannot_be_read_are_named)
{
	struct config_errors errors = {0};
	struct config *c;

	cr_assert_eq(config_load("/nonexistent/tkms.yaml", &c, &errors), -ENOENT);
	cr_assert(strstr(errors.text, "/nonexistent/tkms.yaml: No such file"));
	free(errors.text);
	errors = (struct config_errors){0};
	cr_assert_eq(config_load("/tmp", &c, &errors), -EISDIR);
	free(errors.text);
}

Test(control_config, printed_defaults_are_a_file_that_is_accepted)
{
	struct config_errors errors = {0};
	struct config *c;
	FILE *f = fopen(path, "w");

	cr_assert(f);
	config_print_defaults(f);
	fclose(f);
	cr_assert_eq(config_load(path, &c, &errors), 0, "%s", errors.text);
	cr_assert_eq(c->policy.max_lifetime, 7 * DAY);
	config_free(c);
}

struct changes {
	unsigned int live, restart;
	char keys[256];
};

static void note(void *arg, const char *key, const char *before, const char *after,
	enum config_reload reload)
{
	struct changes *changes = arg;

	cr_assert(before && after);
	*(reload == CONFIG_LIVE ? &changes->live : &changes->restart) += 1;
	strcat(changes->keys, key);
	strcat(changes->keys, " ");
}

Test(control_config, a_reload_says_what_changed_and_what_needs_a_restart)
{
	struct config *a = load_good(GOOD);
	struct config *b = load_good("kms: {identity: other@company.example}\nservice: {addresses: "
				     "[192.0.2.10/24, \"2001:db8::11/64\"]}\n"
				     "limits: {trusted_edges: [10.0.0.80/32]}\n"
				     "policy: {max_skew: 10s, ticket_types: [1.1.1]}\n");
	struct changes changes = {0};

	config_compare(a, a, a, note, &changes);
	cr_assert_eq(changes.live + changes.restart, 0);
	config_compare(a, a, b, note, &changes);
	cr_assert_eq(changes.restart, 1);
	cr_assert_str_eq(changes.keys,
		"kms.identity policy.max_skew service.addresses limits.trusted_edges "
		"policy.ticket_types ");
	config_free(a);
	config_free(b);
}

Test(control_config, sentinels_are_addresses_with_ports)
{
	struct config *c = load_good(GOOD "sync:\n  sentinels: [\"192.0.2.1:26379\", "
					  "\"[2001:db8::1]:26379\"]\n");

	cr_assert_eq(c->sync.n_sentinels, 2);
	cr_assert_str_eq(c->sync.sentinels[1], "[2001:db8::1]:26379");
	cr_assert_str_eq(c->sync.primary, "tkms");
	cr_assert_str_eq(c->sync.prefix, "tkms");
	cr_assert_eq(c->sync.max_staleness, DAY);
	config_free(c);
}

Test(control_config, a_single_node_has_no_sentinels)
{
	struct config *c = load_good(GOOD);

	cr_assert_eq(c->sync.n_sentinels, 0);
	config_free(c);
}

Test(control_config, wrong_settings_of_redis_are_refused)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"sync:\n  sentinels: [redis.example:26379]\n", "is no ADDRESS:PORT"},
		{"sync:\n  sentinels: [192.0.2.1]\n", "has no port"},
		{"sync:\n  sentinels: [\"192.0.2.1:1\", \"192.0.2.1:1\"]\n", "is there twice"},
		{"sync:\n  user: tkms\n", "sync.user needs a password"},
		{"sync:\n  password_file: secret\n", "is no absolute path"},
		{"sync:\n  prefix: \"a b\"\n", "has a blank"},
		{"sync:\n  max_staleness: 1s\n", "is out of range"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_errors errors;
		char text[512];

		snprintf(text, sizeof(text), GOOD "%s", cases[i].text);
		cr_assert_null(load(text, strlen(text), &errors), "%s", cases[i].text);
		cr_assert(strstr(errors.text, cases[i].complaint), "%s", errors.text);
		free(errors.text);
	}
}
