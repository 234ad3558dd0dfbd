/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for tests of the network layer, built and checked by code of their own. */
#ifndef TKMS_TESTS_NET_FRAMES_H
#define TKMS_TESTS_NET_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/net/packet.h"

enum { FRAME_MAX = 2048, FRAME_PAYLOAD = 40 };

struct frame {
	uint8_t octets[FRAME_MAX];
	size_t len;
};

extern const uint8_t frame_our_mac[6], frame_their_mac[6];
extern const uint8_t frame_our4[4], frame_their4[4];
extern const uint8_t frame_our6[16], frame_their6[16], frame_group6[16];

/* Every kind that the network layer accepts: echo and UDP messages carry FRAME_PAYLOAD octets. */
enum frame_kind {
	FRAME_ARP,
	FRAME_UDP4,
	FRAME_ECHO4,
	FRAME_UDP6,
	FRAME_ECHO6,
	FRAME_ND,
	FRAME_KINDS
};
struct frame frame_make(enum frame_kind kind);

/* Recomputes all checksums of an IPv4 or IPv6 frame (no options, no extension headers). */
void frame_fix_checksums(struct frame *f);

/* RFC 1071, the slow way: complemented sum of 16-bit words in network byte order. */
uint16_t frame_checksum(const uint8_t *data, size_t len, uint32_t seed);

/* Are all checksums of an IPv4 or IPv6 frame right, and do its lengths fill it (or padding up to 60
 * octets). */
bool frame_is_intact(const uint8_t *octets, size_t len);

/* The host that frames are for: frame_our_mac, frame_our4 and frame_our6, UDP port 2269. */
const struct net_host *frame_host(void);

/* A copy of len octets that ends where memory ends: reading beyond it is fatal. Released by the
 * next call. */
const uint8_t *frame_guarded(const uint8_t *octets, size_t len);

#endif
