/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * REQUEST and RESOLVE exchanges as UEs see them, many at a time: what the load generator sends and
 * how every answer is verified. The UE library (common/ue) does one message at a time with all
 * options; here a batch of like messages shares the vector lanes, so that one core can drive and
 * verify more than a KMS worker answers.
 *
 * An exchanger belongs to one thread. Nothing allocates after exchanger_new().
 */
#ifndef TKMS_BENCH_EXCHANGE_EXCHANGE_H
#define TKMS_BENCH_EXCHANGE_EXCHANGE_H

#include <stdint.h>

#include "bench/party.h"
#include "bench/rng.h"
#include "common/crypto/crypto.h"
#include "common/identity/identity.h"
#include "common/mikey/message.h"

enum {
	EXCHANGE_BATCH_MAX = 64,
	EXCHANGE_MESSAGE_MAX = 3072, /* longest message built: 16 keys and long identities */
	EXCHANGE_ANSWER_MAX = 4096,
	EXCHANGE_KEYS_MAX = 16,
	GRANT_TICKET_MAX = 2560,
};

enum exchange_suite { EXCHANGE_SUITE_A, EXCHANGE_SUITE_B };
enum exchange_forking { EXCHANGE_FORKED, EXCHANGE_NOT_FORKED };

struct exchange_config {
	enum exchange_suite suite;
	enum exchange_forking forking; /* asked for in tickets */
	unsigned int tgks;	       /* keys asked for, 1..EXCHANGE_KEYS_MAX */
	uint32_t lifetime_s;	       /* validity asked for */
	struct identity kms;	       /* IDRkms; the octets stay the caller's */
};

struct exchange_key {
	uint8_t type; /* enum mikey_key_type */
	uint8_t len;
	uint8_t octets[CRYPTO_INKEY_MAX];
};

/* A ticket and the keys that came with it. Secret. */
struct grant {
	const struct party *initiator;
	const struct party *responder;
	struct exchange_key mpk_i, mpk_r; /* mpk_r.len 0: not forked */
	struct exchange_key key[EXCHANGE_KEYS_MAX];
	uint8_t n_keys;
	uint8_t prf; /* of the ticket policy */
	uint16_t ticket_len;
	uint8_t ticket[GRANT_TICKET_MAX]; /* body of the TICKET payload, as a Responder gets it:
					     with Initiator Data */
};

enum exchange_kind { EXCHANGE_REQUEST, EXCHANGE_RESOLVE };

/* One exchange under way. The caller fills kind, the parties, csb_id, octets and cap;
 * exchanger_build() the rest. */
struct exchange {
	enum exchange_kind kind;
	const struct party *initiator, *responder; /* REQUEST */
	const struct grant *grant;		   /* RESOLVE: asked by grant->responder */
	uint32_t csb_id;
	uint8_t *octets;
	uint16_t cap;
	uint16_t len; /* 0: it did not fit */
	uint8_t rand[32];
};

enum exchange_result {
	EXCHANGE_OK,
	EXCHANGE_ERROR_VERIFIED, /* an Error message with a right MAC */
	EXCHANGE_ERROR_HINT,	 /* an Error message without */
	EXCHANGE_MALFORMED,
	EXCHANGE_HEADER, /* not the answer to this message: type, CSB ID, PRF, missing payloads */
	EXCHANGE_SKEW,	 /* T is more than 300 s off */
	EXCHANGE_MAC,
	EXCHANGE_KEMAC,	 /* does not decrypt to keys */
	EXCHANGE_KEYS,	 /* keys are not those asked for, or not those the ticket's maker has */
	EXCHANGE_POLICY, /* the ticket is not for whom it was asked */
	EXCHANGE_RESULTS,
};
const char *exchange_result_text(enum exchange_result r);

struct exchange_answer {
	const struct exchange *x;
	const uint8_t *octets;
	uint32_t len;
	struct grant *grant; /* REQUEST: receives the ticket and keys, without Initiator Data; NULL:
				only checked */
	enum exchange_result result;
	int error_no; /* of an Error message, else -1 */
};

struct exchanger;

/* backend: as for crypto_open(). NULL with errno. */
struct exchanger *exchanger_new(
	const char *backend, const struct exchange_config *config, uint64_t seed);
void exchanger_free(struct exchanger *e);
struct crypto *exchanger_crypto(struct exchanger *e);
struct rng *exchanger_rng(struct exchanger *e);

/* Builds n <= EXCHANGE_BATCH_MAX initial messages. ntp_now: their T. */
void exchanger_build(
	struct exchanger *e, struct exchange *const *x, unsigned int n, uint64_t ntp_now);

/* Judges n <= EXCHANGE_BATCH_MAX answers in full: MAC, keys, and for a RESOLVE that the Initiator
 * has the same keys. */
void exchanger_check(
	struct exchanger *e, struct exchange_answer *a, unsigned int n, uint64_t ntp_now);

/*
 * Adds the Initiator Data to tickets just granted (n <= EXCHANGE_BATCH_MAX), with a MAC of a
 * TRANSFER_INIT that is only pretended: the KMS never sees that message. Tickets that are not
 * forked get an empty one.
 */
void exchanger_finish_tickets(struct exchanger *e, struct grant *const *g, unsigned int n);

/* Seconds since 1970 and a fraction to NTP time. */
static inline uint64_t exchange_ntp(uint64_t unix_ns)
{
	return ((unix_ns / 1000000000 + 2208988800ULL) << 32) |
	       ((unix_ns % 1000000000) << 32) / 1000000000;
}

#endif
