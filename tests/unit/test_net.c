/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net_frames.h"

enum { ETH = 0, IP = 14, ARP = 14, UDP4 = 34, UDP6 = 54, ND = 54 };

static struct net_packet classify(const struct frame *f, uint32_t hints)
{
	struct net_frame frame = {
		.data = frame_guarded(f->octets, f->len), .len = (uint32_t)f->len, .hints = hints};
	struct net_packet packet;

	net_classify(frame_host(), &frame, &packet);
	return packet;
}

static const char *name(unsigned int verdict)
{
	return verdict_info((enum verdict)verdict)->name;
}

Test(net, accepts_every_kind_of_frame)
{
	static const struct {
		enum net_action action;
		enum verdict verdict;
	} expected[FRAME_KINDS] = {
		[FRAME_ARP] = {NET_ANSWER, VERDICT_ARP_ANSWERED},
		[FRAME_UDP4] = {NET_MESSAGE, VERDICT_PENDING},
		[FRAME_ECHO4] = {NET_ANSWER, VERDICT_ECHO_ANSWERED},
		[FRAME_UDP6] = {NET_MESSAGE, VERDICT_PENDING},
		[FRAME_ECHO6] = {NET_ANSWER, VERDICT_ECHO_ANSWERED},
		[FRAME_ND] = {NET_ANSWER, VERDICT_ND_ANSWERED},
	};

	for (int k = 0; k < FRAME_KINDS; k++) {
		struct frame f = frame_make((enum frame_kind)k);
		struct net_packet p = classify(&f, 0);

		cr_expect_eq(p.action, expected[k].action, "kind %d: %s", k, name(p.verdict));
		cr_expect_eq(p.verdict, expected[k].verdict, "kind %d: %s", k, name(p.verdict));
	}
}

/* One field of a good frame is set to something else. Checksums follow where the field is under
 * one, unless said otherwise. */
enum fix { FIX, KEEP };
struct mutation {
	const char *what;
	enum frame_kind kind;
	size_t off;
	size_t len;
	uint8_t value[16];
	enum fix fix;
	enum verdict verdict;
};

