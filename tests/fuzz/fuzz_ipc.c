/* SPDX-License-Identifier: BSD-3-Clause */
/* First octet: which decoder. What is accepted must encode to the very same octets. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(size_t n, const uint8_t *again, const uint8_t *data, size_t len)
{
	if (n != len || memcmp(again, data, len) != 0)
		abort();
}

static void fuzz_snapshot(const uint8_t *data, size_t len, uint8_t *out)
{
	static struct ipc_snapshot s;

	if (ipc_snapshot_decode(&s, data, len) == 0)
		require(ipc_snapshot_encode(&s, out, len), out, data, len);
}

static void fuzz_subscribers(const uint8_t *data, size_t len, uint8_t *out)
{
	static struct ipc_subscriber s;
	size_t off = 0, before = 0;

	while (ipc_subscriber_decode(&s, data, len, &off) == 1) {
		require(ipc_subscriber_encode(&s, out, off - before), out, data + before,
			off - before);
		before = off;
	}
}

static void fuzz_stats(const uint8_t *data, size_t len, uint8_t *out)
{
	static struct ipc_stats s;

	if (ipc_stats_decode(&s, data, len) == 0)
		require(ipc_stats_encode(&s, out, len), out, data, len);
}

static void fuzz_hello(const uint8_t *data, size_t len, uint8_t *out)
{
	struct ipc_hello h;

	if (ipc_hello_decode(&h, data, len) == 0)
		require(ipc_hello_encode(&h, out, len), out, data, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const uint8_t *, size_t, uint8_t *) = {
		fuzz_snapshot, fuzz_subscribers, fuzz_stats, fuzz_hello};
	uint8_t *out;

	if (size == 0)
		return 0;
	out = malloc(size);
	if (!out)
		abort();
	targets[data[0] % 4](data + 1, size - 1, out);
	free(out);
	return 0;
}
