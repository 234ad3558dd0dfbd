/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/mld.h"
#include "dataplane/net/nd.h"
#include "net_frames.h"

struct answer {
	uint8_t octets[FRAME_MAX];
	size_t len;
};

static struct answer answer_to(const struct frame *f)
{
	struct net_frame frame = {.data = f->octets, .len = (uint32_t)f->len};
	struct net_packet p;
	struct answer a;

	memset(a.octets, 0xa5, sizeof(a.octets));
	net_classify(frame_host(), &frame, &p);
	cr_assert_eq(p.action, NET_ANSWER, "%s", verdict_info((enum verdict)p.verdict)->name);
	a.len = net_answer(&p, a.octets, sizeof(a.octets));
	return a;
}

static void expect_ethernet(const uint8_t *octets, const uint8_t *dst, unsigned int type)
{
	cr_expect_arr_eq(octets, dst, 6);
	cr_expect_arr_eq(octets + 6, frame_our_mac, 6);
	cr_expect_eq((unsigned int)(octets[12] << 8 | octets[13]), type);
}

Test(net_answers, arp_request_gets_a_padded_reply)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 2};
	static const uint8_t padding[18];
	struct frame f = frame_make(FRAME_ARP);
	struct answer a = answer_to(&f);
	const uint8_t *arp = a.octets + 14;

	expect_ethernet(a.octets, frame_their_mac, 0x0806);
	cr_expect_eq(a.len, 60u);
	cr_expect_arr_eq(arp, head, 8);
	cr_expect_arr_eq(arp + 8, frame_our_mac, 6);
	cr_expect_arr_eq(arp + 14, frame_our4, 4);
	cr_expect_arr_eq(arp + 18, frame_their_mac, 6);
	cr_expect_arr_eq(arp + 24, frame_their4, 4);
	cr_expect_arr_eq(a.octets + 42, padding, 18);
}

Test(net_answers, arp_probe_from_nowhere_is_answered)
{
	struct frame f = frame_make(FRAME_ARP);
	struct answer a;

	memset(f.octets + 28, 0, 4);
	a = answer_to(&f);
	cr_expect_eq(a.octets[21], 2);
	cr_expect_arr_eq(a.octets + 28, frame_our4, 4);
}

/* The classes of frames to a lingering address, and what becomes of them. */
Test(net_answers, a_lingering_address_is_served_but_not_resolved)
{
	static const struct {
		enum frame_kind kind;
		enum net_action action;
		enum verdict verdict;
	} cases[] = {
		{FRAME_ARP, NET_DROP, VERDICT_DROP_ARP_TARGET},
		{FRAME_ND, NET_DROP, VERDICT_DROP_ND_TARGET},
		{FRAME_ECHO4, NET_ANSWER, VERDICT_ECHO_ANSWERED},
		{FRAME_ECHO6, NET_ANSWER, VERDICT_ECHO_ANSWERED},
		{FRAME_UDP4, NET_MESSAGE, VERDICT_PENDING},
		{FRAME_UDP6, NET_MESSAGE, VERDICT_PENDING},
	};
	struct net_host host = *frame_host();
	struct net_addresses addresses = *host.addresses;

	host.addresses = &addresses;
	net_addresses_linger(&addresses, 4, frame_our4);
	net_addresses_linger(&addresses, 6, frame_our6);
	cr_expect_not(net_addresses_holds(&addresses, 4, frame_our4));
	cr_expect_not(net_addresses_holds(&addresses, 6, frame_our6));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = frame_make(cases[i].kind);
		struct net_frame frame = {.data = f.octets, .len = (uint32_t)f.len};
		struct net_packet p;

		net_classify(&host, &frame, &p);
		cr_expect_eq(p.action, cases[i].action, "case %zu", i);
		cr_expect_eq(p.verdict, cases[i].verdict, "case %zu", i);
	}
}

Test(net_answers, echo_request_comes_back)
{
	struct frame f = frame_make(FRAME_ECHO4);
	struct answer a = answer_to(&f);

	expect_ethernet(a.octets, frame_their_mac, 0x0800);
	cr_expect(frame_is_intact(a.octets, a.len));
	cr_expect_arr_eq(a.octets + 26, frame_our4, 4);
	cr_expect_arr_eq(a.octets + 30, frame_their4, 4);
	cr_expect_eq(a.octets[22], 64);
	cr_expect_eq(a.octets[34], 0);
	cr_expect_arr_eq(a.octets + 38, f.octets + 38, f.len - 38);
}

