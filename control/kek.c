/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kek.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "control/files.h"
#include "control/hex.h"

enum { TEXT_LEN = 2 * SEAL_KEK_LEN };

static int check_file(int fd, const char *path, bool is_credential, struct reason *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return reason_set(why, -errno, "KEK file %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return reason_set(why, -EINVAL, "KEK file %s is no regular file", path);
	/* systemd gives access to the service's user by an ACL, which shows as group bits */
	if (st.st_mode & (is_credential ? 007u : 077u))
		return reason_set(why, -EPERM,
			"KEK file %s is accessible to others (mode %04o): run chmod 600 %s", path,
			st.st_mode & 07777u, path);
	if (!is_credential && st.st_uid != 0 && st.st_uid != geteuid())
		return reason_set(why, -EPERM, "KEK file %s belongs to uid %u: run chown %u %s",
			path, (unsigned int)st.st_uid, (unsigned int)geteuid(), path);
	return 0;
}

/* Raw, or hex digits with or without a line end. */
static int decode(const uint8_t *text, size_t len, uint8_t kek[SEAL_KEK_LEN])
{
	uint8_t any = 0;

	if (len == SEAL_KEK_LEN) {
		memcpy(kek, text, SEAL_KEK_LEN);
	} else {
		while (len > TEXT_LEN && (text[len - 1] == '\n' || text[len - 1] == '\r'))
			len--;
		if (len != TEXT_LEN || hex_decode((const char *)text, len, kek) != 0)
			return -EINVAL;
	}
	for (unsigned int i = 0; i < SEAL_KEK_LEN; i++)
		any |= kek[i];
	return any ? 0 : -EINVAL;
}

static int read_kek(int fd, const char *path, uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	uint8_t text[TEXT_LEN + 8];
	size_t len = 0;
	ssize_t n;
	int err;

	while ((n = read(fd, text + len, sizeof(text) - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return reason_set(why, -errno, "KEK file %s: %s", path, strerror(errno));
		len += (size_t)n;
	}
	err = decode(text, len, kek);
	secret_wipe(text, sizeof(text));
	if (err)
		return reason_set(why, err,
			"KEK file %s holds no key (needed: 32 octets, or 64 hex digits; not all "
			"zero)",
			path);
	return 0;
}

/* What the unit gives where there is no file: systemd knows no credential that may be missing. */
static bool is_placeholder(int fd)
{
	static const char none[] = "none";
	char text[sizeof(none)];

	return pread(fd, text, sizeof(text), 0) == (ssize_t)sizeof(none) - 1 &&
	       memcmp(text, none, sizeof(none) - 1) == 0;
}

/* suffix "": the KEK itself. */
static int load(const char *path, const char *suffix, uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	char credential[PATH_MAX], file[PATH_MAX];
	bool is_credential = false;
	int fd = -1, err;

	if (snprintf(file, sizeof(file), "%s%s", path, suffix) >= (int)sizeof(file))
		return reason_set(why, -ENAMETOOLONG, "KEK file %s: name too long", path);
	if (credentials && snprintf(credential, sizeof(credential), "%s/kek%s", credentials,
				   suffix) < (int)sizeof(credential)) {
		fd = open(credential, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return reason_set(
				why, -errno, "KEK credential %s: %s", credential, strerror(errno));
		is_credential = fd >= 0;
	}
	if (!is_credential)
		fd = open(file, O_RDONLY | O_CLOEXEC);
	path = is_credential ? credential : file;
	if (fd < 0)
		return reason_set(why, -errno, "KEK file %s: %s%s", path, strerror(errno),
			errno == ENOENT && !*suffix
				? " (tkmsctl init makes one; without the old one a store "
				  "cannot be read)"
				: "");
	if (is_credential && *suffix && is_placeholder(fd)) {
		close(fd);
		return reason_set(why, -ENOENT, "KEK credential %s: none", path);
	}
	err = check_file(fd, path, is_credential, why);
	if (!err)
		err = read_kek(fd, path, kek, why);
	close(fd);
	return err;
}

int kek_load(const char *path, uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	return load(path, "", kek, why);
}

int kek_load_other(
	const char *path, const char *suffix, uint8_t kek[SEAL_KEK_LEN], struct reason *why)
{
	return load(path, suffix, kek, why);
}

static int write_kek(int fd)
{
	uint8_t kek[SEAL_KEK_LEN];
	char text[TEXT_LEN + 2];
	int err = secret_random(kek, sizeof(kek));

	hex_encode(kek, sizeof(kek), text);
	text[TEXT_LEN] = '\n';
	if (!err && write(fd, text, TEXT_LEN + 1) != TEXT_LEN + 1)
		err = errno ? -errno : -EIO;
	if (!err && fsync(fd) < 0)
		err = -errno;
	secret_wipe(kek, sizeof(kek));
	secret_wipe(text, sizeof(text));
	return err;
}

int kek_create(const char *path, struct reason *why)
{
	char dir[PATH_MAX];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return reason_set(why, -errno, "KEK file %s: %s", path, strerror(errno));
	errno = 0;
	err = write_kek(fd);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err)
		err = files_dirname(path, dir, sizeof(dir));
	if (!err)
		err = files_sync_dir(dir);
	if (err) {
		unlink(path);
		return reason_set(why, err, "KEK file %s: %s", path, strerror(-err));
	}
	return 0;
}
