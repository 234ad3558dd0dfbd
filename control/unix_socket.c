/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int address_of(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	strcpy(a->sun_path, path);
	return 0;
}

static int remove_old(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

int unix_socket_listen(const char *path, int type, struct reason *why)
{
	struct sockaddr_un a;
	mode_t mask;
	int sock = -1, err = address_of(path, &a);

	if (!err)
		err = remove_old(path);
	if (!err) {
		sock = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		err = sock < 0 ? -errno : 0;
	}
	if (!err) {
		/* the mode must be right from the first moment on */
		mask = umask(0177);
		if (bind(sock, (const struct sockaddr *)&a, sizeof(a)) < 0)
			err = -errno;
		umask(mask);
	}
	if (!err && listen(sock, BACKLOG) < 0)
		err = -errno;
	if (err) {
		if (sock >= 0)
			close(sock);
		return reason_set(why, err, "socket %s: %s", path, strerror(-err));
	}
	return sock;
}

int unix_socket_connect(const char *path, int type)
{
	struct sockaddr_un a;
	int sock, err = address_of(path, &a);

	if (err)
		return err;
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		err = -errno;
		close(sock);
		return err;
	}
	return sock;
}
