/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/dataplane/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 4096, PROTOCOL_UDP = 17, SOURCE_PORT_MIN = 1024 };

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (i < len)
		sum += (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void write_frame(uint8_t *frame, const struct frames_ends *ends, const uint8_t *payload,
	size_t len, size_t number)
{
	uint8_t *ip = frame + 14, *udp = ip + 20;
	size_t udp_len = 8 + len;
	uint16_t sum;

	memcpy(frame, ends->destination_mac, FRAMES_MAC_LEN);
	memcpy(frame + FRAMES_MAC_LEN, ends->source_mac, FRAMES_MAC_LEN);
	put16(frame + 12, 0x0800);
	memset(ip, 0, 28);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + udp_len));
	ip[8] = 64;
	ip[9] = PROTOCOL_UDP;
	memcpy(ip + 12, ends->source, 4);
	put16(ip + 14, 256 + (uint32_t)(number % SOURCES));
	memcpy(ip + 16, ends->destination, 4);
	put16(ip + 10, folded(sum16(ip, 20, 0)));
	put16(udp, SOURCE_PORT_MIN + (uint32_t)(number * 7 % (65536 - SOURCE_PORT_MIN)));
	put16(udp + 2, ends->port);
	put16(udp + 4, (uint32_t)udp_len);
	memcpy(udp + 8, payload, len);
	sum = folded(sum16(udp, udp_len, sum16(ip + 12, 8, PROTOCOL_UDP + (uint32_t)udp_len)));
	put16(udp + 6, sum ? sum : 0xffff);
}

int frames_build(struct frames *f, const struct workload *w, const struct frames_ends *ends)
{
	f->n = w->n;
	f->stride = (w->message_len + FRAMES_HEADERS + 63U) & ~63U;
	f->octets = malloc(f->n * f->stride);
	f->len = malloc(f->n * sizeof(*f->len));
	if (!f->octets || !f->len) {
		frames_clear(f);
		return -ENOMEM;
	}
	for (size_t i = 0; i < f->n; i++) {
		write_frame(f->octets + i * f->stride, ends, w->message[i].octets,
			w->message[i].len, i);
		f->len[i] = (uint16_t)(w->message[i].len + FRAMES_HEADERS);
	}
	return 0;
}

void frames_clear(struct frames *f)
{
	free(f->octets);
	free(f->len);
	memset(f, 0, sizeof(*f));
}

const uint8_t *frames_payload(const uint8_t *frame, size_t len, size_t *payload_len)
{
	size_t ip_len, udp_len;

	if (len < FRAMES_HEADERS || frame[12] != 0x08 || frame[13] != 0x00 || frame[14] != 0x45 ||
		frame[23] != PROTOCOL_UDP)
		return NULL;
	ip_len = (size_t)frame[16] << 8 | frame[17];
	udp_len = (size_t)frame[38] << 8 | frame[39];
	if (ip_len > len - 14 || udp_len < 8 || udp_len > ip_len - 20)
		return NULL;
	*payload_len = udp_len - 8;
	return frame + FRAMES_HEADERS;
}
