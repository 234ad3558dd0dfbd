/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/confine.h"

#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/sandbox/sandbox.h"
#include "control/files.h"
#include "control/log.h"

static const char *const lines[][2] = {
	[LOG_TEXT] = {"level=error process=tkms-control msg=\"forbidden system call: the process "
		      "ends\" number=",
		"\n"},
	[LOG_JSON] = {"{\"level\":\"error\",\"process\":\"tkms-control\",\"msg\":\"forbidden "
		      "system call: the process ends\",\"number\":",
		"}\n"},
};

static void add(struct sandbox *s, const char *path, enum sandbox_access access)
{
	s->folders[s->n_folders++] = (struct sandbox_folder){path, access};
}

/* The KEK, the configuration and the password of Redis are read again from their folders: an editor
 * replaces files. */
static int choose_folders(struct sandbox *s, const struct config *config, const char *config_path,
	char folders[3][PATH_MAX])
{
	int err = files_dirname(config_path, folders[0], PATH_MAX);

	if (!err)
		err = files_dirname(config->node.kek_file, folders[1], PATH_MAX);
	if (!err && *config->sync.password_file)
		err = files_dirname(config->sync.password_file, folders[2], PATH_MAX);
	add(s, config->node.state_dir, SANDBOX_WRITE);
	add(s, config->node.run_dir, SANDBOX_WRITE);
	add(s, folders[0], SANDBOX_READ);
	add(s, folders[1], SANDBOX_READ);
	add(s, *folders[2] ? folders[2] : NULL, SANDBOX_READ);
	add(s, getenv("CREDENTIALS_DIRECTORY"), SANDBOX_READ);
	add(s, "/proc/self", SANDBOX_READ);
	add(s, "/sys/devices/system/cpu", SANDBOX_READ);
	add(s, "/dev/null", SANDBOX_WRITE);
	add(s, "/dev/urandom", SANDBOX_READ);
	return err;
}

int confine(const struct config *config, const char *config_path, struct reason *why)
{
	struct sandbox s = {.profile = SANDBOX_CONTROL,
		.line_head = lines[config->log.format][0],
		.line_tail = lines[config->log.format][1]};
	char folders[3][PATH_MAX] = {0};
	struct rlimit limit;
	const char *step = "folders";
	bool files = false;
	int err = choose_folders(&s, config, config_path, folders);

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY)
		s.capabilities = UINT64_C(1) << CAP_IPC_LOCK;
	if (!err)
		err = sandbox_enter(&s, &files, &step);
	if (err)
		return reason_set(why, err,
			"privileges cannot be given up: %s: %s (a container has to allow "
			"seccomp(2); or --no-sandbox)",
			step, strerror(-err));
	if (!files)
		log_event(LOG_WARNING, "this kernel has no Landlock: files are not restricted");
	return 0;
}
