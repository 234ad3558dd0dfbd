/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of the bus, through a real Redis: what arrives, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/bus.h"
#include "tests/unit/bus_node.h"
#include "tests/unit/redis_rig.h"

enum { WAIT_MS = 20000, A = 0xa1, B = 0xb2 };

static const char *const fields[] = {"00000000000000a1", "00000000000000b2", "00000000000000c3"};

static struct rig rig;
static struct event_base *base;
static struct bus_node_settings settings;

static void setup(void)
{
	rig_start(&rig, 1, NULL);
	base = event_base_new();
	settings = (struct bus_node_settings){
		.sentinels = {rig.sentinel_text}, .n_sentinels = 1, .poll_ms = 50, .kek = 1};
}

static void teardown(void)
{
	event_base_free(base);
	rig_stop(&rig);
}

TestSuite(control_bus, .init = setup, .fini = teardown, .timeout = 60);

static void open_node(struct bus_node *n, uint64_t origin)
{
	bus_node_open(n, base, origin, &settings);
	cr_assert(rig_until(base, bus_node_is_caught_up, n, WAIT_MS), "%s",
		bus_status(n->bus)->error);
}

static void await_version(struct bus_node *n, uint64_t version)
{
	n->want_version = version;
	cr_assert(rig_until(base, bus_node_has_version, n, WAIT_MS));
}

static bool is_written(void *arg)
{
	const struct bus_node *n = arg;

	return bus_status(n->bus)->writes >= n->want_count;
}

/* A record that was written by a node that is no more: nobody writes it again. */
static size_t leave_record(
	enum bus_table table, uint64_t version, const char *plain, uint8_t *value, size_t cap)
{
	struct bus_node a;
	char get[64];

	open_node(&a, A);
	cr_assert_eq(bus_put(a.bus, table, version, plain, strlen(plain)), 0);
	a.want_count = 1;
	cr_assert(rig_until(base, is_written, &a, WAIT_MS));
	bus_node_close(&a);
	snprintf(get, sizeof(get), "hget tkms:%s %s", bus_table_name(table), fields[0]);
	return rig_cli(&rig, 0, get, value, cap);
}

static void put(enum bus_table table, const char *field, const void *value, size_t len)
{
	char set[64];

	snprintf(set, sizeof(set), "hset tkms:%s %s", bus_table_name(table), field);
	rig_set(&rig, 0, set, value, len);
}

/* The node refuses what is there now; what it had stays. */
static void assert_refused(struct bus_node *n, enum bus_refusal why, const char *what)
{
	const unsigned int records = n->records;
	uint64_t before = bus_status(n->bus)->refused[why];

	/* twice: the first may be what was there before */
	n->want_refusal = why;
	n->want_count = (unsigned int)before + 2;
	cr_assert(rig_until(base, bus_node_has_refused, n, WAIT_MS), "%s", what);
	cr_assert_eq(n->records, records, "%s", what);
	cr_assert_gt(n->refused[why], 0, "%s", what);
}

Test(control_bus, a_record_reaches_the_others_by_notice)
{
	struct bus_node a, b;

	settings.poll_ms = 3600 * 1000;
	open_node(&a, A);
	open_node(&b, B);
	rig_run(base, 300); /* both have subscribed */
	for (unsigned int table = 0; table < BUS_TABLES; table++) {
		cr_assert_eq(bus_put(a.bus, table, 7 + table, "hello", 5), 0);
		await_version(&b, 7 + table);
		cr_assert_eq(b.table, table);
		cr_assert_eq(b.origin, A);
		cr_assert_str_eq(b.text, "hello");
	}
	cr_assert_eq(a.records, 0, "nobody is told his own records");
	bus_node_close(&a);
	bus_node_close(&b);
}

Test(control_bus, a_record_without_a_notice_is_found_by_polling)
{
	uint8_t value[256];
	size_t len = leave_record(BUS_KEYRINGS, 3, "quiet", value, sizeof(value));
	struct bus_node b;

	rig_cli(&rig, 0, "hdel tkms:keyrings 00000000000000a1", (char[64]){0}, 64);
	open_node(&b, B);
	cr_assert_eq(b.records, 0);
	put(BUS_KEYRINGS, fields[0], value, len);
	await_version(&b, 3);
	bus_node_close(&b);
}

