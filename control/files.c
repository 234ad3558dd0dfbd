/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 40 /* two seconds */ };

int files_make_dir(const char *path, unsigned int mode, struct reason *why)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return reason_set(
			why, -errno, "directory %s cannot be made: %s", path, strerror(errno));
	if (stat(path, &st) < 0)
		return reason_set(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return reason_set(why, -ENOTDIR, "%s is no directory", path);
	if (st.st_mode & 022)
		return reason_set(why, -EPERM,
			"%s can be written by others (mode %04o): run chmod go-w %s", path,
			st.st_mode & 07777u, path);
	return 0;
}

int files_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

int files_dirname(const char *path, char *dir, size_t cap)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 1;

	if (len == 0)
		len = 1; /* "/name" */
	if (len >= cap)
		return -ENAMETOOLONG;
	memcpy(dir, slash ? path : ".", len);
	dir[len] = '\0';
	return 0;
}

int files_lock(const char *dir, const char *name, struct reason *why)
{
	char path[PATH_MAX];
	static const struct timespec pause = {.tv_nsec = 50000000};
	int fd, err, tries = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return reason_set(why, -ENAMETOOLONG, "%s: name too long", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return reason_set(why, -errno, "%s: %s", path, strerror(errno));
	/* A process that was killed holds its lock until the kernel has freed its memory. */
	while ((err = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK &&
		++tries < LOCK_TRIES)
		nanosleep(&pause, NULL);
	if (err == 0)
		return fd;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	if (err == -EBUSY)
		return reason_set(
			why, err, "another tkms-control uses %s (it holds %s)", dir, path);
	return reason_set(why, err, "%s: %s", path, strerror(-err));
}