Test(net_answers, echo_reply_leaves_options_out)
{
	struct frame f = frame_make(FRAME_ECHO4);
	struct answer a;
	uint16_t sum;

	memmove(f.octets + 54, f.octets + 34, f.len - 34);
	memset(f.octets + 34, 1, 20);
	f.len += 20;
	f.octets[14] = 0x4a;
	f.octets[17] = (uint8_t)(f.octets[17] + 20);
	f.octets[24] = f.octets[25] = 0;
	sum = frame_checksum(f.octets + 14, 40, 0);
	f.octets[24] = (uint8_t)(sum >> 8);
	f.octets[25] = (uint8_t)sum;
	a = answer_to(&f);
	cr_expect_eq(a.octets[14], 0x45);
	cr_expect_eq(a.len, f.len - 20);
	cr_expect(frame_is_intact(a.octets, a.len));
}

Test(net_answers, short_echo_is_padded_with_zeroes)
{
	static const uint8_t zeroes[18];
	struct frame f = frame_make(FRAME_ECHO4);
	struct answer a;

	f.octets[17] = 28;
	f.len = 42;
	frame_fix_checksums(&f);
	a = answer_to(&f);
	cr_expect_eq(a.len, 60u);
	cr_expect(frame_is_intact(a.octets, a.len));
	cr_expect_arr_eq(a.octets + 42, zeroes, 18);
}

Test(net_answers, icmpv6_echo_request_comes_back)
{
	struct frame f = frame_make(FRAME_ECHO6);
	struct answer a = answer_to(&f);

	expect_ethernet(a.octets, frame_their_mac, 0x86dd);
	cr_expect(frame_is_intact(a.octets, a.len));
	cr_expect_arr_eq(a.octets + 22, frame_our6, 16);
	cr_expect_arr_eq(a.octets + 38, frame_their6, 16);
	cr_expect_eq(a.octets[54], 129);
	cr_expect_arr_eq(a.octets + 58, f.octets + 58, f.len - 58);
}

static void expect_advertisement(const uint8_t *octets, size_t len, uint8_t flags)
{
	const uint8_t *nd = octets + 54;

	cr_expect_eq(len, 86u);
	cr_expect(frame_is_intact(octets, len));
	cr_expect_arr_eq(octets + 22, frame_our6, 16);
	cr_expect_eq(octets[21], 255);
	cr_expect_eq(nd[0], 136);
	cr_expect_eq(nd[4], flags);
	cr_expect_arr_eq(nd + 8, frame_our6, 16);
	cr_expect_eq(nd[24], 2);
	cr_expect_eq(nd[25], 1);
	cr_expect_arr_eq(nd + 26, frame_our_mac, 6);
}

Test(net_answers, solicitation_gets_an_advertisement)
{
	struct frame f = frame_make(FRAME_ND);
	struct answer a = answer_to(&f);

	expect_ethernet(a.octets, frame_their_mac, 0x86dd);
	expect_advertisement(a.octets, a.len, 0x60);
	cr_expect_arr_eq(a.octets + 38, frame_their6, 16);
}

Test(net_answers, unicast_solicitation_gets_an_advertisement)
{
	struct frame f = frame_make(FRAME_ND);
	struct answer a;

	memcpy(f.octets, frame_our_mac, 6);
	memcpy(f.octets + 38, frame_our6, 16);
	frame_fix_checksums(&f);
	a = answer_to(&f);
	expect_advertisement(a.octets, a.len, 0x60);
}

Test(net_answers, address_probe_is_answered_to_all_nodes)
{
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct frame f = frame_make(FRAME_ND);
	struct answer a;

	memset(f.octets + 22, 0, 16);
	f.octets[19] = 24; /* without the option */
	f.len = 78;
	frame_fix_checksums(&f);
	a = answer_to(&f);
	expect_ethernet(a.octets, all_nodes_mac, 0x86dd);
	expect_advertisement(a.octets, a.len, 0x20);
	cr_expect_arr_eq(a.octets + 38, all_nodes, 16);
}

