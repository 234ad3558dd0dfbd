/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding, losing and changing the Redis primary. */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/bus.h"
#include "control/clock.h"
#include "control/redis.h"
#include "tests/unit/bus_node.h"
#include "tests/unit/redis_rig.h"

enum { WAIT_MS = 30000 };

static struct rig rig;
static struct event_base *base;
static struct bus_node_settings settings;
static struct bus_node node;

static void start(unsigned int servers, const char *config)
{
	rig_start(&rig, servers, config);
	base = event_base_new();
	settings = (struct bus_node_settings){
		.sentinels = {rig.sentinel_text}, .n_sentinels = 1, .poll_ms = 50, .kek = 1};
}

static void stop(void)
{
	bus_node_close(&node);
	event_base_free(base);
	rig_stop(&rig);
}

static void open_node(void)
{
	bus_node_open(&node, base, 0xa1, &settings);
}

static void await(bool (*holds)(void *))
{
	cr_assert(rig_until(base, holds, &node, WAIT_MS), "%s", bus_status(node.bus)->error);
}

TestSuite(control_primary, .timeout = 90);

Test(control_primary, a_redis_that_was_killed_and_is_back_empty_gets_everything_again)
{
	char out[64], primary[64];

	start(1, NULL);
	open_node();
	await(bus_node_is_caught_up);
	snprintf(primary, sizeof(primary), "127.0.0.1:%d", rig.port[0]);
	cr_assert_str_eq(bus_status(node.bus)->primary, primary);
	cr_assert_eq(bus_put(node.bus, BUS_NODES, 1, "x", 1), 0);
	rig_kill(&rig.server[0]);
	await(bus_node_is_lost);
	cr_assert_str_empty(bus_status(node.bus)->primary);
	cr_assert_str_not_empty(bus_status(node.bus)->error);
	/* what is put meanwhile is not lost */
	cr_assert_eq(bus_put(node.bus, BUS_LOGS, 1, "y", 1), 0);
	rig_start_server(&rig, 0);
	await(bus_node_is_reachable);
	rig_run(base, 300);
	rig_cli(&rig, 0, "hlen tkms:nodes", out, sizeof(out));
	cr_assert_str_eq(out, "1");
	rig_cli(&rig, 0, "hlen tkms:logs", out, sizeof(out));
	cr_assert_str_eq(out, "1");
	cr_assert_geq(bus_status(node.bus)->reconnects, 1);
	stop();
}

Test(control_primary, a_frozen_redis_is_lost_within_the_time_limit)
{
	uint64_t began;

	start(1, NULL);
	open_node();
	await(bus_node_is_caught_up);
	kill(rig.server[0], SIGSTOP);
	began = clock_mono_ms();
	await(bus_node_is_lost);
	cr_assert_lt(clock_mono_ms() - began, 10000);
	cr_assert_geq(bus_status(node.bus)->timeouts, 1);
	cr_assert(strstr(bus_status(node.bus)->error, "no answer"), "%s",
		bus_status(node.bus)->error);
	/* nor is one that takes connections and says nothing taken for one that works */
	rig_run(base, 3000);
	cr_assert_not(node.is_reachable);
	kill(rig.server[0], SIGCONT);
	await(bus_node_is_reachable);
	stop();
}

Test(control_primary, a_failover_is_followed_and_lost_records_are_written_again)
{
	char out[4096], primary[64];
	uint64_t until = clock_mono_ms() + WAIT_MS;

	start(2, NULL);
	/* a primary that is killed before its Sentinel knows of the replica is never replaced */
	do {
		char command[128];
		FILE *f;

		cr_assert_lt(clock_mono_ms(), until);
		snprintf(command, sizeof(command), "redis-cli -p %d sentinel replicas tkms",
			rig.sentinel_port);
		f = popen(command, "r");
		out[fread(out, 1, sizeof(out) - 1, f)] = '\0';
		pclose(f);
		usleep(100000);
	} while (!strstr(out, "slave-priority") || !strstr(out, "\nok"));
	open_node();
	await(bus_node_is_caught_up);
	/* acknowledged by the primary, never seen by its replica */
	kill(rig.server[1], SIGSTOP);
	cr_assert_eq(bus_put(node.bus, BUS_LOGS, 7, "survives", 8), 0);
	rig_run(base, 200);
	cr_assert_eq(bus_status(node.bus)->writes, 1);
	rig_kill(&rig.server[0]);
	kill(rig.server[1], SIGCONT);
	await(bus_node_is_lost);
	await(bus_node_is_reachable);
	snprintf(primary, sizeof(primary), "127.0.0.1:%d", rig.port[1]);
	cr_assert_str_eq(bus_status(node.bus)->primary, primary);
	rig_run(base, 300);
	rig_cli(&rig, 1, "hlen tkms:logs", out, sizeof(out));
	cr_assert_str_eq(out, "1");
	stop();
}

