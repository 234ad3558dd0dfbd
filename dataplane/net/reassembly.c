/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/source.h"

enum {
	PLACES = REASSEMBLY_ROWS * REASSEMBLY_WAYS,
	/* An odd number of cache lines: datagrams' beginnings spread over the cache. */
	PLACE_OCTETS = (FRAGMENT_DATAGRAM_MAX / 128 + 1) * 128 + 64,
	SWEEP_MS = 100,
};

enum state {
	FREE,
	OPEN,
	REFUSED, /* stays to refuse what still comes */
	COMPLETE,
};

/* Which datagram. */
struct key {
	uint8_t theirs[NET_IPV6_OCTETS];
	uint8_t ours[NET_IPV6_OCTETS];
	uint32_t id;
	uint16_t vlan;
	uint16_t family;
};

struct piece {
	uint16_t offset, len;
};

struct place {
	uint8_t state;	/* enum state */
	uint8_t n;	/* pieces */
	uint16_t total; /* 0: the last fragment has not come */
	uint16_t have;
	uint64_t source;
	uint64_t began_ms;
	struct key key;
	struct piece pieces[FRAGMENT_PIECES_MAX];
};

struct reassembly {
	uint64_t secret[2];
	struct reassembly_lost lost;
	unsigned int taken; /* places that are not free */
	unsigned int n_complete;
	uint64_t swept_ms;
	uint16_t complete[PLACES];
	uint8_t *octets;	     /* PLACE_OCTETS for each */
	struct place places[PLACES]; /* row after row */
};

_Static_assert(sizeof(struct key) == 40, "compared as octets: no padding");
_Static_assert((int)FRAGMENT_PIECES_MAX <= UINT8_MAX, "counted in an octet");

struct reassembly *reassembly_new(const uint64_t secret[2])
{
	struct reassembly *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	/* Touched only where fragments come. */
	r->octets = calloc(PLACES, PLACE_OCTETS);
	if (!r->octets) {
		free(r);
		return NULL;
	}
	memcpy(r->secret, secret, sizeof(r->secret));
	return r;
}

void reassembly_free(struct reassembly *r)
{
	if (r)
		free(r->octets);
	free(r);
}

static uint8_t *octets_of(struct reassembly *r, const struct place *p)
{
	return r->octets + (size_t)(p - r->places) * PLACE_OCTETS;
}

static void place_free(struct reassembly *r, struct place *p)
{
	p->state = FREE;
	r->taken--;
}

static bool expired(const struct place *p, uint64_t now_ms)
{
	return now_ms - p->began_ms > REASSEMBLY_MS && now_ms > p->began_ms;
}

static void expire(struct reassembly *r, struct place *p, uint64_t now_ms)
{
	if ((p->state != OPEN && p->state != REFUSED) || !expired(p, now_ms))
		return;
	r->lost.timeout += p->state == OPEN;
	place_free(r, p);
}

/* Which of two goes first: refused ones, then the older. */
static struct place *worse(struct place *a, struct place *b)
{
	if (!a)
		return b;
	if (a->state != b->state)
		return a->state == REFUSED ? a : b;
	return a->began_ms <= b->began_ms ? a : b;
}

/* A place for a new datagram, NULL when complete ones have taken them all. */
static struct place *place_take(struct reassembly *r, struct place *row, uint64_t source)
{
	struct place *unused = NULL, *own = NULL, *any = NULL, *victim;
	unsigned int n_own = 0;

	for (unsigned int i = 0; i < REASSEMBLY_WAYS; i++) {
		struct place *p = &row[i];

		if (p->state == FREE) {
			unused = unused ? unused : p;
			continue;
		}
		if (p->state == COMPLETE)
			continue;
		any = worse(any, p);
		if (p->source == source) {
			n_own++;
			own = worse(own, p);
		}
	}
	if (n_own < REASSEMBLY_SOURCE_MAX && unused) {
		r->taken++;
		return unused;
	}
	victim = n_own >= REASSEMBLY_SOURCE_MAX ? own : any;
	if (!victim)
		return NULL;
	if (victim->state == OPEN)
		*(victim == own ? &r->lost.source : &r->lost.full) += 1;
	return victim;
}

static struct place *place_of(
	struct reassembly *r, const struct key *key, uint64_t source, uint64_t now_ms)
{
	struct place *row =
		&r->places[source_hash(source, r->secret) % REASSEMBLY_ROWS * REASSEMBLY_WAYS];
	struct place *p;

