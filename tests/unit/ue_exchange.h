/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One exchange of exchanges.json as both UEs live through it: random draws, the clock and what the
 * users want come from the vector, so that every message that a UE builds has to equal the
 * vector's.
 */
#ifndef TKMS_TESTS_UE_EXCHANGE_H
#define TKMS_TESTS_UE_EXCHANGE_H

#include <jansson.h>

#include "common/mikey/message.h"
#include "common/ue/answer.h"
#include "common/ue/finish.h"
#include "common/ue/make.h"
#include "common/ue/policy.h"
#include "common/ue/request.h"
#include "common/ue/resolve.h"
#include "common/ue/ticket.h"
#include "common/ue/transfer.h"

enum { EXCHANGES = 30, MESSAGE_MAX = 4096 };

struct octets {
	size_t len;
	uint8_t data[MESSAGE_MAX];
};

/* A UE with the memory that its identities point into. */
struct user {
	struct ue ue;
	struct ue_tpk own; /* its PSK as a TPK */
	struct identity uids[4];
	uint8_t psk[32];
	struct exchange *exchange;
};

struct exchange {
	json_t *all; /* the file */
	json_t *json;
	const char *name;
	enum ue_suite suite;
	int mode;
	struct user alice, bob;
	struct identity recipients[UE_RECIPIENTS_MAX];
	struct identity apps[UE_APPS_MAX];
	uint8_t shared_tpk[32]; /* of alice and bob (mode 4) */
	struct ue_tpk tpk;	/* mode 2: bob's PSK, mode 3: alice's, mode 4: the shared one */
	/* where random draws come from */
	const json_t *step;
	unsigned int drawn;
	/* the vector's messages; len 0: not in this exchange */
	struct octets request, request_resp, transfer, resolve, resolve_resp, transfer_resp;
	/* of an exchange that was run */
	struct ue_ticket ticket;
	struct ue_resolved resolved;
	struct ue_sessions sessions_a, sessions_b;
};

/* Loads the i-th exchange; crypto: the context of both. Free with exchange_close(). */
void exchange_open(struct exchange *x, unsigned int i, struct crypto *crypto);
void exchange_close(struct exchange *x);

/* The same by name and suite ('A', 'B'). */
void exchange_open_named(struct exchange *x, const char *name, char suite, struct crypto *crypto);

/* Makes random draws come from the step of that name. */
void exchange_step(struct exchange *x, const char *step);

/* T of a message, as the clock. */
uint64_t exchange_clock(const struct octets *m);

/* The policy that the TP (or TICKET) of the vector's message asks for. Points into x. */
void exchange_policy(struct exchange *x, const struct octets *m, struct ue_policy *policy);

/* The key data that bob sends (pre-encrypted content). 0: none. */
int exchange_responder_keys(struct exchange *x, struct ue_keyset *keys);

/*
 * The steps. Each fails the test unless the message built equals the vector's, and the one
 * processed is accepted. exchange_run: all of them.
 */
void exchange_get_ticket(struct exchange *x);
void exchange_transfer(struct exchange *x);
void exchange_resolve(struct exchange *x);
void exchange_answer(struct exchange *x);
void exchange_finish(struct exchange *x);
void exchange_run(struct exchange *x);

#endif
