/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into the network layer. The first octet says what the port found out (enum net_hint) and,
 * with its highest bit, that checksums are to be set right first: damage below them would never be
 * seen else.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/packet.h"
#include "fuzz.h"

enum { FIX_CHECKSUMS = 0x80, OUT_MAX = 66000, GUARD = 0xa5 };

static const struct net_host *host(void)
{
	static const uint8_t ours4[4] = {192, 0, 2, 1},
			     ours6[16] = {0x20, 0x01, 0x0d, 0xb8, [13] = 0xab, 0xcd, 0xef};
	static struct net_addresses addresses;
	static struct net_vlans vlans;
	static struct net_host h = {
		.mac = {2, 0, 0, 0, 0, 1}, .addresses = &addresses, .vlans = &vlans};

	net_vlans_add(&vlans, 0);
	net_vlans_add(&vlans, 7);

	if (addresses.n4 == 0 && (net_addresses_add(&addresses, 4, ours4, 2269) ||
					 net_addresses_add(&addresses, 6, ours6, 2269)))
		abort();
	return &h;
}

static void fix_upper(uint8_t *data, size_t len, uint8_t protocol, uint64_t pseudo)
{
	size_t field = protocol == NET_UDP ? 6 : 2;

	if ((protocol != NET_UDP && protocol != NET_ICMP && protocol != NET_ICMPV6) ||
		len < field + 2)
		return;
	memset(data + field, 0, 2);
	net_store_checksum(data + field, net_sum(pseudo, data, len));
}

static void fix_checksums(uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + NET_ETH_LEN;
	size_t room = len - NET_ETH_LEN, header = NET_IPV6_LEN, total;

	if (frame[12] == 0x08 && frame[13] == 0 && room >= NET_IPV4_LEN) {
		header = (ip[0] & 15) * 4u;
		total = (size_t)(ip[2] << 8 | ip[3]);
		if (header < NET_IPV4_LEN || header > room || total < header || total > room)
			return;
		memset(ip + 10, 0, 2);
		net_store_checksum(ip + 10, net_sum(0, ip, header));
		fix_upper(ip + header, total - header, ip[9],
			ip[9] == NET_ICMP ? 0
					  : net_sum_pseudo(4, ip + 12, ip + 16, ip[9],
						    (uint32_t)(total - header)));
	} else if (frame[12] == 0x86 && frame[13] == 0xdd && room >= NET_IPV6_LEN) {
		total = (size_t)(ip[4] << 8 | ip[5]);
		if (total > room - header)
			return;
		fix_upper(ip + header, total, ip[6],
			net_sum_pseudo(6, ip + 8, ip + 24, ip[6], (uint32_t)total));
	}
}

static void use(const struct net_packet *p, const struct net_frame *frame)
{
	static uint8_t out[OUT_MAX + 1];
	size_t cap = frame->len + 8 > 128 ? frame->len + 8 : 128, len;

	out[cap] = GUARD;
	switch (p->action) {
	case NET_DROP:
		if (p->verdict == VERDICT_PENDING || p->verdict >= VERDICT_COUNT)
			abort();
		return;
	case NET_ANSWER:
		len = net_answer(p, out, cap);
		if (len > cap || (len != 0 && len < NET_ETH_MIN))
			abort();
		break;
	case NET_FRAGMENT:
		if (fragment_check(&p->fragment) != VERDICT_PENDING ||
			p->fragment.len != p->payload_len || p->payload < frame->data ||
			p->payload + p->payload_len > frame->data + frame->len)
			abort();
		break;
	case NET_MESSAGE:
		if (p->payload < frame->data ||
			p->payload + p->payload_len > frame->data + frame->len)
			abort();
		memcpy(out + net_headers_len(p->flow.family), p->payload, p->payload_len);
		net_message_headers(&p->flow, out, p->payload_len, 1, NET_CHECKSUM_FULL);
		break;
	default:
		abort();
	}
	if (out[cap] != GUARD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_packet p;
	struct net_frame frame;
	uint8_t *copy;

	if (size == 0 || size > 65000)
		return 0;
	/* A block of its own, so that reading behind the frame is noticed. */
	copy = malloc(size - 1 ? size - 1 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	frame = (struct net_frame){.data = copy,
		.len = (uint32_t)(size - 1),
		.tci = 0xa007,
		.hints = data[0] & (NET_HINT_VLAN | NET_HINT_UDP_CHECKED)};
	if ((data[0] & FIX_CHECKSUMS) && frame.len >= NET_ETH_LEN)
		fix_checksums(copy, frame.len);
	net_classify(host(), &frame, &p);
	use(&p, &frame);
	free(copy);
	return 0;
}
