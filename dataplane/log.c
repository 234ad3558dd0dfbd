/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const names[] = {[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug"};
static enum log_level shown = LOG_INFO;

int log_set_level(const char *name)
{
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			shown = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_line(enum log_level level, const char *message, const char *fields, ...)
{
	char text[1024], when[32] = "";
	struct timespec now;
	struct tm tm;
	va_list args;
	int n;

	if (level > shown)
		return;
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	va_start(args, fields);
	n = vsnprintf(text, sizeof(text), fields, args);
	va_end(args);
	/* Fields may quote what somebody else wrote: one event stays one line. */
	for (char *p = text; n > 0 && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	fprintf(stderr, "%s.%03ldZ level=%s process=tkms-dataplane msg=\"%s\"%s%s\n", when,
		now.tv_nsec / 1000000, names[level], message, n > 0 ? " " : "", n > 0 ? text : "");
}
