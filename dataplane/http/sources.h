/* SPDX-License-Identifier: BSD-3-Clause */
/* How many a source has at a time: connections, requests in flight. One thread. Memory: one entry
 * per source that has any. */
#ifndef TKMS_HTTP_SOURCES_H
#define TKMS_HTTP_SOURCES_H

#include <stdint.h>

#include "dataplane/http/address.h"

struct sources;

/* most: per source, 0: no limit. buckets: about as many as all sources have together. NULL: no
 * memory. */
struct sources *sources_new(uint32_t most, uint32_t buckets);
void sources_free(struct sources *s);

/* hash: keyed, of the source. 0, -EAGAIN (it has as many as it may) or -ENOMEM. */
int sources_add(struct sources *s, const struct source *source, uint64_t hash);
/* Undoes one sources_add(). */
void sources_remove(struct sources *s, const struct source *source, uint64_t hash);

#endif
