/* SPDX-License-Identifier: BSD-3-Clause */
/* What the KMS grants: settings of the engine, immutable once published in a snapshot. */
#ifndef TKMS_ENGINE_POLICY_H
#define TKMS_ENGINE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/identity/identity.h"

enum policy_profile {
	POLICY_3GPP,    /* I=E=F=G=H=D=1, L=M=0, N=O=1, J by policy (shared spec, section 3) */
	POLICY_RFC6043, /* whatever RFC 6043 allows */
};

struct policy_ticket_type {
	uint16_t type;
	uint8_t subtype;
	uint8_t version;
};

/* Who may request tickets for whom: first rule whose patterns match decides; none: allowed. */
struct policy_rule {
	struct identity from; /* pattern over the requester's UID */
	struct identity to;   /* pattern over each IDRr asked for, as octets (a group asked for is compared literally) */
	bool allow;
};

enum { POLICY_TYPES_MAX = 8, POLICY_RULES_MAX = 256 };

struct policy {
	enum policy_profile profile;
	struct identity kms_identity; /* IDRkms, main identity */
	uint32_t max_skew_s;          /* 300 */
	uint32_t default_lifetime_s;  /* TRe when none is asked for: T + this */
	uint32_t max_lifetime_s;      /* longest ticket lifetime */
	struct policy_ticket_type types[POLICY_TYPES_MAX];
	unsigned int n_types;
	bool allow_groups;      /* '?' in IDRr */
	bool allow_reuse;       /* J */
	bool allow_mode3;       /* initiator-made tickets */
	bool allow_no_forking;  /* I = 0 (profile rfc6043) */
	struct identity end_to_middle_app; /* IDRapp that allows network functions; len 0: never */
	const struct policy_rule *rules;
	unsigned int n_rules;
	/* caps (shared spec, section 1) */
	uint16_t max_message;   /* 8192 */
	uint16_t max_idr_r;     /* 32 */
	uint16_t max_wildcards; /* 8 per identity */
	uint16_t max_identity;  /* 255 */
	uint16_t max_keys;      /* 16 */
	/* R4: a node that may be behind is silent about keys and PSK ids it does not know. */
	bool in_sync;
};

/* Fills the defaults of the shared spec; kms_identity stays empty. */
void policy_defaults(struct policy *p);

#endif