Test(net_answers, no_answer_is_written_into_too_small_a_buffer)
{
	for (int k = 0; k < FRAME_KINDS; k++) {
		struct frame f = frame_make((enum frame_kind)k);
		struct net_frame frame = {.data = f.octets, .len = (uint32_t)f.len};
		uint8_t out[FRAME_MAX + 1];
		struct net_packet p;

		net_classify(frame_host(), &frame, &p);
		if (p.action != NET_ANSWER)
			continue;
		for (size_t cap = 0; cap < 200; cap++) {
			size_t len;

			memset(out, 0xa5, sizeof(out));
			len = net_answer(&p, out, cap);
			cr_assert_leq(len, cap);
			cr_assert_eq(out[cap], 0xa5);
		}
	}
}

static struct net_flow flow_of(enum frame_kind kind)
{
	struct frame f = frame_make(kind);
	struct net_frame frame = {.data = f.octets, .len = (uint32_t)f.len};
	struct net_packet p;

	net_classify(frame_host(), &frame, &p);
	cr_assert_eq(p.action, NET_MESSAGE);
	return p.flow;
}

Test(net_answers, response_goes_back_where_the_request_came_from)
{
	static const enum frame_kind kinds[] = {FRAME_UDP4, FRAME_UDP6};

	for (size_t i = 0; i < 2; i++) {
		struct net_flow flow = flow_of(kinds[i]);
		size_t headers = net_headers_len(flow.family);
		bool v4 = flow.family == 4;
		const uint8_t *udp;

		for (uint16_t len = 0; len < 1400; len++) {
			uint8_t out[FRAME_MAX] = {0};

			for (uint16_t k = 0; k < len; k++)
				out[headers + k] = (uint8_t)(k * 31 + len);
			net_message_headers(&flow, out, len, 0xbeef, NET_CHECKSUM_FULL);
			udp = out + headers - 8;
			/* frame_is_intact() wants short frames padded. */
			cr_assert(frame_is_intact(out, headers + len < 60 ? 60 : headers + len),
				"length %u", len);
			cr_assert(udp[6] || udp[7]);
			cr_assert_eq(udp[0] << 8 | udp[1], 2269);
			cr_assert_eq(udp[2] << 8 | udp[3], 40000);
			cr_assert_eq(udp[4] << 8 | udp[5], 8 + len);
			cr_assert_arr_eq(
				out + (v4 ? 26 : 22), v4 ? frame_our4 : frame_our6, v4 ? 4 : 16);
			cr_assert_arr_eq(out + (v4 ? 30 : 38), v4 ? frame_their4 : frame_their6,
				v4 ? 4 : 16);
			cr_assert_arr_eq(out, frame_their_mac, 6);
			cr_assert_arr_eq(out + 6, frame_our_mac, 6);
			if (v4)
				cr_assert_eq(out[18] << 8 | out[19], 0xbeef);
		}
	}
}

/* A payload whose sum makes the checksum zero, which would mean "none". */
Test(net_answers, zero_checksum_is_sent_as_all_ones)
{
	struct net_flow flow = flow_of(FRAME_UDP4);
	uint8_t out[64] = {0};

	net_message_headers(&flow, out, 2, 0, NET_CHECKSUM_FULL);
	/* Payload zero gave checksum c = ~s; payload c gives ~(s + c) = 0. */
	memcpy(out + 42, out + 40, 2);
	net_message_headers(&flow, out, 2, 0, NET_CHECKSUM_FULL);
	cr_expect_eq(out[40], 0xff);
	cr_expect_eq(out[41], 0xff);
}

Test(net_answers, port_that_sums_gets_the_pseudo_header)
{
	static const enum frame_kind kinds[] = {FRAME_UDP4, FRAME_UDP6};

	for (size_t i = 0; i < 2; i++) {
		struct net_flow flow = flow_of(kinds[i]);
		size_t headers = net_headers_len(flow.family);
		uint8_t full[256] = {0}, partial[256] = {0};
		uint16_t sum;

		memset(full + headers, 0x5c, 77);
		memset(partial + headers, 0x5c, 77);
		net_message_headers(&flow, full, 77, 1, NET_CHECKSUM_FULL);
		net_message_headers(&flow, partial, 77, 1, NET_CHECKSUM_PSEUDO);
		/* What the port does: sum UDP with the field as it is. */
		sum = frame_checksum(partial + headers - 8, 85, 0);
		partial[headers - 2] = (uint8_t)(sum >> 8);
		partial[headers - 1] = (uint8_t)sum;
		cr_expect_arr_eq(partial, full, headers + 77);
	}
}

