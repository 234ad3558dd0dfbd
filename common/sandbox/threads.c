/* SPDX-License-Identifier: BSD-3-Clause */
/* Capabilities and Landlock's rules belong to threads, and libraries have threads of their own:
 * each one is asked by a signal to drop and to enter its own. */
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/sandbox/parts.h"

enum { PATIENCE_MS = 5000, THREADS_MAX = 1024 };

/* For the signal handler. */
static uint64_t kept;
static int files; /* Landlock's rules, or -1 */

/* Which threads have done it. */
static pid_t done[THREADS_MAX];
static unsigned int n_done;

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

/* Rules are entered first: without new privileges, which a capability may not replace. */
static int restrict_own(void)
{
	int err = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = -errno;
	if (!err && files >= 0)
		err = sandbox_enter_rules(files);
	return err ? err : drop_own();
}

static void on_request(int number)
{
	int saved = errno;

	(void)number;
	/* A thread that fails is missed by the asking one, which gives up then. */
	if (restrict_own() == 0) {
		unsigned int i = __atomic_fetch_add(&n_done, 1, __ATOMIC_RELAXED);

		if (i < THREADS_MAX)
			__atomic_store_n(&done[i], (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	}
	errno = saved;
}

static bool is_done(pid_t tid)
{
	for (unsigned int i = 0; i < THREADS_MAX; i++)
		if (__atomic_load_n(&done[i], __ATOMIC_ACQUIRE) == tid)
			return true;
	return false;
}

/* How many other threads have not done it yet; ask: send them the signal. Or -errno. */
static int count_others(bool ask)
{
	DIR *dir = opendir("/proc/self/task");
	const pid_t self = gettid();
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0 || tid == self || is_done(tid))
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
	int others = count_others(true);

	for (int ms = 0; others > 0 && ms < PATIENCE_MS; ms++) {
		nanosleep(&pause, NULL);
		others = count_others(false);
	}
	return others > 0 ? -ETIMEDOUT : others;
}

int sandbox_restrict_threads(uint64_t keep, int rules)
{
	struct sigaction action = {.sa_handler = on_request, .sa_flags = SA_RESTART}, before;
	int err;

	kept = keep;
	files = rules;
	memset(done, 0, sizeof(done));
	n_done = 0;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGRTMAX, &action, &before) < 0)
		return -errno;
	err = ask_threads();
	if (sigaction(SIGRTMAX, &before, NULL) < 0)
		return -errno;
	/* Last: the rules may close the list of threads. */
	return err ? err : restrict_own();
}