static const struct mutation mutations[] = {
	{"foreign unicast", FRAME_UDP4, 0, 6, {2, 9, 9, 9, 9, 9}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"IPv4 to everybody", FRAME_UDP4, 0, 6, {255, 255, 255, 255, 255, 255}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"IPv6 to everybody", FRAME_UDP6, 0, 6, {255, 255, 255, 255, 255, 255}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"IPv6 unicast in a group frame", FRAME_UDP6, 0, 6, {0x33, 0x33, 0, 0xab, 0xcd, 0xef}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"group MAC of another group", FRAME_ND, 0, 6, {0x33, 0x33, 0xff, 0xab, 0xcd, 0xee}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"ARP to a group", FRAME_ARP, 0, 6, {0x33, 0x33, 0, 0, 0, 1}, KEEP,
		VERDICT_DROP_ETH_DESTINATION},
	{"source is a group", FRAME_UDP4, 6, 1, {3}, KEEP, VERDICT_DROP_ETH_SOURCE},
	{"source is zero", FRAME_UDP4, 6, 6, {0}, KEEP, VERDICT_DROP_ETH_SOURCE},
	{"source is ours", FRAME_UDP4, 6, 6, {2, 0, 0, 0, 0, 1}, KEEP, VERDICT_DROP_ETH_SOURCE},
	{"VLAN tag", FRAME_UDP4, 12, 2, {0x81, 0}, KEEP, VERDICT_DROP_ETH_VLAN},
	{"service VLAN tag", FRAME_UDP4, 12, 2, {0x88, 0xa8}, KEEP, VERDICT_DROP_ETH_VLAN},
	{"LLDP", FRAME_UDP4, 12, 2, {0x88, 0xcc}, KEEP, VERDICT_DROP_ETH_TYPE},

	{"ARP for token ring", FRAME_ARP, ARP, 2, {0, 6}, KEEP, VERDICT_DROP_ARP_MALFORMED},
	{"ARP for another protocol", FRAME_ARP, ARP + 2, 2, {8, 6}, KEEP,
		VERDICT_DROP_ARP_MALFORMED},
	{"ARP hardware length", FRAME_ARP, ARP + 4, 1, {8}, KEEP, VERDICT_DROP_ARP_MALFORMED},
	{"ARP protocol length", FRAME_ARP, ARP + 5, 1, {16}, KEEP, VERDICT_DROP_ARP_MALFORMED},
	{"ARP sender is a group", FRAME_ARP, ARP + 8, 1, {1}, KEEP, VERDICT_DROP_ARP_MALFORMED},
	{"ARP reply", FRAME_ARP, ARP + 6, 2, {0, 2}, KEEP, VERDICT_DROP_ARP_NOT_REQUEST},
	{"ARP announcement", FRAME_ARP, ARP + 14, 4, {192, 0, 2, 1}, KEEP,
		VERDICT_DROP_ARP_NOT_REQUEST},
	{"ARP for another", FRAME_ARP, ARP + 24, 4, {192, 0, 2, 2}, KEEP, VERDICT_DROP_ARP_TARGET},

	{"version 6 in an IPv4 frame", FRAME_UDP4, IP, 1, {0x65}, KEEP, VERDICT_DROP_IPV4_HEADER},
	{"header of 16 octets", FRAME_UDP4, IP, 1, {0x44}, KEEP, VERDICT_DROP_IPV4_HEADER},
	{"total length beyond the frame", FRAME_UDP4, IP + 2, 2, {0, 69}, KEEP,
		VERDICT_DROP_IPV4_LENGTH},
	{"total length below the header", FRAME_UDP4, IP + 2, 2, {0, 19}, KEEP,
		VERDICT_DROP_IPV4_LENGTH},
	{"header checksum", FRAME_UDP4, IP + 1, 1, {1}, KEEP, VERDICT_DROP_IPV4_CHECKSUM},
	{"another destination", FRAME_UDP4, IP + 16, 4, {192, 0, 2, 9}, FIX,
		VERDICT_DROP_IPV4_DESTINATION},
	{"broadcast destination", FRAME_UDP4, IP + 16, 4, {255, 255, 255, 255}, FIX,
		VERDICT_DROP_IPV4_DESTINATION},
	{"source is a group", FRAME_UDP4, IP + 12, 4, {224, 0, 0, 1}, FIX,
		VERDICT_DROP_IPV4_SOURCE},
	{"source is broadcast", FRAME_UDP4, IP + 12, 4, {255, 255, 255, 255}, FIX,
		VERDICT_DROP_IPV4_SOURCE},
	{"source is loopback", FRAME_UDP4, IP + 12, 4, {127, 0, 0, 1}, FIX,
		VERDICT_DROP_IPV4_SOURCE},
	{"source is zero", FRAME_UDP4, IP + 12, 4, {0}, FIX, VERDICT_DROP_IPV4_SOURCE},
	{"source is ours", FRAME_UDP4, IP + 12, 4, {192, 0, 2, 1}, FIX, VERDICT_DROP_IPV4_SOURCE},
	{"first fragment", FRAME_UDP4, IP + 6, 2, {0x20, 0}, FIX, VERDICT_DROP_FRAGMENT_TINY},
	{"fragment behind the longest message", FRAME_UDP4, IP + 6, 2, {0x1f, 0xff}, FIX,
		VERDICT_DROP_FRAGMENT_SIZE},
	{"TCP", FRAME_UDP4, IP + 9, 1, {6}, FIX, VERDICT_DROP_IPV4_PROTOCOL},

	{"version 4 in an IPv6 frame", FRAME_UDP6, IP, 1, {0x40}, KEEP, VERDICT_DROP_IPV6_HEADER},
	{"payload beyond the frame", FRAME_UDP6, IP + 4, 2, {0, 49}, KEEP,
		VERDICT_DROP_IPV6_LENGTH},
	{"jumbo payload", FRAME_UDP6, IP + 4, 2, {0, 0}, KEEP, VERDICT_DROP_IPV6_LENGTH},
	{"another destination", FRAME_UDP6, IP + 24, 1, {0x30}, FIX, VERDICT_DROP_IPV6_DESTINATION},
	{"UDP to a group", FRAME_UDP6, IP + 24, 1, {0xff}, FIX, VERDICT_DROP_IPV6_DESTINATION},
	{"source is a group", FRAME_UDP6, IP + 8, 1, {0xff}, FIX, VERDICT_DROP_IPV6_SOURCE},
	{"source is loopback", FRAME_UDP6, IP + 8, 16, {[15] = 1}, FIX, VERDICT_DROP_IPV6_SOURCE},
	{"UDP from nowhere", FRAME_UDP6, IP + 8, 16, {0}, FIX, VERDICT_DROP_IPV6_SOURCE},
	{"source is ours", FRAME_UDP6, IP + 8, 16,
		{0x20, 0x01, 0x0d, 0xb8, [13] = 0xab, 0xcd, 0xef}, FIX, VERDICT_DROP_IPV6_SOURCE},
	{"fragment of something else", FRAME_UDP6, IP + 6, 1, {44}, KEEP,
		VERDICT_DROP_FRAGMENT_PROTOCOL},
	{"hop-by-hop options", FRAME_UDP6, IP + 6, 1, {0}, KEEP, VERDICT_DROP_IPV6_EXTENSION},
	{"routing header", FRAME_UDP6, IP + 6, 1, {43}, KEEP, VERDICT_DROP_IPV6_EXTENSION},
	{"ESP", FRAME_UDP6, IP + 6, 1, {50}, KEEP, VERDICT_DROP_IPV6_EXTENSION},
	{"AH", FRAME_UDP6, IP + 6, 1, {51}, KEEP, VERDICT_DROP_IPV6_EXTENSION},
	{"destination options", FRAME_UDP6, IP + 6, 1, {60}, KEEP, VERDICT_DROP_IPV6_EXTENSION},
	{"no next header", FRAME_UDP6, IP + 6, 1, {59}, KEEP, VERDICT_DROP_IPV6_PROTOCOL},
	{"TCP over IPv6", FRAME_UDP6, IP + 6, 1, {6}, KEEP, VERDICT_DROP_IPV6_PROTOCOL},

	{"ICMP checksum", FRAME_ECHO4, IP + 20 + 9, 1, {0xee}, KEEP, VERDICT_DROP_ICMP_MALFORMED},
	{"ICMP echo reply", FRAME_ECHO4, IP + 20, 1, {0}, FIX, VERDICT_DROP_ICMP_TYPE},
	{"ICMP echo with a code", FRAME_ECHO4, IP + 21, 1, {1}, FIX, VERDICT_DROP_ICMP_TYPE},
	{"ICMPv6 checksum", FRAME_ECHO6, IP + 40 + 9, 1, {0xee}, KEEP,
		VERDICT_DROP_ICMPV6_MALFORMED},
	{"ICMPv6 echo reply", FRAME_ECHO6, IP + 40, 1, {129}, FIX, VERDICT_DROP_ICMPV6_TYPE},
	{"ICMPv6 echo from nowhere", FRAME_ECHO6, IP + 8, 16, {0}, FIX, VERDICT_DROP_IPV6_SOURCE},
	{"packet too big", FRAME_ECHO6, IP + 40, 1, {2}, FIX, VERDICT_DROP_ICMPV6_TOO_BIG},
	{"router advertisement", FRAME_ECHO6, IP + 40, 1, {134}, FIX, VERDICT_DROP_ICMPV6_TYPE},

	{"ND hop limit", FRAME_ND, IP + 7, 1, {254}, KEEP, VERDICT_DROP_ND_MALFORMED},
	{"ND code", FRAME_ND, ND + 1, 1, {1}, FIX, VERDICT_DROP_ND_MALFORMED},
	{"ND target is a group", FRAME_ND, ND + 8, 1, {0xff}, FIX, VERDICT_DROP_ND_MALFORMED},
	{"ND option of length zero", FRAME_ND, ND + 25, 1, {0}, FIX, VERDICT_DROP_ND_MALFORMED},
	{"ND option beyond the message", FRAME_ND, ND + 25, 1, {2}, FIX, VERDICT_DROP_ND_MALFORMED},
	{"ND probe that tells a MAC address", FRAME_ND, IP + 8, 16, {0}, FIX,
		VERDICT_DROP_ND_MALFORMED},
	{"ND target of another", FRAME_ND, ND + 8, 1, {0x30}, FIX, VERDICT_DROP_ND_TARGET},
	{"ND checksum", FRAME_ND, ND + 4, 1, {1}, KEEP, VERDICT_DROP_ICMPV6_MALFORMED},

	{"UDP length below its header", FRAME_UDP4, UDP4 + 4, 2, {0, 7}, KEEP,
		VERDICT_DROP_UDP_LENGTH},
	{"UDP length beyond IP", FRAME_UDP4, UDP4 + 4, 2, {0, 49}, KEEP, VERDICT_DROP_UDP_LENGTH},
	{"UDP length beyond IPv6", FRAME_UDP6, UDP6 + 4, 2, {0, 49}, KEEP, VERDICT_DROP_UDP_LENGTH},
	{"another UDP port", FRAME_UDP4, UDP4 + 2, 2, {0x08, 0xdc}, FIX, VERDICT_DROP_UDP_PORT},
	{"UDP source port 0", FRAME_UDP6, UDP6, 2, {0, 0}, FIX, VERDICT_DROP_UDP_SOURCE_PORT},
	{"UDP checksum", FRAME_UDP4, UDP4 + 20, 1, {0xee}, KEEP, VERDICT_DROP_UDP_CHECKSUM},
	{"UDP checksum over IPv6", FRAME_UDP6, UDP6 + 20, 1, {0xee}, KEEP,
		VERDICT_DROP_UDP_CHECKSUM},
	{"no UDP checksum over IPv6", FRAME_UDP6, UDP6 + 6, 2, {0, 0}, KEEP,
		VERDICT_DROP_UDP_CHECKSUM},
};

