/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop's side of the replica set, with a bus played by the test, and its state file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/clock.h"
#include "control/cluster.h"
#include "control/cluster_state.h"
#include "control/log.h"

enum { HEARTBEAT_MS = 50, DEAD_MS = 200, SELF = 7, OTHER = 9 };

static char dir[] = "/tmp/tkms-cluster-XXXXXX";
static char path[64];
static struct event_base *base;
static struct cluster *c;
static unsigned int changes;
static bool is_serving = true;

static struct {
	struct bus_status status;
	bool is_deaf; /* takes nothing */
	unsigned int puts;
	uint64_t version, forgotten;
	struct heartbeat said;
} fake;

static int put(struct bus *b, enum bus_table table, uint64_t version, const void *plain, size_t len)
{
	(void)b;
	cr_assert_eq(table, BUS_NODES);
	cr_assert_gt(version, fake.version, "it grows");
	cr_assert_eq(heartbeat_decode(&fake.said, plain, len), 0);
	fake.version = version;
	fake.puts++;
	if (!fake.is_deaf)
		fake.status.written_ms[BUS_NODES] = clock_mono_ms();
	return 0;
}

static void forget(struct bus *b, uint64_t origin)
{
	(void)b;
	fake.forgotten = origin;
}

static const struct bus_status *status(const struct bus *b)
{
	(void)b;
	fake.status.is_reachable = !fake.is_deaf;
	if (!fake.is_deaf)
		fake.status.read_ms[BUS_NODES] = clock_mono_ms();
	return &fake.status;
}

static void fill(void *arg, struct heartbeat *h)
{
	(void)arg;
	h->is_serving = is_serving;
	h->is_in_sync = true;
}

static void changed(void *arg)
{
	(void)arg;
	changes++;
}

static const struct cluster_settings settings = {.origin = SELF,
	.name = "self",
	.version = "1.0",
	.roles = ROLE_REQUEST | ROLE_RESOLVE,
	.heartbeat_ms = HEARTBEAT_MS,
	.dead_after_ms = DEAD_MS,
	.max_staleness_ms = 60000,
	.max_clock_offset_ms = 30000,
	.lead_ms = 1000,
	.state_path = path};

static const struct ipc_address addresses[2] = {
	{.family = 4, .port = 2269, .octets = {10, 0, 0, 1}},
	{.family = 6, .port = 2269, .octets = {0xfd, [15] = 1}}};

enum company { ALONE, IN_A_SET };

static void open_cluster(enum company company)
{
	static const struct cluster_owner owner = {NULL, fill, changed};
	const struct cluster_bus bus = {NULL, put, forget, status};
	struct reason why;

	c = cluster_new(base, &settings, &owner, &why);
	cr_assert(c, "%s", why.text);
	cluster_configure(c, &settings, addresses, 2);
	if (company == IN_A_SET)
		cluster_attach(c, &bus);
}

static void setup(void)
{
	log_configure(LOG_ERROR, LOG_TEXT);
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cluster", dir);
	base = event_base_new();
	cr_assert(base);
}

static void teardown(void)
{
	cluster_free(c);
	event_base_free(base);
	unlink(path);
	rmdir(dir);
}

TestSuite(cluster, .init = setup, .fini = teardown, .timeout = 60);

static unsigned int held(uint64_t *version)
{
	struct ipc_address out[IPC_ADDRESSES_MAX];

	return cluster_addresses(c, out, version);
}

/* The data plane acknowledges whatever there is. */
static void run(unsigned int ms)
{
	struct timeval turn = {0, 5000};

	for (uint64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;) {
		uint64_t version;

		(void)held(&version);
		cluster_acknowledged(c, version);
		event_base_loopexit(base, &turn);
		cr_assert_geq(event_base_dispatch(base), 0);
	}
}

static void hear(uint64_t counter)
{
	struct heartbeat beat = {.name = "other", .time_ms = fake.said.time_ms};
	uint8_t buf[256];

	cr_assert_eq(
		cluster_record(c, OTHER, counter, buf, heartbeat_encode(&beat, buf, sizeof(buf))),
		0);
}

Test(cluster, a_node_alone_holds_all_at_once_and_says_nothing)
{
	uint64_t version;

	open_cluster(ALONE);
	cr_expect_eq(held(&version), 2);
	run(300);
	cr_expect_eq(held(&version), 2);
	cr_expect(cluster_is_in_sync(c));
	cr_expect_eq(fake.puts, 0);
	cr_expect_neq(access(path, F_OK), 0, "it leaves nothing behind");
	cluster_drain(c, DRAIN_OPERATOR);
	run(300);
	cr_expect_eq(cluster_progress(c), CLUSTER_STUCK);
	cr_expect_eq(held(&version), 2);
}

