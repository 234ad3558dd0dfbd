/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resolver: a batch of REQUEST_INIT and RESOLVE_INIT messages in, verdicts and responses out.
 *
 * A pure function of message, keyring, subscribers, policy and clock (ARCHITECTURE.md, rules
 * R1-R4): no random numbers, no state between calls, no allocation, no system call. A struct engine
 * holds scratch memory only and belongs to one thread.
 */
#ifndef TKMS_ENGINE_ENGINE_H
#define TKMS_ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "dataplane/engine/keyring.h"
#include "dataplane/engine/policy.h"
#include "dataplane/engine/subscribers.h"
#include "dataplane/engine/verdict.h"

enum { ENGINE_BATCH_MAX = 64, ENGINE_NO_SLOT = UINT16_MAX };

/* Everything an answer depends on but the message. Immutable while engine_process() runs. */
struct engine_view {
	const struct keyring *keyring;
	const struct policy *policy;
	const struct subscriber_table *subscribers;
};

struct engine_msg {
	/* in */
	const uint8_t *request;
	uint8_t *response; /* may not overlap request */
	uint16_t request_len;
	uint16_t response_cap;
	/* out */
	uint16_t response_len; /* 0: silence */
	uint16_t verdict;      /* enum verdict */
	/* Slot of the sealing key that sealed the ticket granted or resolved; ENGINE_NO_SLOT: none */
	uint16_t key_slot;
};

struct engine;

/*
 * Takes a crypto context of the calling thread (not owned). NULL with errno ENOMEM: scratch is
 * secret memory, some 3.5 MB, which RLIMIT_MEMLOCK may forbid.
 */
struct engine *engine_new(struct crypto *crypto);
void engine_free(struct engine *e);

/*
 * What is asked about every message whose MAC is right before anything more is spent on it:
 * VERDICT_PENDING lets it pass. mac: of the message, at least 20 octets; a message with another MAC
 * is another message. NULL: all pass (the default).
 */
typedef enum verdict (*engine_admit_fn)(
	void *arg, const struct subscriber *sender, const uint8_t *mac);
void engine_set_admission(struct engine *e, engine_admit_fn fn, void *arg);

/*
 * Processes n <= ENGINE_BATCH_MAX messages. ntp_now: the clock as 64-bit NTP time, read once per
 * burst by the caller. A response is a full answer or an Error message; Errors to unauthenticated
 * messages (verdict_info()->authenticated is false) are never longer than the message, and the
 * caller limits their rate.
 */
void engine_process(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n);

/*
 * For tests: replaces what the engine generates (RANDRkms, MPK, keys, SPIs, ticket RAND and T,
 * fraction of the response's T), so that a response can be compared with a vector octet by octet.
 * Called after the KDF, may overwrite out. NULL: off (the default).
 */
enum engine_generated { /* the numbers go into the KDF: they never change */
	ENGINE_GEN_MPK,
	ENGINE_GEN_MPK_SPI,
	ENGINE_GEN_KEY,
	ENGINE_GEN_SALT,
	ENGINE_GEN_SPI,
	ENGINE_GEN_TICKET_RAND,
	ENGINE_GEN_TICKET_T, /* 8 octets */
	ENGINE_GEN_RANDRKMS,
	ENGINE_GEN_RESPONSE_T, /* 8 octets */
};
typedef void (*engine_generated_fn)(void *arg, unsigned int msg, enum engine_generated what,
	unsigned int index, uint8_t *out, size_t len);
void engine_test_generated(struct engine *e, engine_generated_fn fn, void *arg);

#endif
