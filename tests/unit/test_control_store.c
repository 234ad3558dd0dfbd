/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/identity/identity.h"
#include "control/store.h"

static const uint8_t KEK[SEAL_KEK_LEN] = {9, 8, 7};
static const uint8_t OTHER_KEK[SEAL_KEK_LEN] = {9, 8, 6};
static const struct keys_schedule SCHEDULE = {1000, 10, 5000, 300};

static char dir[] = "/tmp/tkms-store-XXXXXX";
static char path[64];
static struct sealer *sealer;
static struct keys *keys;
static struct reason why;

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/store.db", dir);
	sealer = sealer_new(KEK);
	keys = keys_new();
	cr_assert(sealer && keys);
}

static void teardown(void)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
	sealer_free(sealer);
	keys_free(keys);
}

TestSuite(control_store, .init = setup, .fini = teardown);

static struct store *reopen(void)
{
	struct store *s;

	cr_assert_eq(store_open(path, sealer, &s, keys, &why), 0, "%s", why.text);
	return s;
}

static struct store *create(void)
{
	cr_assert_eq(store_create(path, sealer, &why), 0, "%s", why.text);
	return reopen();
}

/* "user1", PSK of 32 octets 0x80 + i, UID "user1@d" (or others). */
struct made {
	struct ipc_subscriber s;
	char psk_id[32], uid[2][32];
	uint8_t psk[32];
};

static struct ipc_subscriber *make(struct made *m, unsigned int i)
{
	snprintf(m->psk_id, sizeof(m->psk_id), "user%u", i);
	snprintf(m->uid[0], sizeof(m->uid[0]), "user%u@d", i);
	snprintf(m->uid[1], sizeof(m->uid[1]), "second%u@d", i);
	memset(m->psk, (int)(0x80 + i), sizeof(m->psk));
	m->psk[0] = 1;
	m->s = (struct ipc_subscriber){
		.psk_id = {(uint8_t *)m->psk_id, (uint16_t)strlen(m->psk_id)},
		.psk = {m->psk, 32},
		.n_uids = 2,
		.uids = {{(uint8_t *)m->uid[0], (uint16_t)strlen(m->uid[0])},
			{(uint8_t *)m->uid[1], (uint16_t)strlen(m->uid[1])}}};
	return &m->s;
}

static void put(struct store *s, unsigned int from, unsigned int to)
{
	struct store_conflict conflict;
	struct made m;

	cr_assert_eq(store_begin(s), 0);
	for (unsigned int i = from; i < to; i++)
		cr_assert_eq(store_put(s, make(&m, i), STORE_INSERT, NULL, &conflict), 0);
	cr_assert_eq(store_commit(s), 0);
}

static bool has(struct store *s, unsigned int i)
{
	struct store_record *r = store_record_new();
	struct made m;
	int err;

	cr_assert(r);
	make(&m, i);
	err = store_get(s, m.s.psk_id, r);
	cr_assert(err == 0 || err == -ENOENT);
	if (err == 0) {
		cr_assert_eq(r->subscriber.psk.len, 32);
		cr_assert_arr_eq(r->subscriber.psk.data, m.psk, 32);
		cr_assert_eq(r->subscriber.n_uids, 2);
		cr_assert(identity_equal(r->subscriber.uids[1], m.s.uids[1]));
	}
	store_record_free(r);
	return err == 0;
}

static void first_key(struct store *s)
{
	const struct keys_situation at = {2000000000, KEYS_NOBODY, 0};

	cr_assert_gt(keys_step(keys, &SCHEDULE, &at), 0);
	cr_assert_eq(store_save_keys(s, keys), 0);
}

static uint8_t *read_whole(const char *name, size_t *len)
{
	FILE *f = fopen(name, "r");
	uint8_t *buf = malloc(1 << 24);

	cr_assert(f && buf);
	*len = fread(buf, 1, 1 << 24, f);
	fclose(f);
	return buf;
}

