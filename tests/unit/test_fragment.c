/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/reassembly.h"
#include "net_frames.h"

enum { BIG = 9000, MTU_ROOM = 14 + 9216 };

static const uint64_t secret[2] = {0x0123456789abcdef, 0xfedcba9876543210};
static uint8_t octets[65536];

static void setup(void)
{
	srand(6043);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)rand();
}

TestSuite(fragment, .init = setup);
TestSuite(reassembly, .init = setup);

static struct net_flow flow_of(uint8_t family, uint8_t host)
{
	struct net_flow flow = {.family = family, .their_port = 40000, .our_port = 2269};

	memcpy(flow.theirs, family == 4 ? frame_their4 : frame_their6, family == 4 ? 4 : 16);
	memcpy(flow.ours, family == 4 ? frame_our4 : frame_our6, family == 4 ? 4 : 16);
	/* another host is another source: IPv6 counts by /64 */
	flow.theirs[family == 4 ? 3 : 7] ^= host;
	return flow;
}

/* The reassembly under test, and what came of the last fragment. */
struct bench {
	struct reassembly *r;
	const uint8_t *datagram;
	uint32_t len;
};

static struct bench bench_new(void)
{
	struct bench b = {.r = reassembly_new(secret)};

	cr_assert(b.r);
	return b;
}

static enum verdict give(struct bench *b, const struct net_flow *flow, uint32_t id, uint16_t offset,
	uint16_t len, bool more, uint64_t now_ms)
{
	const struct net_fragment f = {.id = id, .offset = offset, .len = len, .more = more};
	enum verdict v = fragment_check(&f);

	return v ? v
		 : reassembly_take(b->r, flow, &f, octets + offset, now_ms, &b->datagram, &b->len);
}

static bool same(struct bench *b, uint32_t len)
{
	return b->len == len && memcmp(b->datagram, octets, len) == 0;
}

/* What the kernel of a peer would make of a packet: offset, length, flag. */
struct piece {
	unsigned int id, offset, len;
	bool more;
};

static struct piece piece_of(const uint8_t *frame, size_t len, uint8_t family, const uint8_t **data)
{
	const uint8_t *ip = frame + 14;
	struct piece p;

	if (family == 4) {
		cr_assert_eq(ip[0], 0x45);
		cr_assert_eq(frame_checksum(ip, 20, 0), 0);
		cr_assert_eq((unsigned int)(ip[2] << 8 | ip[3]), len - 14);
		cr_assert_eq(ip[6] & 0x40, 0, "DF is not set");
		p = (struct piece){(unsigned int)(ip[4] << 8 | ip[5]),
			(unsigned int)((ip[6] & 0x1f) << 8 | ip[7]) * 8, (unsigned int)len - 34,
			(ip[6] & 0x20) != 0};
		*data = ip + 20;
	} else {
		cr_assert_eq(ip[6], 44);
		cr_assert_eq((unsigned int)(ip[4] << 8 | ip[5]), len - 54);
		cr_assert_eq(ip[40], 17);
		p = (struct piece){(unsigned int)ip[44] << 24 | (unsigned int)ip[45] << 16 |
					   (unsigned int)ip[46] << 8 | ip[47],
			(unsigned int)(ip[42] << 8 | (ip[43] & 0xf8)), (unsigned int)len - 62,
			(ip[43] & 1) != 0};
		*data = ip + 48;
	}
	return p;
}

Test(fragment, datagrams_are_cut_into_packets_that_give_them_back)
{
	static const uint32_t mtus[] = {576, 1280, 1281, 1287, 1500, 9000};
	static const uint32_t lens[] = {1233, 1473, 1481, 2000, 8200, 16392, 24584};
	static uint8_t frame[MTU_ROOM], whole[65536];

	for (size_t k = 0; k < 2 * 6 * 7; k++) {
		uint8_t family = k % 2 ? 4 : 6;
		uint32_t mtu = mtus[k / 2 % 6], len = lens[k / 12], id = 0xa1b2c3d4, off = 0;
		struct net_flow flow = flow_of(family, 0);
		unsigned int n = fragment_count(family, len, mtu);

		if (len <= mtu - (family == 4 ? 20 : 40)) {
			cr_expect_eq(n, 1u);
			continue;
		}
		cr_assert_geq(n, 2u);
		for (unsigned int i = 0; i < n; i++) {
			size_t size = fragment_frame(&flow, octets, len, mtu, id, i, frame);
			const uint8_t *data;
			struct piece p = piece_of(frame, size, family, &data);

			cr_assert_leq(size, 14 + mtu);
			cr_assert_eq(p.offset, off);
			cr_assert_eq(p.id, family == 4 ? id & 0xffff : id);
			cr_assert_eq(p.more, i + 1 < n);
			memcpy(whole + off, data, p.len);
			off += p.len;
		}
		cr_assert_eq(off, len);
		cr_assert_arr_eq(whole, octets, len);
	}
}

