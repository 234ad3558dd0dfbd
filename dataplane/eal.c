/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/eal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dataplane/log.h"

static bool hugepages_free(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long n = 0;
	char line[128];

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "HugePages_Free: %lu", &n) == 1)
			break;
	fclose(f);
	return n > 0;
}

static bool hugepages_mounted(void)
{
	FILE *f = setmntent("/proc/mounts", "re");
	bool found = false;
	struct mntent *m;

	if (!f)
		return false;
	while (!found && (m = getmntent(f)))
		found = strcmp(m->mnt_type, "hugetlbfs") == 0;
	endmntent(f);
	return found;
}

int eal_facts_gather(struct eal_facts *facts)
{
	cpu_set_t set;

	memset(facts, 0, sizeof(*facts));
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && facts->n_cpus < OPTIONS_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			facts->cpus[facts->n_cpus++] = (uint16_t)cpu;
	facts->pid = getpid();
	facts->hugepages = hugepages_free() && hugepages_mounted();
	return 0;
}

/* Where the EAL keeps its run-time files; the same rules as its own. */
static int runtime_dir(char *out, size_t cap)
{
	const char *base = getenv("RUNTIME_DIRECTORY");
	int n;

	if (!base && getuid() == 0)
		base = "/var/run";
	if (!base)
		base = getenv("XDG_RUNTIME_DIR");
	n = snprintf(out, cap, "%s/dpdk", base ? base : "/tmp");
	return n > 0 && (size_t)n < cap ? 0 : -ENAMETOOLONG;
}

/* Files only: the EAL makes no folders in there. Takes fd, the folder. */
static void folder_remove(int parent, int fd, const char *name)
{
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			log_line(LOG_WARNING, "cannot remove run-time file", "file=%s error=\"%s\"",
				entry->d_name, strerror(errno));
	closedir(dir);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_line(LOG_WARNING, "cannot remove run-time folder", "folder=%s error=\"%s\"",
			name, strerror(errno));
}

/*
 * A living EAL holds a lock on its file "config". The pid alone would not do: another pid namespace
 * may share the folder. The lock alone would not either: it is taken some time after the folder is
 * made.
 */
static bool is_abandoned(int parent, const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[300];
	char *end;
	long pid;
	int fd;
	bool held;

	if (strncmp(name, EAL_PREFIX, strlen(EAL_PREFIX)) != 0)
		return false;
	pid = strtol(name + strlen(EAL_PREFIX), &end, 10);
	if (*end != '\0' || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
		return false;
	snprintf(path, sizeof(path), "%s/config", name);
	fd = openat(parent, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	held = fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
	close(fd);
	return !held;
}

static void leftovers_remove(void)
{
	char path[256];
	struct dirent *entry;
	DIR *dir;

	if (runtime_dir(path, sizeof(path)) < 0)
		return;
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_abandoned(dirfd(dir), entry->d_name))
			folder_remove(dirfd(dir),
				openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				entry->d_name);
	closedir(dir);
}

int eal_start(struct eal_args *args)
{
	char *argv[EAL_ARGS_MAX + 1];

	leftovers_remove();
	/* Else the EAL sends every line to syslog too. */
	if (rte_openlog_stream(stderr) < 0)
		return -EIO;
	/* The EAL reorders its arguments. */
	memcpy(argv, args->argv, sizeof(argv));
	if (rte_eal_init(args->argc, argv) < 0) {
		int err = rte_errno ? rte_errno : EINVAL;
		char given[1024] = "";

		for (int i = 1; i < args->argc; i++)
			snprintf(given + strlen(given), sizeof(given) - strlen(given), "%s%s",
				i > 1 ? " " : "", args->argv[i]);
		log_line(LOG_ERROR, "DPDK did not start; the lines above say why",
			"error=\"%s\" arguments=\"%s\"", strerror(err), given);
		return -err;
	}
	return 0;
}

int eal_runtime_open(struct eal_runtime *r, const struct eal_args *args)
{
	int n;

	*r = (struct eal_runtime){.parent = -1, .folder = -1};
	if (runtime_dir(r->parent_path, sizeof(r->parent_path)) < 0)
		return -ENAMETOOLONG;
	n = snprintf(r->folder_path, sizeof(r->folder_path), "%s/%s", r->parent_path, args->prefix);
	if (n < 0 || (size_t)n >= sizeof(r->folder_path))
		return -ENAMETOOLONG;
	r->parent = open(r->parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->parent < 0)
		return errno == ENOENT ? 0 : -errno; /* --in-memory */
	r->folder =
		openat(r->parent, args->prefix, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return r->folder < 0 && errno != ENOENT ? -errno : 0;
}

void eal_stop(const struct eal_args *args, struct eal_runtime *runtime)
{
	if (rte_eal_cleanup() < 0)
		log_line(LOG_WARNING, "DPDK did not end cleanly", "%s", "");
	/* The EAL may have failed after it had made its folder. */
	if (runtime->parent < 0 && eal_runtime_open(runtime, args) < 0)
		return;
	if (runtime->folder >= 0)
		folder_remove(runtime->parent, runtime->folder, args->prefix);
	if (runtime->parent >= 0)
		close(runtime->parent);
	*runtime = (struct eal_runtime){.parent = -1, .folder = -1};
}
