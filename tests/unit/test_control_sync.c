/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers between nodes, each with a store and a bus of its own, through a real Redis. */
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/clock.h"
#include "control/sync.h"
#include "tests/unit/redis_rig.h"

enum { WAIT_MS = 30000, NODES = 3 };

struct node {
	char path[128];
	struct sealer *sealer;
	struct keys *keys;
	struct store *store;
	struct bus *bus;
	struct sync *sync;
	unsigned int refused;
};

static struct rig rig;
static struct event_base *base;
static struct node nodes[NODES];

static int on_record(void *arg, enum bus_table table, uint64_t origin, uint64_t version,
	const void *plain, size_t len)
{
	return table == BUS_LOGS
		       ? sync_record(((struct node *)arg)->sync, origin, version, plain, len)
		       : 0;
}

static void on_refused(void *arg, enum bus_table table, uint64_t origin, enum bus_refusal why)
{
	(void)table;
	(void)origin;
	(void)why;
	((struct node *)arg)->refused++;
}

static void on_reachable(void *arg, bool is_reachable)
{
	sync_reachable(((struct node *)arg)->sync, is_reachable);
}

static void on_caught_up(void *arg)
{
	sync_caught_up(((struct node *)arg)->sync);
}

static void on_notice(void *arg, const char *text, size_t len)
{
	sync_notice(((struct node *)arg)->sync, text, len);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void node_open(struct node *n)
{
	const char *const sentinels[] = {rig.sentinel_text};
	const struct bus_settings settings = {sentinels, 1, "tkms", "", "", "tkms", 50};
	const struct bus_owner owner = {
		n, on_record, on_refused, on_reachable, on_caught_up, on_notice};
	const struct sync_owner sync_owner = {n, nothing, nothing};
	const struct sync_settings sync_settings = {300000};
	uint8_t kek[SEAL_KEK_LEN] = {7};
	struct reason why;

	n->sealer = sealer_new(kek);
	n->keys = keys_new();
	cr_assert(n->sealer && n->keys);
	if (access(n->path, F_OK) != 0)
		cr_assert_eq(store_create(n->path, n->sealer, &why), 0, "%s", why.text);
	cr_assert_eq(store_open(n->path, n->sealer, &n->store, n->keys, &why), 0, "%s", why.text);
	n->bus = bus_new(base, n->sealer, store_origin(n->store), &settings, &owner, &why);
	cr_assert(n->bus, "%s", why.text);
	n->sync = sync_new(base, n->store, n->sealer, n->bus, &sync_settings, &sync_owner);
	cr_assert(n->sync);
	n->refused = 0;
}

static void node_close(struct node *n)
{
	bus_free(n->bus);
	sync_free(n->sync);
	store_close(n->store);
	sealer_free(n->sealer);
	keys_free(n->keys);
	n->store = NULL;
}

static void setup(void)
{
	rig_start(&rig, 1, NULL);
	base = event_base_new();
	for (unsigned int i = 0; i < NODES; i++)
		snprintf(nodes[i].path, sizeof(nodes[i].path), "%s/store%u.db", rig.dir, i);
}

static void teardown(void)
{
	for (unsigned int i = 0; i < NODES; i++) {
		if (nodes[i].store)
			node_close(&nodes[i]);
	}
	event_base_free(base);
	rig_stop(&rig);
}

TestSuite(control_sync, .init = setup, .fini = teardown, .timeout = 120);

static struct identity text_id(const char *text)
{
	return (struct identity){(const uint8_t *)text, (uint16_t)strlen(text)};
}

static int put(struct node *n, const char *psk_id, const char *psk, const char *uid)
{
	struct store_conflict conflict;
	const struct ipc_subscriber s = {.psk_id = text_id(psk_id),
		.psk = text_id(psk),
		.n_uids = 1,
		.uids = {text_id(uid)}};

	return store_put(n->store, &s, STORE_REPLACE, NULL, &conflict);
}

static void commit(struct node *n)
{
	cr_assert_eq(store_commit(n->store), 0);
	sync_push(n->sync);
}

static void add(struct node *n, const char *psk_id, const char *psk, const char *uid)
{
	cr_assert_eq(store_begin(n->store), 0);
	cr_assert_eq(put(n, psk_id, psk, uid), 0);
	commit(n);
}

static void add_many(struct node *n, const char *name, unsigned int count, const char *psk)
{
	char psk_id[32], uid[32];

	cr_assert_eq(store_begin(n->store), 0);
	for (unsigned int i = 0; i < count; i++) {
		snprintf(psk_id, sizeof(psk_id), "%.16s-%06u", name, i);
		snprintf(uid, sizeof(uid), "%.16s-%06u@x", name, i);
		cr_assert_eq(put(n, psk_id, psk, uid), 0);
	}
	commit(n);
}

static void take_away(struct node *n, const char *psk_id)
{
	cr_assert_eq(store_begin(n->store), 0);
	cr_assert_eq(store_remove(n->store, text_id(psk_id)), 0);
	commit(n);
}

/* All that counts of a store, in a number: PSK ids, PSKs, UIDs in use, tombstones, stamps. */
static uint64_t digest(struct node *n)
{
	struct store_record *r = store_record_new();
	uint64_t sum = 0, got;

	while ((got = (uint64_t)store_next_by_version(n->store, 0, r)) == 1) {
		const struct ipc_subscriber *s = &r->subscriber;
		uint64_t h = 14695981039346656037u;

#define MIX(data, length)                              \
	for (size_t mix_ = 0; mix_ < (length); mix_++) \
	h = (h ^ ((const uint8_t *)(data))[mix_]) * 1099511628211u
		MIX(s->psk_id.data, s->psk_id.len);
		MIX(&r->stamp, sizeof(r->stamp));
		if (!s->remove) {
			MIX(s->psk.data, s->psk.len);
			store_record_serve(r);
			for (unsigned int i = 0; i < s->n_uids; i++)
				MIX(s->uids[i].data, s->uids[i].len);
		}
		sum += h;
	}
	cr_assert_eq(got, 0);
	store_next_end(n->store);
	store_record_free(r);
	return sum;
}

static bool are_equal(void *arg)
{
	const unsigned int *n = arg;
	uint64_t first;

	for (unsigned int i = 0; i < *n; i++) {
		const struct sync_status *s = sync_status(nodes[i].sync);

		if (s->reached < s->log_last ||
			store_records(nodes[i].store) != store_records(nodes[0].store))
			return false;
	}
	first = digest(&nodes[0]);
	for (unsigned int i = 1; i < *n; i++) {
		if (digest(&nodes[i]) != first)
			return false;
	}
	return true;
}

static void await_equal(unsigned int n)
{
	cr_assert(rig_until(base, are_equal, &n, WAIT_MS), "%s / %s",
		sync_status(nodes[0].sync)->error, sync_status(nodes[1].sync)->error);
}

static bool is_there(struct node *n, const char *psk_id)
{
	struct store_record *r = store_record_new();
	int err = store_get(n->store, text_id(psk_id), r);

	store_record_free(r);
	return err == 0;
}

static unsigned int uids_of(struct node *n, const char *psk_id)
{
	struct store_record *r = store_record_new();
	unsigned int uids;

	cr_assert_eq(store_get(n->store, text_id(psk_id), r), 0);
	store_record_serve(r);
	uids = r->subscriber.n_uids;
	store_record_free(r);
	return uids;
}

static void log_field(const struct node *n, uint64_t sequence, const char *command, char *out)
{
	snprintf(out, 128, "%s tkms:log:%016" PRIx64 " %" PRIu64, command, store_origin(n->store),
		sequence);
}

Test(control_sync, changes_reach_the_others_within_a_second)
{
	unsigned int two = 2;

	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add(&nodes[0], "alice", "0123456789abcdef", "alice@x");
	await_equal(2);
	for (unsigned int i = 0; i < 50; i++) {
		char id[32];
		uint64_t began = clock_mono_ms();

		snprintf(id, sizeof(id), "user%u", i);
		add(&nodes[i % 2], id, "0123456789abcdef", id);
		cr_assert(rig_until(base, are_equal, &two, WAIT_MS));
		cr_assert_lt(clock_mono_ms() - began, 1000, "change %u", i);
	}
	add(&nodes[1], "alice", "fedcba9876543210", "alice@y");
	await_equal(2);
	take_away(&nodes[0], "alice");
	await_equal(2);
	cr_assert_not(is_there(&nodes[1], "alice"));
	cr_assert_eq(store_count(nodes[1].store), 50);
}

Test(control_sync, who_was_away_reads_the_difference_and_who_is_new_reads_all)
{
	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add_many(&nodes[0], "many", 5000, "0123456789abcdef");
	add_many(&nodes[1], "more", 500, "0123456789abcdef");
	await_equal(2);
	node_close(&nodes[1]);
	add_many(&nodes[0], "late", 10, "0123456789abcdef");
	take_away(&nodes[0], "many-000001");
	node_open(&nodes[1]);
	await_equal(2);
	cr_assert_eq(sync_status(nodes[1].sync)->applied, 11);
	cr_assert_eq(sync_status(nodes[1].sync)->older, 0, "nothing was read twice");
	node_open(&nodes[2]);
	await_equal(3);
	cr_assert_not(is_there(&nodes[2], "many-000001"));
}

Test(control_sync, what_two_nodes_change_while_redis_is_away_ends_the_same_everywhere)
{
	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add_many(&nodes[0], "both", 100, "0123456789abcdef");
	await_equal(2);
	rig_kill(&rig.server[0]);
	/* stamps of two nodes are in order when milliseconds lie between them */
	add_many(&nodes[0], "both", 60, "written by zero!");
	rig_run(base, 20);
	add_many(&nodes[1], "both", 80, "written by one!!");
	rig_run(base, 20);
	take_away(&nodes[0], "both-000050");
	take_away(&nodes[1], "both-000070");
	rig_run(base, 20);
	add(&nodes[0], "both-000070", "after the remove", "both-000070@x");
	add_many(&nodes[1], "own", 10, "0123456789abcdef");
	rig_run(base, 300);
	cr_assert_eq(sync_status(nodes[0].sync)->reached, 0);
	rig_start_server(&rig, 0);
	await_equal(2);
	cr_assert(is_there(&nodes[1], "both-000070"));
	cr_assert_not(is_there(&nodes[1], "both-000050"));
	cr_assert(is_there(&nodes[0], "own-000009"));
}

Test(control_sync, a_redis_that_lost_everything_gets_it_again)
{
	char out[64];

	node_open(&nodes[0]);
	add_many(&nodes[0], "kept", 3000, "0123456789abcdef");
	node_open(&nodes[1]);
	await_equal(2);
	add(&nodes[1], "mine", "0123456789abcdef", "mine@x");
	await_equal(2);
	rig_kill(&rig.server[0]);
	rig_start_server(&rig, 0);
	rig_cli(&rig, 0, "dbsize", out, sizeof(out));
	cr_assert_str_eq(out, "0");
	node_open(&nodes[2]);
	await_equal(3);
	/* also while the connection stands: the chunks that a newcomer misses are asked for */
	node_close(&nodes[2]);
	unlink(nodes[2].path);
	rig_cli(&rig, 0, "flushall", out, sizeof(out));
	node_open(&nodes[2]);
	await_equal(3);
}

Test(control_sync, a_uid_given_to_two_belongs_to_the_newer_and_comes_back_to_the_older)
{
	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add(&nodes[0], "first", "0123456789abcdef", "first@x");
	await_equal(2);
	rig_kill(&rig.server[0]);
	add(&nodes[0], "older", "0123456789abcdef", "same@x");
	rig_run(base, 20);
	add(&nodes[1], "newer", "0123456789abcdef", "same@x");
	rig_start_server(&rig, 0);
	await_equal(2);
	cr_assert_gt(
		sync_status(nodes[0].sync)->contested + sync_status(nodes[1].sync)->contested, 0);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(uids_of(&nodes[i], "older"), 0);
		cr_assert_eq(uids_of(&nodes[i], "newer"), 1);
	}
	/* nobody may take it on top of that */
	cr_assert_eq(store_begin(nodes[0].store), 0);
	cr_assert_eq(put(&nodes[0], "third", "0123456789abcdef", "same@x"), -EEXIST);
	store_abort(nodes[0].store);
	/* in another order for a third node */
	node_open(&nodes[2]);
	await_equal(3);
	cr_assert_eq(uids_of(&nodes[2], "older"), 0);
	/* it is checked at the next start, as everything is */
	node_close(&nodes[1]);
	node_open(&nodes[1]);
	take_away(&nodes[1], "newer");
	await_equal(3);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(uids_of(&nodes[i], "older"), 1);
}