Test(net, drops_what_it_must_with_the_verdict_that_says_why)
{
	for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
		const struct mutation *m = &mutations[i];
		struct frame f = frame_make(m->kind);
		struct net_packet p;

		cr_assert(memcmp(f.octets + m->off, m->value, m->len) != 0, "%s changes nothing",
			m->what);
		memcpy(f.octets + m->off, m->value, m->len);
		if (m->fix == FIX)
			frame_fix_checksums(&f);
		p = classify(&f, 0);
		cr_expect_eq(p.action, NET_DROP, "%s: is accepted", m->what);
		cr_expect_eq(p.verdict, m->verdict, "%s: %s instead of %s", m->what,
			name(p.verdict), name(m->verdict));
	}
}

Test(net, accepts_no_frame_cut_short_at_any_length)
{
	for (int k = 0; k < FRAME_KINDS; k++) {
		struct frame whole = frame_make((enum frame_kind)k);

		for (size_t len = 0; len < whole.len; len++) {
			struct frame f = whole;
			struct net_packet p;

			f.len = len;
			p = classify(&f, 0);
			cr_expect_eq(p.action, NET_DROP, "kind %d cut to %zu", k, len);
			cr_expect_neq(p.verdict, VERDICT_PENDING, "kind %d cut to %zu", k, len);
			cr_expect_eq(p.verdict == VERDICT_DROP_ETH_SHORT, len < NET_ETH_LEN);
		}
	}
}

