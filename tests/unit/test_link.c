/* SPDX-License-Identifier: BSD-3-Clause */
/* The link against a control process played by the test, over a real socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/link.h"

struct seen {
	unsigned int snapshots, subscribers, lost, released;
	uint8_t first_octet;
	size_t len;
	uint32_t flags;
	int status;
	uint32_t contact_ms;
};

static struct seen seen;
static char dir[] = "/tmp/tkms-link-XXXXXX";
static char path[64];
static int listener = -1;
static struct link link_under_test;

static int on_snapshot(void *arg, const uint8_t *buf, size_t len)
{
	struct seen *s = arg;

	s->snapshots++;
	s->len = len;
	s->first_octet = len ? buf[0] : 0;
	return s->status;
}

static int on_subscribers(void *arg, const uint8_t *buf, size_t len, uint32_t flags)
{
	struct seen *s = arg;

	s->subscribers++;
	s->len = len;
	s->first_octet = len ? buf[0] : 0;
	s->flags = flags;
	return s->status;
}

static void on_hello(void *arg, struct ipc_hello *hello)
{
	(void)arg;
	*hello = (struct ipc_hello){
		.pid = 1, .workers = 2, .epoch = 42, .subscribers = 7, .version = "test"};
}

static void on_lost(void *arg)
{
	((struct seen *)arg)->lost++;
}

static void on_released(void *arg)
{
	((struct seen *)arg)->released++;
}

static void on_contact(void *arg, uint32_t valid_ms)
{
	((struct seen *)arg)->contact_ms += valid_ms;
}

static const struct link_handlers handlers = {.arg = &seen,
	.snapshot = on_snapshot,
	.subscribers = on_subscribers,
	.hello = on_hello,
	.contact = on_contact,
	.lost = on_lost,
	.released = on_released};

static void listen_here(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, path);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cr_assert_geq(listener, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(listener, 1), 0);
}

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	link_init(&link_under_test, path, &handlers);
}

static void teardown(void)
{
	link_close(&link_under_test);
	unlink(path);
	rmdir(dir);
}

TestSuite(link, .init = setup, .fini = teardown);

static int accept_hello(void)
{
	struct ipc_header h;
	struct ipc_hello hello;
	uint8_t body[512];
	int fd, peer, n;

	peer = accept(listener, NULL, NULL);
	cr_assert_geq(peer, 0);
	n = ipc_receive(peer, &h, body, sizeof(body), &fd);
	cr_assert_geq(n, 0);
	cr_expect_eq(h.type, IPC_HELLO);
	cr_assert_eq(ipc_hello_decode(&hello, body, (size_t)n), 0);
	cr_expect_eq(hello.epoch, 42u);
	cr_expect_eq(hello.workers, 2u);
	return peer;
}

static int connected(void)
{
	listen_here();
	cr_assert_eq(link_connect(&link_under_test, 1000), -1);
	return accept_hello();
}

static void send_memfd(
	int peer, enum ipc_type type, uint64_t seq, const char *octets, size_t len, uint32_t flags)
{
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = (uint16_t)type,
		.seq = seq,
		.flags = flags,
		.length = (uint32_t)len};
	void *map;
	int fd = ipc_memfd_create("test", len, &map);

	cr_assert_geq(fd, 0);
	memcpy(map, octets, len);
	cr_assert_eq(ipc_send(peer, &h, NULL, 0, fd), 0);
	/* The receiver wipes: keep the memfd open to see it. */
	link_receive(&link_under_test, 2000);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(((const char *)map)[i], 0, "octet %zu was not wiped", i);
	ipc_memfd_close(fd, map, len);
}

static struct ipc_header acknowledged(int peer)
{
	struct ipc_header h;
	uint8_t body[64];
	int fd;

	cr_assert_eq(ipc_receive(peer, &h, body, sizeof(body), &fd), 0);
	cr_assert_eq(h.type, IPC_ACK);
	return h;
}

