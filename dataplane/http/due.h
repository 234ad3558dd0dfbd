/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests by the time of their next event: a heap. Pure. */
#ifndef TKMS_HTTP_DUE_H
#define TKMS_HTTP_DUE_H

#include "dataplane/http/relay.h"

struct due {
	struct relay_request **heap; /* cap entries of the caller's */
	uint32_t n;
};

/* Puts a request where its due_us belongs; new ones (heap_at 0) need room. */
void due_set(struct due *d, struct relay_request *r);
void due_remove(struct due *d, struct relay_request *r);

#endif