/* The lengths inside say so too: headers end with the packet. */
Test(net, drops_packets_whose_upper_layer_is_too_short)
{
	static const struct {
		enum frame_kind kind;
		enum verdict verdict;
		size_t len;
	} cases[] = {
		{FRAME_UDP4, VERDICT_DROP_UDP_LENGTH, 7},
		{FRAME_UDP6, VERDICT_DROP_UDP_LENGTH, 7},
		{FRAME_ECHO4, VERDICT_DROP_ICMP_MALFORMED, 7},
		{FRAME_ECHO6, VERDICT_DROP_ICMPV6_MALFORMED, 7},
		{FRAME_ECHO6, VERDICT_DROP_ICMPV6_MALFORMED, 3},
		{FRAME_ND, VERDICT_DROP_ND_MALFORMED, 23},
		{FRAME_ND, VERDICT_DROP_ND_MALFORMED, 31},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = frame_make(cases[i].kind);
		struct net_packet p;

		if (f.octets[12] == 0x08) {
			f.octets[IP + 3] = (uint8_t)(20 + cases[i].len);
			f.len = 34 + cases[i].len;
		} else {
			f.octets[IP + 5] = (uint8_t)cases[i].len;
			f.len = 54 + cases[i].len;
		}
		frame_fix_checksums(&f);
		p = classify(&f, 0);
		cr_expect_eq(p.action, NET_DROP);
		cr_expect_eq(p.verdict, cases[i].verdict, "case %zu: %s", i, name(p.verdict));
	}
}

