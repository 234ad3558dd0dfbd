/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/flights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

static uint32_t index_of(const struct flights *f, const struct flight *fl)
{
	return (uint32_t)(fl - f->flight);
}

int flights_init(struct flights *f, uint32_t n, uint16_t message_cap, struct rng *rng, uint64_t now)
{
	memset(f, 0, sizeof(*f));
	f->flight = calloc(n, sizeof(*f->flight));
	f->octets = malloc((size_t)n * message_cap);
	if (!f->flight || !f->octets) {
		flights_clear(f);
		return -ENOMEM;
	}
	f->n = n;
	f->message_cap = message_cap;
	f->wheel_ms = now / NS_PER_MS;
	for (unsigned int i = 0; i < FLIGHT_WHEEL_SLOTS; i++)
		f->wheel[i] = FLIGHT_NONE;
	for (uint32_t i = 0; i < n; i++) {
		struct flight *fl = &f->flight[i];

		fl->x.octets = f->octets + (size_t)i * message_cap;
		fl->x.cap = message_cap;
		fl->x.csb_id = ((uint32_t)rng_next(rng) << FLIGHT_INDEX_BITS) | i;
		fl->next = i + 1 < n ? i + 1 : FLIGHT_NONE;
	}
	return 0;
}

void flights_clear(struct flights *f)
{
	free(f->flight);
	free(f->octets);
	f->flight = NULL;
	f->octets = NULL;
}

struct flight *flights_take(struct flights *f)
{
	struct flight *fl;

	if (f->free == FLIGHT_NONE)
		return NULL;
	fl = &f->flight[f->free];
	f->free = fl->next;
	f->in_use++;
	fl->x.csb_id += 1U << FLIGHT_INDEX_BITS;
	fl->busy = true;
	fl->heard = false;
	fl->in_batch = false;
	return fl;
}

static void disarm(struct flights *f, struct flight *fl)
{
	uint32_t *head = &f->wheel[(fl->timer / NS_PER_MS) % FLIGHT_WHEEL_SLOTS];

	if (!fl->in_wheel)
		return;
	if (fl->previous == FLIGHT_NONE)
		*head = fl->next;
	else
		f->flight[fl->previous].next = fl->next;
	if (fl->next != FLIGHT_NONE)
		f->flight[fl->next].previous = fl->previous;
	fl->in_wheel = false;
}

void flights_release(struct flights *f, struct flight *fl)
{
	disarm(f, fl);
	fl->busy = false;
	fl->next = f->free;
	f->free = index_of(f, fl);
	f->in_use--;
}

struct flight *flights_find(struct flights *f, uint32_t csb_id)
{
	uint32_t i = csb_id & (FLIGHTS_MAX - 1);

	return i < f->n && f->flight[i].busy && f->flight[i].x.csb_id == csb_id ? &f->flight[i]
										: NULL;
}

void flights_arm(struct flights *f, struct flight *fl, uint64_t ns)
{
	uint64_t earliest = (f->wheel_ms + 1) * NS_PER_MS;
	uint64_t latest = (f->wheel_ms + FLIGHT_WHEEL_SLOTS - 1) * NS_PER_MS;
	uint32_t *head;

	disarm(f, fl);
	fl->timer = ns < earliest ? earliest : ns > latest ? latest : ns;
	head = &f->wheel[(fl->timer / NS_PER_MS) % FLIGHT_WHEEL_SLOTS];
	fl->next = *head;
	fl->previous = FLIGHT_NONE;
	if (*head != FLIGHT_NONE)
		f->flight[*head].previous = index_of(f, fl);
	*head = index_of(f, fl);
	fl->in_wheel = true;
}

/* A slot is emptied when its millisecond is over: timers are up to 1 ms late, never early. */
struct flight *flights_due(struct flights *f, uint64_t now)
{
	uint64_t now_ms = now / NS_PER_MS;

	while (f->wheel_ms + 1 < now_ms) {
		uint32_t head = f->wheel[(f->wheel_ms + 1) % FLIGHT_WHEEL_SLOTS];

		if (head != FLIGHT_NONE) {
			disarm(f, &f->flight[head]);
			return &f->flight[head];
		}
		f->wheel_ms++;
	}
	return NULL;
}