static uint64_t gap_of(struct node *n, uint64_t origin)
{
	const struct sync_status *s = sync_status(n->sync);

	for (unsigned int i = 0; i < s->n_peers; i++) {
		if (s->peers[i].origin == origin)
			return s->peers[i].gap;
	}
	return 0;
}

static bool misses_chunk(void *arg)
{
	return sync_status(((struct node *)arg)->sync)->gaps > 0;
}

Test(control_sync, chunks_that_are_altered_missing_or_exchanged_are_noticed_and_written_again)
{
	char command[128], out[STORE_LOG_SEALED_MAX + 1];
	size_t len;
	uint64_t origin;

	node_open(&nodes[0]);
	for (unsigned int i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof(name), "chunk%u", i);
		add_many(&nodes[0], name, 20, "0123456789abcdef");
	}
	node_open(&nodes[1]);
	await_equal(2);
	node_close(&nodes[1]);
	unlink(nodes[1].path);
	log_field(&nodes[0], 2, "hget", command);
	len = rig_cli(&rig, 0, command, out, sizeof(out));
	origin = store_origin(nodes[0].store);
	node_close(&nodes[0]);

	/* its origin is away: what can be had is taken, what cannot is refused and told */
	out[len / 2] ^= 1;
	snprintf(command, sizeof(command), "hset tkms:log:%016" PRIx64 " 2", origin);
	rig_set(&rig, 0, command, out, len);
	out[len / 2] ^= 1;
	snprintf(command, sizeof(command), "hset tkms:log:%016" PRIx64 " 4", origin);
	rig_set(&rig, 0, command, out, len);
	snprintf(command, sizeof(command), "hdel tkms:log:%016" PRIx64 " 5", origin);
	rig_cli(&rig, 0, command, out, sizeof(out));
	node_open(&nodes[1]);
	cr_assert(rig_until(base, misses_chunk, &nodes[1], WAIT_MS));
	cr_assert_eq(store_count(nodes[1].store), 60);
	cr_assert_eq(store_cursor(nodes[1].store, origin), 1);
	cr_assert_geq(sync_status(nodes[1].sync)->forged, 2);
	cr_assert_eq(gap_of(&nodes[1], origin), 2);

	/* it is back: it finds what is missing, and is asked for what is altered */
	node_open(&nodes[0]);
	await_equal(2);
	cr_assert_eq(store_count(nodes[1].store), 120);
	cr_assert_eq(gap_of(&nodes[1], origin), 0);
	cr_assert_geq(sync_status(nodes[0].sync)->repaired, 2);
}