Test(net, survives_random_damage)
{
	unsigned int seed = 1;

	for (unsigned int round = 0; round < 200000; round++) {
		struct frame f = frame_make((enum frame_kind)(round % FRAME_KINDS));
		uint8_t out[FRAME_MAX];
		struct net_packet p;

		for (int i = rand_r(&seed) % 4; i >= 0; i--)
			f.octets[(size_t)rand_r(&seed) % f.len] = (uint8_t)rand_r(&seed);
		if (f.octets[12] == 0x08 && f.octets[13] == 0 && round & 8 &&
			f.octets[IP + 2] == 0 && f.octets[IP + 3] > 28 && f.octets[IP + 3] < 120)
			frame_fix_checksums(&f);
		f.len -= (size_t)rand_r(&seed) % 3 ? 0 : (size_t)rand_r(&seed) % f.len;
		p = classify(&f, 0);
		cr_assert((p.verdict == VERDICT_PENDING) ==
			  (p.action == NET_MESSAGE || p.action == NET_FRAGMENT));
		if (p.action == NET_ANSWER)
			cr_assert(net_answer(&p, out, sizeof(out)) >= NET_ETH_MIN);
	}
}

Test(net, hands_on_the_payload_and_both_ends)
{
	struct frame f4 = frame_make(FRAME_UDP4), f6 = frame_make(FRAME_UDP6);
	struct net_packet p = classify(&f4, 0);

	cr_expect_eq(p.payload_len, FRAME_PAYLOAD);
	cr_expect_arr_eq(p.payload, f4.octets + 42, FRAME_PAYLOAD);
	cr_expect_eq(p.flow.family, 4);
	cr_expect_arr_eq(p.flow.theirs, frame_their4, 4);
	cr_expect_arr_eq(p.flow.ours, frame_our4, 4);
	cr_expect_eq(p.flow.their_port, 40000);
	cr_expect_eq(p.flow.our_port, 2269);
	cr_expect_arr_eq(p.flow.their_mac, frame_their_mac, 6);
	cr_expect_arr_eq(p.flow.our_mac, frame_our_mac, 6);
	p = classify(&f6, 0);
	cr_expect_eq(p.payload_len, FRAME_PAYLOAD);
	cr_expect_arr_eq(p.payload, f6.octets + 62, FRAME_PAYLOAD);
	cr_expect_arr_eq(p.flow.theirs, frame_their6, 16);
	cr_expect_arr_eq(p.flow.ours, frame_our6, 16);
}

