/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process of tkms-http can still do once it serves: use the sockets it has. No file can be
 * opened, no program started, no right gained.
 */
#ifndef TKMS_HTTP_SANDBOX_H
#define TKMS_HTTP_SANDBOX_H

/*
 * Root becomes user (and its group); others stay who they are. All capabilities are given up. 0 or
 * -errno (-ENOENT: no such user).
 */
int sandbox_user(const char *user);

enum sandbox_role {
	SANDBOX_SUPERVISOR, /* starts workers, which open UDP sockets */
	SANDBOX_WORKER,
};

/* System calls beyond the role's list fail with EPERM from now on, also in children. 0 or -errno.
 */
int sandbox_enter(enum sandbox_role role);

#endif
