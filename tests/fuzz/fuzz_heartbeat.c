/* SPDX-License-Identifier: BSD-3-Clause */
/* What is accepted can be encoded, and means the same then. */
#include <stdlib.h>
#include <string.h>

#include "control/heartbeat.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct heartbeat h, again;
	uint8_t *out;
	size_t len;

	if (heartbeat_decode(&h, data, size) != 0)
		return 0;
	len = heartbeat_encode(&h, NULL, 0);
	if (len == 0 || len > HEARTBEAT_OCTETS_MAX)
		abort();
	out = malloc(len);
	if (!out || heartbeat_encode(&h, out, len) != len || heartbeat_encode(&h, out, len - 1))
		abort();
	if (heartbeat_decode(&again, out, len) != 0 || memcmp(&h, &again, sizeof(h)) != 0)
		abort();
	free(out);
	return 0;
}
