/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/redis_rig.h"

#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/clock.h"

int rig_free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(sock, (struct sockaddr *)&sa, sizeof(sa)), 0);
	cr_assert_eq(getsockname(sock, (struct sockaddr *)&sa, &len), 0);
	close(sock);
	return ntohs(sa.sin_port);
}

static pid_t spawn(const char *program, const char *config, const char *log)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, 1);
		dup2(fd, 2);
		for (int i = 3; i < 256; i++)
			close(i);
		execlp(program, program, config, NULL);
		_exit(127);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

void rig_kill(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

size_t rig_cli(const struct rig *r, unsigned int server, const char *words, void *out, size_t cap)
{
	char command[1024];
	size_t n;
	FILE *f;

	snprintf(command, sizeof(command), "redis-cli --no-auth-warning -p %d --raw %s 2>&1",
		r->port[server], words);
	f = popen(command, "r");
	cr_assert(f);
	n = fread(out, 1, cap - 1, f);
	cr_assert_eq(pclose(f), 0, "%s", command);
	n -= n > 0;
	((char *)out)[n] = '\0';
	return n;
}

void rig_set(
	const struct rig *r, unsigned int server, const char *words, const void *data, size_t len)
{
	char command[1024];
	FILE *f;

	snprintf(command, sizeof(command), "redis-cli --no-auth-warning -p %d -x %s >%s/set",
		r->port[server], words, r->dir);
	f = popen(command, "w");
	cr_assert(f);
	cr_assert_eq(fwrite(data, 1, len, f), len);
	cr_assert_eq(pclose(f), 0, "%s", command);
}

static void await_ping(const struct rig *r, int port)
{
	char command[256];
	uint64_t until = clock_mono_ms() + 20000;

	snprintf(command, sizeof(command),
		"timeout 2 redis-cli -p %d ping 2>&1 | grep -qE 'PONG|NOAUTH' ", port);
	while (system(command) != 0) {
		cr_assert_lt(clock_mono_ms(), until, "Redis does not start (%s)", r->dir);
		usleep(20000);
	}
}

void rig_start_server(struct rig *r, unsigned int i)
{
	char path[128], log[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/redis%u.conf", r->dir, i);
	snprintf(log, sizeof(log), "%s/redis%u.log", r->dir, i);
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f,
		"bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\nappendonly no\ndbfilename %u.rdb\n"
		"repl-diskless-sync-delay 0\n%s\n",
		r->port[i], r->dir, i, r->config ? r->config : "");
	if (i > 0)
		fprintf(f, "replicaof 127.0.0.1 %d\n", r->port[0]);
	fclose(f);
	r->server[i] = spawn("redis-server", path, log);
	await_ping(r, r->port[i]);
}

static void start_sentinel(struct rig *r)
{
	char path[128], log[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sentinel.conf", r->dir);
	snprintf(log, sizeof(log), "%s/sentinel.log", r->dir);
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f,
		"bind 127.0.0.1\nport %d\ndir %s\nsentinel monitor tkms 127.0.0.1 %d 1\n"
		"sentinel down-after-milliseconds tkms 500\nsentinel failover-timeout tkms 3000\n",
		r->sentinel_port, r->dir, r->port[0]);
	fclose(f);
	r->sentinel = spawn("redis-sentinel", path, log);
	await_ping(r, r->sentinel_port);
}

void rig_start(struct rig *r, unsigned int n, const char *config)
{
	*r = (struct rig){.dir = "/tmp/tkms-redis-XXXXXX", .config = config};
	cr_assert(mkdtemp(r->dir));
	for (unsigned int i = 0; i < n; i++)
		r->port[i] = rig_free_port();
	r->sentinel_port = rig_free_port();
	snprintf(r->sentinel_text, sizeof(r->sentinel_text), "127.0.0.1:%d", r->sentinel_port);
	for (unsigned int i = 0; i < n; i++)
		rig_start_server(r, i);
	start_sentinel(r);
}

void rig_stop(struct rig *r)
{
	char command[128];

	rig_kill(&r->sentinel);
	for (unsigned int i = 0; i < RIG_SERVERS; i++)
		rig_kill(&r->server[i]);
	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	cr_assert_eq(system(command), 0);
}

static void on_awake(evutil_socket_t sock, short events, void *arg)
{
	(void)sock;
	(void)events;
	(void)arg;
}

bool rig_until(struct event_base *base, bool (*holds)(void *arg), void *arg, unsigned int ms)
{
	static const struct timeval soon = {0, 5000};
	struct event *awake = event_new(base, -1, EV_PERSIST, on_awake, NULL);
	uint64_t until = clock_mono_ms() + ms;
	bool does;

	event_add(awake, &soon);
	while (!(does = holds(arg)) && clock_mono_ms() < until)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(awake);
	return does;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void rig_run(struct event_base *base, unsigned int ms)
{
	rig_until(base, never, NULL, ms);
}

enum { LIAR_PEERS = 64 };

struct liar {
	struct evconnlistener *listener;
	struct bufferevent *peers[LIAR_PEERS];
	unsigned int n;
	const char *answer;
	size_t len;
	char text[RIG_TEXT];
};

static void lie(struct bufferevent *bev, void *arg)
{
	struct liar *l = arg;

	evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
	bufferevent_write(bev, l->answer, l->len);
}

static void on_peer(struct evconnlistener *listener, evutil_socket_t sock, struct sockaddr *sa,
	int len, void *arg)
{
	struct liar *l = arg;

	(void)sa;
	(void)len;
	if (l->n == LIAR_PEERS) {
		close(sock);
		return;
	}
	l->peers[l->n] = bufferevent_socket_new(
		evconnlistener_get_base(listener), sock, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(l->peers[l->n], lie, NULL, NULL, l);
	bufferevent_enable(l->peers[l->n++], EV_READ | EV_WRITE);
}

struct liar *liar_new(struct event_base *base, const char *answer, size_t len)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t sa_len = sizeof(sa);
	struct liar *l = calloc(1, sizeof(*l));

	l->answer = answer;
	l->len = len;
	l->listener = evconnlistener_new_bind(
		base, on_peer, l, LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *)&sa, sizeof(sa));
	cr_assert(l->listener);
	getsockname(evconnlistener_get_fd(l->listener), (struct sockaddr *)&sa, &sa_len);
	snprintf(l->text, sizeof(l->text), "127.0.0.1:%d", ntohs(sa.sin_port));
	return l;
}

const char *liar_text(const struct liar *l)
{
	return l->text;
}

void liar_free(struct liar *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		bufferevent_free(l->peers[i]);
	evconnlistener_free(l->listener);
	free(l);
}