	for (unsigned int i = 0; i < REASSEMBLY_WAYS; i++) {
		expire(r, &row[i], now_ms);
		if (row[i].state != FREE && row[i].state != COMPLETE &&
			memcmp(&row[i].key, key, sizeof(*key)) == 0)
			return &row[i];
	}
	p = place_take(r, row, source);
	if (!p)
		return NULL;
	p->state = OPEN;
	p->n = 0;
	p->total = 0;
	p->have = 0;
	p->source = source;
	p->began_ms = now_ms;
	p->key = *key;
	return p;
}

static bool fits(const struct place *p, const struct net_fragment *f)
{
	uint32_t end = (uint32_t)f->offset + f->len;

	/* Nothing may follow the last fragment, and there is one last fragment. */
	if (p->total != 0 && (f->more ? end >= p->total : end != p->total))
		return false;
	for (unsigned int i = 0; i < p->n; i++) {
		const struct piece *have = &p->pieces[i];
		uint32_t have_end = (uint32_t)have->offset + have->len;

		if (f->offset < have_end && have->offset < end)
			return false;
		if (!f->more && have_end > end)
			return false;
	}
	return p->n < FRAGMENT_PIECES_MAX;
}

static bool is_duplicate(struct reassembly *r, const struct place *p, const struct net_fragment *f,
	const uint8_t *data)
{
	bool last = p->total == f->offset + f->len;

	for (unsigned int i = 0; i < p->n; i++)
		if (p->pieces[i].offset == f->offset && p->pieces[i].len == f->len)
			return f->more != last &&
			       memcmp(octets_of(r, p) + f->offset, data, f->len) == 0;
	return false;
}

static struct key key_of(const struct net_flow *flow, uint32_t id)
{
	struct key key = {.id = id, .vlan = net_vlan_id(flow), .family = flow->family};
	size_t n = flow->family == 4 ? NET_IPV4_OCTETS : NET_IPV6_OCTETS;

	memcpy(key.theirs, flow->theirs, n);
	memcpy(key.ours, flow->ours, n);
	return key;
}

static void keep(
	struct reassembly *r, struct place *p, const struct net_fragment *f, const uint8_t *data)
{
	memcpy(octets_of(r, p) + f->offset, data, f->len);
	p->pieces[p->n++] = (struct piece){f->offset, f->len};
	p->have = (uint16_t)(p->have + f->len);
	if (!f->more)
		p->total = (uint16_t)(f->offset + f->len);
}

enum verdict reassembly_take(struct reassembly *r, const struct net_flow *flow,
	const struct net_fragment *f, const uint8_t *data, uint64_t now_ms,
	const uint8_t **datagram, uint32_t *len)
{
	const struct key key = key_of(flow, f->id);
	struct place *p = place_of(r, &key, source_number(flow->family, flow->theirs), now_ms);

	if (!p)
		return VERDICT_DROP_FRAGMENT_FULL;
	if (p->state == REFUSED)
		return VERDICT_DROP_FRAGMENT_REFUSED;
	if (!fits(p, f)) {
		if (is_duplicate(r, p, f, data))
			return VERDICT_DROP_FRAGMENT_DUPLICATE;
		p->state = REFUSED;
		return VERDICT_DROP_FRAGMENT_OVERLAP;
	}
	keep(r, p, f, data);
	/* They do not overlap and none lies behind the end: as many octets are all octets. */
	if (p->total == 0 || p->have != p->total)
		return VERDICT_FRAGMENT_KEPT;
	p->state = COMPLETE;
	r->complete[r->n_complete++] = (uint16_t)(p - r->places);
	*datagram = octets_of(r, p);
	*len = p->total;
	return VERDICT_PENDING;
}

bool reassembly_busy(const struct reassembly *r)
{
	return r->taken > 0;
}

struct reassembly_lost reassembly_settle(struct reassembly *r, uint64_t now_ms)
{
	struct reassembly_lost lost;

	for (unsigned int i = 0; i < r->n_complete; i++)
		place_free(r, &r->places[r->complete[i]]);
	r->n_complete = 0;
	if (now_ms - r->swept_ms >= SWEEP_MS) {
		r->swept_ms = now_ms;
		for (unsigned int i = 0; i < PLACES; i++)
			expire(r, &r->places[i], now_ms);
	}
	lost = r->lost;
	r->lost = (struct reassembly_lost){0};
	return lost;
}