Test(control_bus, versions_only_grow)
{
	struct bus_node a;

	open_node(&a, A);
	cr_assert_eq(bus_put(a.bus, BUS_NODES, 5, "x", 1), 0);
	cr_assert_eq(bus_put(a.bus, BUS_NODES, 5, "y", 1), -EINVAL);
	cr_assert_eq(bus_put(a.bus, BUS_NODES, 4, "y", 1), -EINVAL);
	cr_assert_eq(bus_put(a.bus, BUS_NODES, 6, a.bus, BUS_RECORD_MAX + 1), -EINVAL);
	bus_node_close(&a);
}

Test(control_bus, forged_and_truncated_records_of_every_table_are_refused)
{
	for (unsigned int table = 0; table < BUS_TABLES; table++) {
		uint8_t value[256], bad[256];
		size_t len = leave_record(table, 9, "genuine", value, sizeof(value));
		/* version, format, KEK id, salt, text, tag */
		const size_t places[] = {7, 8, 10, 20, 8 + 41, len - 1};
		struct bus_node b;

		open_node(&b, B);
		cr_assert_eq(b.version, 9);
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			memcpy(bad, value, len);
			bad[places[i]] ^= 0x40;
			put(table, fields[0], bad, len);
			assert_refused(&b, places[i] == 10 ? BUS_OTHER_KEK : BUS_FORGED, "altered");
		}
		for (size_t n = 0; n < len; n += n < 80 ? 8 : 3) {
			put(table, fields[0], value, n);
			assert_refused(&b, BUS_FORGED, "truncated");
			if (n > 60)
				break;
		}
		put(table, fields[0], value, len - 1);
		assert_refused(&b, BUS_FORGED, "truncated by one");
		cr_assert_str_eq(b.text, "genuine");
		bus_node_close(&b);
	}
}

Test(control_bus, records_under_another_name_or_in_another_table_are_refused)
{
	for (unsigned int table = 0; table < BUS_TABLES; table++) {
		uint8_t value[256];
		size_t len = leave_record(table, 9, "genuine", value, sizeof(value));
		struct bus_node b;

		open_node(&b, B);
		put(table, fields[2], value, len);
		assert_refused(&b, BUS_FORGED, "another origin");
		bus_node_close(&b);
		rig_cli(&rig, 0, "flushall", value + 128, 64);
		open_node(&b, B);
		put((table + 1) % BUS_TABLES, fields[0], value, len);
		assert_refused(&b, BUS_FORGED, "another table");
		bus_node_close(&b);
		rig_cli(&rig, 0, "flushall", value, 64);
	}
}

Test(control_bus, records_of_before_are_refused)
{
	for (unsigned int table = 0; table < BUS_TABLES; table++) {
		uint8_t old[256], new[256];
		size_t old_len = leave_record(table, 9, "old", old, sizeof(old));
		size_t new_len = leave_record(table, 10, "new", new, sizeof(new));
		struct bus_node b;

		open_node(&b, B);
		cr_assert_str_eq(b.text, "new");
		put(table, fields[0], old, old_len);
		assert_refused(&b, BUS_ROLLED_BACK, "rolled back");
		cr_assert_str_eq(b.text, "new");
		/* right again, and wrong again: told again */
		put(table, fields[0], new, new_len);
		rig_run(base, 400);
		b.refused[BUS_ROLLED_BACK] = 0;
		bus_node_close(&b);

		/* what a store remembers is a floor from the beginning */
		put(table, fields[0], old, old_len);
		bus_node_open(&b, base, B, &settings);
		bus_set_floor(b.bus, table, A, 10);
		assert_refused(&b, BUS_ROLLED_BACK, "below the floor");
		put(table, fields[0], new, new_len);
		await_version(&b, 10);
		bus_node_close(&b);
		rig_cli(&rig, 0, "flushall", old, 64);
	}
}

Test(control_bus, what_its_reader_cannot_decode_counts_as_forged)
{
	uint8_t value[256];
	struct bus_node b;

	leave_record(BUS_NODES, 3, "junk", value, sizeof(value));
	bus_node_open(&b, base, B, &settings);
	b.want_count = 1;
	b.want_refusal = BUS_FORGED;
	cr_assert(rig_until(base, bus_node_has_refused, &b, WAIT_MS));
	cr_assert_eq(b.records, 0);
	bus_node_close(&b);
}

