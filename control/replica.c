/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/replica.h"

#include <string.h>

enum { FALLS_SHIFT_MAX = 5 };

int replica_init(struct replica *r, uint64_t origin, const struct replica_settings *settings,
	uint64_t now_ms)
{
	*r = (struct replica){.settings = *settings, .version = 1, .is_alone = true};
	return membership_init(&r->membership, origin, &settings->membership, now_ms);
}

void replica_clear(struct replica *r)
{
	membership_clear(&r->membership);
}

void replica_set_addresses(
	struct replica *r, const struct ipc_address *addresses, unsigned int n_addresses)
{
	memcpy(r->addresses, addresses, n_addresses * sizeof(addresses[0]));
	r->n_addresses = n_addresses;
}

static void remember_forgotten(struct replica *r, uint64_t origin, uint64_t counter)
{
	for (unsigned int i = 0; i < r->n_forgotten; i++) {
		if (r->forgotten[i].origin == origin && r->forgotten[i].counter >= counter)
			return;
	}
	if (r->n_forgotten == HEARTBEAT_FORGOTTEN_MAX)
		memmove(r->forgotten, r->forgotten + 1, --r->n_forgotten * sizeof(r->forgotten[0]));
	r->forgotten[r->n_forgotten++] = (struct heartbeat_forgotten){origin, counter};
}

/* Does a heartbeat of a member that was taken out come from before that. */
static bool is_forgotten(const struct replica *r, uint64_t origin, uint64_t counter)
{
	for (unsigned int i = 0; i < r->n_forgotten; i++) {
		if (r->forgotten[i].origin == origin && counter <= r->forgotten[i].counter)
			return true;
	}
	return false;
}

int replica_forget(struct replica *r, uint64_t origin)
{
	const struct cluster_member *member = membership_find(&r->membership, origin);
	uint64_t counter = member ? member->counter : 0;
	int err = membership_forget(&r->membership, origin);

	if (!err)
		remember_forgotten(r, origin, counter);
	return err;
}

static void next_version(struct replica *r)
{
	r->version++;
	for (unsigned int i = 0; i < r->holdings.n; i++) {
		if (!r->holdings.holding[i].since)
			r->holdings.holding[i].since = r->version;
	}
}

/* Does it say that it holds an address that we are to hold. */
static bool rivals(const struct replica *r, const struct heartbeat *beat)
{
	for (unsigned int i = 0; i < beat->n_claims; i++) {
		const struct heartbeat_claim *claim = &beat->claims[i];

		for (unsigned int k = 0; claim->is_held && k < r->holdings.n; k++) {
			const struct ipc_address *ours = &r->holdings.holding[k].address;

			if (claim->family == ours->family &&
				memcmp(claim->octets, ours->octets, sizeof(claim->octets)) == 0)
				return true;
		}
	}
	return false;
}

int replica_record(struct replica *r, uint64_t origin, uint64_t counter,
	const struct heartbeat *beat, uint64_t now_ms, int64_t wall_ms)
{
	const struct cluster_member *known = membership_find(&r->membership, origin);
	bool served = !known || known->beat.is_serving;
	int change;

	if (is_forgotten(r, origin, counter))
		return 0;
	change = membership_record(&r->membership, origin, counter, beat, now_ms, wall_ms);
	/* It may have answered neighbours that asked for an address of ours before it knew that it
	 * had been taken for dead, or while its data plane did not hear that they had moved: all
	 * addresses are announced again. */
	if (change > 0 && (change & MEMBER_BACK || (change & MEMBER_NEW && rivals(r, beat)) ||
				  (change & MEMBER_SAYS && !served && beat->is_serving)))
		next_version(r);
	for (unsigned int i = 0; change >= 0 && i < beat->n_forgotten; i++) {
		const struct heartbeat_forgotten *f = &beat->forgotten[i];
		const struct cluster_member *member = membership_find(&r->membership, f->origin);

		/* dead here too, or it will be soon: what the sender saw, we shall see */
		if (member && member->counter <= f->counter && replica_forget(r, f->origin) == 0)
			change |= MEMBER_DIED;
	}
	return change;
}

void replica_caught_up(struct replica *r, uint64_t now_ms)
{
	if (r->is_caught_up)
		return;
	r->is_caught_up = true;
	r->caught_up_ms = now_ms;
}

uint64_t replica_alone_ms(const struct replica *r, uint64_t now_ms)
{
	return r->is_alone ? 0 : membership_alone_ms(&r->membership, now_ms) + r->before_ms;
}

