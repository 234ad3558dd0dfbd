/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/wiping_alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In front of every block; keeps the alignment of malloc(). */
struct head {
	_Alignas(16) size_t size;
};

void *wiping_malloc(size_t n)
{
	struct head *h = n > SIZE_MAX - sizeof(*h) ? NULL : malloc(sizeof(*h) + n);

	if (!h)
		return NULL;
	h->size = n;
	return h + 1;
}

void wiping_free(void *p)
{
	struct head *h = p;

	if (!p)
		return;
	h--;
	explicit_bzero(p, h->size);
	free(h);
}

void *wiping_realloc(void *p, size_t n)
{
	void *grown;

	if (!p)
		return wiping_malloc(n);
	if (n == 0) {
		wiping_free(p);
		return NULL;
	}
	grown = wiping_malloc(n);
	if (grown) {
		size_t had = ((struct head *)p - 1)->size;

		memcpy(grown, p, had < n ? had : n);
		wiping_free(p);
	}
	return grown;
}
