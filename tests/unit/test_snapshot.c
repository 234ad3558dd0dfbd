/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "dataplane/snapshot.h"

static struct ipc_snapshot ipc;
static struct crypto *crypto;
static uint8_t key[32];
static char kms[] = "kms@tkms.example", from[] = "?@a", to[] = "?@b";

static struct identity text(const char *s)
{
	return (struct identity){.data = (const uint8_t *)s, .len = (uint16_t)strlen(s)};
}

static void reset(void)
{
	memset(key, 0x5a, sizeof(key));
	ipc = (struct ipc_snapshot){
		.epoch = 9,
		.kms_identity = text(kms),
		.profile = 1,
		.max_skew_s = 300,
		.default_lifetime_s = 3600,
		.max_lifetime_s = 7200,
		.in_sync = 1,
		.roles = IPC_ROLES_ALL,
		.max_message = 8192,
		.max_idr_r = 32,
		.max_wildcards = 8,
		.max_identity = 255,
		.max_keys = 16,
		.errors_per_source_rate = 100,
		.errors_per_source_burst = 500,
		.errors_per_worker_rate = 10000,
		.n_types = 1,
		.n_rules = 1,
		.n_keys = 1,
		.n_addresses = 2,
		.types = {{1, 1, 1}},
		.rules = {{.from = text(from), .to = text(to), .allow = true}},
		.keys = {{.id = text("tpk-1"),
			.key = {key, 32},
			.seals_until = 100,
			.resolves_until = 200,
			.state = 1}},
		.addresses =
			{{.family = 4, .prefix_len = 24, .port = 2269, .octets = {192, 0, 2, 1}},
				{.family = 6,
					.prefix_len = 64,
					.port = 2269,
					.octets = {0x20, 1, 0xd, 0xb8, [15] = 1}}},
	};
}

static void setup(void)
{
	crypto = crypto_open("openssl");
	cr_assert(crypto);
	reset();
}

static void teardown(void)
{
	crypto_close(crypto);
}

TestSuite(snapshot, .init = setup, .fini = teardown);

Test(snapshot, keeps_everything_after_the_message_is_wiped)
{
	struct snapshot *s;
	const char *why;

	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0, "%s", why);
	memset(kms, 0, sizeof(kms) - 1);
	memset(from, 0, sizeof(from) - 1);
	memset(key, 0, sizeof(key));
	cr_expect_eq(s->epoch, 9u);
	cr_expect(identity_equal(s->policy.kms_identity, text("kms@tkms.example")));
	cr_expect_eq(s->policy.n_rules, 1u);
	cr_expect(identity_equal(s->policy.rules[0].from, text("?@a")));
	cr_expect(s->policy.rules[0].allow);
	cr_expect_eq(s->policy.profile, POLICY_RFC6043);
	cr_expect(s->policy.in_sync);
	cr_expect_eq(s->keyring.n_keys, 1u);
	cr_expect_eq(s->keyring.active, 0);
	cr_expect_eq(s->limits.errors_source.burst, 500u);
	cr_expect(net_addresses_has_port(&s->addresses, 4, ipc.addresses[0].octets, 2269));
	cr_expect(net_addresses_has_port(&s->addresses, 6, ipc.addresses[1].octets, 2269));
	snapshot_free(s);
}

Test(snapshot, limits_edges_vlans_and_path_mtus_arrive)
{
	static const uint8_t edge6[16] = {0x20, 1, 0xd, 0xb8};
	struct snapshot *s;
	const char *why;

	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0, "%s", why);
	cr_expect(net_vlans_has(&s->vlans, 0), "none given: frames without a tag");
	cr_expect_not(net_vlans_has(&s->vlans, 7));
	cr_expect_eq(s->ipv4_path_mtu, UINT16_MAX);
	cr_expect_eq(s->ipv6_path_mtu, 1280);
	cr_expect_eq(s->limits.source.rate, 0u);
	snapshot_free(s);

	ipc.source = (struct ipc_limit){1, 2};
	ipc.subscriber = (struct ipc_limit){3, 4};
	ipc.function = (struct ipc_limit){5, 6};
	ipc.repeat = (struct ipc_limit){7, 8};
	ipc.ipv4_path_mtu = 576;
	ipc.ipv6_path_mtu = 9000;
	ipc.n_edges = 1;
	ipc.edges[0] = (struct ipc_prefix){.family = 6, .len = 32, .octets = {0x20, 1, 0xd, 0xb8}};
	ipc.n_vlans = 2;
	ipc.vlans[0] = 7;
	ipc.vlans[1] = IPC_VLAN_MAX;
	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0, "%s", why);
	cr_expect(s->limits.source.rate == 1 && s->limits.source.burst == 2);
	cr_expect(s->limits.subscriber.rate == 3 && s->limits.subscriber.burst == 4);
	cr_expect(s->limits.function.rate == 5 && s->limits.function.burst == 6);
	cr_expect(s->limits.repeat.rate == 7 && s->limits.repeat.burst == 8);
	cr_expect_eq(s->ipv4_path_mtu, 576);
	cr_expect_eq(s->ipv6_path_mtu, 9000);
	cr_expect_eq(s->limits.n_edges, 1u);
	cr_expect_eq(s->limits.edges[0].prefix_len, 32);
	cr_expect_arr_eq(s->limits.edges[0].octets, edge6, sizeof(edge6));
	cr_expect(net_vlans_has(&s->vlans, 7) && net_vlans_has(&s->vlans, IPC_VLAN_MAX));
	cr_expect_not(net_vlans_has(&s->vlans, 0));
	snapshot_free(s);
}

