/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process gives up once it has started: capabilities, new privileges, core dumps and
 * debuggers, files outside its folders (Landlock), system calls that it has no use for (seccomp).
 * There is no way back.
 *
 * A system call that is not on the process's list fails with EPERM: a library that tries something
 * unforeseen copes or reports an error, and the service goes on. Calls that only an intruder makes
 * (a new program, a new process, another process's memory, mounts, kernel modules) end the
 * whole process with SIGSYS, after one line on stderr.
 */
#ifndef TKMS_SANDBOX_SANDBOX_H
#define TKMS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

enum sandbox_profile {
	SANDBOX_CONTROL,   /* files, stream and datagram sockets of AF_UNIX and IP, threads */
	SANDBOX_DATAPLANE, /* what it has open; sockets of AF_UNIX, datagrams; opens no file,
			      removes those of its folders */
};

enum { SANDBOX_FOLDERS_MAX = 16 };

struct sandbox_folder {
	const char *path; /* NULL or not there: left out */
	enum sandbox_access {
		SANDBOX_READ,
		SANDBOX_WRITE,
		SANDBOX_REMOVE,		/* files and empty folders may be removed */
		SANDBOX_REMOVE_FOLDERS, /* empty folders may be removed */
	} access;
};

struct sandbox {
	enum sandbox_profile profile;
	uint64_t capabilities; /* those that stay, if they were there: 1 << CAP_... */
	/* What may be opened or removed, and all beneath it. None: files are not restricted by
	 * name. */
	unsigned int n_folders;
	struct sandbox_folder folders[SANDBOX_FOLDERS_MAX];
	/* The line on stderr is these two with the number of the system call between them; both
	 * outlive the process. */
	const char *line_head, *line_tail;
};

/*
 * For every thread of the process. 0, or -errno and *step says of what; the process should end
 * then. A kernel without Landlock is no error: *files_restricted tells.
 */
int sandbox_enter(const struct sandbox *s, bool *files_restricted, const char **step);

#endif
