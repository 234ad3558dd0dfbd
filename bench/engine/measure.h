/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measurements of one run, interleaved in short slices so that the machine's moods hit all of
 * them alike. Results are medians over the slices.
 */
#ifndef TKMS_BENCH_ENGINE_MEASURE_H
#define TKMS_BENCH_ENGINE_MEASURE_H

#include "bench/engine/counters.h"
#include "bench/engine/workload.h"

struct measure_spec {
	struct workload_spec workload;
	unsigned int batch;
	double seconds;
};

struct measure {
	double engine_ns;      /* per message */
	double single_ns;      /* per message, batch of 1 */
	double openssl_ns;     /* per message, OpenSSL's EVP, one at a time */
	double reference_ns;   /* per message, the OpenSSL backend with prepared keys, one at a time
				*/
	double compression_ns; /* floor: ipsec-mb's HMAC-SHA-256 on long messages */
	double malformed_ns;   /* per message that parsing refuses at its very end */
	double garbage_ns;     /* per message of random octets */
	double compressions;   /* per message */
	double crypto_ops[COUNTERS_CRYPTO]; /* per message */
	uint64_t rounds;		    /* slices of each */
	uint64_t counted;		    /* messages that counters below are about */
	double ticks_per_ns;
	struct counters counters;
	uint16_t request_len, response_len;
};

/* 0, or -1 after printing why. */
int measure_engine(const struct measure_spec *spec, struct measure *m);

#endif
