/* SPDX-License-Identifier: BSD-3-Clause */
/* The link against a data plane played by the test, on one thread. */
#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/link.h"
#include "control/log.h"
#include "control/store.h"
#include "control/unix_socket.h"

static const uint8_t KEK[SEAL_KEK_LEN] = {3};

static char dir[] = "/tmp/tkms-link-XXXXXX";
static char socket_path[64];
static struct sealer *sealer;
static struct keys *keys;
static struct store *store;
static struct event_base *base;
static struct link *link_;
static uint64_t epoch = 5;
static unsigned int changes;

static void snapshot(void *arg, struct ipc_snapshot *out)
{
	(void)arg;
	memset(out, 0, sizeof(*out));
	out->epoch = epoch;
	out->addresses_version = 10 * epoch;
	out->kms_identity = (struct identity){(const uint8_t *)"kms@d", 5};
}

static void changed(void *arg)
{
	(void)arg;
	changes++;
}

static void setup(void)
{
	static const struct link_owner owner = {NULL, snapshot, changed};
	char path[64];
	struct reason why;

	log_configure(LOG_ERROR, LOG_TEXT);
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/store.db", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/dataplane.sock", dir);
	sealer = sealer_new(KEK);
	keys = keys_new();
	base = event_base_new();
	cr_assert(sealer && keys && base);
	cr_assert_eq(store_create(path, sealer, &why), 0, "%s", why.text);
	cr_assert_eq(store_open(path, sealer, &store, keys, &why), 0, "%s", why.text);
	link_ = link_new(base, store, &owner);
	cr_assert(link_);
	cr_assert_eq(link_listen(link_, socket_path, &why), 0, "%s", why.text);
}

