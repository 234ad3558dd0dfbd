/* SPDX-License-Identifier: BSD-3-Clause */
/* The others' logs: what there is of them is fetched in batches, and put into the queue. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/cursor.h"
#include "control/clock.h"
#include "control/log.h"
#include "control/sync_private.h"

enum { HEAD_FORMAT = 1 };

/* Chunks that were asked for. */
struct batch {
	struct sync_peer *peer;
	uint64_t from;
	unsigned int n;
};

struct sync_peer *sync_find(struct sync *s, uint64_t origin)
{
	for (unsigned int i = 0; i < s->n_peers; i++) {
		if (s->peers[i]->origin == origin)
			return s->peers[i];
	}
	return NULL;
}

static struct sync_peer *find_or_add(struct sync *s, uint64_t origin)
{
	struct sync_peer *peer = sync_find(s, origin);

	if (peer || s->n_peers == BUS_ORIGINS_MAX)
		return peer;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->sync = s;
	peer->origin = origin;
	peer->contiguous = peer->read_to = store_cursor(s->store, origin);
	s->peers[s->n_peers++] = peer;
	return peer;
}

int sync_record(struct sync *s, uint64_t origin, uint64_t version, const void *plain, size_t len)
{
	struct ipc_reader r = {.buf = plain, .len = len};
	uint64_t format = ipc_get_uint(&r, 1), first = ipc_get_max(&r, 8, INT64_MAX),
		 last = ipc_get_max(&r, 8, INT64_MAX);
	struct sync_peer *peer;

	/* later formats only add fields */
	if (r.failed || format < HEAD_FORMAT || first == 0 || first > last + 1 ||
		version != first + last)
		return -EBADMSG;
	peer = find_or_add(s, origin);
	if (!peer)
		return 0; /* the bus has said that there are too many */
	peer->first = first;
	peer->last = last;
	if (peer->contiguous + 1 < first)
		peer->contiguous = first - 1; /* told again from there on */
	if (peer->read_to < peer->contiguous)
		peer->read_to = peer->contiguous;
	if (peer->gap && peer->gap < first)
		peer->gap = 0;
	sync_fetch(s);
	sync_schedule(s, 0);
	return 0;
}

void sync_read_reset(struct sync *s)
{
	for (unsigned int i = 0; i < s->n_peers; i++) {
		struct sync_peer *peer = s->peers[i];

		peer->contiguous = store_cursor(s->store, peer->origin);
		if (peer->contiguous + 1 < peer->first)
			peer->contiguous = peer->first - 1;
		peer->read_to = peer->contiguous;
	}
}

/* The first one missed is the one that is asked for: its origin looks for the others itself. */
void sync_gap(struct sync_peer *peer, uint64_t sequence)
{
	if (sequence < peer->first || sequence <= peer->contiguous ||
		(peer->gap && peer->gap <= sequence))
		return;
	peer->gap = sequence;
	peer->gap_is_told = false;
	peer->gap_asked_ms = clock_mono_ms();
}

static void queue(struct sync_peer *peer, uint64_t sequence, const struct redis_value *v)
{
	struct sync *s = peer->sync;
	struct sync_chunk *chunk = malloc(sizeof(*chunk) + v->len);

	if (!chunk) {
		sync_gap(peer, sequence);
		return;
	}
	chunk->next = NULL;
	chunk->peer = peer;
	chunk->sequence = sequence;
	chunk->len = v->len;
	memcpy(chunk->sealed, v->text, v->len);
	*s->last = chunk;
	s->last = &chunk->next;
	s->n_queue++;
}

static void on_fetched(void *arg, const struct redis_value *v)
{
	struct batch *b = arg;
	struct sync_peer *peer = b->peer;
	struct sync *s = peer->sync;

	peer->fetching -= b->n;
	if (!v || v->kind != REDIS_ARRAY || v->n != b->n) {
		if (peer->read_to >= b->from)
			peer->read_to = b->from - 1;
		if (v)
			sync_note(s, "Redis does not give changes of subscribers",
				v->kind == REDIS_FAILURE ? v->text : "it answers something else");
		free(b);
		return;
	}
	for (unsigned int i = 0; i < b->n; i++) {
		const struct redis_value *value = v->items[i];

		if (value->kind == REDIS_STRING && value->len <= STORE_LOG_SEALED_MAX) {
			queue(peer, b->from + i, value);
		} else {
			s->status.forged += value->kind != REDIS_NIL;
			sync_gap(peer, b->from + i);
		}
	}
	free(b);
	if (s->n_queue)
		sync_schedule(s, 0);
}

static int fetch(struct sync_peer *peer, uint64_t from, unsigned int n)
{
	struct sync *s = peer->sync;
	char key[BUS_KEY_MAX], field[SYNC_BATCH][SYNC_KEY_TEXT];
	struct redis_text words[2 + SYNC_BATCH] = {REDIS_WORD("HMGET")};
	struct batch *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	*b = (struct batch){peer, from, n};
	sync_log_key(s, peer->origin, key);
	words[1] = (struct redis_text)REDIS_WORD(key);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(field[i], sizeof(field[i]), "%" PRIu64, from + i);
		words[2 + i] = (struct redis_text)REDIS_WORD(field[i]);
	}
	err = primary_send(bus_primary(s->bus), words, 2 + n, on_fetched, b);
	if (err)
		free(b);
	else
		peer->fetching += n;
	return err;
}

/* Alarm, and the request to its origin. */
static void ask_for_gap(struct sync_peer *peer)
{
	struct sync *s = peer->sync;
	uint64_t now = clock_mono_ms();
	char text[80], origin[BUS_ORIGIN_TEXT];

	if (!peer->gap || now - peer->gap_asked_ms < SYNC_RETRY_MS)
		return;
	peer->gap_asked_ms = now;
	bus_origin_text(peer->origin, origin);
	if (!peer->gap_is_told) {
		peer->gap_is_told = true;
		s->status.gaps++;
		log_event(LOG_ERROR,
			"changes of subscribers are missing or altered in Redis; their origin is "
			"asked "
			"to write them again",
			F_TEXT("origin", origin), F_UINT("chunk", peer->gap));
	}
	snprintf(text, sizeof(text), "want %s %" PRIu64, origin, peer->gap);
	bus_publish(s->bus, text);
	(void)fetch(peer, peer->gap, 1); /* with the next tick again */
}

void sync_fetch(struct sync *s)
{
	unsigned int pending = s->n_queue;

	if (!s->is_reachable)
		return;
	for (unsigned int i = 0; i < s->n_peers; i++)
		pending += s->peers[i]->fetching;
	for (unsigned int i = 0; i < s->n_peers; i++) {
		struct sync_peer *peer = s->peers[i];

		ask_for_gap(peer);
		while (peer->read_to < peer->last && pending + SYNC_BATCH <= SYNC_QUEUE) {
			uint64_t left = peer->last - peer->read_to;
			unsigned int n = left < SYNC_BATCH ? (unsigned int)left : SYNC_BATCH;

			if (fetch(peer, peer->read_to + 1, n))
				return;
			peer->read_to += n;
			pending += n;
		}
	}
}