Test(control_sync, a_truncated_or_replayed_chunk_changes_nothing)
{
	char command[128], out[STORE_LOG_SEALED_MAX + 1];
	size_t len;
	uint64_t origin;

	node_open(&nodes[0]);
	add(&nodes[0], "alice", "0123456789abcdef", "alice@x");
	add(&nodes[0], "alice", "the newer secret", "alice@x");
	node_open(&nodes[1]);
	await_equal(2);
	origin = store_origin(nodes[0].store);
	log_field(&nodes[0], 1, "hget", command);
	len = rig_cli(&rig, 0, command, out, sizeof(out));
	node_close(&nodes[0]);
	node_close(&nodes[1]);
	unlink(nodes[1].path);
	for (size_t cut = 0; cut < len; cut += 13) {
		snprintf(command, sizeof(command), "hset tkms:log:%016" PRIx64 " 2", origin);
		rig_set(&rig, 0, command, out, cut);
		node_open(&nodes[1]);
		rig_run(base, 60);
		node_close(&nodes[1]);
	}
	/* the older change under the number of the newer one */
	rig_set(&rig, 0, command, out, len);
	node_open(&nodes[1]);
	cr_assert(rig_until(base, misses_chunk, &nodes[1], WAIT_MS));
	cr_assert_eq(store_cursor(nodes[1].store, origin), 1);
	node_open(&nodes[0]);
	await_equal(2);
}