/* Anything that grows when we read what others wrote. */
static uint64_t progress_of(const struct replica *r, const struct heartbeat *beat)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < beat->n_cursors; i++)
		sum += beat->cursors[i].sequence;
	for (unsigned int i = 0; i < r->membership.n_keyrings; i++)
		sum += r->membership.keyrings[i].sequence;
	return sum;
}

/*
 * Behind: at once when a keyring is missing, after a moment when changes of subscribers are (they
 * come all the time, and are read all the time). Returns whether it is time to drain: a node that
 * reads on through a large import does its work.
 */
static bool follow_sync(struct replica *r, const struct heartbeat *beat, uint64_t now_ms)
{
	enum membership_lag lag = membership_lag(&r->membership);
	uint64_t progress = progress_of(r, beat), limit = r->settings.lead_ms;

	if (limit < r->settings.membership.dead_after_ms)
		limit = r->settings.membership.dead_after_ms;
	if (lag == LAG_NONE)
		r->behind_ms = 0;
	else if (!r->behind_ms)
		r->behind_ms = r->progress_ms = now_ms;
	if (progress != r->progress)
		r->progress_ms = now_ms;
	r->progress = progress;
	r->is_behind = lag == LAG_KEYRING ||
		       (lag == LAG_CHANGES && now_ms - r->behind_ms >= REPLICA_PATIENCE_MS);
	r->is_in_sync = r->is_alone ||
			(r->is_caught_up && !r->is_behind && replica_alone_ms(r, now_ms) <= limit &&
				membership_clock(&r->membership) != CLOCKS_WE_ARE_OFF);
	r->was_in_sync |= r->is_in_sync;
	if (!r->was_in_sync)
		return true;
	return r->is_behind && now_ms - r->progress_ms >= REPLICA_NO_PROGRESS_MS;
}

static uint32_t drain_reasons(struct replica *r, const struct heartbeat *beat, uint64_t now_ms)
{
	uint32_t reasons = r->asked;

	if (follow_sync(r, beat, now_ms))
		reasons |= DRAIN_BEHIND;
	if (r->is_alone)
		return reasons;
	if (membership_clock(&r->membership) == CLOCKS_WE_ARE_OFF)
		reasons |= DRAIN_CLOCK;
	if (replica_alone_ms(r, now_ms) > r->settings.max_staleness_ms)
		reasons |= DRAIN_STALE;
	return reasons;
}

/* Who falls and comes back again and again has to stand longer each time before it is trusted. */
static bool is_settled(struct replica *r, bool is_fit, uint64_t now_ms)
{
	unsigned int shift;

	if (r->falls && now_ms - r->fell_ms > REPLICA_FALLS_MS)
		r->falls = 0;
	if (is_fit && !r->is_fit) {
		r->fit_since_ms = now_ms;
	} else if (!is_fit && r->is_fit) {
		r->falls++;
		r->fell_ms = now_ms;
	}
	r->is_fit = is_fit;
	shift = r->falls > 1 ? r->falls - 1 : 0;
	if (shift > FALLS_SHIFT_MAX)
		shift = FALLS_SHIFT_MAX;
	return is_fit && now_ms - r->fit_since_ms >= (uint64_t)REPLICA_SETTLE_MS << shift;
}

static void say_claims(struct replica *r, struct heartbeat *beat)
{
	beat->n_claims = 0;
	for (unsigned int i = 0; i < r->holdings.n; i++) {
		struct holding *h = &r->holdings.holding[i];
		struct heartbeat_claim *claim = &beat->claims[beat->n_claims];

		if (h->state != HOLDING_CLAIMED)
			continue;
		h->is_held = beat->is_serving && h->since && r->acknowledged >= h->since;
		*claim = (struct heartbeat_claim){
			.family = h->address.family, .is_held = h->is_held, .number = h->number};
		memcpy(claim->octets, h->address.octets, sizeof(claim->octets));
		beat->n_claims++;
	}
}