static void write_whole(const char *name, const uint8_t *buf, size_t len)
{
	FILE *f = fopen(name, "w");

	cr_assert(f);
	cr_assert_eq(fwrite(buf, 1, len, f), len);
	fclose(f);
}

static void sql(const char *text)
{
	sqlite3 *db;
	char *error = NULL;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, &error), SQLITE_OK, "%s", error);
	sqlite3_close(db);
}

/* The same with the tables of an older state attached as "old". */
static void sql_with_old(const char *statements)
{
	char text[1200];

	snprintf(text, sizeof(text), "ATTACH '%s/old.db' AS old; %s", dir, statements);
	sql(text);
}

static void assert_refused(int err, const char *text)
{
	struct store *s;
	int got = store_open(path, sealer, &s, keys, &why);

	cr_assert_eq(got, err, "%d: %s", got, why.text);
	cr_assert(strstr(why.text, text), "\"%s\" is not in \"%s\"", text, why.text);
	cr_assert_null(s);
}

Test(control_store, everything_comes_back_after_a_restart)
{
	struct store *s = create();
	char id[KEYS_ID_MAX + 1];

	first_key(s);
	strcpy(id, keys_active(keys)->id);
	put(s, 0, 10);
	store_close(s);
	memset(keys, 0, sizeof(*keys));
	s = reopen();
	cr_assert_eq(store_count(s), 10);
	cr_assert_eq(store_version(s), 10);
	cr_assert_eq(keys->epoch, 1);
	cr_assert_str_eq(keys_active(keys)->id, id);
	for (unsigned int i = 0; i < 10; i++)
		cr_assert(has(s, i));
	cr_assert_not(has(s, 10));
	store_close(s);
}

Test(control_store, a_store_that_exists_is_not_made_again)
{
	uint8_t *before, *after;
	size_t n, m;

	store_close(create());
	before = read_whole(path, &n);
	cr_assert_eq(store_create(path, sealer, &why), -EEXIST);
	after = read_whole(path, &m);
	cr_assert(n == m && memcmp(before, after, n) == 0);
	free(before);
	free(after);
}

Test(control_store, no_secret_stands_in_any_file)
{
	struct store *s = create();
	const struct key *key;
	char name[80];
	struct made m;

	first_key(s);
	put(s, 0, 50);
	key = keys_active(keys);
	make(&m, 7);
	for (unsigned int i = 0; i < 2;
		i++) { /* the file and its log, before and after the log is written back */
		for (unsigned int j = 0; j < 2; j++) {
			size_t len;
			uint8_t *buf;

			snprintf(name, sizeof(name), "%s%s", path, j ? "-wal" : "");
			if (access(name, F_OK) < 0)
				continue;
			buf = read_whole(name, &len);
			cr_assert_null(memmem(buf, len, m.psk, 8), "%s", name);
			cr_assert_null(memmem(buf, len, key->octets, 8), "%s", name);
			if (i)
				cr_assert(memmem(buf, len, "user7", 5), "nothing was looked at");
			free(buf);
		}
		if (i == 0)
			store_close(s);
	}
}

Test(control_store, removed_ones_stay_away_and_leave_their_uids)
{
	struct store *s = create();
	struct store_conflict conflict;
	struct made m;

	put(s, 0, 3);
	cr_assert_eq(store_begin(s), 0);
	make(&m, 1);
	cr_assert_eq(store_remove(s, m.s.psk_id), 0);
	cr_assert_eq(store_remove(s, m.s.psk_id), -ENOENT);
	cr_assert_eq(store_commit(s), 0);
	cr_assert_eq(store_count(s), 2);
	cr_assert_not(has(s, 1));
	store_close(s);
	s = reopen();
	cr_assert_not(has(s, 1));
	/* another one may have the UIDs, and the PSK id may come back */
	cr_assert_eq(store_begin(s), 0);
	make(&m, 1);
	strcpy(m.psk_id, "other");
	m.s.psk_id.len = 5;
	cr_assert_eq(store_put(s, &m.s, STORE_INSERT, NULL, &conflict), 0);
	make(&m, 1);
	m.s.n_uids = 1;
	m.s.uids[0] = (struct identity){(const uint8_t *)"new@d", 5};
	cr_assert_eq(store_put(s, &m.s, STORE_INSERT, NULL, &conflict), 0);
	cr_assert_eq(store_commit(s), 0);
	cr_assert_eq(store_count(s), 4);
	store_close(s);
	store_close(reopen());
}

