/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/verdict.h"

/* Names are lower-cased by the compiler, so that the table is constant and each name is written
 * once. */
enum { NAME_MAX = 40 };

#define AT(s, i)     ((i) < sizeof(s) ? (s)[(i) < sizeof(s) ? (i) : 0] : '\0')
#define LOWER(s, i)  (AT(s, i) >= 'A' && AT(s, i) <= 'Z' ? AT(s, i) + ('a' - 'A') : AT(s, i))
#define LOWER4(s, i) LOWER(s, i), LOWER(s, (i) + 1), LOWER(s, (i) + 2), LOWER(s, (i) + 3)
#define LOWER_NAME(s)                                                                             \
	{                                                                                         \
		LOWER4(s, 0), LOWER4(s, 4), LOWER4(s, 8), LOWER4(s, 12), LOWER4(s, 16),           \
			LOWER4(s, 20), LOWER4(s, 24), LOWER4(s, 28), LOWER4(s, 32), LOWER4(s, 36) \
	}

static const char names[VERDICT_COUNT][NAME_MAX] = {[VERDICT_PENDING] = "pending",
#define X(name, error_no, authenticated, description) [VERDICT_##name] = LOWER_NAME(#name),
	VERDICT_TABLE(X)
#undef X
};

#define X(name, error_no, authenticated, description) \
	_Static_assert(sizeof(#name) <= NAME_MAX, "verdict name too long: " #name);
VERDICT_TABLE(X)
#undef X

static const struct verdict_info infos[VERDICT_COUNT] = {
	[VERDICT_PENDING] = {names[VERDICT_PENDING], "not decided yet", VERDICT_SILENT, false},
#define X(name, error_no, authenticated, description) \
	[VERDICT_##name] = {names[VERDICT_##name], description, error_no, authenticated},
	VERDICT_TABLE(X)
#undef X
};

const struct verdict_info *verdict_info(enum verdict v)
{
	return &infos[v];
}
