/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration file. A wrong one is complained about; a right one read twice is the same. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/config.h"
#include "tests/fuzz/fuzz.h"

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void differs(void *arg, const char *key, const char *before, const char *after,
	enum config_reload reload)
{
	(void)arg;
	(void)reload;
	fprintf(stderr, "%s: %s, then %s\n", key, before, after);
	abort();
}

/* NULL: refused, with complaints. */
static struct config *load(const char *path)
{
	struct config_errors errors = {0};
	struct config *c = NULL;
	int err = config_load(path, &c, &errors);

	require(err ? errors.n > 0 && errors.text : errors.n == 0);
	free(errors.text);
	return err ? NULL : c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct config *once, *again;
	char path[32];

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	once = load(path);
	again = once ? load(path) : NULL;
	if (once) {
		require(again);
		config_compare(once, once, again, differs, NULL);
		config_free(once);
		config_free(again);
	}
	close(fd);
	return 0;
}
