/* SPDX-License-Identifier: BSD-3-Clause */
/* Capabilities belong to threads, and libraries have threads of their own: each one is asked by a
 * signal to drop its own. */
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/sandbox/parts.h"

enum { PATIENCE_MS = 5000 };

/* For the signal handler. */
static uint64_t kept;

/* System calls only. */
static int drop_own(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {0};

	if (syscall(SYS_capget, &head, sets) < 0)
		return -errno;
	for (unsigned int i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(kept >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, sets) < 0 ? -errno : 0;
}

static void on_request(int number)
{
	int saved = errno;

	(void)number;
	(void)drop_own(); /* the asking thread looks at the result */
	errno = saved;
}

/* Has a thread of ours nothing but what is kept. A thread that has gone has. */
static bool has_dropped(const char *tid)
{
	unsigned long long permitted = ~0ULL, inheritable = ~0ULL;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", tid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT || errno == ESRCH;
	while (fgets(line, sizeof(line), f)) {
		(void)sscanf(line, "CapPrm: %llx", &permitted);
		(void)sscanf(line, "CapInh: %llx", &inheritable);
	}
	fclose(f);
	return (permitted & ~kept) == 0 && inheritable == 0;
}

/* How many threads have not dropped theirs yet; ask: send them the signal. Or -errno. */
static int count_holders(bool ask)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0 || has_dropped(entry->d_name))
			continue;
		n++;
		if (ask && syscall(SYS_tgkill, getpid(), tid, SIGRTMAX) < 0 && errno != ESRCH) {
			n = -errno;
			break;
		}
	}
	closedir(dir);
	return n;
}

static int ask_threads(void)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	int holders = count_holders(true);

	for (int ms = 0; holders > 0 && ms < PATIENCE_MS; ms++) {
		nanosleep(&pause, NULL);
		holders = count_holders(false);
	}
	return holders > 0 ? -ETIMEDOUT : holders;
}

int sandbox_drop_capabilities(uint64_t keep)
{
	struct sigaction action = {.sa_handler = on_request, .sa_flags = SA_RESTART}, before;
	int err;

	kept = keep;
	err = drop_own();
	if (err)
		return err;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGRTMAX, &action, &before) < 0)
		return -errno;
	err = ask_threads();
	if (sigaction(SIGRTMAX, &before, NULL) < 0)
		return -errno;
	return err;
}