Test(control_bus, an_own_record_that_was_lost_or_altered_is_written_again)
{
	uint8_t value[256];
	struct bus_node a, b;

	open_node(&a, A);
	open_node(&b, B);
	for (unsigned int table = 0; table < BUS_TABLES; table++)
		cr_assert_eq(bus_put(a.bus, table, 5, "mine", 4), 0);
	rig_run(base, 100);
	rig_cli(&rig, 0, "flushall", value, sizeof(value));
	a.want_count = BUS_TABLES;
	cr_assert(rig_until(base, bus_node_has_rewritten, &a, WAIT_MS));
	rig_run(base, 200);
	put(BUS_LOGS, fields[0], "rubbish", 7);
	a.want_count = BUS_TABLES + 1;
	cr_assert(rig_until(base, bus_node_has_rewritten, &a, WAIT_MS));
	cr_assert_eq(b.text[0], 'm');
	bus_node_close(&a);
	bus_node_close(&b);
}

Test(control_bus, a_node_that_has_gone_back_learns_of_it)
{
	uint8_t value[256];
	struct bus_node a;

	leave_record(BUS_LOGS, 90, "of before the disaster", value, sizeof(value));
	open_node(&a, A);
	cr_assert_eq(bus_put(a.bus, BUS_LOGS, 80, "of the backup", 13), 0);
	/* its own write may have come first; the old one comes back as an attacker would */
	rig_run(base, 100);
	put(BUS_LOGS, fields[0], value, 8 + 22 + SEAL_OVERHEAD);
	rig_run(base, 500);
	cr_assert_eq(bus_status(a.bus)->own_seen[BUS_LOGS], 90);
	bus_node_close(&a);
}

Test(control_bus, records_under_another_kek_are_named_so_and_opened_with_the_previous_one)
{
	uint8_t value[256], kek[SEAL_KEK_LEN];
	struct bus_node b;
	struct sealer *old;

	leave_record(BUS_KEYRINGS, 4, "old kek", value, sizeof(value));
	settings.kek = 2;
	bus_node_open(&b, base, B, &settings);
	assert_refused(&b, BUS_OTHER_KEK, "another KEK");
	memset(kek, 1, sizeof(kek));
	old = sealer_new(kek);
	bus_set_sealers(b.bus, b.sealer, old);
	await_version(&b, 4);
	bus_node_close(&b);
	sealer_free(old);
}

Test(control_bus, a_forgotten_node_is_taken_away_and_does_not_come_back)
{
	uint8_t value[256];
	char out[64];
	size_t len = leave_record(BUS_NODES, 4, "gone", value, sizeof(value));
	struct bus_node b;

	open_node(&b, B);
	cr_assert_eq(b.records, 1);
	bus_forget(b.bus, A);
	rig_run(base, 300);
	cr_assert_eq(rig_cli(&rig, 0, "hlen tkms:nodes", out, sizeof(out)), 1);
	cr_assert_str_eq(out, "0");
	put(BUS_NODES, fields[0], value, len);
	rig_run(base, 300);
	cr_assert_eq(b.records, 1);
	bus_node_close(&b);
}

Test(control_bus, a_redis_that_is_full_is_reported_and_written_to_later)
{
	char out[64];
	struct bus_node a;

	open_node(&a, A);
	rig_cli(&rig, 0, "config set maxmemory 1", out, sizeof(out));
	cr_assert_eq(bus_put(a.bus, BUS_NODES, 1, "x", 1), 0);
	rig_run(base, 300);
	cr_assert(strstr(bus_status(a.bus)->error, "OOM"), "%s", bus_status(a.bus)->error);
	cr_assert_eq(bus_status(a.bus)->writes, 0);
	cr_assert(bus_status(a.bus)->is_reachable);
	rig_cli(&rig, 0, "config set maxmemory 0", out, sizeof(out));
	a.want_count = 1;
	cr_assert(rig_until(base, is_written, &a, WAIT_MS));
	cr_assert_str_empty(bus_status(a.bus)->error);
	bus_node_close(&a);
}
