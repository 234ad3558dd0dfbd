/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/http/exporter.h"
#include "dataplane/http/listener.h"
#include "dataplane/http/log.h"
#include "dataplane/http/sandbox.h"
#include "dataplane/http/worker.h"

enum {
	OTHER_FILES = 256, /* beside connections and sockets of the data planes */
	SOON_S = 5,	   /* a worker that lives less long has a problem that stays */
	FAILURES_MAX = 5,  /* of them in a row, then all ends */
	RESTART_MS = 200,
	EXPORTER_MS = 1000, /* for its timeouts */
};

struct child {
	pid_t pid; /* 0: does not run */
	time_t started;
};

struct supervisor {
	const struct http_config *config;
	struct child *child;
	int *listen_fd; /* worker * listen.n + address */
	int metrics_fd;
	struct exporter *exporter;
	struct limiter *limiter;
	struct metrics *metrics; /* one per worker */
	uint64_t key[2];
	int epoll, signals;
	unsigned int failures; /* in a row */
	bool stopping, restart;
	int status;
};

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int raise_files(const struct http_config *c)
{
	rlim_t need = (rlim_t)c->connections + c->kms.n * c->ports + c->workers * c->listen.n +
		      OTHER_FILES;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return -errno;
	if (r.rlim_cur >= need)
		return 0;
	r.rlim_cur = need;
	if (r.rlim_max < need)
		r.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &r) == 0)
		return 0;
	log_line("error",
		"%lu open files are needed: raise LimitNOFILE (ulimit -n), or lower connections",
		(unsigned long)need);
	return -errno;
}

static int open_listeners(struct supervisor *s)
{
	const struct http_config *c = s->config;
	unsigned int n = c->workers * c->listen.n;

	s->listen_fd = calloc(n, sizeof(*s->listen_fd));
	if (!s->listen_fd)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		const struct address *a = &c->listen_address[i % c->listen.n];

		s->listen_fd[i] = listener_open(a);
		if (s->listen_fd[i] < 0) {
			log_line("error", "listen at %s: %s", a->text, strerror(-s->listen_fd[i]));
			return s->listen_fd[i];
		}
	}
	s->metrics_fd = -1;
	if (!c->metrics_address.len)
		return 0;
	s->metrics_fd = listener_open(&c->metrics_address);
	if (s->metrics_fd < 0) {
		log_line("error", "metrics at %s: %s", c->metrics_address.text,
			strerror(-s->metrics_fd));
		return s->metrics_fd;
	}
	return 0;
}

static void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int watch(const struct supervisor *s, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int open_events(struct supervisor *s)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signals < 0 || s->epoll < 0)
		return -errno;
	err = watch(s, s->signals);
	if (err || s->metrics_fd < 0)
		return err;
	s->exporter = exporter_new(s->config, s->metrics, s->config->workers, s->metrics_fd);
	return s->exporter ? watch(s, exporter_fd(s->exporter)) : -ENOMEM;
}

static int prepare(struct supervisor *s)
{
	const struct http_config *c = s->config;
	int err = raise_files(c);

	log_prepare();
	if (!err)
		err = open_listeners(s);
	if (err)
		return err;
	err = sandbox_user(c->user);
	if (err) {
		log_line("error", "user %s: %s", c->user,
			err == -ENOENT ? "no such user" : strerror(-err));
		return err;
	}
	s->child = calloc(c->workers, sizeof(*s->child));
	s->limiter = shared(sizeof(*s->limiter));
	s->metrics = shared(c->workers * sizeof(*s->metrics));
	if (!s->child || !s->limiter || !s->metrics)
		return -ENOMEM;
	if (getrandom(s->key, sizeof(s->key), 0) != sizeof(s->key))
		return -errno;
	err = open_events(s);
	return err ? err : sandbox_enter(SANDBOX_SUPERVISOR);
}

_Noreturn static void be_worker(struct supervisor *s, unsigned int number, pid_t parent)
{
	const struct http_config *c = s->config;
	const struct worker_config config = {
		.settings = c,
		.number = number,
		.listen_fds = s->listen_fd + (size_t)number * c->listen.n,
		.limiter = s->limiter,
		.metrics = &s->metrics[number],
		.key = {s->key[0], s->key[1]},
	};

	/* A worker without its supervisor ends as if it had been told to. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	for (unsigned int i = 0; i < c->workers * c->listen.n; i++) {
		if (i / c->listen.n != number)
			close(s->listen_fd[i]);
	}
	if (s->metrics_fd >= 0)
		close(s->metrics_fd);
	close(s->epoll);
	close(s->signals);
	_exit(worker_run(&config));
}

static int start_worker(struct supervisor *s, unsigned int number)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_worker(s, number, parent);
	s->child[number] = (struct child){.pid = pid, .started = seconds()};
	return 0;
}

static void start_workers(struct supervisor *s)
{
	s->restart = false;
	for (unsigned int i = 0; i < s->config->workers && !s->stopping; i++) {
		int err = s->child[i].pid ? 0 : start_worker(s, i);

		if (err) {
			log_line("error", "worker %u: %s", i, strerror(-err));
			s->restart = true;
		}
	}
}

static void stop(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	/* First ours: the kernel must not give connections to a socket that nobody serves. */
	for (unsigned int i = 0; i < s->config->workers * s->config->listen.n; i++)
		close(s->listen_fd[i]);
	for (unsigned int i = 0; i < s->config->workers; i++) {
		if (s->child[i].pid)
			(void)kill(s->child[i].pid, SIGTERM);
	}
}

static void ended(struct supervisor *s, unsigned int number, int status)
{
	struct child *c = &s->child[number];
	bool soon = seconds() - c->started < SOON_S;

	c->pid = 0;
	metrics_gone(&s->metrics[number]);
	if (s->stopping) {
		if (status != 0)
			s->status = EXIT_FAILURE;
		return;
	}
	log_line("error", "worker %u ended (%s %d)", number,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	s->failures = soon ? s->failures + 1 : 0;
	s->restart = true;
	if (s->failures >= FAILURES_MAX) {
		s->status = EXIT_FAILURE;
		stop(s);
	}
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < s->config->workers; i++) {
			if (s->child[i].pid == pid)
				ended(s, i, status);
		}
	}
}

static void signalled(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else
			stop(s);
	}
}

static bool any_worker(const struct supervisor *s)
{
	for (unsigned int i = 0; i < s->config->workers; i++) {
		if (s->child[i].pid)
			return true;
	}
	return false;
}

static void loop(struct supervisor *s)
{
	struct epoll_event e;

	start_workers(s);
	while (!s->stopping || any_worker(s)) {
		int n = epoll_wait(s->epoll, &e, 1, s->restart ? RESTART_MS : EXPORTER_MS);

		if (n > 0 && e.data.fd == s->signals)
			signalled(s);
		else if (n == 0 && s->restart)
			start_workers(s);
		if (s->exporter)
			exporter_run(s->exporter);
	}
}

int supervisor_run(const struct http_config *config)
{
	struct supervisor s = {.config = config, .status = EXIT_SUCCESS};
	int err = prepare(&s);

	if (err) {
		log_line("error", "cannot start: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	log_line("info", "serving at %s%s for %u KMS addresses, %u workers",
		config->listen_address[0].text, config->path, config->kms.n, config->workers);
	loop(&s);
	exporter_free(s.exporter);
	log_line("info", "stopped");
	free(s.child);
	free(s.listen_fd);
	return s.status;
}
