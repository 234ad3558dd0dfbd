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

/* Calls each for the workers of pid. */
static void each_worker(
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
		if (entry->d_name[0] != '.' && is_worker(pid, entry->d_name))
			each(pid, entry->d_name, arg);
	closedir(threads);
}

static void add_waited(pid_t pid, const char *thread, void *arg)
{
	uint64_t *sum = arg;

	*sum += thread_waited(pid, thread);
}

uint64_t disturbance_ns(pid_t pid)
{
	char self[16];
	uint64_t waited;

	snprintf(self, sizeof(self), "%d", (int)gettid());
	waited = thread_waited(getpid(), self);
	if (pid != 0)
		each_worker(pid, add_waited, &waited);
	return waited;
}

static int raise_thread(pid_t thread)
{
	struct sched_param first = {.sched_priority = 1};

	return sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) < 0 ? -errno
											: 0;
}

static void raise_worker(pid_t pid, const char *thread, void *arg)
{
	int *err = arg;

	(void)pid;
	if (*err == 0)
		*err = raise_thread(atoi(thread));
}

int disturbance_prevent(pid_t pid)
{
	int err = raise_thread(0);

	each_worker(pid, raise_worker, &err);
	return err;
}
