/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/engine_batch.h"

#include <string.h>

#include "dataplane/engine/engine.h"
#include "tests/fuzz/mikey_mutator.h"

enum { INPUT_MAX = 65535, HEAD = 2 };

struct record {
	const uint8_t *octets; /* with its length */
	size_t len;
};

/* Well-formed ones only: the fuzzed code also takes a last one that is cut. */
static unsigned int read_batch(struct record *records, const uint8_t *data, size_t size)
{
	unsigned int n = 0;

	for (size_t at = 1; at + HEAD <= size && n < ENGINE_BATCH_MAX; at += records[n++].len) {
		const size_t len = HEAD + ((size_t)data[at] << 8 | data[at + 1]);

		if (len > size - at)
			break;
		records[n] = (struct record){data + at, len};
	}
	return n;
}

static size_t write_batch(uint8_t *data, size_t max, const struct record *records, unsigned int n)
{
	static uint8_t out[INPUT_MAX];
	size_t len = 1;

	out[0] = FUZZ_BATCH;
	for (unsigned int i = 0; i < n; i++) {
		if (records[i].len > sizeof(out) - len)
			return 0;
		memcpy(out + len, records[i].octets, records[i].len);
		len += records[i].len;
	}
	if (len > max)
		return 0;
	memcpy(data, out, len);
	return len;
}

static size_t make_batch(uint8_t *data, size_t size, size_t max, unsigned int n)
{
	static uint8_t one[HEAD + INPUT_MAX];
	struct record records[ENGINE_BATCH_MAX];

	if (size > INPUT_MAX - HEAD)
		return 0;
	one[0] = (uint8_t)(size >> 8);
	one[1] = (uint8_t)size;
	memcpy(one + HEAD, data, size);
	for (unsigned int i = 0; i < n; i++)
		records[i] = (struct record){one, HEAD + size};
	return write_batch(data, max, records, n);
}

static size_t change_message(uint8_t *data, size_t max, struct record *records, unsigned int n,
	unsigned int i, uint32_t seed)
{
	static uint8_t changed[HEAD + INPUT_MAX];
	size_t len;

	memcpy(changed, records[i].octets, records[i].len);
	len = mikey_mutate(changed + HEAD, records[i].len - HEAD, INPUT_MAX, seed);
	if (len == 0)
		return 0;
	changed[0] = (uint8_t)(len >> 8);
	changed[1] = (uint8_t)len;
	records[i] = (struct record){changed, HEAD + len};
	return write_batch(data, max, records, n);
}

size_t fuzz_batch_mutate(uint8_t *data, size_t size, size_t max, uint32_t seed)
{
	struct record records[ENGINE_BATCH_MAX + 1], kept;
	const uint32_t pick = seed * 2654435761u >> 8;
	unsigned int n, i, j;

	if (size == 0 || data[0] != FUZZ_BATCH)
		return seed % 16 == 0 ? make_batch(data, size, max, 2 + pick % 8)
				      : mikey_mutate(data, size, max, pick);
	n = read_batch(records, data, size);
	if (n == 0)
		return 0;
	i = pick % n;
	j = pick / n % n;
	kept = records[i];
	switch (seed % 8) {
	case 0:
		if (n == ENGINE_BATCH_MAX)
			return 0;
		memmove(&records[j + 1], &records[j], (n - j) * sizeof(kept));
		records[j] = kept;
		return write_batch(data, max, records, n + 1);
	case 1:
		memmove(&records[i], &records[i + 1], (n - i - 1) * sizeof(kept));
		return write_batch(data, max, records, n - 1);
	case 2:
		records[i] = records[j];
		records[j] = kept;
		return write_batch(data, max, records, n);
	default:
		return change_message(data, max, records, n, i, pick);
	}
}