static bool is_rewritten(void *arg)
{
	struct node *n = arg;
	const struct sync_status *s = sync_status(n->sync);

	return !s->is_rewriting && s->log_first > 1 && s->reached == s->log_last;
}

Test(control_sync, a_log_that_is_too_large_is_written_anew)
{
	char command[128], out[64];

	node_open(&nodes[0]);
	node_open(&nodes[1]);
	for (unsigned int i = 0; i < 9; i++) {
		snprintf(out, sizeof(out), "0123456789abcde%u", i);
		add_many(&nodes[0], "again", 2000, out);
	}
	take_away(&nodes[0], "again-000007");
	cr_assert(rig_until(base, is_rewritten, &nodes[0], WAIT_MS));
	await_equal(2);
	cr_assert_leq(store_log(nodes[0].store).records, 2001);
	rig_run(base, 3500);
	snprintf(command, sizeof(command), "hlen tkms:log:%016" PRIx64,
		store_origin(nodes[0].store));
	rig_cli(&rig, 0, command, out, sizeof(out));
	cr_assert_eq(strtoull(out, NULL, 10),
		store_log(nodes[0].store).last + 1 - store_log(nodes[0].store).first);
	node_open(&nodes[2]);
	await_equal(3);
	cr_assert_not(is_there(&nodes[2], "again-000007"));
	cr_assert_eq(store_records(nodes[2].store), 2000);
	node_close(&nodes[0]);
	node_open(&nodes[0]);
}

