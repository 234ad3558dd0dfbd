/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t UNIX_1900 = 2208988800; /* from 1900 to 1970 */

int64_t clock_from_unix(int64_t unix_s)
{
	return unix_s + UNIX_1900;
}

int64_t clock_to_unix(int64_t s)
{
	return s - UNIX_1900;
}

int64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return clock_from_unix(ts.tv_sec);
}

int64_t clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return clock_from_unix(ts.tv_sec) * 1000 + ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* n digits at *p, which moves on; -1 when there are not as many. */
static int digits(const char **p, unsigned int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool skip(const char **p, const char *any_of)
{
	if (!**p || !strchr(any_of, **p))
		return false;
	(*p)++;
	return true;
}

/* Offset from UTC in seconds; the text must end after it. */
static bool parse_offset(const char **p, int *seconds)
{
	int sign, h, m;

	*seconds = 0;
	if (skip(p, "Zz"))
		return **p == '\0';
	if (**p != '+' && **p != '-')
		return false;
	sign = **p == '+' ? 1 : -1;
	(*p)++;
	h = digits(p, 2);
	if (h < 0 || h > 23 || !skip(p, ":"))
		return false;
	m = digits(p, 2);
	if (m < 0 || m > 59)
		return false;
	*seconds = sign * (h * 3600 + m * 60);
	return **p == '\0';
}

int clock_parse(const char *text, int64_t *out)
{
	const char *p = text;
	struct tm tm = {0}, check;
	time_t t;
	int offset, year = digits(&p, 4), leap = 0;

	if (year < 1900 || !skip(&p, "-"))
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = digits(&p, 2) - 1;
	if (!skip(&p, "-"))
		return -EINVAL;
	tm.tm_mday = digits(&p, 2);
	if (!skip(&p, "Tt "))
		return -EINVAL;
	tm.tm_hour = digits(&p, 2);
	if (!skip(&p, ":"))
		return -EINVAL;
	tm.tm_min = digits(&p, 2);
	if (!skip(&p, ":"))
		return -EINVAL;
	tm.tm_sec = digits(&p, 2);
	if (skip(&p, ".")) {
		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		while (isdigit((unsigned char)*p))
			p++;
	}
	if (tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
		tm.tm_sec > 60 || !parse_offset(&p, &offset))
		return -EINVAL;
	if (tm.tm_sec == 60) {
		tm.tm_sec = 59;
		leap = 1;
	}
	check = tm;
	t = timegm(&check);
	/* timegm() makes the 2nd of March out of the 30th of February */
	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon || check.tm_year != tm.tm_year)
		return -EINVAL;
	t = t - offset + leap;
	if (clock_from_unix(t) < 0)
		return -EINVAL;
	*out = clock_from_unix(t);
	return 0;
}

void clock_format(int64_t s, char *text)
{
	time_t t = (time_t)clock_to_unix(s);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, CLOCK_TEXT_MAX, "%lld", (long long)s);
}
