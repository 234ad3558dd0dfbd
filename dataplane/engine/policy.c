/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/policy.h"

#include <string.h>

void policy_defaults(struct policy *p)
{
	memset(p, 0, sizeof(*p));
	p->profile = POLICY_3GPP;
	p->max_skew_s = 300;
	p->default_lifetime_s = 3600;
	p->max_lifetime_s = 7 * 86400;
	p->types[0] = (struct policy_ticket_type){.type = 1, .subtype = 1, .version = 1};
	p->types[1] = (struct policy_ticket_type){.type = 2, .subtype = 0, .version = 0};
	p->n_types = 2;
	p->allow_groups = true;
	p->allow_reuse = true;
	p->allow_mode3 = true;
	p->allow_no_forking = true;
	p->max_message = 8192;
	p->max_idr_r = POLICY_IDR_R_MAX;
	p->max_wildcards = 8;
	p->max_identity = POLICY_IDENTITY_MAX;
	p->max_keys = POLICY_KEYS_MAX;
	p->in_sync = true;
	p->roles = POLICY_REQUEST | POLICY_RESOLVE;
}

bool policy_type_allowed(const struct policy *p, uint16_t type, uint8_t subtype, uint8_t version)
{
	for (unsigned int i = 0; i < p->n_types; i++) {
		const struct policy_ticket_type *t = &p->types[i];

		if (t->type == type && t->subtype == subtype && t->version == version)
			return true;
	}
	return false;
}

bool policy_rule_allows(const struct policy *p, struct identity from, struct identity to)
{
	for (unsigned int i = 0; i < p->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];

		if (identity_match(r->from, from) && identity_match(r->to, to))
			return r->allow;
	}
	return true;
}
