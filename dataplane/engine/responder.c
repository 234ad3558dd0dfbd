/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/responder.h"

static struct identity responder(const uint8_t *octets, const struct mikey_id *id)
{
	return identity_nai(id->type, mikey_at(octets, id->data), id->data.len);
}

static unsigned int recorded(const struct mikey_tp_data *tp)
{
	return tp->n_idr_r < MIKEY_IDRR_MAX ? tp->n_idr_r : MIKEY_IDRR_MAX;
}

static enum responders check_one(
	const struct policy *p, const uint8_t *octets, const struct mikey_id *id)
{
	const struct identity r = responder(octets, id);
	const unsigned int wildcards = identity_wildcards(r);

	if (r.len == 0 || id->data.len > p->max_identity || id->data.len > POLICY_IDENTITY_MAX)
		return RESPONDERS_LONG;
	if (wildcards > p->max_wildcards)
		return RESPONDERS_WILDCARDS;
	if (wildcards > 0 && !p->allow_groups)
		return RESPONDERS_GROUP;
	return RESPONDERS_OK;
}

enum responders responders_check(
	const struct policy *p, const uint8_t *octets, const struct mikey_tp_data *tp)
{
	enum responders r = RESPONDERS_OK;

	if (tp->n_idr_r == 0)
		return RESPONDERS_NONE;
	if (tp->n_idr_r > p->max_idr_r || tp->n_idr_r > POLICY_IDR_R_MAX)
		return RESPONDERS_MANY;
	for (unsigned int i = 0; i < tp->n_idr_r && r == RESPONDERS_OK; i++)
		r = check_one(p, octets, &tp->idr_r[i]);
	return r;
}

bool responders_allowed(const struct policy *p, const uint8_t *octets,
	const struct mikey_tp_data *tp, struct identity from)
{
	for (unsigned int i = 0; i < recorded(tp); i++) {
		if (!policy_rule_allows(p, from, responder(octets, &tp->idr_r[i])))
			return false;
	}
	return true;
}

bool responders_include(const uint8_t *octets, const struct mikey_tp_data *tp, struct identity uid)
{
	for (unsigned int i = 0; i < recorded(tp); i++) {
		if (identity_match(responder(octets, &tp->idr_r[i]), uid))
			return true;
	}
	return false;
}
