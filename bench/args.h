/* SPDX-License-Identifier: BSD-3-Clause */
/* Command line values. A wrong one ends the program with status 2 and a line that names it: call
 * while nothing is open. */
#ifndef TKMS_BENCH_ARGS_H
#define TKMS_BENCH_ARGS_H

#include <stdint.h>

enum { EXIT_USAGE = 2 };

/* A whole number of [min, max]. */
uint64_t args_number(const char *option, const char *value, uint64_t min, uint64_t max);

/* A decimal number of [min, max]. */
double args_real(const char *option, const char *value, double min, double max);

/* Index of value among n words. */
unsigned int args_word(
	const char *option, const char *value, const char *const *words, unsigned int n);

_Noreturn void args_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
