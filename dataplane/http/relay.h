/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests on their way: which socket a message goes out on, when and where it is sent again, and
 * which datagram answers it. Pure: no socket, no clock; what is to be done comes out through struct
 * relay_output. Times are microseconds of the caller's monotonic clock. One thread.
 *
 *   submit -> send ... answer -> done(answer)
 *                  wait over  -> send to the next address ... -> done(timeout)
 *                  unvouched Error -> send to one other address, or wait for one that was asked
 *                                     already -> done(an answer, or the Error)
 *
 * Sockets are numbered address * ports + port; a client's messages leave from the port of its
 * bucket and, when another message holds that (socket, CSB ID), from one of the next
 * RELAY_PORTS_TRIED.
 */
#ifndef TKMS_HTTP_RELAY_H
#define TKMS_HTTP_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/http/health.h"
#include "dataplane/http/pairs.h"
#include "dataplane/http/wire.h"

enum {
	RELAY_PORTS_TRIED = 4,
	RELAY_HELD_MAX = 256, /* an Error without MAC is shorter, or ignored */
	RELAY_ROUNDS_MAX = 16,
};

struct relay_config {
	unsigned int addresses; /* 1..HEALTH_ADDRESSES_MAX */
	unsigned int ports;	/* sockets per address */
	uint32_t in_flight_max;
	uint32_t pairs_max;
	uint32_t limit_us; /* for an answer */
	struct health_timing wait;
	struct pairs_timing rest;
	uint64_t seed;
};

/* In the caller's memory from relay_submit() until done; the caller sets the first part. */
struct relay_request {
	const uint8_t *message;
	uint16_t len;
	uint64_t client; /* hash of whom it comes from */
	uint64_t digest; /* keyed hash of the message */
	struct wire_head head;

	/* private */
	uint32_t heap_at; /* index + 1; 0: not under way */
	uint8_t last;	  /* address asked last */
	uint8_t round;
	uint8_t held_len;
	uint16_t sent; /* messages, over all addresses */
	uint64_t due_us, next_us, end_us, begun_us;
	uint64_t tried;	 /* addresses of this round, a bit each */
	uint64_t legged; /* addresses with a leg */
	uint8_t held[RELAY_HELD_MAX];
	struct leg leg[HEALTH_ADDRESSES_MAX]; /* valid where legged */
};

enum relay_outcome {
	RELAY_ANSWERED,
	RELAY_TIMEOUT, /* no answer in time */
};

struct relay_output {
	/* The message stays as it is until the request is done. */
	void (*send)(void *arg, unsigned int socket, const uint8_t *message, size_t len);
	/* The request is the caller's again. octets: of the answer, valid during the call. */
	void (*done)(void *arg, struct relay_request *r, enum relay_outcome outcome,
		const uint8_t *octets, size_t len, uint64_t now_us);
	/* An address fell silent or answers again. */
	void (*health)(void *arg, unsigned int address);
	void *arg;
};

enum relay_submit {
	RELAY_ACCEPTED,
	RELAY_FULL,   /* too much in flight: 503 */
	RELAY_REPEAT, /* too many different messages with this CSB ID from this client: 429 */
};

struct relay_counters {
	uint64_t sent;	    /* datagrams */
	uint64_t retried;   /* of them, because of silence */
	uint64_t probes;    /* of them, to addresses that were silent */
	uint64_t unvouched; /* Errors without MAC that had another address asked */
	uint64_t stray;	    /* datagrams that nobody waited for: late, duplicate, forged */
	uint64_t malformed; /* datagrams that are no answer to anything */
};

struct relay;

/* NULL: no memory. */
struct relay *relay_new(const struct relay_config *config, const struct relay_output *output);
void relay_free(struct relay *r);

enum relay_submit relay_submit(struct relay *r, struct relay_request *request, uint64_t now_us);
/* A datagram came on a socket. */
void relay_datagram(
	struct relay *r, unsigned int socket, const uint8_t *octets, size_t len, uint64_t now_us);
/* Nobody is at a socket's address, or nothing can be sent there: so the kernel says. */
void relay_unreachable(struct relay *r, unsigned int socket, uint64_t now_us);
/* Does what is due. */
void relay_tick(struct relay *r, uint64_t now_us);
/* When relay_tick() is to be called at the latest; UINT64_MAX: never. */
uint64_t relay_due_us(const struct relay *r);

uint32_t relay_in_flight(const struct relay *r);
uint32_t relay_pairs(const struct relay *r);
uint64_t relay_evicted(const struct relay *r);
const struct relay_counters *relay_counters(const struct relay *r);
const struct health *relay_health(const struct relay *r);

#endif
