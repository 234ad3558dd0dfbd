/* SPDX-License-Identifier: BSD-3-Clause */
/* The workload as Ethernet frames: IPv4 and UDP with correct checksums, from many sources. */
#ifndef TKMS_BENCH_DATAPLANE_FRAMES_H
#define TKMS_BENCH_DATAPLANE_FRAMES_H

#include <stdbool.h>

#include "bench/engine/workload.h"

enum { FRAMES_HEADERS = 14 + 20 + 8, FRAMES_MAC_LEN = 6 };

struct frames_ends {
	uint8_t source_mac[FRAMES_MAC_LEN], destination_mac[FRAMES_MAC_LEN];
	uint8_t source[4], destination[4]; /* IPv4; the last two octets of source vary */
	uint16_t port;			   /* destination */
};

struct frames {
	size_t n;
	size_t stride;
	uint16_t *len;
	uint8_t *octets;
};

/* 0 or -ENOMEM. */
int frames_build(struct frames *f, const struct workload *w, const struct frames_ends *ends);
void frames_clear(struct frames *f);

static inline const uint8_t *frames_at(const struct frames *f, size_t i)
{
	return f->octets + i * f->stride;
}

static inline bool frames_is_ipv4(const uint8_t *frame, size_t len)
{
	return len >= 14 && frame[12] == 0x08 && frame[13] == 0x00;
}

/* UDP payload of an answer over IPv4; NULL when the frame is something else. */
const uint8_t *frames_payload(const uint8_t *frame, size_t len, size_t *payload_len);

#endif