Test(control_sync, the_records_of_a_node_that_is_no_more_are_kept_by_who_forgot_it)
{
	char command[128], out[64];
	uint64_t gone;

	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add_many(&nodes[0], "left", 700, "0123456789abcdef");
	take_away(&nodes[0], "left-000003");
	add_many(&nodes[1], "own", 20, "0123456789abcdef");
	await_equal(2);
	gone = store_origin(nodes[0].store);
	node_close(&nodes[0]);
	bus_forget(nodes[1].bus, gone);
	sync_adopt(nodes[1].sync, gone);
	cr_assert(rig_until(base, is_rewritten, &nodes[1], WAIT_MS));
	rig_run(base, 3500);
	snprintf(command, sizeof(command), "exists tkms:log:%016" PRIx64, gone);
	rig_cli(&rig, 0, command, out, sizeof(out));
	cr_assert_str_eq(out, "0");
	nodes[0].path[0] = '\0';
	snprintf(nodes[0].path, sizeof(nodes[0].path), "%s/fresh.db", rig.dir);
	node_open(&nodes[0]);
	await_equal(2);
	cr_assert_eq(store_count(nodes[0].store), 719);
	cr_assert_eq(store_records(nodes[0].store), 720);
}

static void copy_file(const char *from, const char *to)
{
	char command[320];

	snprintf(command, sizeof(command), "cp %s %s && rm -f %s-wal %s-shm", from, to, to, to);
	cr_assert_eq(system(command), 0);
}

