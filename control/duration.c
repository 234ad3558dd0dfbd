/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

int duration_parse(const char *text, uint64_t *ms)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	for (unsigned int i = 0; i < UNITS; i++) {
		if (strcmp(p, units[i].name) == 0)
			return __builtin_mul_overflow(value, units[i].ms, ms) ? -ERANGE : 0;
	}
	return -EINVAL;
}

void duration_format(uint64_t ms, char *text, size_t cap)
{
	unsigned int i = ms ? 0 : 3; /* nothing is "0s" */

	while (ms % units[i].ms != 0)
		i++;
	snprintf(text, cap, "%llu%s", (unsigned long long)(ms / units[i].ms), units[i].name);
}
