/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/crypto/secret.h"

Test(secret, a_child_process_sees_zeroes)
{
	uint8_t *p = secret_alloc(64);
	int status;
	pid_t child;

	cr_assert(p);
	memset(p, 0xa5, 64);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		_exit(p[0] == 0 && p[63] == 0 ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_expect_eq(p[0], 0xa5);
	secret_free(p, 64);
}

/* The address sanitizer makes mlock() do nothing: what is locked is tested in the plain build only. */
#ifndef __SANITIZE_ADDRESS__
static long vm_locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* The VmFlags line of the mapping that begins at p. */
static void vm_flags(const void *p, char *flags, size_t cap)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long start, end;
	int inside = 0;

	cr_assert(f);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)p >= start && (unsigned long)p < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, cap, "%s", line + 8);
	}
	fclose(f);
}

Test(secret, allocated_memory_is_zeroed_locked_and_not_dumped)
{
	long before = vm_locked_kib();
	uint8_t *p = secret_alloc(5000);
	char flags[512];

	cr_assert(p);
	cr_expect_eq((uintptr_t)p % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
	for (size_t i = 0; i < 5000; i++)
		cr_expect_eq(p[i], 0);
	cr_expect_eq(vm_locked_kib() - before, 8);
	vm_flags(p, flags, sizeof(flags));
	cr_expect(strstr(flags, " lo"), "locked: %s", flags);
	cr_expect(strstr(flags, " dd"), "do not dump: %s", flags);
	cr_expect(strstr(flags, " wf"), "wipe on fork: %s", flags);
	secret_free(p, 5000);
	cr_expect_eq(vm_locked_kib(), before);
	secret_free(NULL, 5000);
}

Test(secret, shared_memory_is_protected_and_kept_from_children)
{
	char flags[512];
	void *p;
	int fd = memfd_create("secret", 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, 8192), 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(p, MAP_FAILED);
	cr_expect_eq(secret_protect(p, 8192), 0);
	vm_flags(p, flags, sizeof(flags));
	cr_expect(
		strstr(flags, " lo") && strstr(flags, " dd") && strstr(flags, " dc"), "%s", flags);
	munmap(p, 8192);
	close(fd);
}

Test(secret, what_cannot_be_locked_is_refused)
{
	static const struct rlimit none = {0, 0};
	long before;

	/* A process that may lock anything is not bound by the limit. */
	if (geteuid() == 0)
		cr_assert_eq(setresuid(65534, 65534, 65534), 0);
	cr_assert_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	before = vm_locked_kib();
	errno = 0;
	cr_expect_null(secret_alloc(4096));
	cr_expect_eq(errno, ENOMEM);
	cr_expect_eq(vm_locked_kib(), before);
	errno = 0;
	cr_expect_null(secret_alloc(SIZE_MAX));
	cr_expect_eq(errno, ENOMEM);
	cr_expect_eq(secret_process_harden(SECRET_LOCK_ALL), -EPERM);
}

#endif

Test(secret, wipe_zeroes_exactly_what_it_is_told)
{
	uint8_t buf[66];

	for (size_t n = 0; n <= 64; n++) {
		memset(buf, 0xa5, sizeof(buf));
		secret_wipe(buf + 1, n);
		cr_expect_eq(buf[0], 0xa5);
		for (size_t i = 0; i < n; i++)
			cr_expect_eq(buf[1 + i], 0);
		cr_expect_eq(buf[1 + n], 0xa5);
	}
	secret_wipe(NULL, 0);
}

Test(secret, equal_sees_every_bit)
{
	uint8_t a[40], b[40];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (uint8_t)(i * 37);
	cr_expect(secret_equal(a, b, sizeof(a)));
	cr_expect(secret_equal(NULL, NULL, 0));
	for (size_t bit = 0; bit < sizeof(a) * 8; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect_not(secret_equal(a, b, sizeof(a)));
		cr_expect(secret_equal(a, b, bit / 8));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

Test(secret, hardened_process_is_not_dumpable)
{
	struct rlimit core;

	cr_assert_eq(secret_process_harden(SECRET_LOCK_SELECTED), 0);
	cr_expect_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	cr_assert_eq(getrlimit(RLIMIT_CORE, &core), 0);
	cr_expect_eq(core.rlim_cur, 0);
	cr_expect_eq(core.rlim_max, 0);
}

Test(secret, random_octets_differ)
{
	uint8_t a[1000] = {0}, b[1000] = {0};
	unsigned int seen[256] = {0}, distinct = 0;

	cr_assert_eq(secret_random(a, sizeof(a)), 0);
	cr_assert_eq(secret_random(b, sizeof(b)), 0);
	cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
	for (size_t i = 0; i < sizeof(a); i++)
		distinct += seen[a[i]]++ == 0;
	cr_expect_gt(distinct, 200);
	cr_expect_eq(secret_random(NULL, 0), 0);
}
