/* SPDX-License-Identifier: BSD-3-Clause */
/* A question to the KMS, from building it to a judged answer or a reason why there is none. */
#ifndef TKMS_UE_ASK_H
#define TKMS_UE_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "bench/client/client.h"
#include "bench/ue/options.h"
#include "bench/ue/user.h"
#include "common/ue/resolve.h"
#include "common/ue/ticket.h"

enum { WHY_MAX = 600 };

/* How an exchange with the KMS went. */
struct asked {
	const char *step; /* "REQUEST", "RESOLVE" */
	int status;	  /* EXIT_OK, or why not */
	char why[WHY_MAX];
	char address[CLIENT_ADDRESS_TEXT + 8]; /* who answered */
	struct client_outcome net;
	struct ue_info info;
	enum ue_result result;
	size_t init_len;
	size_t resp_len;
};

/* Asks for a ticket. Returns a->status. */
int ask_request(struct options *o, const struct user *u, const struct ue_policy *policy,
	struct ue_ticket *ticket, struct asked *a);

/* Has a ticket resolved. Returns a->status. */
int ask_resolve(struct options *o, const struct user *u, const uint8_t *transfer,
	size_t transfer_len, struct ue_resolved *resolved, struct asked *a);

#endif
