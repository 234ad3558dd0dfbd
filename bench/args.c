/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void args_fail(const char *format, ...)
{
	va_list ap;

	fputs("tkms-bench: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

uint64_t args_number(const char *option, const char *value, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno || end == value || *end || strchr(value, '-') || n < min || n > max)
		args_fail("%s %s: need a whole number from %llu to %llu", option, value,
			(unsigned long long)min, (unsigned long long)max);
	return n;
}

double args_real(const char *option, const char *value, double min, double max)
{
	char *end;
	double x;

	errno = 0;
	x = strtod(value, &end);
	if (errno || end == value || *end || !(x >= min && x <= max))
		args_fail("%s %s: need a number from %g to %g", option, value, min, max);
	return x;
}

unsigned int args_word(
	const char *option, const char *value, const char *const *words, unsigned int n)
{
	char known[256] = "";

	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(value, words[i]) == 0)
			return i;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			i ? ", " : "", words[i]);
	}
	args_fail("%s %s: need one of %s", option, value, known);
}
