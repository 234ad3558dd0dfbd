/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations in settings: a whole number and a unit, "200ms", "300s", "10m", "24h", "7d". */
#ifndef TKMS_CONTROL_DURATION_H
#define TKMS_CONTROL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds. 0, -EINVAL (not of that form) or -ERANGE. */
int duration_parse(const char *text, uint64_t *ms);
/* Shortest exact form. */
void duration_format(uint64_t ms, char *text, size_t cap);

#endif
