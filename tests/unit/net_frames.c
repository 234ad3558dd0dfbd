/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_frames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const uint8_t frame_our_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
const uint8_t frame_their_mac[6] = {0x02, 0, 0, 0, 0, 0x99};
const uint8_t frame_our4[4] = {192, 0, 2, 1};
const uint8_t frame_their4[4] = {198, 51, 100, 7};
const uint8_t frame_our6[16] = {0x20, 0x01, 0x0d, 0xb8, [13] = 0xab, 0xcd, 0xef};
const uint8_t frame_their6[16] = {0x20, 0x01, 0x0d, 0xb8, 1, [15] = 0x77};
const uint8_t frame_group6[16] = {0xff, 0x02, [11] = 1, 0xff, 0xab, 0xcd, 0xef};

uint16_t frame_checksum(const uint8_t *data, size_t len, uint32_t seed)
{
	uint32_t sum = seed;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static uint32_t pseudo(const uint8_t *addresses, size_t len, uint8_t protocol, size_t l4_len)
{
	return (uint16_t)~frame_checksum(addresses, len, 0) + protocol + (uint32_t)l4_len;
}

static void put(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned int get(const uint8_t *p)
{
	return (unsigned int)(p[0] << 8 | p[1]);
}

/* Where the sum of the layer above IP lies, what it covers, and what is added to it. */
struct l4 {
	const uint8_t *data;
	size_t len, field;
	uint32_t seed;
};

static struct l4 find_l4(const uint8_t *octets)
{
	const uint8_t *ip = octets + 14;
	bool v4 = octets[12] == 0x08;
	struct l4 l;
	uint8_t protocol = v4 ? ip[9] : ip[6];

	l.data = ip + (v4 ? 20 : 40);
	l.len = v4 ? get(ip + 2) - 20 : get(ip + 4);
	l.field = protocol == 17 ? 6 : 2;
	l.seed = v4 ? pseudo(ip + 12, 8, protocol, l.len) : pseudo(ip + 8, 32, protocol, l.len);
	if (protocol == 1)
		l.seed = 0;
	return l;
}

void frame_fix_checksums(struct frame *f)
{
	struct l4 l = find_l4(f->octets);
	uint8_t *field = f->octets + (l.data - f->octets) + l.field;
	uint16_t sum;

	if (f->octets[12] == 0x08) {
		put(f->octets + 24, 0);
		put(f->octets + 24, frame_checksum(f->octets + 14, 20, 0));
	}
	put(field, 0);
	sum = frame_checksum(l.data, l.len, l.seed);
	put(field, l.field == 6 && sum == 0 ? 0xffff : sum);
}

bool frame_is_intact(const uint8_t *octets, size_t len)
{
	struct l4 l = find_l4(octets);
	size_t end = (size_t)(l.data - octets) + l.len;

	if (octets[12] == 0x08 && frame_checksum(octets + 14, 20, 0) != 0)
		return false;
	if (len != (end < 60 ? 60 : end))
		return false;
	return frame_checksum(l.data, l.len, l.seed) == 0;
}

static void ethernet(struct frame *f, const uint8_t *dst, unsigned int type)
{
	memcpy(f->octets, dst, 6);
	memcpy(f->octets + 6, frame_their_mac, 6);
	put(f->octets + 12, type);
}

static uint8_t *ipv4(struct frame *f, uint8_t protocol, size_t l4_len)
{
	uint8_t *ip = f->octets + 14;

	ethernet(f, frame_our_mac, 0x0800);
	ip[0] = 0x45;
	put(ip + 2, (unsigned int)(20 + l4_len));
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, frame_their4, 4);
	memcpy(ip + 16, frame_our4, 4);
	f->len = 34 + l4_len;
	return ip + 20;
}

static uint8_t *ipv6(struct frame *f, uint8_t next, size_t l4_len)
{
	uint8_t *ip = f->octets + 14;

	ethernet(f, frame_our_mac, 0x86dd);
	ip[0] = 0x60;
	put(ip + 4, (unsigned int)l4_len);
	ip[6] = next;
	ip[7] = next == 58 ? 255 : 64;
	memcpy(ip + 8, frame_their6, 16);
	memcpy(ip + 24, frame_our6, 16);
	f->len = 54 + l4_len;
	return ip + 40;
}

static void payload(uint8_t *p)
{
	for (int i = 0; i < FRAME_PAYLOAD; i++)
		p[i] = (uint8_t)(7 * i + 1);
}

static void udp(uint8_t *p)
{
	put(p, 40000);
	put(p + 2, 2269);
	put(p + 4, 8 + FRAME_PAYLOAD);
	payload(p + 8);
}

static void echo(uint8_t *p, uint8_t type)
{
	p[0] = type;
	put(p + 4, 0x1234);
	put(p + 6, 0x0001);
	payload(p + 8);
}

static void solicitation(struct frame *f)
{
	static const uint8_t group_mac[6] = {0x33, 0x33, 0xff, 0xab, 0xcd, 0xef};
	uint8_t *nd = ipv6(f, 58, 32);

	memcpy(f->octets, group_mac, 6);
	memcpy(f->octets + 14 + 24, frame_group6, 16);
	nd[0] = 135;
	memcpy(nd + 8, frame_our6, 16);
	nd[24] = 1;
	nd[25] = 1;
	memcpy(nd + 26, frame_their_mac, 6);
}

static void arp(struct frame *f)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 1};
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t *p = f->octets + 14;

	ethernet(f, everybody, 0x0806);
	memcpy(p, head, 8);
	memcpy(p + 8, frame_their_mac, 6);
	memcpy(p + 14, frame_their4, 4);
	memcpy(p + 24, frame_our4, 4);
	f->len = 42;
}

struct frame frame_make(enum frame_kind kind)
{
	struct frame f = {.len = 0};

	switch (kind) {
	case FRAME_ARP:
		arp(&f);
		return f;
	case FRAME_UDP4:
		udp(ipv4(&f, 17, 8 + FRAME_PAYLOAD));
		break;
	case FRAME_ECHO4:
		echo(ipv4(&f, 1, 8 + FRAME_PAYLOAD), 8);
		break;
	case FRAME_UDP6:
		udp(ipv6(&f, 17, 8 + FRAME_PAYLOAD));
		break;
	case FRAME_ECHO6:
		echo(ipv6(&f, 58, 8 + FRAME_PAYLOAD), 128);
		break;
	case FRAME_ND:
		solicitation(&f);
		break;
	default:
		abort();
	}
	frame_fix_checksums(&f);
	return f;
}

const struct net_host *frame_host(void)
{
	static struct net_addresses addresses;
	static struct net_host host = {.addresses = &addresses};

	if (addresses.n4 == 0) {
		memcpy(host.mac, frame_our_mac, 6);
		if (net_addresses_add(&addresses, 4, frame_our4, 2269) ||
			net_addresses_add(&addresses, 6, frame_our6, 2269))
			abort();
	}
	return &host;
}

const uint8_t *frame_guarded(const uint8_t *octets, size_t len)
{
	static uint8_t *pages;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *at;

	if (!pages) {
		pages = mmap(
			NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) < 0)
			abort();
	}
	at = pages + page - len;
	memcpy(at, octets, len);
	return at;
}
