/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/engine.h"
#include "tests/unit/verdict_record.h"

void __real_engine_process(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n);
void __wrap_engine_process(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n);

void __wrap_engine_process(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n)
{
	__real_engine_process(e, view, ntp_now, msgs, n);
	for (unsigned int i = 0; i < n; i++)
		verdict_record((enum verdict)msgs[i].verdict);
}
