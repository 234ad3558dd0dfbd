/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	struct source source;
	uint32_t n;
};

struct sources {
	uint32_t most;
	uint64_t mask;
	struct entry *bucket[];
};

struct sources *sources_new(uint32_t most, uint32_t buckets)
{
	size_t n = 64;
	struct sources *s;

	while (n < buckets)
		n *= 2;
	s = calloc(1, sizeof(*s) + n * sizeof(s->bucket[0]));
	if (s) {
		s->most = most;
		s->mask = n - 1;
	}
	return s;
}

void sources_free(struct sources *s)
{
	for (uint64_t i = 0; s && i <= s->mask; i++) {
		while (s->bucket[i]) {
			struct entry *e = s->bucket[i];

			s->bucket[i] = e->next;
			free(e);
		}
	}
	free(s);
}

static struct entry **find(struct sources *s, const struct source *source, uint64_t hash)
{
	struct entry **at = &s->bucket[hash & s->mask];

	while (*at && memcmp((*at)->source.octets, source->octets, sizeof(source->octets)) != 0)
		at = &(*at)->next;
	return at;
}

int sources_add(struct sources *s, const struct source *source, uint64_t hash)
{
	struct entry **at;

	if (s->most == 0)
		return 0;
	at = find(s, source, hash);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return -ENOMEM;
		(*at)->source = *source;
	}
	if ((*at)->n >= s->most)
		return -EAGAIN;
	(*at)->n++;
	return 0;
}

void sources_remove(struct sources *s, const struct source *source, uint64_t hash)
{
	struct entry **at, *e;

	if (s->most == 0)
		return;
	at = find(s, source, hash);
	e = *at;
	if (!e || --e->n > 0)
		return;
	*at = e->next;
	free(e);
}
