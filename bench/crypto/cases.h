/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of common/crypto to time: what, how long, how many at once. */
#ifndef TKMS_BENCH_CRYPTO_CASES_H
#define TKMS_BENCH_CRYPTO_CASES_H

#include <stdint.h>

#include "common/crypto/crypto.h"

enum case_op { CASE_PRF, CASE_MAC, CASE_CM, CASE_KEY_PREPARE };
enum case_key { CASE_RAW, CASE_PREPARED };

struct crypto_case {
	enum case_op op;
	enum case_key key;
	uint8_t hash;	  /* enum crypto_hash; PRF and MAC */
	uint8_t key_len;  /* octets; CM and raw keys */
	uint16_t len;	  /* octets: label, message, text */
	uint16_t out_len; /* PRF */
};

extern const struct crypto_case crypto_cases[];
extern const unsigned int crypto_cases_count;

/* "prf sha256 prepared" */
const char *crypto_case_name(const struct crypto_case *c, char *buf, unsigned int cap);

enum { CASE_BATCH_MAX = 256, CASE_LEN_MAX = 8192 };

/* Operands for CASE_BATCH_MAX operations, each with memory of its own. */
struct case_operands;
struct case_operands *case_operands_new(void);
void case_operands_free(struct case_operands *o);

/* ns an operation, the best of several slices that together take ns: what the code can do when
 * nothing disturbs it. */
double crypto_case_time(struct crypto *ctx, const struct crypto_case *c, struct case_operands *o,
	unsigned int batch, uint64_t ns);

#endif