Test(net_answers, announcements_name_the_address)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	uint8_t out[NET_ND_ANNOUNCE_LEN];

	cr_expect_eq(net_arp_announce(frame_our_mac, frame_our4, out), 60u);
	expect_ethernet(out, everybody, 0x0806);
	cr_expect_eq(out[21], 1);
	cr_expect_arr_eq(out + 22, frame_our_mac, 6);
	cr_expect_arr_eq(out + 28, frame_our4, 4);
	cr_expect_arr_eq(out + 38, frame_our4, 4);

	cr_expect_eq(net_nd_announce(frame_our_mac, frame_our6, out), sizeof(out));
	expect_ethernet(out, all_nodes_mac, 0x86dd);
	expect_advertisement(out, sizeof(out), 0x20);
}

Test(net_answers, switches_are_told_of_the_solicited_node_group)
{
	static const uint8_t source[16] = {0xfe, 0x80, [11] = 0xff, 0xfe, 0, 0, 1};
	static const uint8_t routers[16] = {0xff, 2, [15] = 0x16};
	static const uint8_t routers_mac[6] = {0x33, 0x33, 0, 0, 0, 0x16};
	static const uint8_t options[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	uint8_t out[NET_MLD_REPORT_LEN];
	uint8_t flat[40 + 28] = {0};

	cr_expect_eq(net_mld_report(frame_our_mac, frame_our6, out), sizeof(out));
	expect_ethernet(out, routers_mac, 0x86dd);
	cr_expect_eq(out[18] << 8 | out[19], 36);
	cr_expect_eq(out[20], 0);
	cr_expect_eq(out[21], 1);
	cr_expect_arr_eq(out + 22, source, 16);
	cr_expect_arr_eq(out + 38, routers, 16);
	cr_expect_arr_eq(out + 54, options, 8);
	cr_expect_eq(out[62], 143);
	cr_expect_eq(out[70], 4);
	cr_expect_arr_eq(out + 74, frame_group6, 16);
	/* pseudo-header, then ICMPv6 */
	memcpy(flat, out + 22, 32);
	flat[35] = 28;
	flat[39] = 58;
	memcpy(flat + 40, out + 62, 28);
	cr_expect_eq(frame_checksum(flat, sizeof(flat), 0), 0);
}

Test(net_checksum, agrees_with_the_slow_way)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 197 + 13);
	for (size_t off = 0; off < 5; off++) {
		for (size_t len = 0; off + len <= sizeof(data); len++) {
			uint8_t field[2];
			uint16_t slow = frame_checksum(data + off, len, 0);

			net_store_checksum(field, net_sum(0, data + off, len));
			cr_assert_eq(
				field[0] << 8 | field[1], slow, "offset %zu length %zu", off, len);
		}
	}
}

Test(net_addresses, refuses_what_nobody_can_serve)
{
	static const uint8_t bad4[][4] = {
		{0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}};
	static const uint8_t bad6[][16] = {{0}, {[15] = 1}, {0xff, 2, [15] = 1}};
	struct net_addresses set = {0};

	for (size_t i = 0; i < 4; i++)
		cr_expect_lt(net_addresses_add(&set, 4, bad4[i], 2269), 0);
	for (size_t i = 0; i < 3; i++)
		cr_expect_lt(net_addresses_add(&set, 6, bad6[i], 2269), 0);
	cr_expect_lt(net_addresses_add(&set, 4, frame_our4, 0), 0);
	cr_expect_lt(net_addresses_add(&set, 5, frame_our4, 2269), 0);
	for (uint16_t port = 1; port <= NET_ADDRESSES_MAX; port++)
		cr_assert_eq(net_addresses_add(&set, 4, frame_our4, port), 0);
	cr_expect_lt(net_addresses_add(&set, 4, frame_our4, 2269), 0);
	cr_expect(net_addresses_has_port(&set, 4, frame_our4, NET_ADDRESSES_MAX));
	cr_expect_not(net_addresses_has_port(&set, 4, frame_our4, NET_ADDRESSES_MAX + 1));
}
