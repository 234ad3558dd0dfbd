/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wall-clock time in seconds since 1900, counted on beyond the end of NTP era 0 (2036): what the
 * keyring, the subscribers and the data plane use. RFC 3339 texts for people and files.
 */
#ifndef TKMS_CONTROL_CLOCK_H
#define TKMS_CONTROL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_MAX = 32 };

/* Now. Never fails on Linux. */
int64_t clock_now(void);
/* Milliseconds since 1900. */
int64_t clock_now_ms(void);
/* Monotonic milliseconds. */
uint64_t clock_mono_ms(void);

int64_t clock_from_unix(int64_t unix_s);
int64_t clock_to_unix(int64_t s);

/*
 * RFC 3339 date-time ("2026-11-21T05:10:00Z", "...+01:00"; fractions of a second are dropped; a
 * leap second counts as the second after). 0 or -EINVAL.
 */
int clock_parse(const char *text, int64_t *out);
/* UTC with "Z"; text has CLOCK_TEXT_MAX octets. */
void clock_format(int64_t s, char *text);

#endif
