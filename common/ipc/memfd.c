/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ipc/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS_REQUIRED = F_SEAL_SHRINK | F_SEAL_GROW };

int ipc_memfd_check(int fd, size_t len)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	/* only a memfd answers; without the seals a peer could shrink it under our map (SIGBUS) */
	if (seals < 0 || (seals & SEALS_REQUIRED) != SEALS_REQUIRED)
		return -EBADMSG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size < len)
		return -EBADMSG;
	return 0;
}

static int map_locked(int fd, size_t len, void **map)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (mlock(p, len) < 0 || madvise(p, len, MADV_DONTDUMP) < 0 ||
		madvise(p, len, MADV_DONTFORK) < 0) {
		int err = errno;

		munmap(p, len);
		return -err;
	}
	*map = p;
	return 0;
}

int ipc_memfd_create(const char *name, size_t len, void **map)
{
	int fd, err;

	if (len == 0)
		return -EINVAL;
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)len) < 0 ||
		fcntl(fd, F_ADD_SEALS, SEALS_REQUIRED | F_SEAL_SEAL) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	err = map_locked(fd, len, map);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int ipc_memfd_map(int fd, size_t len, void **map)
{
	int err;

	*map = NULL;
	if (len == 0)
		return 0;
	err = ipc_memfd_check(fd, len);
	return err ? err : map_locked(fd, len, map);
}

void ipc_memfd_close(int fd, void *map, size_t len)
{
	if (map) {
		explicit_bzero(map, len);
		munmap(map, len);
	}
	if (fd >= 0)
		close(fd);
}

void ipc_memfd_release(int fd, void *map, size_t len)
{
	if (map)
		munmap(map, len);
	if (fd >= 0)
		close(fd);
}
