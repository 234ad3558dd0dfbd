/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_PATIENCE_MS = 3000, LOG_TAIL = 4000 };

int process_prepare(struct process *p)
{
	const char *parent = getenv("TMPDIR");
	char name[PROCESS_PATH_MAX / 2];

	memset(p, 0, sizeof(*p));
	if (snprintf(name, sizeof(name), "%s/tkms-bench-XXXXXX",
		    parent && parent[0] ? parent : "/tmp") >= (int)sizeof(name))
		return -ENAMETOOLONG;
	if (!mkdtemp(name))
		return -errno;
	snprintf(p->directory, sizeof(p->directory), "%s", name);
	snprintf(p->control, sizeof(p->control), "%s/control", name);
	snprintf(p->memif, sizeof(p->memif), "%s/memif", name);
	snprintf(p->log, sizeof(p->log), "%s/log", name);
	/* Where DPDK keeps its run-time files, ours and the data plane's. */
	return setenv("RUNTIME_DIRECTORY", name, 1) < 0 ? -errno : 0;
}

/* Built: bench/tkms-bench and dataplane/tkms-dataplane. Installed: side by side. */
static void find_program(char *out, size_t cap)
{
	static const char *const places[] = {"/../dataplane/tkms-dataplane", "/tkms-dataplane"};
	char self[PROCESS_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		*slash = '\0';
		if (snprintf(out, cap, "%s%s", self, places[i]) < (int)cap &&
			access(out, X_OK) == 0)
			return;
	}
	snprintf(out, cap, "tkms-dataplane");
}

static _Noreturn void become(const struct process *p, const char *program, int cpu,
	const char *poll, const char *mac, int ring_log2)
{
	char found[2 * PROCESS_PATH_MAX], socket[PROCESS_PATH_MAX + 16], cpus[32],
		vdev[2 * PROCESS_PATH_MAX];
	char polling[32];
	int log = open(p->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (!program) {
		find_program(found, sizeof(found));
		program = found;
	}
	snprintf(socket, sizeof(socket), "--socket=%s", p->control);
	snprintf(cpus, sizeof(cpus), "--cpus=%d", cpu);
	snprintf(polling, sizeof(polling), "--poll=%s", poll);
	snprintf(vdev, sizeof(vdev),
		"--vdev=net_memif0,role=server,id=0,socket=%s,socket-abstract=no,rsize=%d,mac=%s",
		p->memif, ring_log2, mac);
	/* Whatever ends us ends it too. */
	if (log >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0 &&
		prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		execlp(program, program, socket, "--workers=1", cpus, polling, "--queue-size=4096",
			"--", vdev, (char *)NULL);
	dprintf(2, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

int process_start(struct process *p, const char *program, int cpu, const char *poll,
	const char *mac, int ring_log2)
{
	p->pid = fork();
	if (p->pid < 0) {
		p->pid = 0;
		return -errno;
	}
	if (p->pid == 0)
		become(p, program, cpu, poll, mac, ring_log2);
	return 0;
}

int process_ended(struct process *p)
{
	if (p->pid == 0)
		return 1;
	if (waitpid(p->pid, NULL, WNOHANG) != p->pid)
		return 0;
	p->pid = 0;
	return 1;
}

void process_print_log(const struct process *p)
{
	char text[LOG_TAIL + 1];
	int fd = open(p->log, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	ssize_t n;

	if (fd < 0)
		return;
	n = pread(fd, text, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0);
	if (n > 0)
		fprintf(stderr, "tkms-dataplane said:\n%.*s", (int)n, text);
	close(fd);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void process_stop(struct process *p)
{
	if (p->pid)
		kill(p->pid, SIGTERM);
	for (int ms = 0; !process_ended(p) && ms < STOP_PATIENCE_MS; ms++)
		usleep(1000);
	if (p->pid) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		p->pid = 0;
	}
	if (p->directory[0] && nftw(p->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS) < 0)
		fprintf(stderr, "tkms-bench: %s stays: %s\n", p->directory, strerror(errno));
}
