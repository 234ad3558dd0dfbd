/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/engine/flags.h"
#include "dataplane/engine/request.h"
#include "dataplane/engine/respond.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

/* The last second that TRe can say (RFC 4330: 2036..2104 have a first bit of 0). */
#define TRE_LAST ((INT64_C(1) << 32) + (INT64_C(1) << 31) - 1)

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool has_tgk(const struct grant *g)
{
	for (unsigned int i = 0; i < g->n_keys; i++) {
		if (key_is_tgk(g->keys[i].type))
			return true;
	}
	return false;
}

/*
 * Mode 2: who does not demand a resolve (E = 0) for a single responder with a PSK gets a ticket
 * sealed with that PSK, which the responder resolves alone.
 */
static const struct subscriber *mode2_responder(const struct engine *e, const struct slot *s)
{
	const struct subscriber *responder;

	if (e->policy->profile != POLICY_RFC6043 || !e->policy->allow_no_forking)
		return NULL;
	if ((s->m.tp.flags & (MIKEY_FLAG_E | MIKEY_FLAG_I)) || s->tp.n_idr_r != 1)
		return NULL;
	const struct identity uid = identity_nai_at(s->m.octets, &s->tp.idr_r[0]);

	if (identity_wildcards(uid) > 0)
		return NULL;
	subscriber_table_lookup_uid(e->view->subscribers, &uid, 1, &responder);
	return responder && !subscriber_expired(responder, s->t_seconds) ? responder : NULL;
}

/* The key that seals, and until when a ticket under it may live. False: there is none. */
static bool choose_key(
	const struct engine *e, struct slot *s, const struct subscriber *responder, int64_t *until)
{
	const struct sealing_key *active = keyring_active(e->view->keyring);
	struct grant *g = &s->grant;

	if (!active)
		return false;
	s->gk = &active->gk;
	if (responder) {
		g->tpk = &responder->psk;
		g->tpk_len = responder->psk_len;
		g->tpk_id = subscriber_psk_id(responder);
		*until = responder->expires != 0 ? responder->expires : TRE_LAST;
		return true;
	}
	g->tpk = &active->tpk;
	g->tpk_len = active->len;
	g->tpk_id = (struct identity){active->id, active->id_len};
	*until = active->resolves_until;
	return true;
}

/* Rule R2: reckoned from the request's T, so that all nodes grant the same. */
static enum verdict grant_lifetime(const struct engine *e, struct slot *s, int64_t until)
{
	const struct mikey_tp_data *tp = &s->tp;
	struct grant *g = &s->grant;
	const int64_t latest =
		earlier(earlier(s->t_seconds + e->policy->max_lifetime_s, until), TRE_LAST);

	if (latest <= s->t_seconds)
		return VERDICT_REQUEST_NO_SEALING_KEY;
	g->tre = tp->tre.present ? mikey_ntp_seconds(s->m.octets, &tp->tre)
				 : s->t_seconds + e->policy->default_lifetime_s;
	g->tre_replaced = !tp->tre.present || g->tre > latest;
	g->tre = earlier(g->tre, latest);
	if (tp->trs.present && mikey_ntp_seconds(s->m.octets, &tp->trs) > g->tre)
		return VERDICT_REQUEST_TIME_ORDER;
	return VERDICT_PENDING;
}

static enum verdict grant_flags(
	const struct engine *e, struct slot *s, const struct subscriber *responder)
{
	struct grant *g = &s->grant;
	const uint16_t asked = (uint16_t)(s->m.tp.flags & ~MIKEY_FLAG_K);

	if (flags_asked_contradict(asked, has_tgk(g)))
		return VERDICT_REQUEST_FLAGS;
	g->flags = flags_granted(e->policy, asked, has_tgk(g), responder != NULL);
	if (g->flags != asked || g->spi_added || request_policy_differs(s))
		g->flags |= MIKEY_FLAG_K;
	return VERDICT_PENDING;
}

/* HDR, T, IDRkms and of TICKET the granted policy. */
static enum verdict begin_response(const struct engine *e, struct slot *s)
{
	const struct mikey_ticket *asked = &s->m.tp;
	const struct mikey_ticket_head head = {
		.type = asked->type,
		.subtype = asked->subtype,
		.version = asked->version,
		.prf = asked->prf,
		.flags = s->grant.flags,
	};
	struct mikey_writer *w = &s->w;

	s->grant.body_off = w->len + 1;
	const struct mikey_nest nest = mikey_open_tp(w, MIKEY_TICKET, &head);

	request_write_policy(w, e, s);
	mikey_close(w, nest);
	if (w->failed)
		return VERDICT_RESPONSE_SIZE;
	s->grant.tp_data.off = (uint16_t)(nest.len_off + 2);
	s->grant.tp_data.len = (uint16_t)(w->len - s->grant.tp_data.off);
	return VERDICT_PENDING;
}

static void decide(struct engine *e, struct slot *s)
{
	int64_t until = 0;

	memset(&s->grant, 0, sizeof(s->grant));
	s->verdict = request_check_policy(e, s) ?: request_check_times(s) ?: request_check_keys(e, s);
	if (!slot_live(s))
		return;
	const struct subscriber *responder = mode2_responder(e, s);

	if (!choose_key(e, s, responder, &until)) {
		s->verdict = VERDICT_REQUEST_NO_SEALING_KEY;
		return;
	}
	s->verdict = grant_lifetime(e, s, until) ?: grant_flags(e, s, responder);
	if (!slot_live(s))
		return;
	respond_begin(e, s);
	s->verdict = begin_response(e, s);
}

void stage_grant(struct engine *e)
{
	slots_each(e, SLOT_REQUEST, decide);
}
