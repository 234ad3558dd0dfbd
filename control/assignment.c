/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/assignment.h"

#include <string.h>

#include "control/bus.h"

/* The finaliser of SplitMix64: every bit of x changes half of the result's. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Nodes of all versions have to compute the same: this never changes. */
uint64_t assignment_weight(uint64_t origin, const struct ipc_address *address)
{
	uint64_t hash = mix(origin) ^ address->family;

	for (unsigned int half = 0; half < 2; half++) {
		uint64_t word = 0;

		for (unsigned int i = 0; i < 8; i++)
			word = word << 8 | address->octets[8 * half + i];
		hash = mix(hash ^ word);
	}
	return hash;
}

static bool is_claim_to(const struct heartbeat_claim *claim, const struct ipc_address *address)
{
	return claim->family == address->family &&
	       memcmp(claim->octets, address->octets, sizeof(claim->octets)) == 0;
}

static const struct heartbeat_claim *find_claim(
	const struct heartbeat *beat, const struct ipc_address *address)
{
	for (unsigned int i = 0; i < beat->n_claims; i++) {
		if (is_claim_to(&beat->claims[i], address))
			return &beat->claims[i];
	}
	return NULL;
}

enum assignment_fitness assignment_fitness(const struct assignment_member *member)
{
	const struct heartbeat *beat = member->beat;

	if (!member->is_alive || !beat->is_serving || beat->roles == 0)
		return FITNESS_NONE;
	if (beat->is_draining)
		return FITNESS_DRAINS;
	return beat->is_settled ? FITNESS_FULL : FITNESS_UNSETTLED;
}

static enum assignment_fitness best_fitness(const struct assignment_member *members, unsigned int n)
{
	enum assignment_fitness best = FITNESS_DRAINS;

	for (unsigned int i = 0; i < n; i++) {
		enum assignment_fitness f = assignment_fitness(&members[i]);

		best = f > best ? f : best;
	}
	return best;
}

enum { FAMILIES = 2 };

struct sharing {
	const struct ipc_address *addresses;
	unsigned int n_addresses;
	const struct assignment_member *members;
	unsigned int n_members, n_fit;
	bool fit[BUS_ORIGINS_MAX];
	unsigned int load[FAMILIES][BUS_ORIGINS_MAX];
	int *owners;
};

static uint64_t weight(const struct sharing *s, unsigned int member, unsigned int address)
{
	return assignment_weight(s->members[member].origin, &s->addresses[address]);
}

/* IPv4 and IPv6 are shared out each by itself: most clients have one of them only. */
static unsigned int family_of(const struct sharing *s, unsigned int address)
{
	return s->addresses[address].family == 6;
}

static unsigned int total(const struct sharing *s, unsigned int member)
{
	return s->load[0][member] + s->load[1][member];
}

static void give(struct sharing *s, unsigned int address, int member)
{
	unsigned int *load = s->load[family_of(s, address)];

	if (s->owners[address] >= 0)
		load[s->owners[address]]--;
	s->owners[address] = member;
	load[member]++;
}

/* To the claim in force among fit members. */
static void follow_claims(struct sharing *s, unsigned int address)
{
	uint64_t best_number = 0, best_weight = 0;
	int best = ASSIGNMENT_NOBODY;

	for (unsigned int i = 0; i < s->n_members; i++) {
		const struct heartbeat_claim *claim =
			s->fit[i] ? find_claim(s->members[i].beat, &s->addresses[address]) : NULL;

		if (!claim || claim->number < best_number)
			continue;
		if (best >= 0 && claim->number == best_number &&
			weight(s, i, address) <= best_weight)
			continue;
		best = (int)i;
		best_number = claim->number;
		best_weight = weight(s, i, address);
	}
	if (best >= 0)
		give(s, address, best);
}

/* Among those with less than a share of the family to who has least in all, then by weight. */
static void find_owner(struct sharing *s, unsigned int address, unsigned int share)
{
	const unsigned int *load = s->load[family_of(s, address)];
	int best = ASSIGNMENT_NOBODY;

	for (unsigned int i = 0; i < s->n_members; i++) {
		if (!s->fit[i] || load[i] >= share)
			continue;
		if (best < 0 || total(s, i) < total(s, (unsigned int)best) ||
			(total(s, i) == total(s, (unsigned int)best) &&
				weight(s, i, address) > weight(s, (unsigned int)best, address)))
			best = (int)i;
	}
	if (best >= 0)
		give(s, address, best);
}

/* The one of from's addresses that suits to best. */
static unsigned int choose(const struct sharing *s, unsigned int family, int from, int to)
{
	unsigned int best = 0;
	uint64_t best_weight = 0;

	for (unsigned int a = 0; a < s->n_addresses; a++) {
		if (family_of(s, a) != family || s->owners[a] != from)
			continue;
		if (weight(s, (unsigned int)to, a) >= best_weight) {
			best = a;
			best_weight = weight(s, (unsigned int)to, a);
		}
	}
	return best;
}

static void level(struct sharing *s, unsigned int family)
{
	const unsigned int *load = s->load[family];

	for (;;) {
		int least = ASSIGNMENT_NOBODY, most = ASSIGNMENT_NOBODY;

		for (unsigned int i = 0; i < s->n_members; i++) {
			if (!s->fit[i])
				continue;
			if (least < 0 || load[i] < load[least])
				least = (int)i;
			if (most < 0 || load[i] > load[most])
				most = (int)i;
		}
		if (least < 0 || load[most] - load[least] < 2)
			return;
		give(s, choose(s, family, most, least), least);
	}
}

static void share(struct sharing *s)
{
	unsigned int n[FAMILIES] = {0};

	for (unsigned int a = 0; a < s->n_addresses; a++) {
		n[family_of(s, a)]++;
		follow_claims(s, a);
	}
	for (unsigned int a = 0; a < s->n_addresses; a++) {
		if (s->owners[a] < 0)
			find_owner(s, a, (n[family_of(s, a)] + s->n_fit - 1) / s->n_fit);
	}
	for (unsigned int family = 0; family < FAMILIES; family++)
		level(s, family);
}

void assignment_share(const struct ipc_address *addresses, unsigned int n_addresses,
	const struct assignment_member *members, unsigned int n_members, int *owners)
{
	enum assignment_fitness best = best_fitness(members, n_members);
	struct sharing s = {.addresses = addresses,
		.n_addresses = n_addresses,
		.members = members,
		.n_members = n_members,
		.owners = owners};

	for (unsigned int a = 0; a < n_addresses; a++)
		owners[a] = ASSIGNMENT_NOBODY;
	for (unsigned int i = 0; i < n_members; i++) {
		s.fit[i] = assignment_fitness(&members[i]) == best;
		s.n_fit += s.fit[i];
	}
	if (s.n_fit)
		share(&s);
}
