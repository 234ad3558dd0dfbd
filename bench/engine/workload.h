/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine benchmarks process: a KMS's keyring, policy and subscriber table in memory, and
 * distinct valid messages of many subscribers. Every message has been answered once while it was
 * built, and the answer verified as a UE does, with OpenSSL.
 */
#ifndef TKMS_BENCH_ENGINE_WORKLOAD_H
#define TKMS_BENCH_ENGINE_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "bench/exchange/exchange.h"
#include "dataplane/engine/engine.h"

enum workload_op { WORKLOAD_RESOLVE, WORKLOAD_REQUEST };

struct workload_spec {
	enum workload_op op;
	enum exchange_suite suite;
	enum exchange_forking forking;
	unsigned int tgks;
	size_t subscribers;
	size_t messages;
	size_t size; /* octets of a RESOLVE_INIT, reached with longer identities; 0: as it comes */
	double bad;  /* share of messages with one octet under the MAC changed */
	size_t samples; /* messages whose exchange is kept */
	double garbage; /* share of messages that are random octets */
};

/* What is needed to verify the answer to a message in full. */
struct workload_sample {
	size_t message;
	struct exchange exchange; /* octets: those of the message */
	struct grant grant;	  /* RESOLVE */
};

/* CSB ID of a message: its number. */
struct workload_message {
	const uint8_t *octets;
	uint16_t len;
	uint16_t verdict; /* enum verdict expected; VERDICT_COUNT: any refusal */
};

struct workload {
	struct workload_spec spec;
	struct parties parties;
	struct keyring keyring;
	uint8_t tpk[32]; /* of its only key */
	struct policy policy;
	struct subscriber_table *table;
	char kms[64];
	uint64_t ntp_now;
	size_t n;
	struct workload_message *message;
	uint8_t *octets;
	size_t n_samples;
	struct workload_sample *sample; /* in order of messages */
	uint16_t message_len;		/* of the longest valid one */
	uint16_t response_len;
};

/* NULL after printing why. */
struct workload *workload_build(const struct workload_spec *spec);
void workload_free(struct workload *w);
struct engine_view workload_view(const struct workload *w);

#endif
