/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

void secret_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	uint64_t diff = 0;
	size_t i;

	/* The empty asm hides diff, so that no compiler can leave a loop early. */
	for (i = 0; i + sizeof(diff) <= n; i += sizeof(diff)) {
		uint64_t left, right;

		memcpy(&left, x + i, sizeof(left));
		memcpy(&right, y + i, sizeof(right));
		diff |= left ^ right;
		__asm__("" : "+r"(diff));
	}
	for (; i < n; i++) {
		diff |= x[i] ^ y[i];
		__asm__("" : "+r"(diff));
	}
	return diff == 0;
}

/* 0 if n is too large to be rounded. */
static size_t whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (n == 0)
		n = 1;
	return n > SIZE_MAX - (page - 1) ? 0 : (n + page - 1) & ~(page - 1);
}

int secret_protect(void *p, size_t n)
{
	size_t size = whole_pages(n);

	if (!size)
		return -EINVAL;
	if (madvise(p, size, MADV_DONTDUMP) < 0)
		return -errno;
	if (madvise(p, size, MADV_WIPEONFORK) < 0) {
		/* The kernel wipes private anonymous memory only; a child gets nothing of the rest.
		 */
		if (errno != EINVAL || madvise(p, size, MADV_DONTFORK) < 0)
			return -errno;
	}
	if (mlock(p, size) < 0)
		return errno == EAGAIN || errno == EPERM ? -ENOMEM : -errno;
	return 0;
}

void *secret_alloc(size_t n)
{
	size_t size = whole_pages(n);
	void *p;
	int err;

	if (!size) {
		errno = ENOMEM;
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	err = secret_protect(p, size);
	if (err) {
		munmap(p, size);
		errno = -err;
		return NULL;
	}
	return p;
}

void secret_free(void *p, size_t n)
{
	if (!p)
		return;
	secret_wipe(p, n);
	munmap(p, whole_pages(n));
}

int secret_process_harden(enum secret_lock lock)
{
	static const struct rlimit no_core = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	if (lock == SECRET_LOCK_ALL && mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	return 0;
}

int secret_random(void *p, size_t n)
{
	uint8_t *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += got;
		n -= (size_t)got;
	}
	return 0;
}
