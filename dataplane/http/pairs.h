/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which answers may come to which socket: a table of (socket, CSB ID). A pair belongs to one
 * message: while a message is in flight there, and for a rest after that, no other message with the
 * same CSB ID may use the socket, so that duplicate and late answers can only ever be answers to
 * that message. (This is stricter than socket, CSB ID and data type: an Error does not say which
 * type it answers.) When the table is full the pair that has rested longest gives way: serving
 * comes first, and an answer that then goes astray fails its receiver's check. The same octets may
 * share a pair: what answers one copy answers the others.
 *
 * Pure; times are microseconds. Memory is allocated once. One thread.
 */
#ifndef TKMS_HTTP_PAIRS_H
#define TKMS_HTTP_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

/* A message of a request on its way to one address. Lives in the request. */
struct leg {
	struct pair *pair; /* NULL: not sent there */
	struct leg *prev, *next;
	struct relay_request *request;
	uint64_t sent_us; /* last time */
	uint16_t sent;	  /* times */
	uint8_t address;
	bool hinted; /* an Error that nobody vouches for came */
};

struct pair {
	uint64_t digest;	  /* of the message */
	uint64_t free_us;	  /* resting: until then */
	struct leg *first, *last; /* that wait for an answer, in order of sending */
	struct pair *prev, *next; /* of its rest, or the free list */
	uint32_t csb_id;
	uint32_t chain; /* index + 1 of the next pair of the bucket */
	int32_t open;	/* messages sent less datagrams received */
	uint16_t socket;
	uint8_t type; /* enum mikey_data_type of the message */
	uint8_t rest; /* enum pairs_rest */
};

/* Answered messages leave duplicates at most; an unanswered one may be answered very late. */
enum pairs_rest { PAIRS_SHORT, PAIRS_LONG, PAIRS_NONE };

struct pairs;

struct pairs_timing {
	uint32_t rest_us[2]; /* by enum pairs_rest */
};

/* cap: pairs in flight and resting together. NULL: no memory. */
struct pairs *pairs_new(uint32_t cap, const struct pairs_timing *timing, uint64_t seed);
void pairs_free(struct pairs *p);

/* NULL: nobody waits there and no answer is due. */
struct pair *pairs_find(const struct pairs *p, uint16_t socket, uint32_t csb_id);

enum pairs_claim { PAIRS_CLAIMED, PAIRS_TAKEN, PAIRS_FULL };
/* Takes the pair for a leg, or says that another message has it, or that all are in flight. */
enum pairs_claim pairs_claim(struct pairs *p, uint16_t socket, uint32_t csb_id, uint64_t digest,
	uint8_t type, struct leg *leg);

/* The leg does not wait any more; the pair rests when it was the last one. */
void pairs_release(struct pairs *p, struct leg *leg, uint64_t now_us);

/* Frees what has rested long enough. */
void pairs_expire(struct pairs *p, uint64_t now_us);

uint32_t pairs_used(const struct pairs *p);
/* Rests that were cut short because the table was full. */
uint64_t pairs_evicted(const struct pairs *p);

#endif
