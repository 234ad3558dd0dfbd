/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's end of a shared-memory port: DPDK's memif driver as client. All of DPDK in
 * tkms-bench is behind this header. One per process; the calling thread becomes DPDK's main thread.
 */
#ifndef TKMS_BENCH_DATAPLANE_MEMIF_H
#define TKMS_BENCH_DATAPLANE_MEMIF_H

#include <stdint.h>

enum {
	MEMIF_BURST = 32,
	MEMIF_RING_LOG2 = 12, /* slots of a ring */
};

struct memif;

struct memif_frame {
	const uint8_t *data;
	uint16_t len;
	void *buffer; /* private */
};

/* Opens the port and waits for its link. NULL after printing why. */
struct memif *memif_open(const char *socket_path, int cpu, unsigned int timeout_ms);
void memif_close(struct memif *m);

/* Sends n <= MEMIF_BURST frames, copying them. Returns how many: the ring has no room for the
 * others. */
unsigned int memif_send(
	struct memif *m, const uint8_t *const *data, const uint16_t *len, unsigned int n);

/* Receives up to n <= MEMIF_BURST frames; give all back before the next call. */
unsigned int memif_receive(struct memif *m, struct memif_frame *frames, unsigned int n);
void memif_give_back(struct memif *m, struct memif_frame *frames, unsigned int n);

#endif
