/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/engine/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"

int runner_open(struct runner *r, const struct workload *w, const char *backend, unsigned int batch)
{
	memset(r, 0, sizeof(*r));
	r->workload = w;
	r->batch = batch;
	r->responses = calloc(batch, RUNNER_RESPONSE_STRIDE);
	r->crypto = r->responses ? crypto_open(backend) : NULL;
	r->engine = r->crypto ? engine_new(r->crypto) : NULL;
	if (!r->engine) {
		int error = errno;

		runner_close(r);
		return -error;
	}
	return 0;
}

void runner_close(struct runner *r)
{
	engine_free(r->engine);
	crypto_close(r->crypto);
	free(r->responses);
	memset(r, 0, sizeof(*r));
}

static void run_batch(struct runner *r)
{
	struct engine_view view = workload_view(r->workload);
	struct engine_msg msg[ENGINE_BATCH_MAX];
	const struct workload_message *m = &r->workload->message[r->next];

	for (unsigned int i = 0; i < r->batch; i++)
		msg[i] = (struct engine_msg){
			.request = m[i].octets,
			.request_len = m[i].len,
			.response = r->responses + (size_t)i * RUNNER_RESPONSE_STRIDE,
			.response_cap = RUNNER_RESPONSE_MAX,
		};
	engine_process(r->engine, &view, r->workload->ntp_now, msg, r->batch);
	for (unsigned int i = 0; i < r->batch; i++) {
		bool accepted = msg[i].verdict == VERDICT_RESOLVE_OK ||
				msg[i].verdict == VERDICT_REQUEST_OK;

		if (m[i].verdict == VERDICT_COUNT ? accepted : msg[i].verdict != m[i].verdict)
			r->surprises++;
	}
	r->next += r->batch;
	if (r->next + r->batch > r->workload->n)
		r->next = 0;
}

uint64_t runner_slice(struct runner *r, uint64_t ns, uint64_t *spent)
{
	/* Batches between two looks at the clock: enough not to notice it. */
	unsigned int between = r->batch >= 16 ? 4 : 64 / r->batch;
	uint64_t begin = clock_thread(), now, n = 0;

	do {
		for (unsigned int i = 0; i < between; i++)
			run_batch(r);
		n += (uint64_t)between * r->batch;
		now = clock_thread();
	} while (now - begin < ns);
	*spent = now - begin;
	return n;
}
