/* SPDX-License-Identifier: BSD-3-Clause */
/* What this node does about its addresses: claims, moves, farewells. */
#include <string.h>

#include "control/assignment.h"

static bool is_same(const struct ipc_address *a, const struct ipc_address *b)
{
	return a->family == b->family && memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

struct holding *holdings_find(struct holdings *h, const struct ipc_address *address)
{
	for (unsigned int i = 0; i < h->n; i++) {
		if (is_same(&h->holding[i].address, address))
			return &h->holding[i];
	}
	return NULL;
}

/* What the others claim of an address. */
struct rivals {
	uint64_t highest;      /* number of any claim, also of dead members */
	uint64_t live;	       /* of members that are alive */
	bool is_held_by_other; /* by a live one whose claim is better than ours */
};

static const struct heartbeat_claim *claim_of(
	const struct assignment_member *member, const struct ipc_address *address)
{
	for (unsigned int i = 0; i < member->beat->n_claims; i++) {
		const struct heartbeat_claim *claim = &member->beat->claims[i];

		if (claim->family == address->family &&
			memcmp(claim->octets, address->octets, sizeof(claim->octets)) == 0)
			return claim;
	}
	return NULL;
}

static struct rivals rivals_of(const struct assignment_member *members, unsigned int n,
	unsigned int self, const struct ipc_address *address, const struct holding *ours)
{
	uint64_t our_weight = assignment_weight(members[self].origin, address);
	struct rivals r = {0};

	for (unsigned int i = 0; i < n; i++) {
		const struct heartbeat_claim *claim =
			i == self ? NULL : claim_of(&members[i], address);

		if (!claim)
			continue;
		if (claim->number > r.highest)
			r.highest = claim->number;
		if (!members[i].is_alive)
			continue;
		if (claim->number > r.live)
			r.live = claim->number;
		if (ours && claim->is_held && members[i].beat->is_serving &&
			(claim->number > ours->number ||
				(claim->number == ours->number &&
					assignment_weight(members[i].origin, address) >
						our_weight)))
			r.is_held_by_other = true;
	}
	return r;
}

static void claim(struct holdings *h, struct holding *ours, const struct ipc_address *address,
	const struct rivals *r)
{
	uint64_t highest = r->highest;

	if (!ours) {
		ours = &h->holding[h->n++];
		*ours = (struct holding){.address = *address};
	}
	if (ours->number > highest)
		highest = ours->number;
	if (ours->state != HOLDING_CLAIMED)
		ours->since = 0; /* the data plane has to hear of it */
	ours->number = highest + 1;
	ours->state = HOLDING_CLAIMED;
	ours->until_ms = 0;
}

static bool follow_one(struct holdings *h, const struct ipc_address *address,
	const struct assignment_member *members, unsigned int n_members, unsigned int self,
	bool is_ours, uint64_t now_ms)
{
	struct holding *ours = holdings_find(h, address);
	bool is_claimed = ours && ours->state == HOLDING_CLAIMED;
	struct rivals r = rivals_of(members, n_members, self, address, is_claimed ? ours : NULL);

	/*
	 * Ours in the end, but a member that is not fit has a higher claim: it waits for one that
	 * is higher still. A number that both have made at once needs none: the weight decides.
	 */
	if (is_ours && (!is_claimed || r.live > ours->number)) {
		if (h->n == IPC_ADDRESSES_MAX && !ours)
			return false; /* once what lingers has gone */
		claim(h, ours, address, &r);
		return true;
	}
	if (!is_ours && is_claimed && r.is_held_by_other) {
		ours->state = HOLDING_LINGERS;
		ours->is_held = false;
		ours->until_ms = now_ms + ASSIGNMENT_LINGER_MS;
		return true;
	}
	return false;
}

bool holdings_follow(struct holdings *h, const struct ipc_address *addresses,
	unsigned int n_addresses, const struct assignment_member *members, unsigned int n_members,
	unsigned int self, uint64_t now_ms)
{
	int owners[IPC_ADDRESSES_MAX];
	bool changed = false;

	assignment_share(addresses, n_addresses, members, n_members, owners);
	for (unsigned int a = 0; a < n_addresses; a++)
		changed |= follow_one(
			h, &addresses[a], members, n_members, self, owners[a] == (int)self, now_ms);
	return changed;
}

static const struct ipc_address *find_address(
	const struct ipc_address *addresses, unsigned int n, const struct ipc_address *address)
{
	for (unsigned int a = 0; a < n; a++) {
		if (is_same(&addresses[a], address))
			return &addresses[a];
	}
	return NULL;
}

bool holdings_expire(struct holdings *h, const struct ipc_address *addresses,
	unsigned int n_addresses, uint64_t now_ms)
{
	unsigned int kept = 0;
	bool changed = false;

	for (unsigned int i = 0; i < h->n; i++) {
		struct holding *holding = &h->holding[i];
		const struct ipc_address *now =
			find_address(addresses, n_addresses, &holding->address);

		if (!now || (holding->state == HOLDING_LINGERS && now_ms >= holding->until_ms))
			continue;
		/* a reload may have changed the port */
		changed |= now->port != holding->address.port;
		holding->address = *now;
		h->holding[kept++] = *holding;
	}
	changed |= kept != h->n;
	h->n = kept;
	return changed;
}

bool holdings_withdraw(struct holdings *h)
{
	bool changed = h->n > 0;

	h->n = 0;
	return changed;
}

bool holdings_take_all(
	struct holdings *h, const struct ipc_address *addresses, unsigned int n_addresses)
{
	bool changed = false;

	for (unsigned int a = 0; a < n_addresses; a++) {
		struct holding *ours = holdings_find(h, &addresses[a]);

		if (ours && ours->state == HOLDING_CLAIMED)
			continue;
		claim(h, ours, &addresses[a], &(struct rivals){0});
		changed = true;
	}
	return changed;
}