Test(fragment, count_is_the_least_possible)
{
	cr_expect_eq(fragment_count(4, 1480, 1500), 1u);
	cr_expect_eq(fragment_count(4, 1481, 1500), 2u);
	cr_expect_eq(fragment_count(4, 2960, 1500), 2u);
	cr_expect_eq(fragment_count(4, 2961, 1500), 3u);
	cr_expect_eq(fragment_count(6, 1240, 1280), 1u);
	cr_expect_eq(fragment_count(6, 1241, 1280), 2u);
	cr_expect_eq(fragment_count(6, 2464, 1280), 2u);
	cr_expect_eq(fragment_count(6, 2465, 1280), 3u);
}

Test(reassembly, fragments_in_any_order_make_the_datagram)
{
	struct bench b = bench_new();

	for (unsigned int round = 0; round < 300; round++) {
		struct net_flow flow = flow_of(round % 2 ? 4 : 6, (uint8_t)round);
		unsigned int order[12], n = 12;

		for (unsigned int i = 0; i < n; i++)
			order[i] = i;
		for (unsigned int i = n - 1; round > 1 && i > 0; i--) {
			unsigned int j = (unsigned int)rand() % (i + 1), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (unsigned int i = 0; i < n; i++) {
			unsigned int k = round == 1 ? n - 1 - i : order[i];
			enum verdict v = give(&b, &flow, round, (uint16_t)(k * 1200),
				k + 1 < n ? 1200 : 77, k + 1 < n, 1000);

			cr_assert_eq(v, i + 1 < n ? VERDICT_FRAGMENT_KEPT : VERDICT_PENDING);
		}
		cr_assert(same(&b, 11 * 1200 + 77));
		reassembly_settle(b.r, 1000);
		cr_assert_not(reassembly_busy(b.r));
	}
	reassembly_free(b.r);
}

Test(reassembly, longest_datagram_in_the_shortest_fragments_fits)
{
	struct bench b = bench_new();
	struct net_flow flow = flow_of(4, 0);
	enum verdict v = VERDICT_PENDING;

	for (unsigned int off = 0; off < FRAGMENT_DATAGRAM_MAX; off += 256) {
		unsigned int left = FRAGMENT_DATAGRAM_MAX - off;

		v = give(&b, &flow, 9, (uint16_t)off, left > 256 ? 256 : (uint16_t)left, left > 256,
			1000);
		cr_assert(v == VERDICT_FRAGMENT_KEPT || left <= 256);
	}
	cr_expect_eq(v, VERDICT_PENDING);
	cr_expect(same(&b, FRAGMENT_DATAGRAM_MAX));
	reassembly_free(b.r);
}

Test(reassembly, fragments_that_no_datagram_can_have_are_refused)
{
	struct bench b = bench_new();
	struct net_flow flow = flow_of(4, 0);

	cr_expect_eq(give(&b, &flow, 1, 0, 8, true, 0), VERDICT_DROP_FRAGMENT_TINY);
	cr_expect_eq(give(&b, &flow, 1, 800, 248, true, 0), VERDICT_DROP_FRAGMENT_TINY);
	cr_expect_eq(give(&b, &flow, 1, 0, 0, true, 0), VERDICT_DROP_FRAGMENT_MALFORMED);
	cr_expect_eq(give(&b, &flow, 1, 800, 0, false, 0), VERDICT_DROP_FRAGMENT_MALFORMED);
	cr_expect_eq(give(&b, &flow, 1, 0, 1001, true, 0), VERDICT_DROP_FRAGMENT_MALFORMED);
	cr_expect_eq(give(&b, &flow, 1, 65528, 1480, true, 0), VERDICT_DROP_FRAGMENT_SIZE);
	cr_expect_eq(
		give(&b, &flow, 1, FRAGMENT_DATAGRAM_MAX, 1, false, 0), VERDICT_DROP_FRAGMENT_SIZE);
	cr_expect_not(reassembly_busy(b.r), "nothing of it is kept");
	reassembly_free(b.r);
}

/* Two fragments of which the second does not go with the first, then what would be missing. */
struct contradiction {
	const char *what;
	struct piece first, second, third;
};

static const struct contradiction contradictions[] = {
	{"teardrop: the second lies within the first", {1, 0, 1000, true}, {1, 248, 24, false},
		{1, 1000, 8, false}},
	{"the second begins in the first", {1, 0, 1000, true}, {1, 992, 100, false},
		{1, 1000, 92, false}},
	{"the second ends in the first", {1, 1000, 100, false}, {1, 0, 1008, true},
		{1, 0, 1000, true}},
	{"the second covers the first", {1, 512, 256, true}, {1, 0, 1024, true},
		{1, 1024, 8, false}},
	{"one octet in common", {1, 1000, 9, false}, {1, 744, 264, true}, {1, 0, 744, true}},
	{"the same place, other octets", {1, 0, 1000, true}, {2, 0, 1000, true},
		{1, 1000, 8, false}},
	{"two ends", {1, 1000, 100, false}, {1, 1200, 8, false}, {1, 0, 1000, true}},
	{"an end before what is there", {1, 1000, 256, true}, {1, 800, 8, false},
		{1, 0, 800, true}},
	{"more behind the end", {1, 1000, 100, false}, {1, 1104, 256, true}, {1, 0, 1000, true}},
	{"the end is not the end", {1, 1000, 256, false}, {1, 1000, 256, true}, {1, 0, 1000, true}},
	{"no end after all", {1, 1000, 256, true}, {1, 1000, 256, false}, {1, 0, 1000, true}},
};

static enum verdict give_piece(struct bench *b, const struct net_flow *flow, const struct piece *p)
{
	const struct net_fragment f = {
		.id = 77, .offset = (uint16_t)p->offset, .len = (uint16_t)p->len, .more = p->more};

	/* piece.id says which octets are in it */
	return reassembly_take(
		b->r, flow, &f, octets + p->offset + p->id, 1000, &b->datagram, &b->len);
}

Test(reassembly, overlaps_and_contradictions_refuse_the_whole_datagram)
{
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		const struct contradiction *c = &contradictions[i];
		struct bench b = bench_new();
		struct net_flow flow = flow_of(6, 0);
		struct reassembly_lost lost;

		cr_expect_eq(
			give_piece(&b, &flow, &c->first), VERDICT_FRAGMENT_KEPT, "%s", c->what);
		cr_expect_eq(give_piece(&b, &flow, &c->second), VERDICT_DROP_FRAGMENT_OVERLAP, "%s",
			c->what);
		cr_expect_eq(give_piece(&b, &flow, &c->third), VERDICT_DROP_FRAGMENT_REFUSED, "%s",
			c->what);
		cr_expect_eq(give_piece(&b, &flow, &c->first), VERDICT_DROP_FRAGMENT_REFUSED, "%s",
			c->what);
		/* Its place is free some time later, and is not counted as lost once more. */
		lost = reassembly_settle(b.r, 1000 + REASSEMBLY_MS + 1);
		cr_expect_eq(lost.timeout, 0u);
		cr_expect_not(reassembly_busy(b.r));
		reassembly_free(b.r);
	}
}