Test(cluster, heartbeats_go_out_in_time)
{
	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(1000);
	cr_expect(fake.puts >= 5 && fake.puts <= 60, "%u", fake.puts);
	cr_expect_str_eq(fake.said.name, "self");
	cr_expect_eq(fake.said.roles, settings.roles);
	cr_expect_eq(fake.said.n_claims, 2);
	cr_expect(fake.said.is_serving && fake.said.is_in_sync && !fake.said.is_draining);
}

Test(cluster, what_was_held_is_held_over_a_restart_without_the_bus)
{
	uint64_t version, counter;

	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(500);
	cr_assert_eq(held(&version), 2);
	cluster_free(c);
	counter = fake.version;
	fake.is_deaf = true;
	fake.status = (struct bus_status){0};
	open_cluster(IN_A_SET);
	cr_expect_eq(held(&version), 2, "before anything else");
	run(500);
	cr_expect_eq(held(&version), 2);
	cr_expect_gt(fake.version, counter);
	cr_expect_not(cluster_is_in_sync(c), "but who knows what was missed");
}

Test(cluster, counters_grow_when_the_clock_has_gone_back)
{
	const uint64_t later = (uint64_t)(clock_now() + 86400) * 1000;
	struct cluster_state s = {.counter = later};

	cr_assert_eq(cluster_state_save(path, &s), 0);
	open_cluster(IN_A_SET);
	run(300);
	cr_expect_gt(fake.version, later);
	cr_assert_eq(cluster_state_load(path, &s), 0);
	cr_expect_gt(s.counter, fake.version, "and some are in reserve");
}

Test(cluster, the_operators_drain_outlives_a_restart_and_the_end_does_not)
{
	open_cluster(IN_A_SET);
	cluster_drain(c, DRAIN_OPERATOR);
	cluster_drain(c, DRAIN_ENDING);
	cluster_free(c);
	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(300);
	cr_expect_eq(cluster_status(c)->drain_reasons, DRAIN_OPERATOR);
	cluster_undrain(c, DRAIN_OPERATOR);
	cluster_free(c);
	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(300);
	cr_expect_eq(cluster_status(c)->drain_reasons, 0);
}

Test(cluster, the_dead_are_told_and_can_be_forgotten)
{
	const struct cluster_member *members;
	unsigned int n;

	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(200);
	hear(1);
	run(20);
	members = cluster_members(c, &n);
	cr_assert_eq(n, 2);
	cr_expect(members[0].is_self && members[1].is_alive);
	cr_expect_eq(cluster_forget(c, OTHER), -EBUSY);
	changes = 0;
	run(DEAD_MS + 300);
	members = cluster_members(c, &n);
	cr_expect_not(members[1].is_alive);
	cr_expect_gt(changes, 0);
	cr_expect_eq(cluster_forget(c, OTHER), 0);
	cr_expect_eq(fake.forgotten, OTHER);
	run(100);
	(void)cluster_members(c, &n);
	cr_expect_eq(n, 1);
	cr_expect_eq(fake.said.n_forgotten, 1, "the others are told");
	hear(1);
	run(20);
	(void)cluster_members(c, &n);
	cr_expect_eq(n, 1, "an old record does not bring it back");
	hear(2);
	run(20);
	(void)cluster_members(c, &n);
	cr_expect_eq(n, 2);
	cr_expect_eq(cluster_record(c, OTHER, 3, "x", 1), -EBADMSG);
}

static const struct cluster_member *restart(bool is_bus_away)
{
	const struct cluster_member *members;
	unsigned int n;

	cluster_free(c);
	fake.is_deaf = is_bus_away;
	fake.status = (struct bus_status){0};
	open_cluster(IN_A_SET);
	if (!is_bus_away)
		cluster_caught_up(c);
	run(DEAD_MS + 300);
	members = cluster_members(c, &n);
	return n == 2 ? &members[1] : NULL;
}