Test(link, hands_on_a_snapshot_acknowledges_and_wipes_it)
{
	int peer = connected();
	struct ipc_header ack;

	send_memfd(peer, IPC_SNAPSHOT, 11, "snap", 4, 0);
	cr_expect_eq(seen.snapshots, 1u);
	cr_expect_eq(seen.first_octet, 's');
	cr_expect_eq(seen.len, 4u);
	ack = acknowledged(peer);
	cr_expect_eq(ack.seq, 11u);
	cr_expect_eq(ack.status, 0u);
	cr_expect_eq(ack.epoch, 42u);
}

Test(link, says_what_was_refused)
{
	int peer = connected();

	seen.status = -EINVAL;
	send_memfd(peer, IPC_SUBSCRIBERS, 12, "subs", 4, IPC_LOAD_FIRST);
	cr_expect_eq(seen.subscribers, 1u);
	cr_expect_eq(seen.flags, (uint32_t)IPC_LOAD_FIRST);
	cr_expect_eq(acknowledged(peer).status, (uint32_t)EINVAL);
	cr_expect_geq(link_under_test.sock, 0, "a refusal does not end the connection");
}

Test(link, takes_an_empty_load_without_memfd)
{
	int peer = connected();
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_SUBSCRIBERS,
		.seq = 3,
		.flags = IPC_LOAD_FIRST | IPC_LOAD_LAST};

	cr_assert_eq(ipc_send(peer, &h, NULL, 0, -1), 0);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(seen.subscribers, 1u);
	cr_expect_eq(seen.len, 0u);
	cr_expect_eq(acknowledged(peer).status, 0u);
}

Test(link, asks_whether_it_may_end_and_hears_the_answer)
{
	struct ipc_header h = {.magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_DRAIN};
	uint8_t body[64];
	int peer, fd;

	cr_expect_eq(link_ask_to_end(&link_under_test), -ENOTCONN);
	peer = connected();
	cr_assert_eq(link_ask_to_end(&link_under_test), 0);
	cr_assert_eq(ipc_receive(peer, &h, body, sizeof(body), &fd), 0);
	cr_expect_eq(h.type, IPC_DRAIN);
	cr_assert_eq(ipc_send(peer, &h, NULL, 0, -1), 0);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(seen.released, 1u);
	cr_expect_eq(seen.lost, 0u);
}

Test(link, hears_of_contact_and_does_not_answer)
{
	int peer = connected();
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_CONTACT,
		.seq = 5,
		.status = 750};

	cr_assert_eq(ipc_send(peer, &h, NULL, 0, -1), 0);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(seen.contact_ms, 750u);
	cr_expect_eq(recv(peer, &h, sizeof(h), MSG_DONTWAIT), -1);
	cr_expect_geq(link_under_test.sock, 0);
}

Test(link, acknowledges_unknown_messages_as_not_supported)
{
	int peer = connected();
	struct ipc_header h = {
		.magic = IPC_MAGIC, .version = IPC_VERSION, .type = 99, .seq = 5, .length = 3};

	cr_assert_eq(ipc_send(peer, &h, "abc", 3, -1), 0);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(acknowledged(peer).status, (uint32_t)EOPNOTSUPP);
	cr_expect_eq(seen.snapshots + seen.subscribers, 0u);
}

Test(link, drops_a_peer_that_talks_nonsense)
{
	int peer = connected();

	cr_assert_eq(send(peer, "nonsense", 8, 0), 8);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(link_under_test.sock, -1);
	cr_expect_eq(seen.lost, 1u);
}

Test(link, refuses_secrets_outside_a_memfd)
{
	int peer = connected();
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = IPC_SNAPSHOT,
		.seq = 5,
		.length = 3};

	cr_assert_eq(ipc_send(peer, &h, "abc", 3, -1), 0);
	link_receive(&link_under_test, 2000);
	cr_expect_eq(seen.snapshots, 0u);
	cr_expect_eq(link_under_test.sock, -1);
}

