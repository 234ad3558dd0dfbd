/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/due.h"

static void place(struct due *d, uint32_t at, struct relay_request *r)
{
	d->heap[at] = r;
	r->heap_at = at + 1;
}

static void settle(struct due *d, uint32_t at, struct relay_request *r)
{
	while (at > 0 && d->heap[(at - 1) / 2]->due_us > r->due_us) {
		place(d, at, d->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < d->n && d->heap[child + 1]->due_us < d->heap[child]->due_us)
			child++;
		if (child >= d->n || d->heap[child]->due_us >= r->due_us)
			break;
		place(d, at, d->heap[child]);
		at = child;
	}
	place(d, at, r);
}

void due_set(struct due *d, struct relay_request *r)
{
	settle(d, r->heap_at ? r->heap_at - 1 : d->n++, r);
}

void due_remove(struct due *d, struct relay_request *r)
{
	uint32_t at = r->heap_at - 1;
	struct relay_request *last = d->heap[--d->n];

	r->heap_at = 0;
	if (last != r)
		settle(d, at, last);
}
