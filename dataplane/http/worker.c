/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/worker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/http/listener.h"
#include "dataplane/http/log.h"
#include "dataplane/http/relay.h"
#include "dataplane/http/sandbox.h"
#include "dataplane/http/server.h"
#include "dataplane/http/udp.h"

enum {
	EVENTS_MAX = 128,
	PAIRS_LEAST = 1 << 18,
	PAIRS_MOST = 1 << 22,	   /* 272 MiB, where all are in use */
	REST_ANSWERED_US = 500000, /* for duplicates of an answer */
	SLEEP_LONGEST_MS = 1000,
	LASTING_US = 1000000, /* a change of health that is worth a line */
	FDS_MAX = 8,
	HANDSHAKES_US = 100000, /* most round trips are shorter */
	ACCEPTS_MAX = 1000,
};

/* What epoll reports: sockets of the data planes have their numbers. */
enum { TAG_SIGNAL = UINT32_MAX, TAG_HTTP = UINT32_MAX - FDS_MAX };

struct change {
	uint64_t at_us; /* last change of an address's health */
	bool said_silent;
};

/* What has been added to the metrics. */
struct said {
	struct relay_counters count;
	uint64_t evicted, lost, left_out;
};

struct worker {
	const struct worker_config *config;
	const struct http_config *settings;
	struct relay *relay;
	struct server *server;
	struct udp *udp;
	struct udp_events events;
	int epoll, signals;
	uint64_t now_us;
	uint64_t stop_us;    /* 0: serving; else when to end in any case */
	uint64_t quiesce_us; /* stopping: when to close the listening sockets */
	bool is_quiet;	     /* they are closed */
	bool unsaid;	     /* a change of health may have to be logged */
	struct change change[SETTINGS_LIST_MAX];
	struct said said;
	struct access_buffer access;
};

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void on_datagram(void *arg, unsigned int socket, const uint8_t *octets, size_t len)
{
	struct worker *w = arg;

	metrics_add(&w->config->metrics->address[socket / w->settings->ports].answers, 1);
	relay_datagram(w->relay, socket, octets, len, w->now_us);
	/* Before the next datagram: it may end the request whose message is to be sent. */
	udp_flush(w->udp, &w->events);
}

static void on_unsent(void *arg, unsigned int socket, unsigned int messages)
{
	struct worker *w = arg;

	metrics_add(&w->config->metrics->datagrams_unsent, messages);
	relay_unreachable(w->relay, socket, w->now_us);
}

static void on_unreachable(void *arg, unsigned int socket)
{
	struct worker *w = arg;

	relay_unreachable(w->relay, socket, w->now_us);
}

static void do_send(void *arg, unsigned int socket, const uint8_t *message, size_t len)
{
	struct worker *w = arg;

	udp_send(w->udp, socket, message, len, &w->events);
}

static void do_done(void *arg, struct relay_request *r, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct worker *w = arg;

	server_done(w->server, r, outcome, octets, len, now_us);
}

static void on_health(void *arg, unsigned int address)
{
	struct worker *w = arg;

	metrics_set(&w->config->metrics->address[address].silent,
		relay_health(w->relay)->address[address].silent);
	w->change[address].at_us = w->now_us;
	w->unsaid = true;
}

/* Only what has lasted: a busy machine makes addresses come and go many times a second. */
static void say_changes(struct worker *w)
{
	const struct health *h = relay_health(w->relay);

	w->unsaid = false;
	for (unsigned int i = 0; i < h->n; i++) {
		struct change *c = &w->change[i];

		if (c->said_silent == h->address[i].silent)
			continue;
		if (w->now_us < c->at_us + LASTING_US) {
			w->unsaid = true;
			continue;
		}
		c->said_silent = h->address[i].silent;
		log_line(c->said_silent ? "warning" : "info", "%s %s",
			w->settings->kms_address[i].text,
			c->said_silent ? "does not answer" : "answers again");
	}
}