Test(control_store, conflicts_name_who_is_in_the_way)
{
	struct store *s = create();
	struct store_conflict conflict;
	struct made m, n;
	bool replaced;

	put(s, 0, 3);
	cr_assert_eq(store_begin(s), 0);
	/* same again: nothing to complain about */
	cr_assert_eq(store_put(s, make(&m, 0), STORE_INSERT, &replaced, &conflict), 0);
	cr_assert(replaced);
	/* twice in one transaction */
	cr_assert_eq(store_put(s, make(&m, 0), STORE_REPLACE, &replaced, &conflict), -EEXIST);
	cr_assert_eq(conflict.what, STORE_SAME_PSK_ID);
	cr_assert_eq(conflict.version, 4);
	/* another PSK */
	make(&m, 1)->psk = (struct identity){(const uint8_t *)"0123456789abcdef", 16};
	cr_assert_eq(store_put(s, &m.s, STORE_INSERT, &replaced, &conflict), -EEXIST);
	cr_assert_eq(conflict.what, STORE_SAME_PSK_ID);
	cr_assert_eq(conflict.version, 2);
	cr_assert_eq(store_put(s, &m.s, STORE_REPLACE, &replaced, &conflict), 0);
	/* a UID of somebody else, also among one's own */
	make(&m, 9);
	m.s.uids[1] = make(&n, 2)->uids[0];
	cr_assert_eq(store_put(s, &m.s, STORE_REPLACE, &replaced, &conflict), -EEXIST);
	cr_assert_eq(conflict.what, STORE_SAME_UID);
	cr_assert(identity_equal(conflict.uid, n.s.uids[0]));
	cr_assert(identity_equal(
		(struct identity){conflict.holder, conflict.holder_len}, n.s.psk_id));
	cr_assert_eq(store_commit(s), 0);
	cr_assert_eq(store_count(s), 3);
	store_close(s);
	store_close(reopen());
}

Test(control_store, nothing_of_an_aborted_transaction_is_seen)
{
	struct store *s = create();
	struct store_conflict conflict;
	struct made m;

	put(s, 0, 2);
	cr_assert_eq(store_begin(s), 0);
	cr_assert_eq(store_begin(s), -EBUSY);
	for (unsigned int i = 2; i < 100; i++)
		cr_assert_eq(store_put(s, make(&m, i), STORE_INSERT, NULL, &conflict), 0);
	cr_assert_not(has(s, 50), "readers see what has been committed");
	cr_assert_eq(store_count(s), 2);
	cr_assert_eq(store_save_keys(s, keys), -EBUSY);
	store_abort(s);
	cr_assert_not(has(s, 50));
	cr_assert_eq(store_put(s, make(&m, 2), STORE_INSERT, NULL, &conflict), -EINVAL,
		"no transaction");
	put(s, 2, 3);
	cr_assert_eq(store_count(s), 3);
	store_close(s);
	s = reopen();
	cr_assert_eq(store_count(s), 3);
	store_close(s);
}

Test(control_store, a_process_killed_in_a_transaction_leaves_nothing_of_it)
{
	struct store *s = create();
	pid_t child;
	int status;

	put(s, 0, 5);
	store_close(s);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		/* secret memory does not go through fork(): all of its own */
		struct sealer *own = sealer_new(KEK);
		struct keys *k = keys_new();
		struct store_conflict conflict;
		struct made m;

		if (store_open(path, own, &s, k, &why) != 0 || store_begin(s) != 0)
			_exit(1);
		for (unsigned int i = 5; i < 30000; i++) {
			if (store_put(s, make(&m, i), STORE_INSERT, NULL, &conflict) != 0)
				_exit(1);
		}
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	s = reopen();
	cr_assert_eq(store_count(s), 5);
	cr_assert(has(s, 4));
	cr_assert_not(has(s, 5));
	store_close(s);
}

