/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of system calls. sandbox.h says what becomes of the others. */
#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sandbox/parts.h"

enum { TYPE_MASK = 0xf /* of socket(2)'s type: without SOCK_CLOEXEC and SOCK_NONBLOCK */ };

/* Memory, threads that exist, time, signals, and descriptors that are open. */
static const int calls_common[] = {SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(bind),
	SCMP_SYS(brk), SCMP_SYS(capget), SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(close), SCMP_SYS(connect), SCMP_SYS(dup),
	SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fcntl), SCMP_SYS(flock),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(ftruncate), SCMP_SYS(futex),
	SCMP_SYS(futex_waitv), SCMP_SYS(get_robust_list), SCMP_SYS(getcpu), SCMP_SYS(getdents64),
	SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpeername),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(listen), SCMP_SYS(lseek),
	SCMP_SYS(madvise), SCMP_SYS(membarrier), SCMP_SYS(memfd_create), SCMP_SYS(mlock),
	SCMP_SYS(mlock2), SCMP_SYS(mlockall), SCMP_SYS(mremap), SCMP_SYS(msync), SCMP_SYS(munlock),
	SCMP_SYS(munlockall), SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(newfstatat),
	SCMP_SYS(pause), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64),
	SCMP_SYS(preadv), SCMP_SYS(pselect6), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(read),
	SCMP_SYS(readv), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
	SCMP_SYS(sched_yield), SCMP_SYS(select), SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(set_robust_list), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4), SCMP_SYS(socketpair), SCMP_SYS(sysinfo),
	SCMP_SYS(time), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime), SCMP_SYS(times), SCMP_SYS(uname), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(write), SCMP_SYS(writev)};

/* A store, a configuration that is read again. Landlock says which files. */
static const int calls_control[] = {SCMP_SYS(access), SCMP_SYS(chmod), SCMP_SYS(copy_file_range),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fadvise64), SCMP_SYS(fallocate),
	SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(fdatasync),
	SCMP_SYS(fsync), SCMP_SYS(getcwd), SCMP_SYS(getgroups), SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_init1), SCMP_SYS(inotify_rm_watch), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(lstat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(pipe), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(rmdir), SCMP_SYS(stat), SCMP_SYS(statfs),
	SCMP_SYS(statx), SCMP_SYS(umask), SCMP_SYS(utimensat)};

/* The port's driver; the EAL takes its folder away at the end. */
static const int calls_dataplane[] = {SCMP_SYS(ioctl), SCMP_SYS(rmdir)};

/* Only an intruder makes these. */
static const int calls_fatal[] = {SCMP_SYS(acct), SCMP_SYS(add_key), SCMP_SYS(chroot),
	SCMP_SYS(delete_module), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(finit_module),
	SCMP_SYS(fork), SCMP_SYS(fsmount), SCMP_SYS(fsopen), SCMP_SYS(init_module),
	SCMP_SYS(ioperm), SCMP_SYS(iopl), SCMP_SYS(kcmp), SCMP_SYS(kexec_file_load),
	SCMP_SYS(kexec_load), SCMP_SYS(keyctl), SCMP_SYS(mount), SCMP_SYS(mount_setattr),
	SCMP_SYS(move_mount), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(open_tree), SCMP_SYS(perf_event_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_open),
	SCMP_SYS(pivot_root), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace), SCMP_SYS(quotactl), SCMP_SYS(reboot), SCMP_SYS(request_key),
	SCMP_SYS(sethostname), SCMP_SYS(setns), SCMP_SYS(swapoff), SCMP_SYS(swapon),
	SCMP_SYS(umount2), SCMP_SYS(unshare), SCMP_SYS(userfaultfd), SCMP_SYS(vfork)};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int add_list(scmp_filter_ctx ctx, uint32_t action, const int *list, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(ctx, action, list[i], 0);
	return err;
}

static int allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, condition);
}

/* No page becomes code any more. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int err = allow_if(ctx, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	return err ? err
		   : allow_if(ctx, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Signals to ourselves, names and timer slack of threads, limits to be read. */
static int allow_own(scmp_filter_ctx ctx)
{
	static const int options[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_TIMERSLACK, PR_GET_DUMPABLE,
		PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ, PR_GET_SECCOMP};
	scmp_datum_t self = (scmp_datum_t)getpid();
	int err = allow_if(ctx, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self));

	if (!err)
		err = allow_if(ctx, SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, self));
	if (!err)
		err = allow_if(ctx, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
	for (size_t i = 0; i < COUNT(options) && !err; i++)
		err = allow_if(ctx, SCMP_SYS(prctl),
			SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)options[i]));
	return err;
}

static int allow_socket(scmp_filter_ctx ctx, int family, int type)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
		SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)family),
		SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, (scmp_datum_t)type));
}

/* Datagram and netlink sockets: to ask the kernel for its interfaces. */
static int allow_sockets(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	int err = allow_if(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_UNIX));

	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_NETLINK),
			SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0 /* NETLINK_ROUTE */));
	if (!err)
		err = allow_socket(ctx, AF_INET, SOCK_DGRAM);
	if (!err)
		err = allow_socket(ctx, AF_INET6, SOCK_DGRAM);
	if (!err && profile == SANDBOX_CONTROL)
		err = allow_socket(ctx, AF_INET, SOCK_STREAM);
	if (!err && profile == SANDBOX_CONTROL)
		err = allow_socket(ctx, AF_INET6, SOCK_STREAM);
	return err;
}

static int allow_control(scmp_filter_ctx ctx)
{
	static const unsigned long requests[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS};
	int err = add_list(ctx, SCMP_ACT_ALLOW, calls_control, COUNT(calls_control));

	for (size_t i = 0; i < COUNT(requests) && !err; i++)
		err = allow_if(
			ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]));
	if (!err)
		err = allow_if(ctx, SCMP_SYS(clone),
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return err;
}

static int fill(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	int err = add_list(ctx, SCMP_ACT_ALLOW, calls_common, COUNT(calls_common));

	if (!err)
		err = add_list(ctx, SCMP_ACT_TRAP, calls_fatal, COUNT(calls_fatal));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_TRAP, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	/* Its flags are in memory, where a filter does not see them; the C library takes clone()
	 * then. */
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err)
		err = allow_memory(ctx);
	if (!err)
		err = allow_own(ctx);
	if (!err)
		err = allow_sockets(ctx, profile);
	if (!err)
		err = profile == SANDBOX_CONTROL ? allow_control(ctx)
						 : add_list(ctx, SCMP_ACT_ALLOW, calls_dataplane,
							   COUNT(calls_dataplane));
	return err;
}

int sandbox_filter_calls(enum sandbox_profile profile)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* A binary tree: fewer comparisons for each call. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* Another architecture's calls have other numbers. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = fill(ctx, profile);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}
