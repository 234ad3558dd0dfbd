/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/disturbance.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 320 };

/* Priorities: threads that seldom have something to do would never get past those that poll. */
enum { POLLING = 1, NOW_AND_THEN = 2 };

static uint64_t thread_waited(pid_t pid, const char *thread)
{
	unsigned long long ran = 0, waited = 0;
	char path[PATH_ROOM];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, thread);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	fclose(f);
	return waited;
}

/* DPDK names its threads. */
static int is_worker(pid_t pid, const char *thread)
{
	char path[PATH_ROOM], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)pid, thread);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strstr(name, "worker") != NULL;
}

static void each_thread(
	pid_t pid, void (*each)(pid_t pid, const char *thread, void *arg), void *arg)
{
	char path[PATH_ROOM];
	struct dirent *entry;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (!threads)
		return;
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			each(pid, entry->d_name, arg);
	closedir(threads);
}

static void add_waited(pid_t pid, const char *thread, void *arg)
{
	uint64_t *sum = arg;

	if (is_worker(pid, thread))
		*sum += thread_waited(pid, thread);
}

uint64_t disturbance_ns(pid_t pid)
{
	char self[16];
	uint64_t waited;

	snprintf(self, sizeof(self), "%d", (int)gettid());
	waited = thread_waited(getpid(), self);
	if (pid != 0)
		each_thread(pid, add_waited, &waited);
	return waited;
}

static int raise_thread(pid_t thread, int priority)
{
	struct sched_param first = {.sched_priority = priority};

	return sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) < 0 ? -errno
											: 0;
}

static void raise_one(pid_t pid, const char *thread, void *arg)
{
	int *err = arg;

	if (*err == 0)
		*err = raise_thread(atoi(thread), is_worker(pid, thread) ? POLLING : NOW_AND_THEN);
}

int disturbance_prevent(pid_t pid)
{
	int err = raise_thread(0, POLLING);

	each_thread(pid, raise_one, &err);
	return err;
}

int disturbance_precede(void)
{
	return raise_thread(0, NOW_AND_THEN);
}

static void lower_one(pid_t pid, const char *thread, void *arg)
{
	(void)pid;
	(void)arg;
	/* It may be gone already. */
	(void)raise_thread(atoi(thread), 0);
}

void disturbance_allow(pid_t pid)
{
	each_thread(pid, lower_one, NULL);
}
