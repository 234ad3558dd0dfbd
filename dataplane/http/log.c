/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIPE_ATOMIC = 4096, TARGET_MAX = 100, METHOD_MAX = 36 };

static size_t stamp(char *text, size_t cap)
{
	struct timespec t;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	n = strftime(text, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(text + n, cap - n, ".%03ldZ", t.tv_nsec / 1000000);
}

void log_prepare(void)
{
	char text[40];

	tzset();
	(void)stamp(text, sizeof(text));
}

void log_line(const char *level, const char *format, ...)
{
	char text[512];
	va_list args;
	size_t n = stamp(text, sizeof(text));
	int more;

	n += (size_t)snprintf(
		text + n, sizeof(text) - n, " tkms-http[%d] %s: ", (int)getpid(), level);
	va_start(args, format);
	more = vsnprintf(text + n, sizeof(text) - n - 1, format, args);
	va_end(args);
	n += more < 0 ? 0 : (size_t)more;
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	/* Nobody is left to tell when this fails. */
	if (write(STDERR_FILENO, text, n) < 0)
		return;
}

/* out: of max + 4 octets. */
static void escape(char *out, unsigned int max, const char *in)
{
	unsigned int n = 0;

	for (; *in && n < max; in++) {
		if (*in <= ' ' || *in == '"' || *in == '\\' || *in == 0x7f)
			n += (unsigned int)sprintf(out + n, "%%%02x", (unsigned char)*in);
		else
			out[n++] = *in;
	}
	out[n] = '\0';
}

static bool is_too_much(struct access_buffer *b, uint64_t now_us)
{
	if (b->second != now_us / 1000000) {
		b->second = now_us / 1000000;
		b->in_second = 0;
	}
	if (b->most == 0 || b->in_second < b->most) {
		b->in_second++;
		return false;
	}
	b->left_out++;
	return true;
}

void access_add(struct access_buffer *b, const struct access_line *l)
{
	char target[TARGET_MAX + 4], method[METHOD_MAX + 4], time[40], type[16] = "-";
	int n;

	if (is_too_much(b, l->now_us))
		return;
	if (b->len > ACCESS_BUFFER - ACCESS_LINE_MAX)
		access_flush(b);
	if (b->len > ACCESS_BUFFER - ACCESS_LINE_MAX) {
		b->lost++;
		return;
	}
	escape(target, TARGET_MAX, l->target);
	escape(method, METHOD_MAX, l->method);
	(void)stamp(time, sizeof(time));
	if (l->type >= 0)
		snprintf(type, sizeof(type), "%d", l->type);
	n = snprintf(b->text + b->len, ACCESS_LINE_MAX,
		"%s client=%s method=%s target=\"%s\" status=%u in=%u out=%u type=%s sent=%u "
		"us=%u\n",
		time, l->client, method, target, l->status, l->octets_in, l->octets_out, type,
		l->sent, l->us);
	if (n > 0 && n < ACCESS_LINE_MAX)
		b->len += (unsigned int)n;
	else
		b->lost++;
}

/* Whole lines of at most PIPE_ATOMIC octets: a pipe that is writable takes them without blocking.
 */
static unsigned int portion(const struct access_buffer *b, unsigned int from)
{
	unsigned int n = b->len - from;

	if (n <= PIPE_ATOMIC)
		return n;
	for (n = PIPE_ATOMIC; b->text[from + n - 1] != '\n'; n--)
		;
	return n;
}

void access_flush(struct access_buffer *b)
{
	unsigned int at = 0;

	while (at < b->len) {
		struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
		unsigned int n = portion(b, at);

		if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT) ||
			write(STDOUT_FILENO, b->text + at, n) < 0)
			break;
		at += n;
	}
	for (; at < b->len; at++)
		b->lost += b->text[at] == '\n';
	b->len = 0;
}
