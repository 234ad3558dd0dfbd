/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of fragments, 8 octets each: host, identification, offset (2), length (2), flags, time
 * that passes. Every octet of a datagram follows from its key and place, or is the complement of
 * that: whatever is put together has to consist of such octets, and stays as it is until it is
 * settled.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/reassembly.h"
#include "fuzz.h"

enum { RECORD = 8, DONE_MAX = 64, TICK_MS = 16 };
enum flag { MORE = 1, OTHER_OCTETS = 2, IPV6 = 4, TAGGED = 8, SETTLE = 16 };

struct done {
	const uint8_t *data;
	uint32_t len;
	uint8_t seed;
};

static uint8_t octet_of(uint8_t seed, uint32_t at)
{
	return (uint8_t)(seed + at * 7 + (at >> 8) * 13);
}

static struct net_flow flow_of(const uint8_t *record)
{
	struct net_flow flow = {
		.family = record[6] & IPV6 ? 6 : 4, .tagged = (record[6] & TAGGED) != 0, .tci = 7};

	flow.theirs[0] = 10;
	flow.theirs[3] = record[0];
	return flow;
}

static void check(const struct done *done, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (done[i].len == 0 || done[i].len > FRAGMENT_DATAGRAM_MAX)
			abort();
		for (uint32_t at = 0; at < done[i].len; at++) {
			uint8_t want = octet_of(done[i].seed, at), got = done[i].data[at];

			if (got != want && (got ^ want) != 0xff)
				abort();
		}
	}
}

static enum verdict give(
	struct reassembly *r, const uint8_t *record, uint64_t now_ms, struct done *done)
{
	static uint8_t octets[65536];
	const struct net_flow flow = flow_of(record);
	const struct net_fragment f = {.id = record[1],
		.offset = (uint16_t)((record[2] << 8 | record[3]) * 8),
		.len = (uint16_t)(record[4] << 8 | record[5]),
		.more = (record[6] & MORE) != 0};
	enum verdict v = fragment_check(&f);

	if (v != VERDICT_PENDING)
		return v;
	/* What tells datagrams apart tells their octets apart. */
	done->seed = (uint8_t)(record[0] * 31 + record[1] * 3 + (record[6] & (IPV6 | TAGGED)));
	for (uint32_t i = 0; i < f.len; i++) {
		uint8_t octet = octet_of(done->seed, f.offset + i);

		octets[i] = record[6] & OTHER_OCTETS ? (uint8_t)~octet : octet;
	}
	return reassembly_take(r, &flow, &f, octets, now_ms, &done->data, &done->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t secret[2] = {1, 2};
	struct reassembly *r = reassembly_new(secret);
	struct done done[DONE_MAX + 1];
	unsigned int n = 0;
	uint64_t now_ms = 1000;

	if (!r)
		abort();
	for (size_t at = 0; at + RECORD <= size; at += RECORD) {
		enum verdict v = give(r, data + at, now_ms, &done[n]);

		if (v >= VERDICT_COUNT)
			abort();
		n += v == VERDICT_PENDING;
		now_ms += data[at + 7] * (uint64_t)TICK_MS;
		if (n < DONE_MAX && !(data[at + 6] & SETTLE))
			continue;
		check(done, n);
		n = 0;
		reassembly_settle(r, now_ms);
	}
	check(done, n);
	reassembly_settle(r, now_ms);
	reassembly_settle(r, now_ms + 2 * (uint64_t)REASSEMBLY_MS);
	if (reassembly_busy(r))
		abort();
	reassembly_free(r);
	return 0;
}
