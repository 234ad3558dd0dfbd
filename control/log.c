/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_OCTETS = 16384, VALUE_SHOWN_MAX = 400 };

static const char *const names[] = {"error", "warning", "info", "debug"};
static enum log_level shown = LOG_INFO;
static enum log_format form = LOG_TEXT;

struct line {
	char text[LINE_MAX_OCTETS];
	size_t len;
};

void log_configure(enum log_level level, enum log_format format)
{
	shown = level;
	form = format;
}

static void add(struct line *l, const char *text)
{
	size_t n = strlen(text), room = sizeof(l->text) - 2 - l->len;

	if (n > room)
		n = room;
	memcpy(l->text + l->len, text, n);
	l->len += n;
}

static void add_quoted(struct line *l, const char *text)
{
	const char *end = text + strnlen(text, VALUE_SHOWN_MAX);
	char piece[8];

	add(l, "\"");
	for (; text < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			snprintf(piece, sizeof(piece), "\\u%04x", c);
		else
			snprintf(piece, sizeof(piece), "%c", c);
		add(l, piece);
	}
	add(l, *end ? "...\"" : "\"");
}

/* Text without blanks, quotes and the like stays bare in the key=value form. */
static bool is_bare(const char *text)
{
	if (!*text || strlen(text) > VALUE_SHOWN_MAX)
		return false;
	for (; *text; text++) {
		if (*text <= 0x20 || *text > 0x7e || strchr("\"\\=", *text))
			return false;
	}
	return true;
}

static void add_field(struct line *l, const struct log_field *f)
{
	char number[24];

	add(l, form == LOG_JSON ? ",\"" : " ");
	add(l, f->key);
	add(l, form == LOG_JSON ? "\":" : "=");
	if (!f->text) {
		snprintf(number, sizeof(number), "%" PRIu64, f->number);
		add(l, number);
	} else if (form == LOG_TEXT && is_bare(f->text)) {
		add(l, f->text);
	} else {
		add_quoted(l, f->text);
	}
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
	struct line l = {.len = 0};
	char when[40], date[32] = "";
	struct timespec now;
	struct tm tm;

	if (level > shown)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when, sizeof(when), "%s.%03ldZ", date, now.tv_nsec / 1000000);
	add(&l, form == LOG_JSON ? "{\"time\":\"" : "");
	add(&l, when);
	add(&l, form == LOG_JSON ? "\",\"level\":\"" : " level=");
	add(&l, names[level]);
	add(&l, form == LOG_JSON ? "\",\"process\":\"tkms-control\",\"msg\":"
				 : " process=tkms-control msg=");
	add_quoted(&l, message);
	for (; fields->key; fields++)
		add_field(&l, fields);
	if (form == LOG_JSON)
		l.text[l.len++] = '}';
	l.text[l.len++] = '\n';
	/* one write, so that lines of several processes on one stderr do not mix; nobody to tell
	 * when it fails */
	if (write(STDERR_FILENO, l.text, l.len) < 0)
		return;
}