Test(control_store, records_come_in_order_of_id_and_of_version)
{
	struct store *s = create();
	struct store_record *r = store_record_new();
	uint64_t last = 3;
	struct made m;
	int n = 0;

	put(s, 0, 10);
	cr_assert_eq(store_begin(s), 0);
	make(&m, 2);
	cr_assert_eq(store_remove(s, m.s.psk_id), 0);
	cr_assert_eq(store_commit(s), 0);
	while (store_next_by_id(s, (struct identity){(const uint8_t *)"user1", 5}, r) == 1) {
		n++;
		cr_assert_not(r->subscriber.remove);
		cr_assert_eq(r->subscriber.psk_id.data[4], n + 2 + '0');
	}
	store_next_end(s);
	cr_assert_eq(n, 7);
	n = 0;
	while (store_next_by_version(s, last, r) == 1) {
		cr_assert_gt(r->version, last);
		last = r->version;
		n++;
	}
	store_next_end(s);
	cr_assert_eq(n, 8);
	cr_assert_eq(last, 11);
	cr_assert(r->subscriber.remove);
	cr_assert_eq(r->subscriber.psk_id.data[4], '2');
	store_record_free(r);
	store_close(s);
}

Test(control_store, another_kek_is_refused_and_the_file_stays_as_it_is)
{
	struct store *s = create();
	struct sealer *mine = sealer;
	uint8_t *before, *after;
	size_t n, m;

	put(s, 0, 5);
	store_close(s);
	before = read_whole(path, &n);
	sealer = sealer_new(OTHER_KEK);
	assert_refused(-EKEYREJECTED, "another KEK");
	sealer_free(sealer);
	sealer = mine;
	after = read_whole(path, &m);
	cr_assert(n == m && memcmp(before, after, n) == 0);
	free(before);
	free(after);
	store_close(reopen());
}

Test(control_store, damage_anywhere_is_refused_or_harmless_and_never_written_over)
{
	struct store *s = create();
	uint8_t *good, *after;
	size_t len, m, refused = 0, tried = 0;

	first_key(s);
	put(s, 0, 40);
	store_close(s);
	good = read_whole(path, &len);
	for (size_t at = 0; at < len; at += 97) {
		struct store *t;
		int err;

		good[at] ^= 0x11;
		write_whole(path, good, len);
		err = store_open(path, sealer, &t, keys, &why);
		tried++;
		if (err) {
			refused++;
			cr_assert_neq(*why.text, '\0');
			after = read_whole(path, &m);
			cr_assert(m == len && memcmp(good, after, len) == 0,
				"offset %zu: the file was changed", at);
			free(after);
		} else {
			cr_assert_eq(store_count(t), 40);
			for (unsigned int i = 0; i < 40; i++)
				cr_assert(has(t, i), "offset %zu: a subscriber is lost", at);
			cr_assert_eq(keys->epoch, 1);
			store_close(t);
		}
		good[at] ^= 0x11;
	}
	cr_assert_gt(refused, tried / 10, "%zu of %zu", refused, tried);
	free(good);
}

Test(control_store, files_that_are_no_store_are_refused_and_not_touched)
{
	static const char garbage[] =
		"this is a letter to grandmother, not a database; keep it by all means";
	uint8_t *after;
	size_t len;

	assert_refused(-ENOENT, "tkmsctl init");
	cr_assert_neq(access(path, F_OK), 0, "it was made");
	write_whole(path, (const uint8_t *)garbage, sizeof(garbage));
	assert_refused(-EUCLEAN, "cannot be read");
	after = read_whole(path, &len);
	cr_assert(len == sizeof(garbage) && memcmp(after, garbage, len) == 0);
	free(after);
	write_whole(path, (const uint8_t *)"", 0);
	assert_refused(-EUCLEAN, "no store of tkms");
	unlink(path);
	sql("CREATE TABLE meta(x)");
	assert_refused(-EUCLEAN, "no store of tkms");
}