Test(net, ignores_ethernet_padding_and_octets_behind_udp)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_packet p;
	uint16_t sum;

	memset(f.octets + f.len, 0xaa, 18);
	f.len += 18;
	p = classify(&f, 0);
	cr_expect_eq(p.action, NET_MESSAGE);
	cr_expect_eq(p.payload_len, FRAME_PAYLOAD);

	/* The same octets inside IP (RFC 9868). */
	f.octets[IP + 3] = (uint8_t)(f.octets[IP + 3] + 18);
	f.octets[IP + 10] = f.octets[IP + 11] = 0;
	sum = frame_checksum(f.octets + IP, 20, 0);
	f.octets[IP + 10] = (uint8_t)(sum >> 8);
	f.octets[IP + 11] = (uint8_t)sum;
	p = classify(&f, 0);
	cr_expect_eq(p.action, NET_MESSAGE, "%s", name(p.verdict));
	cr_expect_eq(p.payload_len, FRAME_PAYLOAD);
}

Test(net, tolerates_ipv4_options)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_packet p;
	uint16_t sum;

	memmove(f.octets + 38, f.octets + 34, f.len - 34);
	memset(f.octets + 34, 1, 4); /* no operation */
	f.len += 4;
	f.octets[IP] = 0x46;
	f.octets[IP + 3] = (uint8_t)(f.octets[IP + 3] + 4);
	f.octets[IP + 10] = f.octets[IP + 11] = 0;
	sum = frame_checksum(f.octets + IP, 24, 0);
	f.octets[IP + 10] = (uint8_t)(sum >> 8);
	f.octets[IP + 11] = (uint8_t)sum;
	p = classify(&f, 0);
	cr_expect_eq(p.action, NET_MESSAGE, "%s", name(p.verdict));
	cr_expect_arr_eq(p.payload, f.octets + 46, FRAME_PAYLOAD);
}

/* Puts a tag into the frame, or hands it over as a port does that took it off. */
static struct net_packet classify_tagged(
	struct frame f, uint16_t type, uint16_t tci, uint32_t hints, const struct net_vlans *vlans)
{
	struct net_host host = *frame_host();
	struct net_frame frame = {.hints = hints, .tci = tci};
	struct net_packet packet;

	if (!(hints & NET_HINT_VLAN)) {
		memmove(f.octets + 16, f.octets + 12, f.len - 12);
		f.octets[12] = (uint8_t)(type >> 8);
		f.octets[13] = (uint8_t)type;
		f.octets[14] = (uint8_t)(tci >> 8);
		f.octets[15] = (uint8_t)tci;
		f.len += 4;
	}
	frame.data = frame_guarded(f.octets, f.len);
	frame.len = (uint32_t)f.len;
	host.vlans = vlans;
	net_classify(&host, &frame, &packet);
	return packet;
}

Test(net, frames_of_served_vlans_are_taken_and_keep_their_tag)
{
	struct net_vlans vlans = {0};

	net_vlans_add(&vlans, 7);
	net_vlans_add(&vlans, 4094);
	for (int k = 0; k < FRAME_KINDS; k++) {
		struct frame f = frame_make((enum frame_kind)k);
		struct net_packet plain = classify(&f, 0);

		for (uint32_t hints = 0; hints <= NET_HINT_VLAN; hints++) {
			struct net_packet p = classify_tagged(f, 0x8100, 0xa007, hints, &vlans);

			cr_expect_eq(p.action, plain.action, "kind %d: %s", k, name(p.verdict));
			cr_expect(p.flow.tagged);
			cr_expect_eq(p.flow.tci, 0xa007, "priority too");
			cr_expect_eq(net_vlan_id(&p.flow), 7);
			p = classify_tagged(f, 0x8100, 8, hints, &vlans);
			cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN, "another VLAN");
			/* 0 is not served here: neither without a tag nor with a priority only */
			p = classify_tagged(f, 0x8100, 0x6000, hints, &vlans);
			cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN, "priority tag");
			p = classify_tagged(f, 0x88a8, 7, 0, &vlans);
			cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN, "service tag");
			p = classify_tagged(f, 0x8100, 7, hints, NULL);
			cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN, "no VLANs");
		}
	}
}