static void teardown(void)
{
	char command[80];

	link_free(link_);
	store_close(store);
	sealer_free(sealer);
	keys_free(keys);
	event_base_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(control_link, .init = setup, .fini = teardown);

static void put(unsigned int from, unsigned int to)
{
	struct store_conflict conflict;

	cr_assert_eq(store_begin(store), 0);
	for (unsigned int i = from; i < to; i++) {
		char id[32], uid[256];
		struct ipc_subscriber s = {
			.psk = {(const uint8_t *)"0123456789abcdef", 16}, .n_uids = 1};

		s.psk_id = (struct identity){
			(uint8_t *)id, (uint16_t)snprintf(id, sizeof(id), "user%06u", i)};
		s.uids[0] = (struct identity){
			(uint8_t *)uid, (uint16_t)snprintf(uid, sizeof(uid), "%0200u@d", i)};
		cr_assert_eq(store_put(store, &s, STORE_REPLACE, NULL, &conflict), 0);
	}
	cr_assert_eq(store_commit(store), 0);
}

static void take_out(unsigned int i)
{
	char id[32];
	struct identity psk_id = {(uint8_t *)id, (uint16_t)snprintf(id, sizeof(id), "user%06u", i)};

	cr_assert_eq(store_begin(store), 0);
	cr_assert_eq(store_remove(store, psk_id), 0);
	cr_assert_eq(store_commit(store), 0);
}

/* The data plane that the test plays. */
struct peer {
	int sock;
	uint64_t seq;
	/* what it has been given */
	unsigned int snapshots, parts, puts, removes, full_loads;
	uint64_t epoch;
	uint32_t refuse_status; /* for the next SUBSCRIBERS message */
	bool is_mute;		/* acknowledges nothing */
};

static void spin(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void say(
	struct peer *p, uint16_t type, uint64_t seq, uint32_t status, const void *body, size_t len)
{
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = type,
		.seq = seq,
		.epoch = p->epoch,
		.status = status,
		.length = (uint32_t)len};

	cr_assert_eq(ipc_send(p->sock, &h, body, len, -1), 0);
}

static void hello(struct peer *p)
{
	struct ipc_hello h = {.pid = 42, .workers = 2, .version = "test"};
	uint8_t body[128];
	size_t len = ipc_hello_encode(&h, body, sizeof(body));

	say(p, IPC_HELLO, ++p->seq, 0, body, len);
}

static struct peer dial(void)
{
	struct peer p = {.sock = unix_socket_connect(socket_path, SOCK_SEQPACKET | SOCK_NONBLOCK)};

	cr_assert_geq(p.sock, 0);
	return p;
}

static struct peer connect_peer(void)
{
	struct peer p = dial();

	hello(&p);
	spin();
	return p;
}

static void take_subscribers(struct peer *p, const struct ipc_header *h, const uint8_t *map)
{
	struct ipc_subscriber s;
	size_t off = 0;
	int got;

	cr_assert_leq(h->length, 1 << 20);
	p->parts++;
	if (h->flags & IPC_LOAD_FIRST)
		p->puts = p->removes = 0;
	while ((got = ipc_subscriber_decode(&s, map, h->length, &off)) == 1) {
		if (s.remove) {
			p->removes++;
		} else {
			p->puts++;
			cr_assert_arr_eq(s.psk.data, "0123456789abcdef", 16);
		}
	}
	cr_assert_eq(got, 0);
	p->full_loads += (h->flags & IPC_LOAD_LAST) != 0;
}

/* Takes one message and acknowledges it. False: there is none. */
static bool take(struct peer *p)
{
	struct ipc_header h;
	uint8_t body[64];
	uint32_t status = 0;
	void *map;
	int fd, n = ipc_receive(p->sock, &h, body, sizeof(body), &fd);

	if (n == -EAGAIN)
		return false;
	cr_assert_eq(n, 0, "%d", n);
	cr_assert_eq(ipc_memfd_map(fd, h.length, &map), 0);
	if (h.type == IPC_SNAPSHOT) {
		struct ipc_snapshot s;

		cr_assert_eq(ipc_snapshot_decode(&s, map, h.length), 0);
		cr_assert_eq(s.epoch, h.epoch);
		p->snapshots++;
		p->epoch = s.epoch;
	} else {
		cr_assert_eq(h.type, IPC_SUBSCRIBERS);
		cr_assert(p->snapshots, "subscribers before the first snapshot");
		take_subscribers(p, &h, map);
		status = p->refuse_status;
		p->refuse_status = 0;
	}
	ipc_memfd_close(fd, map, h.length);
	if (!p->is_mute)
		say(p, IPC_ACK, h.seq, status, NULL, 0);
	return true;
}

static void take_all(struct peer *p)
{
	do
		spin();
	while (take(p));
}

/* Until there have been that many full loads; the link tries again after a second. */
static void take_until_loaded(struct peer *p, unsigned int full_loads)
{
	for (unsigned int i = 0; i < 500 && p->full_loads < full_loads; i++) {
		take_all(p);
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	cr_assert_eq(p->full_loads, full_loads);
	spin();
}

Test(control_link, a_data_plane_gets_snapshot_and_subscribers)
{
	struct peer p;
	struct stat st;

	cr_assert_eq(stat(socket_path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	put(0, 100);
	p = connect_peer();
	cr_assert(link_status(link_)->is_connected);
	cr_assert_not(link_status(link_)->is_loaded);
	cr_assert_eq(link_status(link_)->hello.pid, 42);
	take_all(&p);
	cr_assert_eq(p.snapshots, 1);
	cr_assert_eq(p.epoch, 5);
	cr_assert_eq(p.full_loads, 1);
	cr_assert_eq(p.puts, 100);
	cr_assert(link_status(link_)->is_loaded);
	cr_assert_eq(link_status(link_)->version_acknowledged, 100);
	cr_assert_eq(link_status(link_)->epoch_acknowledged, 5);
	cr_assert_gt(changes, 0);
	close(p.sock);
	spin();
	cr_assert_not(link_status(link_)->is_connected);
}

Test(control_link, an_empty_store_is_a_full_load_too)
{
	struct peer p = connect_peer();

	take_all(&p);
	cr_assert_eq(p.full_loads, 1);
	cr_assert_eq(p.puts, 0);
	cr_assert(link_status(link_)->is_loaded);
	close(p.sock);
}

Test(control_link, changes_follow_as_deltas)
{
	struct peer p;

	put(0, 10);
	p = connect_peer();
	take_all(&p);
	put(10, 12);
	take_out(3);
	link_push_subscribers(link_);
	take_all(&p);
	cr_assert_eq(p.full_loads, 1);
	cr_assert_eq(p.puts, 12);
	cr_assert_eq(p.removes, 1);
	cr_assert_eq(link_status(link_)->version_acknowledged, 13);
	epoch = 6;
	link_push_snapshot(link_);
	take_all(&p);
	cr_assert_eq(p.snapshots, 2);
	cr_assert_eq(link_status(link_)->epoch_acknowledged, 6);
	close(p.sock);
}

Test(control_link, many_subscribers_come_in_bounded_parts)
{
	struct peer p;

	put(0, 9000);
	p = connect_peer();
	take_all(&p);
	cr_assert_gt(p.parts, 2);
	cr_assert_eq(p.full_loads, 1);
	cr_assert_eq(p.puts, 9000);
	cr_assert_eq(link_status(link_)->version_acknowledged, 9000);
	close(p.sock);
}

Test(control_link, what_changes_during_a_full_load_is_not_lost)
{
	struct peer p;

	put(0, 9000);
	p = connect_peer();
	while (p.parts < 1) {
		cr_assert(take(&p));
		spin();
	}
	take_out(5); /* has been sent */
	put(7, 8);   /* too */
	put(9000, 9001);
	link_push_subscribers(link_);
	take_all(&p);
	cr_assert_eq(p.full_loads, 1);
	cr_assert_eq(p.removes, 1);
	cr_assert_geq(p.puts, 9002);
	cr_assert_eq(link_status(link_)->version_acknowledged, store_version(store));
	close(p.sock);
}

Test(control_link, everything_is_sent_again_to_a_data_plane_that_comes_back)
{
	struct peer p;

	put(0, 10);
	for (unsigned int i = 0; i < 3; i++) {
		p = connect_peer();
		cr_assert_eq(link_status(link_)->epoch_acknowledged, 0);
		take_all(&p);
		cr_assert_eq(p.snapshots, 1);
		cr_assert_eq(p.full_loads, 1);
		cr_assert_eq(p.puts, 10);
		close(p.sock);
		/* the next one comes before the end of this one was noticed */
	}
}

Test(control_link, no_more_than_a_few_messages_are_on_their_way)
{
	struct peer p;

	put(0, 12000);
	p = connect_peer();
	p.is_mute = true;
	take_all(&p);
	cr_assert_leq(p.snapshots + p.parts, 3);
	cr_assert_not(link_status(link_)->is_loaded);
	cr_assert_eq(link_status(link_)->epoch_acknowledged, 0);
	close(p.sock);
}

Test(control_link, a_second_data_plane_is_refused_while_the_first_lives)
{
	struct peer p = connect_peer(), second;
	struct ipc_header h;
	uint8_t body[64];
	int fd;

	take_all(&p);
	second = dial();
	spin();
	cr_assert_eq(ipc_receive(second.sock, &h, body, sizeof(body), &fd), 0);
	cr_assert_eq(h.type, IPC_REFUSED);
	cr_assert_eq(h.status, EBUSY);
	cr_assert_eq(ipc_receive(second.sock, &h, body, sizeof(body), &fd), -ECONNRESET);
	cr_assert(link_status(link_)->is_connected);
	link_push_snapshot(link_);
	take_all(&p);
	cr_assert_eq(p.snapshots, 2);
	close(p.sock);
	close(second.sock);
}

Test(control_link, a_refused_delta_is_followed_by_a_full_load)
{
	struct peer p;

	put(0, 10);
	p = connect_peer();
	take_all(&p);
	put(10, 11);
	p.refuse_status = EEXIST;
	link_push_subscribers(link_);
	take_all(&p);
	cr_assert_eq(p.full_loads, 1);
	take_until_loaded(&p, 2);
	cr_assert_eq(p.puts, 11);
	cr_assert_eq(link_status(link_)->version_acknowledged, 11);
	close(p.sock);
}

Test(control_link, a_refused_full_load_is_sent_again)
{
	struct peer p;

	put(0, 10);
	p = connect_peer();
	p.refuse_status = ENOMEM;
	take_all(&p);
	cr_assert_not(link_status(link_)->is_loaded);
	take_until_loaded(&p, 2);
	cr_assert(link_status(link_)->is_loaded);
	close(p.sock);
}

Test(control_link, peers_that_break_the_protocol_are_dropped)
{
	uint8_t junk[40] = {1};
	struct peer p;

	for (unsigned int i = 0; i < 6; i++) {
		struct ipc_header h;
		uint8_t body[64];
		int fd;

		p = i < 3 ? dial() : connect_peer();
		while (i >= 3 && take(&p))
			spin();
		if (i == 0)
			cr_assert_eq(send(p.sock, junk, sizeof(junk), 0), sizeof(junk));
		else if (i == 1)
			say(&p, IPC_STATS, 1, 0, junk, 20);
		else if (i == 2)
			say(&p, IPC_HELLO, 1, 0, junk, 20);
		else if (i == 3)
			hello(&p);
		else if (i == 4)
			say(&p, IPC_ACK, 4711, 0, NULL, 0);
		else
			say(&p, IPC_STATS, 2, 0, junk, 19);
		spin();
		cr_assert_eq(
			ipc_receive(p.sock, &h, body, sizeof(body), &fd), -ECONNRESET, "%u", i);
		cr_assert_not(link_status(link_)->is_connected, "%u", i);
		close(p.sock);
		spin();
	}
}

Test(control_link, statistics_are_kept)
{
	struct ipc_stats *s = calloc(1, sizeof(*s));
	uint8_t body[1024];
	struct peer p = connect_peer();

	take_all(&p);
	s->epoch = 5;
	s->subscribers = 77;
	s->n_counters = 1;
	strcpy(s->counters[0].name, "resolve_ok");
	s->counters[0].value = 99;
	say(&p, IPC_STATS, 3, 0, body, ipc_stats_encode(s, body, sizeof(body)));
	spin();
	cr_assert(link_status(link_)->has_stats);
	cr_assert_eq(link_status(link_)->stats.subscribers, 77);
	cr_assert_str_eq(link_status(link_)->stats.counters[0].name, "resolve_ok");
	free(s);
	close(p.sock);
}

Test(control_link, a_data_plane_that_is_to_end_is_let_go_once)
{
	struct peer p = connect_peer();
	struct ipc_header h;
	uint8_t body[64];
	int fd;

	take_all(&p);
	cr_expect_eq(link_status(link_)->addresses_acknowledged, 50);
	link_release(link_);
	cr_expect_eq(ipc_receive(p.sock, &h, body, sizeof(body), &fd), -EAGAIN, "it has not asked");
	say(&p, IPC_DRAIN, 9, 0, NULL, 0);
	spin();
	cr_assert(link_status(link_)->is_ending);
	link_release(link_);
	link_release(link_);
	cr_assert_eq(ipc_receive(p.sock, &h, body, sizeof(body), &fd), 0);
	cr_expect_eq(h.type, IPC_DRAIN);
	cr_expect_eq(ipc_receive(p.sock, &h, body, sizeof(body), &fd), -EAGAIN, "once");
	close(p.sock);
	spin();
	cr_expect_not(link_status(link_)->is_ending);
	cr_expect_eq(link_status(link_)->addresses_acknowledged, 0);
}

static void report(struct peer *p, const char *name, uint64_t value)
{
	struct ipc_stats *s = calloc(1, sizeof(*s));
	uint8_t body[1024];

	s->epoch = 5;
	s->n_counters = 1;
	strcpy(s->counters[0].name, name);
	s->counters[0].value = value;
	say(p, IPC_STATS, ++p->seq, 0, body, ipc_stats_encode(s, body, sizeof(body)));
	free(s);
}

static void pass(unsigned int ms)
{
	for (unsigned int i = 0; i < ms / 10; i++) {
		spin();
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
}

Test(control_link, a_data_plane_that_is_silent_does_not_serve)
{
	struct peer p = connect_peer();
	unsigned int before;

	cr_expect_not(link_is_serving(link_), "it has nothing yet");
	take_all(&p);
	cr_expect(link_is_serving(link_));
	before = changes;
	for (unsigned int i = 0; i < 3; i++) {
		pass(1000);
		cr_expect(link_is_serving(link_), "it reports");
		report(&p, "resolve_ok", 1);
	}
	cr_expect_eq(changes, before);
	pass(2600);
	cr_expect_not(link_is_serving(link_));
	cr_expect(link_status(link_)->is_silent && link_status(link_)->is_connected);
	cr_expect_eq(changes, before + 1, "the owner is told");
	report(&p, "resolve_ok", 1);
	spin();
	cr_expect(link_is_serving(link_), "it is heard again");
	cr_expect_eq(changes, before + 2);
	/* Control itself stood still: what was said meanwhile counts. */
	report(&p, "resolve_ok", 1);
	nanosleep(&(struct timespec){2, 300000000}, NULL);
	spin();
	cr_expect_eq(changes, before + 2);
	close(p.sock);
}

Test(control_link, a_data_plane_that_cannot_answer_does_not_serve)
{
	static const char *const names[] = {"workers_stuck", "cut_off"};
	struct peer p = connect_peer();

	take_all(&p);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int before = changes;

		report(&p, names[i], 1);
		spin();
		cr_expect_not(link_is_serving(link_), "%s", names[i]);
		report(&p, names[i], 1);
		spin();
		cr_expect_eq(changes, before + 1, "told once");
		report(&p, names[i], 0);
		spin();
		cr_expect(link_is_serving(link_), "%s", names[i]);
		cr_expect_eq(changes, before + 2);
	}
	report(&p, names[1], 1);
	spin();
	close(p.sock);
	spin();
	p = connect_peer();
	take_all(&p);
	cr_expect(link_is_serving(link_), "another data plane");
	close(p.sock);
}