Test(control_store, a_newer_schema_is_refused)
{
	store_close(create());
	sql("PRAGMA user_version = 3");
	assert_refused(-EPROTONOSUPPORT, "newer version");
	sql("PRAGMA user_version = 2");
	store_close(reopen());
}

Test(control_store, a_missing_table_is_refused)
{
	store_close(create());
	sql("DROP TABLE keyring");
	assert_refused(-EUCLEAN, "schema");
}

Test(control_store, records_that_are_swapped_old_missing_or_added_are_noticed)
{
	struct store *s = create();
	uint8_t *good;
	size_t len;
	struct store_conflict conflict;
	struct made m;

	first_key(s);
	put(s, 0, 5);
	store_close(s);
	sql_with_old("CREATE TABLE old.subscribers AS SELECT * FROM main.subscribers;"
		     "CREATE TABLE old.keyring AS SELECT * FROM main.keyring");
	s = reopen();
	cr_assert_eq(store_begin(s), 0);
	make(&m, 1)->psk = (struct identity){(const uint8_t *)"0123456789abcdef", 16};
	cr_assert_eq(store_put(s, &m.s, STORE_REPLACE, NULL, &conflict), 0);
	cr_assert_eq(store_remove(s, make(&m, 2)->psk_id), 0);
	cr_assert_eq(store_commit(s), 0);
	cr_assert_eq(keys_rotate(keys, &SCHEDULE, 2000000000), 0);
	cr_assert_eq(store_save_keys(s, keys), 0);
	store_close(s);
	good = read_whole(path, &len);

	static const struct {
		const char *sql, *what;
	} attacks[] = {
		/* two records under each other's name */
		{"UPDATE subscribers SET record = (SELECT record FROM old.subscribers WHERE psk_id "
		 "= CAST('user3' AS BLOB))"
		 " WHERE psk_id = CAST('user4' AS BLOB)",
			"user4 has been altered"},
		/* the version of another */
		{"UPDATE subscribers SET version = 100 WHERE psk_id = CAST('user4' AS BLOB)",
			"user4 has been altered"},
		/* the old PSK of user1 */
		{"UPDATE subscribers SET record = o.record, version = o.version FROM "
		 "old.subscribers AS o"
		 " WHERE o.psk_id = subscribers.psk_id AND o.psk_id = CAST('user1' AS BLOB)",
			"older than they were"},
		/* the removed user2 comes back */
		{"UPDATE subscribers SET record = o.record, version = o.version, removed = 0 FROM "
		 "old.subscribers AS o"
		 " WHERE o.psk_id = subscribers.psk_id AND o.psk_id = CAST('user2' AS BLOB);"
		 "INSERT INTO uids VALUES(CAST('user2@d' AS BLOB), CAST('user2' AS BLOB)),"
		 " (CAST('second2@d' AS BLOB), CAST('user2' AS BLOB))",
			"older than they were"},
		{"UPDATE subscribers SET removed = 0 WHERE psk_id = CAST('user2' AS BLOB)",
			"altered"},
		{"UPDATE subscribers SET removed = 1 WHERE psk_id = CAST('user3' AS BLOB)",
			"altered"},
		{"DELETE FROM uids WHERE psk_id = CAST('user3' AS BLOB);"
		 "DELETE FROM subscribers WHERE psk_id = CAST('user3' AS BLOB)",
			"missing"},
		{"DELETE FROM uids WHERE uid = CAST('user3@d' AS BLOB)", "altered"},
		{"UPDATE uids SET psk_id = CAST('user4' AS BLOB) WHERE uid = CAST('user3@d' AS "
		 "BLOB)",
			"altered"},
		{"INSERT INTO uids VALUES(CAST('more@d' AS BLOB), CAST('user3' AS BLOB))",
			"index of UIDs"},
		{"UPDATE keyring SET record = (SELECT record FROM old.keyring)",
			"keyring has been altered"},
		{"UPDATE keyring SET record = (SELECT record FROM old.keyring), epoch = 1",
			"keyring has been altered"},
		{"DELETE FROM keyring", "keyring has been altered"},
		{"UPDATE meta SET version = version - 1", "state record has been altered"},
		{"UPDATE meta SET record = x'01'", "state record has been altered"},
		{"DELETE FROM meta", "state record"},
	};
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct store *t;

		write_whole(path, good, len);
		sql_with_old(attacks[i].sql);
		cr_assert_lt(store_open(path, sealer, &t, keys, &why), 0, "not noticed: %s",
			attacks[i].sql);
		cr_assert(strstr(why.text, attacks[i].what), "%s: %s", attacks[i].sql, why.text);
	}
	write_whole(path, good, len);
	store_close(reopen());
	free(good);
}