Test(link, comes_back_after_the_peer_has_gone)
{
	int peer = connected();
	int wait;

	close(peer);
	link_receive(&link_under_test, 5000);
	cr_expect_eq(link_under_test.sock, -1);
	cr_expect_eq(seen.lost, 1u);
	wait = link_connect(&link_under_test, 5000);
	cr_assert_gt(wait, 0);
	cr_assert_leq(wait, 100);
	cr_assert_eq(link_connect(&link_under_test, 5000 + (uint64_t)wait), -1);
	close(accept_hello());
}

Test(link, tries_for_ever_with_growing_pauses)
{
	uint64_t now = 1000;
	int wait = 0;

	for (int i = 0; i < 50; i++) {
		wait = link_connect(&link_under_test, now);
		cr_assert_gt(wait, 0, "nobody listens");
		cr_assert_leq(wait, 2000);
		now += (uint64_t)wait;
	}
	cr_expect_geq(wait, 1000, "pauses grow");
	listen_here();
	cr_expect_eq(link_connect(&link_under_test, now), -1);
	send_memfd(accept_hello(), IPC_SNAPSHOT, 1, "snap", 4, 0);
	cr_expect_eq(link_under_test.backoff_ms, 100u, "a control that talks is worth haste");
}

Test(link, does_not_hammer_a_control_that_hangs_up)
{
	uint64_t now = 1000;
	int wait = 0;

	listen_here();
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(link_connect(&link_under_test, now), -1);
		close(accept_hello());
		link_receive(&link_under_test, now);
		wait = link_connect(&link_under_test, now);
		cr_assert_gt(wait, 0);
		now += (uint64_t)wait;
	}
	cr_expect_geq(wait, 1000, "pauses grow");
}

Test(link, reports_statistics_and_leaves_them_out_when_the_peer_is_slow)
{
	static struct ipc_stats stats = {
		.epoch = 42, .n_counters = IPC_COUNTERS_MAX, .n_workers = IPC_WORKERS_MAX};
	static struct ipc_stats got;
	static uint8_t body[65536];
	struct ipc_header h;
	int peer = connected();
	int fd, n;

	for (unsigned int i = 0; i < IPC_COUNTERS_MAX; i++)
		snprintf(stats.counters[i].name, sizeof(stats.counters[i].name),
			"a_counter_with_a_rather_long_name_%u", i);
	for (int i = 0; i < 1000; i++)
		link_report(&link_under_test, &stats, 3000);
	cr_expect_geq(link_under_test.sock, 0);
	n = ipc_receive(peer, &h, body, sizeof(body), &fd);
	cr_assert_gt(n, 0);
	cr_expect_eq(h.type, IPC_STATS);
	cr_assert_eq(ipc_stats_decode(&got, body, (size_t)n), 0);
	cr_expect_eq(got.n_counters, (unsigned int)IPC_COUNTERS_MAX);
}

Test(link, path_that_is_too_long_is_no_crash)
{
	static char longer[300];

	memset(longer, 'x', sizeof(longer) - 1);
	link_init(&link_under_test, longer, &handlers);
	cr_expect_gt(link_connect(&link_under_test, 1), 0);
}

Test(link, is_one_too_many_when_it_is_refused_for_long_and_has_never_served)
{
	struct ipc_header h = {
		.magic = IPC_MAGIC, .version = IPC_VERSION, .type = IPC_REFUSED, .status = EBUSY};
	int peer = connected();

	cr_assert_eq(ipc_send(peer, &h, NULL, 0, -1), 0);
	link_receive(&link_under_test, 1000);
	close(peer);
	cr_assert_lt(link_under_test.sock, 0);
	cr_assert_not(link_is_superfluous(&link_under_test, 1000));
	cr_assert_not(link_is_superfluous(&link_under_test, 8999));
	cr_assert(link_is_superfluous(&link_under_test, 9000));
	link_under_test.is_wanted = true;
	cr_assert_not(link_is_superfluous(&link_under_test, 9000), "whoever serves goes on");
}
