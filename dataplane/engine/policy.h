/* SPDX-License-Identifier: BSD-3-Clause */
/* What the KMS grants: settings of the engine, immutable once published in a snapshot. */
#ifndef TKMS_ENGINE_POLICY_H
#define TKMS_ENGINE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/identity/identity.h"

enum policy_profile {
	POLICY_3GPP,	/* I=E=F=G=H=D=1, L=M=0, N=O=1, J by policy */
	POLICY_RFC6043, /* whatever RFC 6043 allows */
};

enum policy_role { POLICY_REQUEST = 1 << 0, POLICY_RESOLVE = 1 << 1 };

struct policy_ticket_type {
	uint16_t type;
	uint8_t subtype;
	uint8_t version;
};

/* Who may request tickets for whom: first rule whose patterns match decides; none: allowed. */
struct policy_rule {
	struct identity from; /* pattern over the requester's UID */
	struct identity to;   /* pattern over each IDRr asked for, as octets (a group asked for is
				 compared literally) */
	bool allow;
};

enum {
	POLICY_TYPES_MAX = 8,
	POLICY_RULES_MAX = 256,
	/* Largest values of the caps: what the engine has memory for. */
	POLICY_MESSAGE_MAX = 16384,
	POLICY_IDR_R_MAX = 32,
	POLICY_IDENTITY_MAX = 255,
	POLICY_KEYS_MAX = 16,
};

struct policy {
	enum policy_profile profile;
	struct identity kms_identity; /* IDRkms, main identity */
	uint32_t max_skew_s;	      /* 300 */
	uint32_t default_lifetime_s;  /* TRe when none is asked for: T + this */
	uint32_t max_lifetime_s;      /* longest ticket lifetime */
	struct policy_ticket_type types[POLICY_TYPES_MAX];
	unsigned int n_types;
	bool allow_groups;		   /* '?' in IDRr */
	bool allow_reuse;		   /* J */
	bool allow_mode3;		   /* initiator-made tickets */
	bool allow_no_forking;		   /* I = 0, profile rfc6043 only; also what mode 2 needs */
	struct identity end_to_middle_app; /* IDRapp that allows network functions; len 0: never */
	const struct policy_rule *rules;
	unsigned int n_rules;
	/* Caps and their defaults. A value above POLICY_*_MAX counts as that. */
	uint16_t max_message;	/* 8192 octets */
	uint16_t max_idr_r;	/* 32 in a ticket */
	uint16_t max_wildcards; /* 8 per identity */
	uint16_t max_identity;	/* 255 octets */
	uint16_t max_keys;	/* 16 in a ticket, besides the MPK */
	/* R4: a node that may be behind is silent about keys and PSK ids it does not know. */
	bool in_sync;
	uint8_t roles; /* enum policy_role: what is answered at all */
};

/* Profile 3gpp, everything it can grant allowed, in sync; kms_identity and rules stay empty. */
void policy_defaults(struct policy *p);

bool policy_type_allowed(const struct policy *p, uint16_t type, uint8_t subtype, uint8_t version);

/* What the rules say about a ticket of requester from for responder (or group) to. */
bool policy_rule_allows(const struct policy *p, struct identity from, struct identity to);

#endif
