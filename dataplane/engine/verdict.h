/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a message: one table for the engine, the network layer and the worker. Every drop is a verdict, every verdict a
 * counter (metric label = name).
 */
#ifndef TKMS_ENGINE_VERDICT_H
#define TKMS_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum { VERDICT_SILENT = -1 };

/*
 * name, MIKEY error number (VERDICT_SILENT: no answer), was the sender authenticated when it was decided, description.
 * Order of the engine's part: order of the checks (readings N55).
 */
#define VERDICT_TABLE(X) \
	X(REQUEST_OK, VERDICT_SILENT, true, "REQUEST_INIT answered with REQUEST_RESP") \
	X(RESOLVE_OK, VERDICT_SILENT, true, "RESOLVE_INIT answered with RESOLVE_RESP")

enum verdict {
	VERDICT_PENDING = 0, /* still in the batch; never counted */
#define X(name, error_no, authenticated, description) VERDICT_##name,
	VERDICT_TABLE(X)
#undef X
	VERDICT_COUNT,
};

struct verdict_info {
	const char *name; /* lower case, for metrics: "resolve_ok" */
	const char *description;
	int error_no;
	bool authenticated;
};

/* v < VERDICT_COUNT. */
const struct verdict_info *verdict_info(enum verdict v);

#endif