static int watch(struct worker *w, int fd, uint32_t tag)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = tag};

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int watch_all(struct worker *w)
{
	int fds[FDS_MAX], err = watch(w, w->signals, TAG_SIGNAL);
	unsigned int n = server_fds(w->server, fds, FDS_MAX);

	for (unsigned int i = 0; !err && i < n; i++)
		err = watch(w, fds[i], (uint32_t)TAG_HTTP + i);
	for (unsigned int i = 0; !err && i < udp_sockets(w->udp); i++)
		err = watch(w, udp_fd(w->udp, i), i);
	return err;
}

/* All in flight at all addresses, and room for rests: what is at rest gives way. */
static uint32_t pairs_max(const struct http_config *c)
{
	uint64_t n = (uint64_t)c->in_flight * c->kms.n;

	if (n < PAIRS_LEAST)
		return PAIRS_LEAST;
	return n < PAIRS_MOST ? (uint32_t)n : PAIRS_MOST;
}

static int open_relay(struct worker *w, uint64_t seed)
{
	const struct http_config *c = w->settings;
	const struct relay_output output = {
		.send = do_send, .done = do_done, .health = on_health, .arg = w};
	struct relay_config r = {
		.addresses = c->kms.n,
		.ports = c->ports,
		.in_flight_max = c->in_flight,
		.pairs_max = pairs_max(c),
		.limit_us = c->answer_timeout * 1000,
		.wait = {c->wait_first * 1000, c->wait_shortest * 1000, c->wait_longest * 1000},
		.rest = {{REST_ANSWERED_US, c->rest * 1000}},
		.seed = seed,
	};

	w->relay = relay_new(&r, &output);
	return w->relay ? 0 : -ENOMEM;
}

static int open_udp(struct worker *w)
{
	const struct http_config *c = w->settings;
	const struct udp_config u = {
		.address = c->kms_address,
		.addresses = c->kms.n,
		.ports = c->ports,
		.first_port = c->first_port ? c->first_port + w->config->number * c->ports : 0,
	};
	const char *at;
	int err = udp_open(&w->udp, &u, &at);

	if (err)
		log_line("error", "socket to %s: %s", at, strerror(-err));
	w->events = (struct udp_events){on_datagram, on_unsent, on_unreachable, w};
	return err;
}

static int worker_open(struct worker *w)
{
	struct server_config s = {
		.settings = w->settings,
		.listen_fds = w->config->listen_fds,
		.limiter = w->config->limiter,
		.metrics = w->config->metrics,
		.access = &w->access,
	};
	uint64_t seed;
	sigset_t stop;
	int err;

	w->access.most = w->settings->access_log_rate;
	memcpy(s.key, w->config->key, sizeof(s.key));
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -errno;
	err = open_relay(w, seed);
	if (!err)
		err = open_udp(w);
	if (err)
		return err;
	w->server = server_new(&s);
	if (!w->server)
		return -ENOMEM;
	server_use(w->server, w->relay);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	w->signals = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->signals < 0 || w->epoll < 0)
		return -errno;
	err = watch_all(w);
	return err ? err : sandbox_enter(SANDBOX_WORKER);
}

/* Handshakes that have begun get time to end; then the sockets can close on an empty queue. */
static void begin_stop(struct worker *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info) || w->stop_us)
		return;
	for (unsigned int i = 0; i < w->settings->listen.n; i++) {
		int err = listener_refuse(w->config->listen_fds[i]);

		if (err)
			log_line("warning", "worker %u stops, but cannot refuse connections: %s",
				w->config->number, strerror(-err));
	}
	w->quiesce_us = w->now_us + HANDSHAKES_US;
	w->stop_us = w->now_us + w->settings->stop_timeout * UINT64_C(1000);
}

/* libmicrohttpd takes a few of a queue at a time. */
static void end_accepting(struct worker *w)
{
	for (unsigned int k = 0;
		k < ACCEPTS_MAX && listeners_waiting(w->config->listen_fds, w->settings->listen.n);
		k++) {
		for (unsigned int i = 0; i < w->settings->listen.n; i++)
			server_ready(w->server, i);
		(void)server_run(w->server, w->now_us);
		udp_flush(w->udp, &w->events);
	}
	server_quiesce(w->server, w->now_us);
	w->is_quiet = true;
}

