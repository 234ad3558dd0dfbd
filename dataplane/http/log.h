/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tkms-http says: events on standard error, one line each, and the access log on standard
 * output, which is collected and written once a turn. Neither ever blocks for long: lines of the
 * access log are lost, and counted, rather than waited for.
 */
#ifndef TKMS_HTTP_LOG_H
#define TKMS_HTTP_LOG_H

#include <stdint.h>

/* "2026-01-01T00:00:00.000Z tkms-http[PID] LEVEL: text". No text of clients here. */
void log_line(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* To be called once before files are out of reach: the C library wants to see its time zone. */
void log_prepare(void);

enum { ACCESS_BUFFER = 32768, ACCESS_LINE_MAX = 400 };

struct access_buffer {
	unsigned int len;
	uint64_t lost; /* lines */
	uint32_t most; /* lines a second, 0: no limit */
	uint32_t in_second;
	uint64_t second;
	uint64_t left_out; /* lines beyond most */
	char text[ACCESS_BUFFER];
};

struct access_line {
	uint64_t now_us; /* of a monotonic clock */
	const char *client;
	const char *method;
	const char *target; /* both as the client wrote it; escaped and cut */
	unsigned int status;
	uint32_t octets_in, octets_out;
	uint32_t us;
	unsigned int sent; /* messages to data planes */
	int type;	   /* enum mikey_data_type of the message, -1: none */
};

void access_add(struct access_buffer *b, const struct access_line *line);
void access_flush(struct access_buffer *b);

#endif