Test(control_sync, a_store_from_a_backup_is_heard_again)
{
	char backup[160];

	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add_many(&nodes[0], "before", 10, "0123456789abcdef");
	await_equal(2);
	node_close(&nodes[0]);
	snprintf(backup, sizeof(backup), "%s/backup.db", rig.dir);
	copy_file(nodes[0].path, backup);
	node_open(&nodes[0]);
	for (unsigned int i = 0; i < 5; i++) {
		char id[16];

		snprintf(id, sizeof(id), "after%u", i);
		add(&nodes[0], id, "0123456789abcdef", id);
	}
	await_equal(2);
	node_close(&nodes[0]);
	copy_file(backup, nodes[0].path);
	node_open(&nodes[0]);
	add(&nodes[0], "since", "0123456789abcdef", "since@x");
	cr_assert(rig_until(base, is_rewritten, &nodes[0], WAIT_MS));
	for (unsigned int i = 0; i < 500 && !is_there(&nodes[1], "since"); i++)
		rig_run(base, 10);
	cr_assert(is_there(&nodes[1], "since"));
	cr_assert(is_there(&nodes[1], "after4"), "what the others know stays");
}

Test(control_sync, a_full_redis_holds_up_nothing_but_itself)
{
	char out[64];
	unsigned int two = 2;

	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add(&nodes[0], "alice", "0123456789abcdef", "alice@x");
	await_equal(2);
	rig_cli(&rig, 0, "config set maxmemory 1", out, sizeof(out));
	add_many(&nodes[0], "full", 100, "0123456789abcdef");
	rig_run(base, 500);
	cr_assert_eq(store_count(nodes[0].store), 101);
	cr_assert_eq(store_count(nodes[1].store), 1);
	cr_assert(strstr(sync_status(nodes[0].sync)->error, "OOM"), "%s",
		sync_status(nodes[0].sync)->error);
	cr_assert_not(sync_has_reached(nodes[0].sync, store_log(nodes[0].store).last));
	rig_cli(&rig, 0, "config set maxmemory 0", out, sizeof(out));
	cr_assert(rig_until(base, are_equal, &two, WAIT_MS));
	cr_assert(sync_has_reached(nodes[0].sync, store_log(nodes[0].store).last));
	rig_run(base, 1500);
	cr_assert_str_empty(sync_status(nodes[0].sync)->error);
}

Test(control_sync, a_local_import_comes_first)
{
	node_open(&nodes[0]);
	node_open(&nodes[1]);
	add_many(&nodes[0], "bulk", 20000, "0123456789abcdef");
	for (unsigned int i = 0; i < 1000 && sync_status(nodes[1].sync)->applied == 0; i++)
		rig_run(base, 5);
	/* a transaction of the synchronisation may be open: it gives way */
	add(&nodes[1], "local", "0123456789abcdef", "local@x");
	cr_assert(is_there(&nodes[1], "local"));
	await_equal(2);
}

Test(control_sync, a_clock_that_is_far_ahead_draws_nobody_along)
{
	const struct ipc_subscriber s = {.psk_id = text_id("poison"),
		.psk = text_id("0123456789abcdef"),
		.n_uids = 1,
		.uids = {text_id("poison@x")}};
	const uint64_t year = 365ull * 86400000;
	const struct record_stamp ahead = {
		store_stamp_time(clock_now_ms() + (int64_t)(10 * year)), 99};
	struct store_applied applied = {0};
	struct store_record *r = store_record_new();

	node_open(&nodes[0]);
	cr_assert_eq(store_begin(nodes[0].store), 0);
	cr_assert_eq(store_apply(nodes[0].store, &s, ahead, 300000, &applied), 0);
	cr_assert_eq(applied.changed, 1);
	commit(&nodes[0]);
	add(&nodes[0], "later", "0123456789abcdef", "later@x");
	cr_assert_eq(store_get(nodes[0].store, text_id("later"), r), 0);
	cr_assert_lt(r->stamp.time, store_stamp_time(clock_now_ms() + 301000));
	/* and what it has written can be changed all the same */
	add(&nodes[0], "poison", "the newer secret", "poison@x");
	cr_assert_eq(store_get(nodes[0].store, text_id("poison"), r), 0);
	cr_assert_gt(r->stamp.time, ahead.time);
	cr_assert_arr_eq(r->subscriber.psk.data, "the newer secret", 16);
	store_record_free(r);
}
