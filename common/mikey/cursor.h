/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read cursor over a run of octets. The first read that does not fit makes it fail; a failed cursor
 * reads zeroes and empty spans and never moves again, so that all fields can be read first and the
 * cursor asked once. It remembers where and at which field it failed, for the dissector.
 */
#ifndef TKMS_MIKEY_CURSOR_H
#define TKMS_MIKEY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/mikey/message.h"

enum { CURSOR_NO_ERROR_NO = -1 };

struct mikey_cursor {
	const uint8_t *octets; /* offsets count from here */
	size_t pos;
	size_t end; /* pos once it has failed: one comparison refuses every further read */
	/*
	 * Says only that it has failed. Constant in its scope: nothing but inline functions then
	 * takes its address, and it stays in registers.
	 */
	bool quiet;
	/* set by the first failure */
	bool failed;
	int error_no; /* enum mikey_error when an algorithm is unknown, else CURSOR_NO_ERROR_NO */
	const char *fault; /* field that was read, or what is wrong */
	size_t fault_off;
	size_t fault_want; /* octets wanted; 0: fault is not about the length */
	size_t fault_left; /* octets that were left */
};

/* Reads octets[off .. off + len). The caller knows that they exist and that off + len <= 65535. */
static inline void cursor_init(
	struct mikey_cursor *c, const uint8_t *octets, size_t off, size_t len)
{
	*c = (struct mikey_cursor){
		.octets = octets,
		.pos = off,
		.end = off + len,
		.error_no = CURSOR_NO_ERROR_NO,
	};
}

static inline size_t cursor_left(const struct mikey_cursor *c)
{
	return c->end - c->pos;
}

/* What the functions below record when the cursor is not quiet. */
void cursor_record(struct mikey_cursor *c, size_t off, const char *what);
void cursor_record_unknown(struct mikey_cursor *c, size_t off, const char *what, int error_no);
void cursor_record_short(struct mikey_cursor *c, size_t n, const char *field);

static inline void cursor_fail_quietly(struct mikey_cursor *c)
{
	c->failed = true;
	c->end = c->pos;
}

/* Failures; the first counts. what, field: constant strings. off: where the octet at fault is. */
static inline void cursor_fail(struct mikey_cursor *c, size_t off, const char *what)
{
	if (c->quiet)
		cursor_fail_quietly(c);
	else
		cursor_record(c, off, what);
}

/* An algorithm or type whose length is not known; error_no: enum mikey_error. */
static inline void cursor_fail_unknown(
	struct mikey_cursor *c, size_t off, const char *what, int error_no)
{
	if (c->quiet)
		cursor_fail_quietly(c);
	else
		cursor_record_unknown(c, off, what, error_no);
}

/* n octets of a field are not there. */
static inline void cursor_fail_short(struct mikey_cursor *c, size_t n, const char *field)
{
	if (c->quiet)
		cursor_fail_quietly(c);
	else
		cursor_record_short(c, n, field);
}

/* Moves over n octets; false (and failed) when they are not there. */
static inline bool cursor_take(struct mikey_cursor *c, size_t n, const char *field)
{
	if (__builtin_expect(n > c->end - c->pos, 0)) {
		cursor_fail_short(c, n, field);
		return false;
	}
	c->pos += n;
	return true;
}

static inline uint8_t cursor_u8(struct mikey_cursor *c, const char *field)
{
	if (!cursor_take(c, 1, field))
		return 0;
	return c->octets[c->pos - 1];
}

static inline uint16_t cursor_u16(struct mikey_cursor *c, const char *field)
{
	if (!cursor_take(c, 2, field))
		return 0;
	return (uint16_t)(c->octets[c->pos - 2] << 8 | c->octets[c->pos - 1]);
}

static inline uint32_t cursor_u24(struct mikey_cursor *c, const char *field)
{
	if (!cursor_take(c, 3, field))
		return 0;
	return (uint32_t)c->octets[c->pos - 3] << 16 | (uint32_t)c->octets[c->pos - 2] << 8 |
	       c->octets[c->pos - 1];
}

static inline uint32_t cursor_u32(struct mikey_cursor *c, const char *field)
{
	if (!cursor_take(c, 4, field))
		return 0;
	return (uint32_t)c->octets[c->pos - 4] << 24 | (uint32_t)c->octets[c->pos - 3] << 16 |
	       (uint32_t)c->octets[c->pos - 2] << 8 | c->octets[c->pos - 1];
}

/*
 * Both fields as one number: spans are copied around at once, and a copy right after two smaller
 * stores would wait until they have left the store buffer.
 */
static inline struct mikey_span cursor_make_span(size_t off, size_t len)
{
	const uint32_t both = (uint32_t)off | (uint32_t)len << 16;
	struct mikey_span s;

	_Static_assert(sizeof(both) == sizeof(s), "off and len, little-endian");
	memcpy(&s, &both, sizeof(s));
	return s;
}

static inline struct mikey_span cursor_span(struct mikey_cursor *c, size_t n, const char *field)
{
	if (!cursor_take(c, n, field))
		return (struct mikey_span){0, 0};
	return cursor_make_span(c->pos - n, n);
}

/* Nothing may be left. */
static inline void cursor_finish(struct mikey_cursor *c, const char *what)
{
	if (c->pos != c->end)
		cursor_fail(c, c->pos, what);
}

#endif
