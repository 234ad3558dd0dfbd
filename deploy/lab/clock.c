/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wall clock that can be set for one process, preloaded into the programs of a lab: the file
 * TKMS_LAB_CLOCK holds seconds (a native int64) that are added to the time of day. It is mapped at
 * the start, so that a process that opens no files any more follows it too. Monotonic clocks are
 * left alone.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*clock_fn)(clockid_t, struct timespec *);

static const volatile int64_t *offset;
static clock_fn next;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("TKMS_LAB_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);

	next = (clock_fn)dlsym(RTLD_NEXT, "clock_gettime");
	if (map == MAP_FAILED || !next) {
		fputs("lab clock: TKMS_LAB_CLOCK cannot be used\n", stderr);
		_exit(1);
	}
	close(fd);
	offset = map;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int r = next ? next(id, t) : -1;

	if (r == 0 && offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += *offset;
	return r;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return r;
}

time_t time(time_t *t)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}
