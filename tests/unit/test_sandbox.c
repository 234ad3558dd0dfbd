/* SPDX-License-Identifier: BSD-3-Clause */
/* In the sandbox the service's own calls work and an intruder's do not. Every attempt is made by a
 * process of its own, as root if the tests run as root. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox/sandbox.h"

enum { KILLED = 1000, STATUS_BROKEN = 200 };

static char folder[32], other[32], empty[32];
static int parent_fd; /* a descriptor from before */

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int try_open(const char *where, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", where, name);
	return error_of(open(path, flags | O_CLOEXEC, 0600));
}

static int open_own(void)
{
	return try_open(folder, "own", O_RDWR | O_CREAT);
}

static int open_other(void)
{
	return try_open(other, "secret", O_RDONLY);
}

static int create_other(void)
{
	return try_open(other, "new", O_WRONLY | O_CREAT);
}

static int open_passwords(void)
{
	return try_open("/etc", "passwd", O_RDONLY);
}

static int remove_other(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/secret", other);
	return error_of(unlink(path));
}

static int remove_own(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/old", folder);
	return error_of(unlink(path));
}

static int remove_folder(void)
{
	return error_of(rmdir(empty));
}

static int execute(void)
{
	char *argv[] = {(char[]){"true"}, NULL};

	return error_of(execv("/bin/true", argv));
}

static int execute_at(void)
{
	char *argv[] = {(char[]){"true"}, NULL};

	return error_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0));
}

static int new_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return error_of(pid);
}

static int raw_fork(void)
{
	return error_of(syscall(SYS_fork));
}

