/* SPDX-License-Identifier: BSD-3-Clause */
/* Debian 12's libraries have no wrappers for Landlock: its three system calls are made here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/sandbox/parts.h"

/* Rights that came with later versions of the interface than the headers may know. */
enum { RIGHT_REFER = 1 << 13, RIGHT_TRUNCATE = 1 << 14 };

static const uint64_t right_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t right_write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
				    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_DIR |
				    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				    RIGHT_REFER | RIGHT_TRUNCATE;
/* Nobody has these. */
static const uint64_t right_never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				    LANDLOCK_ACCESS_FS_MAKE_SYM;

static uint64_t rights_known(long version)
{
	uint64_t all = right_read | right_write | right_never;

	if (version < 2)
		all &= ~(uint64_t)RIGHT_REFER;
	if (version < 3)
		all &= ~(uint64_t)RIGHT_TRUNCATE;
	return all;
}

static uint64_t rights_of(enum sandbox_access access)
{
	switch (access) {
	case SANDBOX_WRITE:
		return right_read | right_write;
	case SANDBOX_REMOVE:
		return LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	case SANDBOX_REMOVE_FOLDERS:
		return LANDLOCK_ACCESS_FS_REMOVE_DIR;
	case SANDBOX_READ:
		break;
	}
	return right_read;
}

static int allow(int rules, const struct sandbox_folder *folder, uint64_t known)
{
	struct landlock_path_beneath_attr rule = {0};
	struct stat st;
	int err = 0;

	if (!folder->path)
		return 0;
	rule.parent_fd = open(folder->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	rule.allowed_access = rights_of(folder->access) & known;
	if (fstat(rule.parent_fd, &st) < 0)
		err = -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
				       LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE;
	if (!err && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		err = -errno;
	close(rule.parent_fd);
	return err;
}

int sandbox_file_rules(const struct sandbox_folder *folders, unsigned int n)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = rights_known(version)};
	int rules, err = 0;

	if (version < 1) /* not built in, switched off, or forbidden by a container */
		return -EOPNOTSUPP;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
	if (rules < 0)
		return -errno;
	for (unsigned int i = 0; i < n && !err; i++)
		err = allow(rules, &folders[i], attr.handled_access_fs);
	if (!err)
		return rules;
	close(rules);
	return err;
}

int sandbox_enter_rules(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
