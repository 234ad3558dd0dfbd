/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/authorise.h"

#include <string.h>

#include "dataplane/engine/flags.h"
#include "dataplane/engine/responder.h"

static bool initiator_made(const struct slot *s)
{
	return s->res.owner && !(s->m.ticket.flags & MIKEY_FLAG_D);
}

/*
 * D must agree with whose key it is (readings N41): the KMS makes tickets under sealing keys and,
 * in mode 2, under the PSK of the one responder, who alone may have it resolved; who else knows a
 * PSK made the ticket himself.
 */
static enum verdict check_maker(struct engine *e, const struct slot *s)
{
	const bool by_kms = s->m.ticket.flags & MIKEY_FLAG_D;

	if (s->res.sealing)
		return by_kms ? VERDICT_PENDING : VERDICT_RESOLVE_D_FLAG;
	if (!by_kms)
		return e->policy->allow_mode3 ? VERDICT_PENDING : VERDICT_RESOLVE_MODE3_DENIED;
	if (e->policy->profile != POLICY_RFC6043 || s->res.owner != s->sender)
		return VERDICT_RESOLVE_D_FLAG;
	return VERDICT_PENDING;
}

static enum verdict check_mode3_responders(
	struct engine *e, const struct slot *s, struct identity owner)
{
	if (responders_check(e->policy, s->m.octets, &s->tp) != RESPONDERS_OK)
		return VERDICT_RESOLVE_MODE3_RESPONDERS;
	if (!responders_allowed(e->policy, s->m.octets, &s->tp, owner))
		return VERDICT_RESOLVE_MODE3_DENIED;
	return VERDICT_PENDING;
}

/* An initiator-made ticket is judged as if its owner asked for it now. */
static enum verdict check_mode3(struct engine *e, const struct slot *s)
{
	const struct mikey_tp_data *tp = &s->tp;
	const int64_t latest = s->t_seconds + e->policy->max_lifetime_s;

	if (!initiator_made(s))
		return VERDICT_PENDING;
	if (!tp->idr_i.present)
		return VERDICT_RESOLVE_MODE3_OWNER;
	const struct identity idr_i = identity_nai_at(s->m.octets, &tp->idr_i);

	if (!subscriber_has_uid(s->res.owner, idr_i))
		return VERDICT_RESOLVE_MODE3_OWNER;
	if (!tp->tre.present || mikey_ntp_seconds(s->m.octets, &tp->tre) > latest)
		return VERDICT_RESOLVE_MODE3_LIFETIME;
	if (!flags_of_initiator_allowed(e->policy, s->m.ticket.flags))
		return VERDICT_RESOLVE_MODE3_FLAGS;
	return check_mode3_responders(e, s, idr_i);
}

/* Seconds and fraction in one number, across NTP eras. */
static __int128 ntp_extended(const uint8_t *octets, const struct mikey_t *t)
{
	uint8_t t64[TIMESTAMP_LEN];
	uint32_t fraction = 0;

	mikey_t64(t64, octets, t);
	for (unsigned int i = 4; i < TIMESTAMP_LEN; i++)
		fraction = fraction << 8 | t64[i];
	return (__int128)mikey_ntp_seconds(octets, t) << 32 | fraction;
}

/* TRs <= now <= TRe (readings N34). */
static enum verdict check_validity(struct engine *e, const struct slot *s)
{
	const __int128 now = (__int128)e->now_seconds << 32 | (uint32_t)e->now;
	const struct mikey_t *trs = &s->tp.trs, *tre = &s->tp.tre;

	if (trs->present && ntp_extended(s->m.octets, trs) > now)
		return e->policy->in_sync ? VERDICT_RESOLVE_NOT_YET_VALID
					  : VERDICT_RESOLVE_TIME_NOT_IN_SYNC;
	if ((tre->present && ntp_extended(s->m.octets, tre) < now) ||
		(s->res.sealing && e->now_seconds > s->res.sealing->resolves_until))
		return e->policy->in_sync ? VERDICT_RESOLVE_EXPIRED
					  : VERDICT_RESOLVE_TIME_NOT_IN_SYNC;
	return VERDICT_PENDING;
}

static enum verdict check_time_types(const struct slot *s)
{
	if ((s->tp.trs.present && s->tp.trs.type == MIKEY_TS_COUNTER) ||
		(s->tp.tre.present && s->tp.tre.type == MIKEY_TS_COUNTER))
		return VERDICT_RESOLVE_TIME_TYPE;
	return VERDICT_PENDING;
}

/* A network function, by the ticket's policy and by ours: no IDRapp means no end-to-middle. */
static bool end_to_middle(struct engine *e, const struct slot *s)
{
	const struct identity app = e->policy->end_to_middle_app;

	if (!(s->sender->roles & SUBSCRIBER_FUNCTION) || app.len == 0)
		return false;
	for (unsigned int i = 0; i < s->tp.n_idr_app && i < MIKEY_IDRAPP_MAX; i++) {
		if (identity_equal(identity_at(s->m.octets, &s->tp.idr_app[i]), app))
			return true;
	}
	return false;
}

/* Any of the sender's identities will do; the one in the message goes first (readings N51). */
static enum verdict check_responder(struct engine *e, struct slot *s)
{
	s->res.returned = s->self;
	if (responders_include(s->m.octets, &s->tp, s->self))
		return VERDICT_PENDING;
	for (unsigned int i = 0; i < s->sender->n_uids; i++) {
		s->res.returned = subscriber_uid(s->sender, i);
		if (responders_include(s->m.octets, &s->tp, s->res.returned))
			return VERDICT_PENDING;
	}
	s->res.returned = s->self;
	return end_to_middle(e, s) ? VERDICT_PENDING : VERDICT_RESOLVE_UNAUTHORIZED;
}

enum verdict authorise_ticket(struct engine *e, struct slot *s)
{
	return check_maker(e, s) ?: check_time_types(s) ?: check_mode3(e, s) ?: check_validity(e, s)
		?: check_responder(e, s);
}

static bool same_spi(const struct slot *s, const struct mikey_key *a, const struct mikey_key *b)
{
	return a->spi.len == b->spi.len && memcmp(mikey_at(s->res.plain, a->spi),
						   mikey_at(s->res.plain, b->spi), a->spi.len) == 0;
}

/* As it would be granted: every session key has an SPI that no other has (6.2.1, readings N44). */
static bool key_grantable(const struct slot *s, unsigned int i)
{
	const struct mikey_key *k = &s->res.keys[i];

	if (mikey_key_has_salt(k->type) && (k->salt.len < 1 || k->salt.len > SALT_MAX))
		return false;
	if (k->kv != MIKEY_KV_SPI || k->spi.len == 0)
		return false;
	for (unsigned int j = 1; j < i; j++) {
		if (same_spi(s, k, &s->res.keys[j]))
			return false;
	}
	return true;
}

enum verdict authorise_keys(struct engine *e, struct slot *s)
{
	bool tgk = false;

	if (!initiator_made(s))
		return VERDICT_PENDING;
	if (s->res.n_keys - 1 > e->policy->max_keys)
		return VERDICT_RESOLVE_MODE3_KEYS;
	for (unsigned int i = 1; i < s->res.n_keys; i++) {
		if (!key_grantable(s, i))
			return VERDICT_RESOLVE_MODE3_KEYS;
		tgk |= key_is_tgk(s->res.keys[i].type);
	}
	return flags_contradict(s->m.ticket.flags, tgk) ? VERDICT_RESOLVE_MODE3_FLAGS
							: VERDICT_PENDING;
}