Test(control_primary, a_replica_is_not_taken_for_the_primary)
{
	char answer[128];
	struct liar *liar;

	start(2, NULL);
	snprintf(answer, sizeof(answer), "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%d\r\n",
		(size_t)snprintf(NULL, 0, "%d", rig.port[1]), rig.port[1]);
	liar = liar_new(base, answer, strlen(answer));
	settings.sentinels[0] = liar_text(liar);
	open_node();
	rig_run(base, 1500);
	cr_assert_not(node.is_reachable);
	cr_assert(strstr(bus_status(node.bus)->error, "its role is slave"), "%s",
		bus_status(node.bus)->error);
	liar_free(liar);
	stop();
}

Test(control_primary, sentinels_that_lie_do_not_outweigh_one_that_does_not)
{
	char answer[128];
	struct liar *liar[2];

	start(2, NULL);
	snprintf(answer, sizeof(answer), "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%d\r\n",
		(size_t)snprintf(NULL, 0, "%d", rig.port[1]), rig.port[1]);
	liar[0] = liar_new(base, answer, strlen(answer));
	liar[1] = liar_new(base, answer, strlen(answer));
	settings.sentinels[0] = liar_text(liar[0]);
	settings.sentinels[1] = liar_text(liar[1]);
	settings.sentinels[2] = rig.sentinel_text;
	settings.n_sentinels = 3;
	open_node();
	await(bus_node_is_reachable);
	cr_assert(strstr(bus_status(node.bus)->primary, "127.0.0.1:"));
	liar_free(liar[0]);
	liar_free(liar[1]);
	stop();
}

Test(control_primary, servers_that_talk_rubbish_without_end_are_left)
{
	static const char *const answers[] = {"*1000000000\r\n", "$-7\r\n",
		"HTTP/1.1 400 no\r\n\r\n",
		"*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n",
		"$2000000000\r\n", ":1\r\n:2\r\n:3\r\n:4\r\n", "*-1\r\n", "-ERR no\r\n"};

	start(1, NULL);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct liar *liar = liar_new(base, answers[i], strlen(answers[i]));

		settings.sentinels[0] = liar_text(liar);
		open_node();
		rig_run(base, i == 4 ? 1500 : 150);
		cr_assert_not(node.is_reachable);
		bus_node_close(&node);
		liar_free(liar);
	}
	settings.sentinels[0] = rig.sentinel_text;
	open_node();
	await(bus_node_is_reachable);
	stop();
}

static bool has_ended;
static char ended[128];

static void on_ended(void *arg, const char *why)
{
	(void)arg;
	has_ended = true;
	snprintf(ended, sizeof(ended), "%s", why);
}

static struct redis *client;

static void on_opened(void *arg)
{
	const struct redis_text ping = REDIS_WORD("PING");

	(void)arg;
	cr_assert_eq(redis_send(client, &ping, 1, NULL, NULL), 0);
}

static bool ended_it(void *arg)
{
	(void)arg;
	return has_ended;
}

Test(control_primary, a_reply_that_is_too_long_ends_the_connection)
{
	const struct redis_owner owner = {NULL, on_opened, on_ended, NULL};
	const struct redis_limits limits = {1000, 20000};
	size_t len = REDIS_REPLY_MAX + (1 << 20);
	char *answer = malloc(len);
	struct redis_address to;
	struct liar *liar;

	memset(answer, 'x', len);
	memcpy(answer, "$99999999\r\n", 11);
	base = event_base_new();
	liar = liar_new(base, answer, len);
	cr_assert_eq(redis_address_parse(&to, liar_text(liar)), 0);
	client = redis_open(base, &to, &limits, &owner);
	cr_assert(client);
	cr_assert(rig_until(base, ended_it, NULL, WAIT_MS));
	cr_assert_str_eq(ended, "a reply is too long");
	liar_free(liar);
	event_base_free(base);
	free(answer);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(control_primary, a_wrong_password_is_a_clear_error)
{
	char path[128];

	start(1, "user default off\nuser probe on nopass +ping\n"
		 "user tkms on >secret ~tkms:* &tkms:* +@all");
	snprintf(path, sizeof(path), "%s/password", rig.dir);
	settings.user = "tkms";
	settings.password_file = path;
	open_node();
	rig_run(base, 500);
	cr_assert(strstr(bus_status(node.bus)->error, "password file"), "%s",
		bus_status(node.bus)->error);
	write_file(path, "wrong\n");
	rig_run(base, 6000);
	cr_assert(strstr(bus_status(node.bus)->error, "refuses user \"tkms\"") &&
			  strstr(bus_status(node.bus)->error, "WRONGPASS"),
		"%s", bus_status(node.bus)->error);
	cr_assert_not(node.is_reachable);
	/* read again at each connect */
	write_file(path, "secret\n");
	await(bus_node_is_reachable);
	stop();
}

Test(control_primary, a_user_who_may_not_read_is_a_clear_error)
{
	char path[128];

	start(1, "user default off\nuser probe on nopass +ping\n"
		 "user tkms on >secret ~tkms:* &tkms:* +@all -hkeys");
	snprintf(path, sizeof(path), "%s/password", rig.dir);
	write_file(path, "secret");
	settings.user = "tkms";
	settings.password_file = path;
	open_node();
	await(bus_node_is_reachable);
	rig_run(base, 300);
	cr_assert(strstr(bus_status(node.bus)->error, "NOPERM"), "%s", bus_status(node.bus)->error);
	cr_assert_eq(node.caught_up, 0);
	stop();
}
