/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int become(const char *user)
{
	const struct passwd *p;

	errno = 0;
	p = getpwnam(user);
	if (!p)
		return errno ? -errno : -ENOENT;
	if (p->pw_uid == 0)
		return -EPERM;
	if (setgroups(0, NULL) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
		setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
		return -errno;
	return 0;
}

int sandbox_user(const char *user)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	int err = geteuid() == 0 ? become(user) : 0;

	if (err)
		return err;
	/* Also for a user who was given some, to bind a low port. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
		syscall(SYS_capset, &header, none) < 0)
		return -errno;
	return 0;
}

static const int common[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(fcntl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* What it takes to start a worker and to have it enter its own sandbox. */
static const int supervisor[] = {
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(wait4),
	SCMP_SYS(kill),
	SCMP_SYS(socket),
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(eventfd2),
	SCMP_SYS(signalfd4),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(getppid),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(mprotect),
	SCMP_SYS(prlimit64),
	SCMP_SYS(sched_getaffinity),
};

static int allow(scmp_filter_ctx filter, const int *calls, unsigned int n)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < n; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

int sandbox_enter(enum sandbox_role role)
{
	/* Not a kill: a library that tries something harmless has to survive the refusal. */
	scmp_filter_ctx filter;
	int err;

	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
	if (!err)
		err = allow(filter, common, sizeof(common) / sizeof(common[0]));
	if (!err && role == SANDBOX_SUPERVISOR)
		err = allow(filter, supervisor, sizeof(supervisor) / sizeof(supervisor[0]));
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