static int trace_parent(void)
{
	return error_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_parent(void)
{
	char octet;
	struct iovec here = {&octet, 1}, there = {&octet, 1};

	return error_of(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int mount_something(void)
{
	return error_of(mount("none", folder, "tmpfs", 0, NULL));
}

static int load_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	return error_of(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int leave_namespace(void)
{
	return error_of(unshare(CLONE_NEWUSER));
}

static int load_module(void)
{
	return error_of(syscall(SYS_init_module, "", 0, ""));
}

static int kill_parent(void)
{
	return error_of(kill(getppid(), 0));
}

static int packet_socket(void)
{
	return error_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static int raw_socket(void)
{
	return error_of(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
}

static int vsock_socket(void)
{
	return error_of(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int stream_socket(void)
{
	return error_of(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int unix_socket(void)
{
	return error_of(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int datagram_socket(void)
{
	return error_of(socket(AF_INET, SOCK_DGRAM, 0));
}

static int listen_unix(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", folder);
	return s < 0 || bind(s, (const struct sockaddr *)&a, sizeof(a)) < 0
		       ? errno
		       : error_of(listen(s, 1));
}

static int executable_memory(void)
{
	void *p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? EINVAL : error_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int be_dumpable(void)
{
	return error_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_core_limit(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return error_of(setrlimit(RLIMIT_CORE, &limit));
}

static void *nothing(void *arg)
{
	return arg;
}

static int new_thread(void)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, nothing, NULL);

	return err ? err : pthread_join(thread, NULL);
}

static int event_loop(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int poll = epoll_create1(EPOLL_CLOEXEC),
	    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	char octets[16];

	if (poll < 0 || timer < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event) < 0)
		return errno;
	return error_of(syscall(SYS_getrandom, octets, sizeof(octets), 0));
}

static int locked_memory(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p;

	if (fd < 0 || ftruncate(fd, 4096) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mlock(p, 4096) < 0 || madvise(p, 4096, MADV_DONTDUMP) < 0)
		return errno;
	return error_of(munmap(p, 4096));
}

static int use_open_file(void)
{
	return error_of(pwrite(parent_fd, "x", 1, 0));
}

struct attempt {
	const char *name;
	int (*run)(void);
	int control, dataplane; /* errno, 0: works, KILLED: by SIGSYS */
};

static const struct attempt attempts[] = {
	{"a file that is open", use_open_file, 0, 0},
	{"an event loop", event_loop, 0, 0},
	{"locked memory in a memfd", locked_memory, 0, 0},
	{"a Unix socket", unix_socket, 0, 0},
	{"a datagram socket", datagram_socket, 0, 0},
	{"a stream socket", stream_socket, 0, EPERM},
	{"a thread", new_thread, 0, EPERM},
	{"a file of its own", open_own, 0, EPERM},
	{"a listening socket in its own folder", listen_unix, 0, EACCES},
	{"a file elsewhere", open_other, EACCES, EPERM},
	{"a new file elsewhere", create_other, EACCES, EPERM},
	{"the password file", open_passwords, EACCES, EPERM},
	{"removing a file of its own", remove_own, 0, 0},
	{"removing a file elsewhere", remove_other, EACCES, EACCES},
	{"removing a folder elsewhere", remove_folder, EACCES, EACCES},
	{"execve", execute, KILLED, KILLED},
	{"execveat", execute_at, KILLED, KILLED},
	{"fork of the C library", new_process, KILLED, KILLED},
	{"fork", raw_fork, KILLED, KILLED},
	{"ptrace of another process", trace_parent, KILLED, KILLED},
	{"memory of another process", read_parent, KILLED, KILLED},
	{"mount", mount_something, KILLED, KILLED},
	{"another namespace", leave_namespace, KILLED, KILLED},
	{"a kernel module", load_module, KILLED, KILLED},
	{"bpf", load_bpf, EPERM, EPERM},
	{"a signal to another process", kill_parent, EPERM, EPERM},
	{"a packet socket", packet_socket, EPERM, EPERM},
	{"a raw socket", raw_socket, EPERM, EPERM},
	{"a vsock socket", vsock_socket, EPERM, EPERM},
	{"writable code", executable_memory, EPERM, EPERM},
	{"data that becomes code", make_executable, EPERM, EPERM},
	{"being dumpable again", be_dumpable, EPERM, EPERM},
	{"core dumps again", raise_core_limit, EPERM, EPERM},
};

static struct sandbox sandbox_of(enum sandbox_profile profile)
{
	struct sandbox s = {.profile = profile, .line_head = "violation: ", .line_tail = "\n"};

	s.folders[s.n_folders++] = (struct sandbox_folder){
		folder, profile == SANDBOX_CONTROL ? SANDBOX_WRITE : SANDBOX_REMOVE};
	s.folders[s.n_folders++] = (struct sandbox_folder){"/no/such/folder", SANDBOX_READ};
	return s;
}

static void make_old(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/old", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
}

static void setup(void)
{
	char path[128];
	int fd;

	strcpy(folder, "/tmp/tkms-sandbox.XXXXXX");
	strcpy(other, "/tmp/tkms-sandbox.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_not_null(mkdtemp(other));
	strcpy(empty, "/tmp/tkms-sandbox.XXXXXX");
	cr_assert_not_null(mkdtemp(empty));
	snprintf(path, sizeof(path), "%s/secret", other);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	parent_fd = fd;
	make_old();
}

static void teardown(void)
{
	static const char *const names[] = {"own", "socket", "secret", "new", "old", ""};
	char path[128];

	(void)rmdir(empty);

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
		snprintf(path, sizeof(path), "%s/%s", other, names[i]);
		(void)remove(path);
	}
}

TestSuite(sandbox, .init = setup, .fini = teardown);

/* What became of it: errno, KILLED, or something that no attempt expects. */
static int outcome(const struct attempt *a, enum sandbox_profile profile, bool *files)
{
	struct sandbox s = sandbox_of(profile);
	int status, said[2];
	char text[128] = "";
	pid_t pid;

	cr_assert_eq(pipe(said), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		const char *step;

		/* Not the pipe from the start: sanitizers may have something to say. */
		if (sandbox_enter(&s, files, &step) < 0 || dup2(said[1], STDERR_FILENO) < 0)
			_exit(STATUS_BROKEN);
		_exit(a->run());
	}
	close(said[1]);
	cr_assert_geq(read(said[0], text, sizeof(text) - 1), 0);
	close(said[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		cr_expect_eq(strncmp(text, "violation: ", 11), 0, "%s: no line: %s", a->name, text);
		return WTERMSIG(status) == SIGSYS && !WCOREDUMP(status) ? KILLED
									: -WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void try_all(enum sandbox_profile profile)
{
	/* Without it most of this shows nothing. */
	cr_assert(has_landlock(), "this kernel has no Landlock: CONFIG_SECURITY_LANDLOCK, and "
				  "landlock in lsm= of its command line");
	for (unsigned int i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *a = &attempts[i];
		int want = profile == SANDBOX_CONTROL ? a->control : a->dataplane, got;
		bool files = false;

		make_old();
		got = outcome(a, profile, &files);
		cr_expect_eq(got, want, "%s: %d (%s), not %d", a->name, got,
			got > 0 && got < KILLED ? strerror(got) : "?", want);
	}
}

Test(sandbox, the_control_process_can_do_its_work_and_nothing_else)
{
	try_all(SANDBOX_CONTROL);
}

Test(sandbox, the_data_plane_can_do_its_work_and_nothing_else)
{
	try_all(SANDBOX_DATAPLANE);
}

static int go_on;

/* A thread from before; then it tries to remove a file. */
static void *wait_for_end(void *arg)
{
	int *removed = arg;

	while (!__atomic_load_n(&go_on, __ATOMIC_RELAXED))
		usleep(1000);
	*removed = remove_other();
	return NULL;
}

/* 0: as it has to be; else the number of the check. */
static int look_at_threads(void)
{
	static const char *const wanted[] = {"NoNewPrivs:\t1\n", "Seccomp:\t2\n",
		"CapPrm:\t0000000000004000\n", "CapEff:\t0000000000004000\n",
		"CapInh:\t0000000000000000\n"};
	struct sandbox s = sandbox_of(SANDBOX_DATAPLANE);
	pthread_t thread;
	const char *step;
	char text[8192];
	int files[2], removed = 0;
	bool restricted;
	pid_t tid = gettid();

	s.capabilities = 1 << CAP_IPC_LOCK;
	if (pthread_create(&thread, NULL, wait_for_end, &removed) != 0)
		return 100;
	snprintf(text, sizeof(text), "/proc/self/task/%d/status", tid);
	files[0] = open(text, O_RDONLY | O_CLOEXEC);
	/* The next thread number is that of the thread: the process was just made. */
	snprintf(text, sizeof(text), "/proc/self/task");
	files[1] = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (pid_t t = tid + 1; files[1] >= 0 && t < tid + 1000; t++) {
		int fd;

		snprintf(text, sizeof(text), "%d/status", t);
		fd = openat(files[1], text, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			files[1] = fd;
			break;
		}
	}
	if (files[0] < 0 || files[1] < 0 || sandbox_enter(&s, &restricted, &step) < 0)
		return 101;
	for (unsigned int f = 0; f < 2; f++) {
		ssize_t n = pread(files[f], text, sizeof(text) - 1, 0);

		if (n <= 0)
			return 102;
		text[n] = '\0';
		for (unsigned int i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (!strstr(text, wanted[i]))
				return (int)(1 + f * 10 + i);
	}
	__atomic_store_n(&go_on, 1, __ATOMIC_RELAXED);
	if (prctl(PR_GET_DUMPABLE) != 0 || pthread_join(thread, NULL) != 0)
		return 103;
	return restricted && removed == EACCES && remove_other() == EACCES ? 0 : 104;
}

Test(sandbox, every_thread_loses_its_capabilities_and_files_and_is_filtered)
{
	int status;
	pid_t pid;

	cr_assert_eq(geteuid(), 0, "needs root");
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(look_at_threads());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 0, "check %d", WEXITSTATUS(status));
}