Test(control_store, a_log_that_is_altered_or_has_holes_is_noticed)
{
	static const char *const attacks[] = {
		"UPDATE log SET record = (SELECT record FROM log WHERE sequence = 1) WHERE "
		"sequence = 2",
		"UPDATE log SET record = substr(record, 1, 70) WHERE sequence = 2",
		"DELETE FROM log WHERE sequence = 2",
		"DELETE FROM log WHERE sequence = 3",
		"DELETE FROM log WHERE sequence = 1",
		"DELETE FROM log",
		"INSERT INTO log SELECT 4, record FROM log WHERE sequence = 3",
	};
	struct store *s = create();
	uint8_t *good;
	size_t len;

	store_set_logging(s, STORE_LOG_ON);
	for (unsigned int i = 0; i < 3; i++)
		put(s, i, i + 1);
	cr_assert_eq(store_log(s).last, 3);
	store_close(s);
	good = read_whole(path, &len);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		write_whole(path, good, len);
		sql(attacks[i]);
		assert_refused(-EBADMSG, "of the log of changes");
	}
	write_whole(path, good, len);
	store_close(reopen());
	free(good);
}

Test(control_store, a_chunk_is_part_of_its_transaction)
{
	struct store *s = create();
	struct store_conflict conflict;
	struct made m;

	store_set_logging(s, STORE_LOG_ON);
	put(s, 0, 1);
	cr_assert_eq(store_begin(s), 0);
	cr_assert_eq(store_put(s, make(&m, 7), STORE_INSERT, NULL, &conflict), 0);
	store_abort(s);
	cr_assert_eq(store_log(s).last, 1);
	cr_assert_eq(store_begin(s), 0);
	cr_assert_eq(store_put(s, make(&m, 8), STORE_INSERT, NULL, &conflict), 0);
	cr_assert_eq(store_commit(s), 0);
	cr_assert_eq(store_log(s).last, 2);
	cr_assert_eq(store_log(s).records, 2, "what was aborted is in no chunk");
	cr_assert(store_log(s).is_complete);
	store_close(s);
	/* without a log: known to be missing in it */
	s = reopen();
	put(s, 1, 2);
	cr_assert_not(store_log(s).is_complete);
	cr_assert_eq(store_relog_step(s, 100), -EINVAL);
	store_set_logging(s, STORE_LOG_ON);
	while (store_relog_step(s, 1) == 1)
		;
	cr_assert(store_log(s).is_complete);
	cr_assert_eq(store_log(s).records, 3);
	cr_assert_eq(store_log(s).first, 3);
	store_close(s);
	store_close(reopen());
}

