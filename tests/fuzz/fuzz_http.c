/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The edge's relay under datagrams of any content in any order. Input: records of one octet that
 * says what happens (socket, or a request, or time passing), one length octet, and that many
 * octets.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/http/relay.h"
#include "fuzz.h"

enum {
	REQUESTS = 8,
	ADDRESSES = 2,
	PORTS = 4,
	EVENT_TIME = 0xf0,
	EVENT_REQUEST = 0xe0,
	OCTETS_MAX = 2048
};

struct bed {
	struct relay_request request[REQUESTS];
	uint8_t message[REQUESTS][OCTETS_MAX];
	int live[REQUESTS];
};

static void on_send(void *arg, unsigned int socket, const uint8_t *message, size_t len)
{
	struct bed *b = arg;

	if (socket >= ADDRESSES * PORTS || message < b->message[0] ||
		message + len > b->message[REQUESTS - 1] + sizeof(b->message[0]))
		abort();
}

static void on_done(void *arg, struct relay_request *r, enum relay_outcome outcome,
	const uint8_t *octets, size_t len, uint64_t now_us)
{
	struct bed *b = arg;
	struct wire_head head;

	(void)now_us;
	/* Each ends once; an answer has its CSB ID and answers its type. */
	if (!b->live[r - b->request]--)
		abort();
	if (outcome == RELAY_ANSWERED &&
		(wire_answer(octets, len, &head) == WIRE_NOT_AN_ANSWER ||
			head.csb_id != r->head.csb_id || !wire_answers(head.type, r->head.type)))
		abort();
}

static void on_health(void *arg, unsigned int address)
{
	(void)arg;
	if (address >= ADDRESSES)
		abort();
}

static void submit(struct relay *relay, struct bed *b, unsigned int i, const uint8_t *octets,
	uint16_t len, uint64_t now)
{
	struct relay_request *r = &b->request[i];

	if (b->live[i])
		return;
	memcpy(b->message[i], octets, len);
	if (wire_request(b->message[i], len, &r->head) != WIRE_REQUEST_OK)
		return;
	r->message = b->message[i];
	r->len = len;
	r->client = i;
	r->digest = len;
	for (unsigned int k = 0; k < len; k++)
		r->digest = r->digest * 31 + octets[k];
	b->live[i] = 1;
	if (relay_submit(relay, r, now) != RELAY_ACCEPTED)
		b->live[i] = 0;
}

static void event(struct relay *relay, struct bed *b, uint8_t what, const uint8_t *octets,
	uint16_t len, uint64_t *now)
{
	/* A block of its own, so that reading behind the datagram is noticed. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return;
	memcpy(copy, octets, len);
	*now += 100;
	if (what >= EVENT_TIME) {
		*now += (uint64_t)len * 20000;
		relay_tick(relay, *now);
	} else if (what >= EVENT_REQUEST) {
		submit(relay, b, what % REQUESTS, copy, len, *now);
	} else {
		relay_datagram(relay, what % (ADDRESSES * PORTS), copy, len, *now);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bed b;
	const struct relay_config config = {
		.addresses = ADDRESSES,
		.ports = PORTS,
		.in_flight_max = REQUESTS - 1,
		.pairs_max = 12,
		.limit_us = 3000000,
		.wait = {100000, 20000, 1000000},
		.rest = {{2000000, 60000000}},
		.seed = 1,
	};
	const struct relay_output output = {on_send, on_done, on_health, &b};
	struct relay *relay = relay_new(&config, &output);
	uint64_t now = 1;

	if (!relay)
		return 0;
	memset(b.live, 0, sizeof(b.live));
	while (size >= 3) {
		uint16_t len = (uint16_t)(data[1] << 8 | data[2]);

		if (len > OCTETS_MAX || size - 3 < len)
			break;
		event(relay, &b, data[0], data + 3, len, &now);
		size -= 3 + (size_t)len;
		data += 3 + len;
	}
	relay_tick(relay, now + 10000000);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		if (b.live[i])
			abort();
	}
	relay_free(relay);
	return 0;
}
