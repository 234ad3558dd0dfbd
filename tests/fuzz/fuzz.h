/* SPDX-License-Identifier: BSD-3-Clause */
/* What every fuzz target defines. */
#ifndef TKMS_TESTS_FUZZ_H
#define TKMS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; aborts on what must not happen. data is exactly size octets long. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
