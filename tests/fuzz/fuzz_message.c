/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire format: parser, parts of tickets, keys, map, dissector, and the forms of tkmsctl
 * decode's input. */
#include <stdlib.h>

#include "common/mikey/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mikey_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t decoded[MIKEY_MESSAGE_MAX];
	enum mikey_input form;
	ssize_t n;

	mikey_walk(data, size);
	mikey_walk_parts(data, size);
	mikey_walk_decode(data, size);
	n = mikey_decode_input(data, size, decoded, sizeof(decoded), &form);
	if (n > (ssize_t)sizeof(decoded))
		abort();
	if (n > 0 && form != MIKEY_INPUT_BINARY)
		mikey_walk(decoded, (size_t)n);
	return 0;
}
