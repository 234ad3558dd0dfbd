/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line per event on stderr: time, level, message and fields, as key=value or as JSON. Values
 * are escaped, so that what others wrote cannot start a line of its own. Never secrets. One thread.
 */
#ifndef TKMS_CONTROL_LOG_H
#define TKMS_CONTROL_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *key;
	const char *text; /* NULL: number */
	uint64_t number;
};

#define F_TEXT(k, v)                    \
	{                               \
		.key = (k), .text = (v) \
	}
#define F_UINT(k, v)                      \
	{                                 \
		.key = (k), .number = (v) \
	}

/* Which lines are written and how; process-wide. */
void log_configure(enum log_level level, enum log_format format);

void log_write(enum log_level level, const char *message, const struct log_field *fields);

/* log_event(LOG_INFO, "started", F_TEXT("node", name), F_UINT("epoch", epoch)) */
#define log_event(level, message, ...) \
	log_write(level, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})

#endif