/* As the first version of the program would have left it: no stamps, no origin, no log. */
static void make_schema_1(void)
{
	static const uint8_t plain[] = {1, 0, 16, 0, '0', '1', '2', '3', '4', '5', '6', '7', '8',
		'9', 'a', 'b', 'c', 'd', 'e', 'f', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 'o',
		'@', 'x'};
	uint8_t state[41] = {1}, sealed[256];
	struct seal_name name = {"subscriber", "old", 3, 1};
	char text[2048], hex[600];

	cr_assert_eq(seal(sealer, &name, plain, sizeof(plain), sealed), 0);
	for (size_t i = 0; i < sizeof(plain) + SEAL_OVERHEAD; i++)
		snprintf(hex + 2 * i, 3, "%02x", sealed[i]);
	snprintf(text, sizeof(text),
		"DROP TABLE log; DROP TABLE uids;"
		"CREATE TABLE uids(uid BLOB PRIMARY KEY, psk_id BLOB NOT NULL REFERENCES "
		"subscribers(psk_id)) WITHOUT ROWID;"
		"INSERT INTO subscribers VALUES(CAST('old' AS BLOB), 1, 0, x'%s');"
		"INSERT INTO uids VALUES(CAST('o@x' AS BLOB), CAST('old' AS BLOB));"
		"PRAGMA user_version = 1;",
		hex);
	sql(text);
	/* version, live, version_sum */
	state[9] = state[17] = state[33] = 1;
	name = (struct seal_name){"state", "state", 5, 2};
	cr_assert_eq(seal(sealer, &name, state, sizeof(state), sealed), 0);
	for (size_t i = 0; i < sizeof(state) + SEAL_OVERHEAD; i++)
		snprintf(hex + 2 * i, 3, "%02x", sealed[i]);
	snprintf(text, sizeof(text), "UPDATE meta SET version = 2, record = x'%s'", hex);
	sql(text);
}

Test(control_store, a_store_of_schema_1_is_brought_up_to_date)
{
	struct store_record *r = store_record_new();
	const struct identity id = {(const uint8_t *)"old", 3};
	struct store *s;
	uint64_t origin;

	store_close(create());
	make_schema_1();
	s = reopen();
	origin = store_origin(s);
	cr_assert_neq(origin, 0);
	cr_assert_eq(store_count(s), 1);
	cr_assert_eq(store_get(s, id, r), 0);
	cr_assert_eq(r->stamp.origin, origin, "what was here before was made here");
	cr_assert_not(store_log(s).is_complete);
	store_close(s);
	s = reopen();
	cr_assert_eq(store_origin(s), origin);
	store_set_logging(s, STORE_LOG_ON);
	while (store_relog_step(s, 100) == 1)
		;
	cr_assert_eq(store_log(s).records, 1);
	put(s, 0, 3);
	store_close(s);
	s = reopen();
	cr_assert_eq(store_count(s), 4);
	store_close(s);
	store_record_free(r);
}

Test(control_store, the_keyring_goes_forward_only)
{
	struct store *s = create();

	first_key(s);
	cr_assert_eq(store_save_keys(s, keys), -EINVAL, "same epoch");
	keys->epoch = 0;
	cr_assert_eq(store_save_keys(s, keys), -EINVAL, "older epoch");
	store_close(s);
	s = reopen();
	cr_assert_eq(keys->epoch, 1);
	store_close(s);
}

static void end_guest(void *arg)
{
	cr_assert_eq(store_commit(arg), 0);
}

Test(control_store, a_guest_gives_way_and_others_do_not)
{
	struct store *s = create();
	const struct store_guest guest = {end_guest, s};

	cr_expect_not(store_is_taken(s));
	cr_assert_eq(store_begin_guest(s, &guest), 0);
	cr_expect_not(store_is_taken(s), "the keyring can be stored at any time");
	first_key(s);
	cr_assert_eq(store_begin(s), 0);
	cr_expect(store_is_taken(s));
	cr_expect_eq(store_begin_guest(s, &guest), -EBUSY);
	keys->epoch++;
	cr_expect_eq(store_save_keys(s, keys), -EBUSY);
	store_abort(s);
	cr_expect_not(store_is_taken(s));
	store_close(s);
}
