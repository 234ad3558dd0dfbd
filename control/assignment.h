/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which member holds which service address. Pure; every member computes it from the same
 * heartbeats, nobody decides for others.
 *
 * A member claims an address with a number that is higher than that of any claim it knows. Of
 * several claims the highest is in force, of equal ones that with the greater rendezvous weight
 * (hash of origin and address). An address stays where it is claimed as long as that member is fit,
 * so only the addresses of a member that goes move, and to one that comes only its share. Addresses
 * that nobody claims go to a member that has less than its share, by load, then by weight;
 * a member with two fewer than another (per family) takes one over.
 *
 * A move is made before it breaks: the old holder goes on until the new one's data plane is known
 * to answer, then for some seconds to packets of those that have not heard of the move.
 */
#ifndef TKMS_CONTROL_ASSIGNMENT_H
#define TKMS_CONTROL_ASSIGNMENT_H

#include "control/heartbeat.h"

enum { ASSIGNMENT_NOBODY = -1, ASSIGNMENT_LINGER_MS = 3000 };

uint64_t assignment_weight(uint64_t origin, const struct ipc_address *address);

struct assignment_member {
	uint64_t origin;
	bool is_alive;
	const struct heartbeat *beat; /* of this node: what it would say now */
};

/*
 * How fit a member is to hold addresses; they go to the fittest there are. Those that drain stay
 * until somebody else can.
 */
enum assignment_fitness { FITNESS_NONE, FITNESS_DRAINS, FITNESS_UNSETTLED, FITNESS_FULL };
enum assignment_fitness assignment_fitness(const struct assignment_member *member);

/* owners[a]: index of the member that shall hold addresses[a], or ASSIGNMENT_NOBODY. */
void assignment_share(const struct ipc_address *addresses, unsigned int n_addresses,
	const struct assignment_member *members, unsigned int n_members, int *owners);

enum holding_state {
	HOLDING_CLAIMED,
	HOLDING_LINGERS, /* another one holds it: packets are answered, nobody is invited */
};

/* What this node does about an address. */
struct holding {
	struct ipc_address address;
	enum holding_state state;
	bool is_held;	/* claimed, and the data plane is known to answer */
	uint64_t since; /* for the caller: version of the addresses it came with; 0: new */
	uint64_t number;
	uint64_t until_ms; /* lingers */
};

struct holdings {
	unsigned int n;
	struct holding holding[IPC_ADDRESSES_MAX];
};

struct holding *holdings_find(struct holdings *h, const struct ipc_address *address);

/* Follows the share: members[self] is this node. Returns whether anything has changed. */
bool holdings_follow(struct holdings *h, const struct ipc_address *addresses,
	unsigned int n_addresses, const struct assignment_member *members, unsigned int n_members,
	unsigned int self, uint64_t now_ms);
/* Takes out what has lingered long enough, and addresses that are no service addresses any more. */
bool holdings_expire(struct holdings *h, const struct ipc_address *addresses,
	unsigned int n_addresses, uint64_t now_ms);
/* Gives all up at once: there is nobody to wait for. */
bool holdings_withdraw(struct holdings *h);
/* Holds all addresses: there are no others. */
bool holdings_take_all(
	struct holdings *h, const struct ipc_address *addresses, unsigned int n_addresses);

#endif
