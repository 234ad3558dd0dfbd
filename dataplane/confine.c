/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/confine.h"

#include <dlfcn.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "common/sandbox/sandbox.h"
#include "dataplane/log.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static bool memory_is_unlimited(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ||
	       (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

int confine(const struct eal_runtime *runtime, const struct port *ports, unsigned int n)
{
	struct sandbox s = {.profile = SANDBOX_DATAPLANE,
		.line_head = "level=error process=tkms-dataplane msg=\"forbidden system call: the "
			     "process ends\" number=",
		.line_tail = "\n",
		.n_folders = 2,
		/* The EAL's own, and its folder itself. */
		.folders = {{runtime->folder_path, SANDBOX_REMOVE},
			{runtime->parent_path, SANDBOX_REMOVE_FOLDERS}}};
	const char *step;
	bool files = false;
	int err;

	/* The C library loads it when a thread is cancelled, as the EAL's are at the end. */
	if (!dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE))
		log_line(LOG_WARNING, "libgcc_s.so.1 cannot be loaded", "error=\"%s\"", dlerror());
	if (!memory_is_unlimited())
		s.capabilities |= BIT(CAP_IPC_LOCK);
	for (unsigned int i = 0; i < n; i++)
		if (ports[i].needs_admin)
			s.capabilities |= BIT(CAP_NET_ADMIN);
	err = sandbox_enter(&s, &files, &step);
	if (err)
		log_line(LOG_ERROR, "privileges cannot be given up",
			"step=\"%s\" error=\"%s\" fix=\"a kernel with seccomp; in a container "
			"allow seccomp(2); or --no-sandbox\"",
			step, strerror(-err));
	else if (!files)
		log_line(LOG_WARNING, "this kernel has no Landlock: files may be removed by name",
			"%s", "");
	return err;
}