static bool move_addresses(struct replica *r, const struct heartbeat *beat, uint64_t now_ms)
{
	struct assignment_member members[BUS_ORIGINS_MAX];
	const struct membership *m = &r->membership;
	unsigned int self = 0;

	if (beat->drain_reasons & DRAIN_STALE)
		return holdings_withdraw(&r->holdings);
	if (r->is_alone)
		return holdings_take_all(&r->holdings, r->addresses, r->n_addresses);
	/* what others say must have had the time to arrive; without the bus all stays as it is */
	if (!m->is_healthy || !r->is_caught_up ||
		now_ms - r->caught_up_ms < 2 * m->settings.heartbeat_ms)
		return false;
	for (unsigned int i = 0; i < m->n; i++) {
		members[i] = (struct assignment_member){
			m->members[i].origin, m->members[i].is_alive, &m->members[i].beat};
		if (m->members[i].is_self)
			self = i;
	}
	return holdings_follow(
		&r->holdings, r->addresses, r->n_addresses, members, m->n, self, now_ms);
}

static bool follow_addresses(struct replica *r, const struct heartbeat *beat, uint64_t now_ms)
{
	bool changed = holdings_expire(&r->holdings, r->addresses, r->n_addresses, now_ms);

	changed |= move_addresses(r, beat, now_ms);
	if (!changed)
		return false;
	next_version(r);
	r->moves++;
	return true;
}

int replica_step(struct replica *r, const struct heartbeat *said, const struct bus_status *bus,
	uint64_t now_ms)
{
	struct cluster_member *self = membership_self(&r->membership);
	struct heartbeat *beat = &self->beat, before = *beat;
	bool was_in_sync = r->is_in_sync;
	int change = 0, ticked = 0;

	r->is_alone = !bus;
	if (bus) {
		ticked = membership_tick(&r->membership, now_ms, bus);
		if (r->membership.is_healthy)
			r->before_ms = 0;
	}
	*beat = *said;
	self->seen_ms = now_ms;
	beat->drain_reasons = drain_reasons(r, beat, now_ms);
	beat->is_draining = beat->drain_reasons != 0;
	beat->is_in_sync = r->is_in_sync && said->is_in_sync;
	beat->is_settled = is_settled(r, beat->is_serving && !beat->is_draining, now_ms);
	beat->n_forgotten = r->n_forgotten;
	memcpy(beat->forgotten, r->forgotten, sizeof(r->forgotten));
	say_claims(r, beat);
	if (follow_addresses(r, beat, now_ms)) {
		change |= REPLICA_ADDRESSES;
		say_claims(r, beat);
	}
	beat->is_drained = replica_progress(r) == CLUSTER_DRAINED;
	if (ticked & MEMBER_DIED)
		change |= REPLICA_MEMBERS;
	if (ticked & MEMBER_HEALTH)
		change |= REPLICA_HEALTH;
	if (was_in_sync != r->is_in_sync)
		change |= REPLICA_SYNC;
	if (!heartbeat_says_the_same(&before, beat))
		change |= REPLICA_SAYS;
	return change;
}

static enum assignment_fitness fitness_of(const struct cluster_member *member)
{
	return assignment_fitness(
		&(struct assignment_member){member->origin, member->is_alive, &member->beat});
}

bool replica_has_heir(const struct replica *r)
{
	const struct membership *m = &r->membership;
	enum assignment_fitness ours = FITNESS_NONE, best = FITNESS_NONE;

	if (r->is_alone || !m->is_healthy)
		return false;
	for (unsigned int i = 0; i < m->n; i++) {
		enum assignment_fitness f = fitness_of(&m->members[i]);

		if (m->members[i].is_self)
			ours = f;
		else if (f > best)
			best = f;
	}
	return best > ours;
}

enum cluster_progress replica_progress(const struct replica *r)
{
	const struct cluster_member *self = membership_self(&r->membership);

	if (!self->beat.is_draining)
		return CLUSTER_SERVES;
	if (r->holdings.n == 0 && (!self->beat.is_serving || r->acknowledged >= r->version))
		return CLUSTER_DRAINED;
	for (unsigned int i = 0; i < r->holdings.n; i++) {
		if (r->holdings.holding[i].state == HOLDING_CLAIMED && !replica_has_heir(r))
			return CLUSTER_STUCK;
	}
	return CLUSTER_DRAINS;
}

bool replica_may_end(const struct replica *r)
{
	if (membership_self(&r->membership)->beat.is_serving)
		return false; /* it does, or the last step has not seen that it is to end */
	for (unsigned int i = 0; i < r->holdings.n; i++) {
		if (r->holdings.holding[i].state == HOLDING_LINGERS)
			return false;
	}
	return r->holdings.n == 0 ? r->acknowledged >= r->version : !replica_has_heir(r);
}
