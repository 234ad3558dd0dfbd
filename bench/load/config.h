/* SPDX-License-Identifier: BSD-3-Clause */
/* What tkms-bench load was asked to do. */
#ifndef TKMS_BENCH_LOAD_CONFIG_H
#define TKMS_BENCH_LOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/exchange/exchange.h"

enum {
	LOAD_SUBSCRIBERS = 1000, /* generated ones when no file is given */
	LOAD_UID_LEN = 50,
	LOAD_PSK_LEN = 32,
	LOAD_PORT = 2269,
	LOAD_ADDRESSES_MAX = 32,
	LOAD_TIMEOUT_MS = 5000, /* without a verified answer by then an exchange has failed */
};

enum load_op { LOAD_RESOLVE, LOAD_REQUEST, LOAD_MIX };

struct load_config {
	const char *kms;	 /* comma-separated */
	const char *subscribers; /* file, or NULL */
	const char *identity;	 /* of the KMS, or NULL: found out */
	const char *bind;	 /* prefix of source addresses, or NULL */
	const char *backend;	 /* of common/crypto */
	const char *save;	 /* file for messages, or NULL: send them */
	double rate;		 /* per second; 0: as fast as answers come */
	double seconds;
	enum load_op op;
	enum exchange_suite suite;
	enum exchange_forking forking;
	unsigned int tgks;
	unsigned int sources;
	unsigned int tickets;
	unsigned int window; /* in flight with rate max, and while tickets are fetched */
	uint32_t lifetime_s;
	bool json;
};

/* Parses the command line; ends the program on errors and --help. */
void load_config_parse(struct load_config *c, int argc, char **argv);

#endif