static void expect_refused(const char *what)
{
	struct snapshot *s = (struct snapshot *)&ipc;
	const char *why = NULL;

	cr_expect_eq(snapshot_build(&s, crypto, &ipc, &why), -EINVAL, "%s", what);
	cr_expect_null(s);
	cr_expect(why && why[0], "%s: no reason", what);
	reset();
}

Test(snapshot, refuses_what_cannot_be_served)
{
	ipc.n_edges = 1;
	expect_refused("edge of no family");
	ipc.n_edges = 1;
	ipc.edges[0] = (struct ipc_prefix){.family = 4, .len = 33};
	expect_refused("prefix of an edge");
	ipc.n_edges = IPC_EDGES_MAX + 1;
	expect_refused("number of edges");
	ipc.n_vlans = 1;
	ipc.vlans[0] = 4095;
	expect_refused("VLAN id");
	ipc.n_vlans = IPC_VLANS_MAX + 1;
	expect_refused("number of VLANs");
	ipc.ipv4_path_mtu = 575;
	expect_refused("path MTU of IPv4");
	ipc.ipv6_path_mtu = 1279;
	expect_refused("path MTU of IPv6");
	ipc.kms_identity.len = 0;
	expect_refused("no identity");
	ipc.profile = 2;
	expect_refused("profile");
	ipc.n_types = 0;
	expect_refused("no ticket types");
	ipc.max_skew_s = 0;
	expect_refused("no skew");
	ipc.default_lifetime_s = 0;
	expect_refused("no lifetime");
	ipc.max_lifetime_s = 10;
	expect_refused("longest lifetime below the default");
	ipc.max_message = 0;
	expect_refused("no message size");
	ipc.max_idr_r = 0;
	expect_refused("no IDRr");
	ipc.max_idr_r = 33;
	expect_refused("more IDRr than the parser records");
	ipc.max_identity = 0;
	expect_refused("no identity length");
	ipc.max_keys = 0;
	expect_refused("no keys");
	ipc.addresses[0].family = 5;
	expect_refused("family");
	ipc.addresses[0].port = 0;
	expect_refused("port 0");
	ipc.addresses[1].octets[0] = 0xff;
	expect_refused("multicast address");
	ipc.keys[0].key.len = 8;
	expect_refused("short key");
	ipc.n_keys = 2;
	ipc.keys[1] = ipc.keys[0];
	ipc.keys[1].id = text("tpk-2");
	expect_refused("two active keys");
}

Test(snapshot, view_needs_snapshot_and_subscribers)
{
	struct shared shared = {0};
	struct engine_view view;
	struct snapshot *s;
	const char *why;

	cr_expect_null(snapshot_view(&shared, &view));
	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0);
	snapshot_publish(&shared, s);
	cr_expect_null(snapshot_view(&shared, &view));
	subscribers_publish(&shared, subscriber_table_new(16));
	cr_expect_eq(snapshot_view(&shared, &view), s);
	cr_expect_eq(view.keyring, &s->keyring);
	shared_clear(&shared);
	cr_expect_null(snapshot_view(&shared, &view));
}

Test(snapshot, without_contact_nobody_is_in_sync)
{
	struct shared shared = {0};
	struct snapshot *s;
	const char *why;

	snapshot_set_contact(&shared, false); /* nothing to change yet */
	reset();
	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0);
	shared.snapshot = s;
	snapshot_set_contact(&shared, false);
	cr_expect(!s->policy.in_sync);
	snapshot_set_contact(&shared, true);
	cr_expect(s->policy.in_sync);
	snapshot_free(s);
	ipc.in_sync = 0;
	cr_assert_eq(snapshot_build(&s, crypto, &ipc, &why), 0);
	shared.snapshot = s;
	snapshot_set_contact(&shared, true);
	cr_expect(!s->policy.in_sync, "contact alone does not bring a node up to date");
	snapshot_free(s);
}
