/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/crypto/secret.h"
#include "common/sandbox/parts.h"

enum { LINE_MAX_OCTETS = 256 };

/* For the signal handler; written once, before the filter is there. */
static const char *line_head, *line_tail;

static size_t add(char *line, size_t at, const char *text)
{
	while (*text && at < LINE_MAX_OCTETS)
		line[at++] = *text++;
	return at;
}

/* The call has not been made. Nothing here but system calls: the thread may be anywhere. */
static void on_violation(int number, siginfo_t *info, void *context)
{
	char line[LINE_MAX_OCTETS], digits[12];
	unsigned int call = (unsigned int)info->si_syscall;
	size_t i = sizeof(digits) - 1, len;

	(void)context;
	digits[i] = '\0';
	do
		digits[--i] = (char)('0' + call % 10);
	while ((call /= 10) != 0);
	len = add(line, 0, line_head);
	len = add(line, len, &digits[i]);
	len = add(line, len, line_tail);
	if (write(STDERR_FILENO, line, len) < 0)
		len = 0; /* nobody to tell; the end comes all the same */
	(void)signal(number, SIG_DFL);
	(void)syscall(SYS_tgkill, getpid(), gettid(), number);
}

static int watch_violations(const struct sandbox *s)
{
	struct sigaction action = {.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO};

	line_head = s->line_head;
	line_tail = s->line_tail;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

static int no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_enter(const struct sandbox *s, bool *files_restricted, const char **step)
{
	int err, rules = -1;

	*files_restricted = false;
	*step = "core dumps and debuggers";
	err = secret_process_harden(SECRET_LOCK_SELECTED);
	if (!err) {
		*step = "no new privileges";
		err = no_new_privileges();
	}
	if (!err && s->n_folders > 0) {
		*step = "files (Landlock)";
		rules = sandbox_file_rules(s->folders, s->n_folders);
		*files_restricted = rules >= 0;
		err = rules < 0 && rules != -EOPNOTSUPP ? rules : 0;
	}
	if (!err) {
		*step = "files and capabilities of every thread";
		err = sandbox_restrict_threads(s->capabilities, rules);
	}
	if (rules >= 0)
		close(rules);
	if (!err) {
		*step = "system calls (seccomp)";
		err = watch_violations(s);
	}
	return err ? err : sandbox_filter_calls(s->profile);
}