Test(net, priority_tags_are_frames_without_a_tag)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_vlans vlans = {0};
	struct net_packet p;

	net_vlans_add(&vlans, 0);
	p = classify_tagged(f, 0x8100, 0xe000, 0, &vlans);
	cr_expect_eq(p.action, NET_MESSAGE);
	cr_expect(p.flow.tagged);
	p = classify_tagged(f, 0x8100, 0xe001, 0, &vlans);
	cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN);
}

Test(net, tags_within_tags_and_truncated_ones_are_refused)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_vlans vlans;
	struct net_packet p;

	memset(&vlans, 0xff, sizeof(vlans));
	f.octets[12] = 0x81;
	f.octets[13] = 0;
	p = classify_tagged(f, 0x8100, 7, 0, &vlans);
	cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN);
	p = classify_tagged(f, 0, 7, NET_HINT_VLAN, &vlans);
	cr_expect_eq(p.verdict, VERDICT_DROP_ETH_VLAN);
	f.len = 14 + 3;
	cr_expect_eq(classify(&f, 0).verdict, VERDICT_DROP_ETH_VLAN);
}

Test(net, tag_is_put_between_addresses_and_type)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_flow flow = {.tagged = true, .tci = 0xa123};
	uint8_t out[FRAME_MAX + 4];

	memcpy(out + 4, f.octets, f.len);
	net_tag(&flow, out);
	cr_expect_arr_eq(out, f.octets, 12);
	cr_expect_arr_eq(out + 12, ((uint8_t[]){0x81, 0, 0xa1, 0x23}), 4);
	cr_expect_arr_eq(out + 16, f.octets + 12, f.len - 12);
}

Test(net, follows_what_the_port_found_out)
{
	struct frame f = frame_make(FRAME_UDP4);

	f.octets[UDP4 + 12] ^= 1;
	cr_expect_eq(classify(&f, 0).verdict, VERDICT_DROP_UDP_CHECKSUM);
	cr_expect_eq(classify(&f, NET_HINT_UDP_CHECKED).action, NET_MESSAGE);
	/* Over IPv6 a zero field is refused whatever the port says. */
	f = frame_make(FRAME_UDP6);
	f.octets[UDP6 + 6] = f.octets[UDP6 + 7] = 0;
	cr_expect_eq(classify(&f, NET_HINT_UDP_CHECKED).verdict, VERDICT_DROP_UDP_CHECKSUM);
}

Test(net, accepts_a_peer_with_our_mac_where_the_port_is_like_that)
{
	struct frame f = frame_make(FRAME_UDP4);
	struct net_frame frame = {.data = f.octets, .len = (uint32_t)f.len};
	struct net_host host = *frame_host();
	struct net_packet p;

	memcpy(f.octets + 6, frame_our_mac, 6);
	host.mac_shared = true;
	net_classify(&host, &frame, &p);
	cr_expect_eq(p.action, NET_MESSAGE);
}

Test(net, accepts_ipv4_without_udp_checksum)
{
	struct frame f = frame_make(FRAME_UDP4);

	f.octets[UDP4 + 6] = f.octets[UDP4 + 7] = 0;
	cr_expect_eq(classify(&f, 0).action, NET_MESSAGE);
}
