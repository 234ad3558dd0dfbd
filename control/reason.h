/* SPDX-License-Identifier: BSD-3-Clause */
/* Why something failed, in words for the operator: one sentence that names what is wrong and, where
 * there is one, the fix. */
#ifndef TKMS_CONTROL_REASON_H
#define TKMS_CONTROL_REASON_H

#include <stdarg.h>
#include <stdio.h>

struct reason {
	char text[768];
};

/* Sets the text and returns err: return reason_set(r, -EINVAL, "..."). */
__attribute__((format(printf, 3, 4))) static inline int reason_set(
	struct reason *r, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
	return err;
}

#endif