static int sleep_ms(const struct worker *w, int more)
{
	uint64_t due = relay_due_us(w->relay), other = server_due_us(w->server);
	uint64_t now = clock_us();

	if (more)
		return 0;
	if (other < due)
		due = other;
	if (w->stop_us && w->stop_us < due)
		due = w->stop_us;
	if (w->stop_us && !w->is_quiet && w->quiesce_us < due)
		due = w->quiesce_us;
	if (due <= now)
		return 0;
	due = (due - now + 999) / 1000;
	return due < SLEEP_LONGEST_MS ? (int)due : SLEEP_LONGEST_MS;
}

static void publish(struct worker *w)
{
	const struct relay_counters *c = relay_counters(w->relay);
	struct metrics *m = w->config->metrics;
	struct said *said = &w->said;

	metrics_set(&m->in_flight, relay_in_flight(w->relay));
	metrics_set(&m->pairs, relay_pairs(w->relay));
	/* Differences: what workers before this one counted stays. */
	metrics_add(&m->datagrams_sent, c->sent - said->count.sent);
	metrics_add(&m->datagrams_retried, c->retried - said->count.retried);
	metrics_add(&m->datagrams_probing, c->probes - said->count.probes);
	metrics_add(&m->answers_unvouched, c->unvouched - said->count.unvouched);
	metrics_add(&m->answers_stray, c->stray - said->count.stray);
	metrics_add(&m->answers_malformed, c->malformed - said->count.malformed);
	metrics_add(&m->pairs_evicted, relay_evicted(w->relay) - said->evicted);
	metrics_add(&m->log_lines_lost, w->access.lost - said->lost);
	metrics_add(&m->log_lines_left_out, w->access.left_out - said->left_out);
	*said = (struct said){*c, relay_evicted(w->relay), w->access.lost, w->access.left_out};
}

/* One turn: answers, what is due, HTTP. Returns whether more is to be done at once. */
static int turn(struct worker *w, const struct epoll_event *events, int n)
{
	int more;

	w->now_us = clock_us();
	for (int i = 0; i < n; i++) {
		uint32_t tag = events[i].data.u32;

		if (tag == TAG_SIGNAL)
			begin_stop(w);
		else if (tag >= TAG_HTTP)
			server_ready(w->server, tag - TAG_HTTP);
		else
			udp_receive(w->udp, tag, &w->events);
	}
	relay_tick(w->relay, w->now_us);
	/* Before HTTP: it forgets the messages of requests that are done. */
	udp_flush(w->udp, &w->events);
	more = server_run(w->server, w->now_us);
	udp_flush(w->udp, &w->events);
	if (w->stop_us && !w->is_quiet && w->now_us >= w->quiesce_us)
		end_accepting(w);
	if (w->access.len)
		access_flush(&w->access);
	if (w->unsaid)
		say_changes(w);
	publish(w);
	return more;
}

static void loop(struct worker *w)
{
	struct epoll_event events[EVENTS_MAX];
	int more = 0;

	while (!w->stop_us || !w->is_quiet ||
		(server_connections(w->server) && w->now_us < w->stop_us)) {
		int n = epoll_wait(w->epoll, events, EVENTS_MAX, sleep_ms(w, more));

		more = turn(w, events, n > 0 ? n : 0);
	}
}

int worker_run(const struct worker_config *config)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err = w ? 0 : -ENOMEM, left;

	if (!err) {
		w->config = config;
		w->settings = config->settings;
		err = worker_open(w);
	}
	if (err) {
		log_line("error", "worker %u cannot start: %s", config->number, strerror(-err));
		return EXIT_FAILURE;
	}
	loop(w);
	left = (int)relay_in_flight(w->relay);
	if (left)
		log_line("warning", "worker %u stops with %d requests in flight", config->number,
			left);
	else
		server_free(w->server);
	/* What is left goes with the process. */
	return left ? EXIT_FAILURE : EXIT_SUCCESS;
}
