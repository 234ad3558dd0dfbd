/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/mikey/cursor.h"

void cursor_record(struct mikey_cursor *c, size_t off, const char *what)
{
	if (c->failed)
		return;
	c->failed = true;
	c->fault = what;
	c->fault_off = off;
	c->fault_left = cursor_left(c);
	c->end = c->pos;
}

void cursor_record_unknown(struct mikey_cursor *c, size_t off, const char *what, int error_no)
{
	if (c->failed)
		return;
	cursor_record(c, off, what);
	c->error_no = error_no;
}

void cursor_record_short(struct mikey_cursor *c, size_t n, const char *field)
{
	if (c->failed)
		return;
	cursor_record(c, c->pos, field);
	c->fault_want = n;
}
