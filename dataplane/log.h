/* SPDX-License-Identifier: BSD-3-Clause */
/* One line per event on stderr: time, level, message, key=value fields. Never secrets, never per
 * packet. Any thread. */
#ifndef TKMS_DATAPLANE_LOG_H
#define TKMS_DATAPLANE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* 0 or -EINVAL: error, warning, info, debug. Call before threads start. */
int log_set_level(const char *name);

/* fields: a printf format of "key=value key2=\"value with blanks\"", may be "". */
void log_line(enum log_level level, const char *message, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

#endif