Test(reassembly, fragment_that_comes_twice_is_dropped_once)
{
	struct bench b = bench_new();
	struct net_flow flow = flow_of(4, 0);

	cr_expect_eq(give(&b, &flow, 1, 0, 1000, true, 0), VERDICT_FRAGMENT_KEPT);
	cr_expect_eq(give(&b, &flow, 1, 0, 1000, true, 0), VERDICT_DROP_FRAGMENT_DUPLICATE);
	cr_expect_eq(give(&b, &flow, 1, 2000, 50, false, 0), VERDICT_FRAGMENT_KEPT);
	cr_expect_eq(give(&b, &flow, 1, 2000, 50, false, 0), VERDICT_DROP_FRAGMENT_DUPLICATE);
	cr_expect_eq(give(&b, &flow, 1, 1000, 1000, true, 0), VERDICT_PENDING);
	cr_expect(same(&b, 2050));
	reassembly_free(b.r);
}

Test(reassembly, datagrams_are_told_apart_by_ends_identification_and_vlan)
{
	struct bench b = bench_new();
	struct net_flow flows[6];

	for (int i = 0; i < 6; i++)
		flows[i] = flow_of(4, 0);
	flows[1].theirs[3] ^= 1;
	flows[2].ours[3] ^= 1;
	flows[3].tagged = true;
	flows[3].tci = 7;
	flows[4] = flow_of(6, 0);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(give(&b, &flows[i], i == 5 ? 2 : 1, 0, 1000, true, 0),
			VERDICT_FRAGMENT_KEPT, "%d", i);
	/* Priority is none of a datagram's marks. */
	flows[3].tci |= 0xe000;
	for (int i = 0; i < 6; i++) {
		cr_expect_eq(give(&b, &flows[i], i == 5 ? 2 : 1, 1000, 1, false, 0),
			VERDICT_PENDING, "%d", i);
		cr_expect(same(&b, 1001));
	}
	reassembly_free(b.r);
}

