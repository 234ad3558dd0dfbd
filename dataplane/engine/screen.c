/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

enum { CACHE_LINE = 64, PREFETCH_MAX = 1024, PREFETCH_AHEAD = 4 };

static inline unsigned int cap(unsigned int setting, unsigned int most)
{
	return setting < most ? setting : most;
}

static enum verdict check_data_type(const struct engine *e, struct slot *s)
{
	switch (s->m.data_type) {
	case MIKEY_REQUEST_INIT_PSK:
		s->op = SLOT_REQUEST;
		return e->policy->roles & POLICY_REQUEST ? VERDICT_PENDING : VERDICT_MESSAGE_ROLE;
	case MIKEY_RESOLVE_INIT_PSK:
		s->op = SLOT_RESOLVE;
		return e->policy->roles & POLICY_RESOLVE ? VERDICT_PENDING : VERDICT_MESSAGE_ROLE;
	case MIKEY_REQUEST_INIT_PK:
	case MIKEY_RESOLVE_INIT_PK:
		return VERDICT_MESSAGE_PUBLIC_KEY;
	default:
		return VERDICT_MESSAGE_DATA_TYPE;
	}
}

/* Whatever answers these may end in two KMSs answering each other for ever. */
static bool never_answered(uint8_t data_type)
{
	return data_type == MIKEY_ERROR || data_type == MIKEY_REQUEST_RESP ||
	       data_type == MIKEY_TRANSFER_INIT || data_type == MIKEY_TRANSFER_RESP ||
	       data_type == MIKEY_RESOLVE_RESP;
}

static enum verdict screen_header(struct engine *e, struct slot *s)
{
	const size_t len = s->msg->request_len;

	if (mikey_parse_header(&s->m, s->msg->request, len) == MIKEY_PARSE_SHORT)
		return VERDICT_MESSAGE_SHORT;
	if (never_answered(s->m.data_type))
		return VERDICT_MESSAGE_RESPONSE_TYPE;
	if (s->m.version != 1)
		return VERDICT_MESSAGE_VERSION;
	if (len > cap(e->policy->max_message, POLICY_MESSAGE_MAX))
		return VERDICT_MESSAGE_OVERSIZE;
	const enum verdict v = check_data_type(e, s);

	if (v != VERDICT_PENDING)
		return v;
	if (s->m.prf != MIKEY_PRF_MIKEY_1 && s->m.prf != MIKEY_PRF_HMAC_SHA_256)
		return VERDICT_MESSAGE_PRF;
	s->hash = s->m.prf == MIKEY_PRF_MIKEY_1 ? CRYPTO_SHA1 : CRYPTO_SHA256;
	return VERDICT_PENDING;
}

static enum verdict unsupported(uint8_t error_no)
{
	switch (error_no) {
	case MIKEY_ERR_INVALID_TS:
		return VERDICT_MESSAGE_TS_TYPE;
	case MIKEY_ERR_INVALID_MAC:
		return VERDICT_MESSAGE_MAC_ALG;
	case MIKEY_ERR_INVALID_HA:
		return VERDICT_MESSAGE_HASH_FUNC;
	case MIKEY_ERR_INVALID_DH:
		return VERDICT_MESSAGE_DH_GROUP;
	default:
		return VERDICT_MESSAGE_MALFORMED;
	}
}

static enum verdict parse(struct slot *s)
{
	switch (mikey_parse_payloads(&s->m)) {
	case MIKEY_PARSE_OK:
		return VERDICT_PENDING;
	case MIKEY_PARSE_UNSUPPORTED:
		return unsupported(s->m.unsupported_error);
	default:
		return VERDICT_MESSAGE_MALFORMED;
	}
}

/* V and what of HDR goes with it. */
static enum verdict screen_algorithms(const struct slot *s)
{
	const struct mikey_v *v = &s->m.v;

	if (!v->present || !s->m.v_last)
		return VERDICT_MESSAGE_NO_V;
	if (mikey_mac_len(v->auth_alg) <= 0)
		return VERDICT_MESSAGE_MAC_ALG;
	if (v->auth_alg != hash_auth_alg(s->hash))
		return VERDICT_MESSAGE_MIXED;
	return VERDICT_PENDING;
}

static enum verdict screen_presence(struct slot *s)
{
	const struct mikey_randr *randr =
		&s->m.randr[s->op == SLOT_REQUEST ? MIKEY_RANDRI : MIKEY_RANDRR];

	if (!s->m.t.present)
		return VERDICT_MESSAGE_NO_T;
	if (!randr->present || randr->data.len == 0)
		return VERDICT_MESSAGE_NO_RANDR;
	if (s->op == SLOT_REQUEST && !s->m.tp.present)
		return VERDICT_MESSAGE_NO_TP;
	if (s->op == SLOT_RESOLVE && !s->m.ticket.present)
		return VERDICT_MESSAGE_NO_TICKET;
	s->randr = (struct kdf_rand){mikey_at(s->m.octets, randr->data), (uint8_t)randr->data.len};
	return VERDICT_PENDING;
}

static enum verdict screen_identities(struct engine *e, const struct slot *s)
{
	for (unsigned int role = MIKEY_IDRI; role <= MIKEY_IDRAPP; role++) {
		if (s->m.idr[role].data.len > cap(e->policy->max_identity, POLICY_IDENTITY_MAX))
			return VERDICT_MESSAGE_IDENTITY_LONG;
	}
	const unsigned int self = s->op == SLOT_REQUEST ? MIKEY_IDRI : MIKEY_IDRR;

	if (!s->m.idr[MIKEY_IDRPSK].present && !s->m.idr[self].present)
		return VERDICT_MESSAGE_NO_IDENTITY;
	return VERDICT_PENDING;
}

static enum verdict screen_time(struct engine *e, struct slot *s)
{
	uint8_t t64[TIMESTAMP_LEN];
	uint64_t t = 0;

	if (s->m.t.type == MIKEY_TS_COUNTER)
		return VERDICT_MESSAGE_COUNTER;
	mikey_t64(t64, s->m.octets, &s->m.t);
	for (unsigned int i = 0; i < TIMESTAMP_LEN; i++)
		t = t << 8 | t64[i];
	/* Modulo 2^64, so that it holds across the end of an NTP era. */
	const uint64_t ahead = t - e->now, behind = e->now - t;
	const uint64_t skew = (uint64_t)e->policy->max_skew_s << 32;

	if (ahead > skew && behind > skew)
		return e->policy->in_sync ? VERDICT_MESSAGE_SKEW : VERDICT_MESSAGE_SKEW_NOT_IN_SYNC;
	s->t_seconds = mikey_ntp_seconds(s->m.octets, &s->m.t);
	return VERDICT_PENDING;
}

/* Octets of a message that comes later in the batch: they take longer to arrive than a message to
 * be screened. */
static void prefetch_message(const struct engine *e, unsigned int number)
{
	if (number >= e->n)
		return;
	const struct engine_msg *msg = e->slots[number].msg;

	for (size_t at = 0; at < msg->request_len && at < PREFETCH_MAX; at += CACHE_LINE)
		__builtin_prefetch(msg->request + at);
}

static void screen(struct engine *e, struct slot *s)
{
	prefetch_message(e, s->number + PREFETCH_AHEAD);
	s->verdict = screen_header(e, s) ?: parse(s) ?: screen_algorithms(s) ?: screen_presence(s)
		?: screen_time(e, s) ?: screen_identities(e, s);
}

void stage_screen(struct engine *e)
{
	slots_each(e, SLOT_ANY, screen);
}