Test(cluster, whom_a_node_has_met_it_knows_after_a_restart)
{
	const struct cluster_member *other;
	uint64_t version;

	open_cluster(IN_A_SET);
	cluster_caught_up(c);
	run(100);
	hear(5);
	run(100);
	for (unsigned int round = 0; round < 3; round++) { /* an empty bus, none, an empty one */
		other = restart(round == 1);
		cr_assert(other, "round %u", round);
		cr_expect_eq(other->origin, OTHER);
		cr_expect_str_eq(other->beat.name, "other");
		cr_expect(!other->is_heard && !other->is_alive);
		cr_expect_eq(held(&version), 2, "it holds nothing");
	}
	hear(4);
	cr_expect_not(cluster_members(c, &(unsigned int){0})[1].is_alive, "that is an old one");
	hear(5);
	other = &cluster_members(c, &(unsigned int){0})[1];
	cr_expect(other->is_heard && other->is_alive);
	run(DEAD_MS + 300);
	other = &cluster_members(c, &(unsigned int){0})[1];
	cr_expect(other->is_heard && !other->is_alive, "and it dies as any other");
	cr_assert(restart(false));
	cr_expect_eq(cluster_forget(c, OTHER), 0);
	cr_expect_null(restart(false), "until it is forgotten");
}

Test(cluster, without_a_state_file_the_store_says_who_was_met)
{
	static const uint64_t origins[] = {OTHER, SELF};
	const struct cluster_member *members;
	unsigned int n;

	open_cluster(IN_A_SET);
	cr_expect(cluster_remember(c, origins, 2));
	members = cluster_members(c, &n);
	cr_assert_eq(n, 2);
	cr_expect_str_eq(members[1].beat.name, "0000000000000009");
	cr_expect(!members[1].is_heard && !members[1].is_alive);
	cluster_caught_up(c);
	run(DEAD_MS + 300);
	cr_expect_eq(cluster_forget(c, OTHER), 0);
	cr_expect_null(restart(false));
	cr_expect_not(cluster_remember(c, origins, 2), "who was forgotten stays so");
	(void)cluster_members(c, &n);
	cr_expect_eq(n, 1);
}

Test(cluster, a_state_file_comes_back_as_it_was)
{
	struct cluster_state s = {.counter = UINT64_MAX,
		.contact_ms = 4000000000000,
		.is_drained_by_operator = true,
		.n_claims = IPC_ADDRESSES_MAX,
		.has_members = true,
		.n_members = BUS_ORIGINS_MAX};
	struct cluster_state got;

	for (unsigned int i = 0; i < IPC_ADDRESSES_MAX; i++) {
		s.claims[i].family = i % 2 ? 4 : 6;
		s.claims[i].octets[3] = (uint8_t)i;
		s.claims[i].number = UINT64_MAX - i;
	}
	for (unsigned int i = 0; i < BUS_ORIGINS_MAX; i++) {
		s.members[i].origin = UINT64_MAX - i;
		s.members[i].counter = UINT64_MAX - 2 * i;
		memset(s.members[i].name, 'n', 1 + i % HEARTBEAT_NAME_MAX);
	}
	cr_assert_eq(cluster_state_save(path, &s), 0);
	cr_assert_eq(cluster_state_load(path, &got), 0);
	cr_expect_eq(memcmp(&s, &got, sizeof(s)), 0);
	unlink(path);
	cr_expect_eq(cluster_state_load(path, &got), -ENOENT);
	cr_expect_eq(cluster_state_save("/nowhere/cluster", &s), -ENOENT);
}

Test(cluster, a_state_file_that_is_wrong_is_not_believed)
{
	static const char *const files[] = {
		"",
		"something else\n",
		"tkms-cluster 1\n",
		"tkms-cluster 1\ncounter 5\n",
		"tkms-cluster 1\ncounter x\nend\n",
		"tkms-cluster 1\nclaim 5 00000000000000000000000000000000 1\nend\n",
		"tkms-cluster 1\nclaim 4 0000 1\nend\n",
		"tkms-cluster 1\nclaim 4 zz000000000000000000000000000000 1\nend\n",
		"tkms-cluster 1\ncounter 5\nend",
		"tkms-cluster 1\nmembers\nmember 9 5\nend\n",
		"tkms-cluster 1\nmembers\nmember 0 5 other\nend\n",
		"tkms-cluster 1\nmember 9 5 other\nend\n",
	};
	struct cluster_state s;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *f = fopen(path, "w");

		cr_assert(f && fputs(files[i], f) >= 0 && fclose(f) == 0);
		s.counter = 1;
		cr_expect_eq(cluster_state_load(path, &s), -EBADMSG, "%zu", i);
		cr_expect_eq(s.counter, 0);
	}
	open_cluster(IN_A_SET); /* says so, and starts with nothing */
	cr_expect_eq(held(&s.counter), 0);
}