Test(reassembly, unfinished_datagrams_are_given_up_in_time)
{
	struct bench b = bench_new();
	struct net_flow flow = flow_of(4, 0);
	struct reassembly_lost lost;

	give(&b, &flow, 1, 0, 1000, true, 5000);
	lost = reassembly_settle(b.r, 5000 + REASSEMBLY_MS);
	cr_expect_eq(lost.timeout, 0u);
	cr_expect_eq(give(&b, &flow, 1, 1000, 1, false, 5000 + REASSEMBLY_MS), VERDICT_PENDING);
	give(&b, &flow, 2, 0, 1000, true, 10000);
	/* Also when nobody has swept: the late end begins a datagram of its own. */
	cr_expect_eq(
		give(&b, &flow, 2, 1000, 1, false, 10001 + REASSEMBLY_MS), VERDICT_FRAGMENT_KEPT);
	lost = reassembly_settle(b.r, 10001 + REASSEMBLY_MS);
	cr_expect_eq(lost.timeout, 1u);
	lost = reassembly_settle(b.r, 20000);
	cr_expect_eq(lost.timeout, 1u);
	cr_expect_not(reassembly_busy(b.r));
	reassembly_free(b.r);
}

Test(reassembly, source_that_wants_too_much_loses_its_own_oldest)
{
	struct bench b = bench_new();
	struct net_flow greedy = flow_of(6, 1), other = flow_of(6, 2);
	struct reassembly_lost lost;

	give(&b, &other, 1, 0, 1000, true, 1000);
	for (uint32_t id = 0; id < 1000; id++) {
		/* all addresses of a /64 are one source */
		greedy.theirs[15] = (uint8_t)id;
		give(&b, &greedy, id, 0, 1000, true, 1001 + id);
	}
	lost = reassembly_settle(b.r, 2001);
	cr_expect_eq(lost.source, 1000u - REASSEMBLY_SOURCE_MAX);
	cr_expect_eq(lost.full, 0u);
	cr_expect_eq(give(&b, &other, 1, 1000, 1, false, 2001), VERDICT_PENDING);
	/* Its newest are still there. */
	cr_expect_eq(give(&b, &greedy, 999, 1000, 1, false, 2001), VERDICT_PENDING);
	reassembly_free(b.r);
}

/* Fragments that never complete, from everywhere: what comes close together still gets through. */
Test(reassembly, flood_from_many_sources_takes_only_old_places)
{
	struct bench b = bench_new();
	struct net_flow good = flow_of(4, 0);
	uint64_t full = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		struct net_flow bad = flow_of(4, 0);

		memcpy(bad.theirs, &i, 3);
		bad.theirs[3] = 77;
		if (i % 100 == 0)
			cr_expect_eq(give(&b, &good, i, 0, 1000, true, 1000 + i / 50),
				VERDICT_FRAGMENT_KEPT);
		if (i % 100 == 99)
			cr_expect_eq(give(&b, &good, i - 99, 1000, 8, false, 1000 + i / 50),
				VERDICT_PENDING, "%u", i);
		give(&b, &bad, i, 0, 1000, true, 1000 + i / 50);
		full += reassembly_settle(b.r, 1000 + i / 50).full;
	}
	cr_expect_geq(full, 20000u - 2 * REASSEMBLY_ROWS * REASSEMBLY_WAYS);
	reassembly_free(b.r);
}

Test(reassembly, complete_datagrams_stay_until_they_are_settled)
{
	struct bench b = bench_new();
	struct net_flow flow = flow_of(4, 0);
	const uint8_t *datagrams[REASSEMBLY_WAYS];

	for (uint32_t id = 0; id < REASSEMBLY_WAYS; id++) {
		give(&b, &flow, id, 0, 1000, true, 1000);
		cr_assert_eq(give(&b, &flow, id, 1000, 500, false, 1000), VERDICT_PENDING);
		datagrams[id] = b.datagram;
	}
	cr_expect_eq(give(&b, &flow, 99, 0, 1000, true, 1000), VERDICT_DROP_FRAGMENT_FULL,
		"a row full of complete ones");
	for (uint32_t id = 0; id < REASSEMBLY_WAYS; id++)
		cr_expect_arr_eq(datagrams[id], octets, 1500);
	reassembly_settle(b.r, 1000);
	cr_expect_not(reassembly_busy(b.r));
	cr_expect_eq(give(&b, &flow, 99, 0, 1000, true, 1000), VERDICT_FRAGMENT_KEPT);
	reassembly_free(b.r);
}
