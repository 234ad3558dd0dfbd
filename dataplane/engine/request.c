/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/request.h"

#include <string.h>

#include "dataplane/engine/responder.h"

static enum verdict check_type(const struct engine *e, struct slot *s)
{
	const struct mikey_ticket *t = &s->m.tp;

	if (!policy_type_allowed(e->policy, t->type, t->subtype, t->version))
		return VERDICT_REQUEST_TICKET_TYPE;
	if (t->prf != MIKEY_PRF_MIKEY_1 && t->prf != MIKEY_PRF_HMAC_SHA_256)
		return VERDICT_REQUEST_PRF;
	s->grant.hash = t->prf == MIKEY_PRF_MIKEY_1 ? CRYPTO_SHA1 : CRYPTO_SHA256;
	if (mikey_parse_tp_data(&s->tp, s->m.octets, t->tp_data) != MIKEY_PARSE_OK)
		return VERDICT_REQUEST_TP_MALFORMED;
	return VERDICT_PENDING;
}

static bool length_allowed(const struct engine *e, const struct mikey_id *id)
{
	return id->data.len >= 1 && id->data.len <= e->policy->max_identity &&
	       id->data.len <= POLICY_IDENTITY_MAX;
}

static enum verdict check_identities(const struct engine *e, struct slot *s)
{
	const struct mikey_id *kms = &s->tp.idr_kms, *initiator = &s->tp.idr_i;

	if ((kms->present && !length_allowed(e, kms)) ||
		(initiator->present && !length_allowed(e, initiator)))
		return VERDICT_REQUEST_IDENTITY_LONG;
	if (kms->present &&
		!identity_equal(identity_nai_at(s->m.octets, kms), e->policy->kms_identity))
		return VERDICT_REQUEST_KMS;
	s->grant.idr_i = initiator->present ? identity_nai_at(s->m.octets, initiator) : s->self;
	if (!subscriber_has_uid(s->sender, s->grant.idr_i))
		return VERDICT_REQUEST_IDENTITY;
	return VERDICT_PENDING;
}

static enum verdict check_applications(const struct engine *e, const struct slot *s)
{
	if (s->tp.n_idr_app > MIKEY_IDRAPP_MAX)
		return VERDICT_REQUEST_APPLICATIONS;
	for (unsigned int i = 0; i < s->tp.n_idr_app; i++) {
		if (!length_allowed(e, &s->tp.idr_app[i]))
			return VERDICT_REQUEST_IDENTITY_LONG;
	}
	return VERDICT_PENDING;
}

static enum verdict check_responders(const struct engine *e, const struct slot *s)
{
	switch (responders_check(e->policy, s->m.octets, &s->tp)) {
	case RESPONDERS_OK:
		break;
	case RESPONDERS_NONE:
		return VERDICT_REQUEST_NO_RESPONDER;
	case RESPONDERS_MANY:
		return VERDICT_REQUEST_RESPONDERS;
	case RESPONDERS_LONG:
		return VERDICT_REQUEST_IDENTITY_LONG;
	case RESPONDERS_WILDCARDS:
		return VERDICT_REQUEST_WILDCARDS;
	case RESPONDERS_GROUP:
		return VERDICT_REQUEST_GROUP;
	}
	if (!responders_allowed(e->policy, s->m.octets, &s->tp, s->grant.idr_i))
		return VERDICT_REQUEST_DENIED;
	return VERDICT_PENDING;
}

enum verdict request_check_policy(struct engine *e, struct slot *s)
{
	return check_type(e, s) ?: check_identities(e, s) ?: check_applications(e, s)
		?: check_responders(e, s);
}

enum verdict request_check_times(const struct slot *s)
{
	const struct mikey_tp_data *tp = &s->tp;
	const uint8_t *octets = s->m.octets;

	if ((tp->trs.present && tp->trs.type == MIKEY_TS_COUNTER) ||
		(tp->tre.present && tp->tre.type == MIKEY_TS_COUNTER) ||
		(tp->trr.present && tp->trr.type != MIKEY_TS_NTP_UTC_32))
		return VERDICT_REQUEST_TIME_TYPE;
	if (tp->trs.present && tp->tre.present &&
		mikey_ntp_seconds(octets, &tp->trs) > mikey_ntp_seconds(octets, &tp->tre))
		return VERDICT_REQUEST_TIME_ORDER;
	if (tp->tre.present && mikey_ntp_seconds(octets, &tp->tre) < s->t_seconds)
		return VERDICT_REQUEST_TIME_PAST;
	return VERDICT_PENDING;
}

/* Payloads of TP Data in the order in which a KMS without a model to follow writes them (6.10). */
enum item_kind { ITEM_IDRKMS, ITEM_IDRI, ITEM_TRS, ITEM_TRE, ITEM_TRR, ITEM_IDRAPP, ITEM_IDRR };

struct item {
	enum item_kind kind;
	uint16_t off; /* of its value in the request */
	const struct mikey_id *id;
	const struct mikey_t *t;
};

enum { ITEMS_MAX = 5 + MIKEY_IDRAPP_MAX + MIKEY_IDRR_MAX };

struct items {
	struct item at[ITEMS_MAX];
	unsigned int n;
};

static void items_insert(struct items *items, unsigned int at, struct item item)
{
	memmove(&items->at[at + 1], &items->at[at], (items->n - at) * sizeof(item));
	items->at[at] = item;
	items->n++;
}

/* Sorted by place in the request: the granted policy keeps the order of the desired one. */
static void items_take(struct items *items, struct item item)
{
	unsigned int at = items->n;

	while (at > 0 && items->at[at - 1].off > item.off)
		at--;
	items_insert(items, at, item);
}

/* What was not asked for goes before the first that comes later in the KMS's own order. */
static void items_add(struct items *items, enum item_kind kind)
{
	unsigned int at = 0;

	while (at < items->n && items->at[at].kind < kind)
		at++;
	items_insert(items, at, (struct item){.kind = kind});
}

static void items_take_id(struct items *items, enum item_kind kind, const struct mikey_id *id)
{
	if (id->present)
		items_take(items, (struct item){.kind = kind, .off = id->data.off, .id = id});
}

static void items_take_t(struct items *items, enum item_kind kind, const struct mikey_t *t)
{
	if (t->present)
		items_take(items, (struct item){.kind = kind, .off = t->value.off, .t = t});
}

static void items_collect(struct items *items, const struct mikey_tp_data *tp)
{
	items->n = 0;
	items_take_id(items, ITEM_IDRKMS, &tp->idr_kms);
	items_take_id(items, ITEM_IDRI, &tp->idr_i);
	items_take_t(items, ITEM_TRS, &tp->trs);
	items_take_t(items, ITEM_TRE, &tp->tre);
	items_take_t(items, ITEM_TRR, &tp->trr);
	for (unsigned int i = 0; i < tp->n_idr_app; i++)
		items_take_id(items, ITEM_IDRAPP, &tp->idr_app[i]);
	for (unsigned int i = 0; i < tp->n_idr_r; i++)
		items_take_id(items, ITEM_IDRR, &tp->idr_r[i]);
	if (!tp->idr_kms.present)
		items_add(items, ITEM_IDRKMS);
	if (!tp->idr_i.present)
		items_add(items, ITEM_IDRI);
	if (!tp->tre.present)
		items_add(items, ITEM_TRE);
}

bool request_policy_differs(const struct slot *s)
{
	return s->tp.unexpected || !s->tp.idr_kms.present || !s->tp.idr_i.present ||
	       s->grant.tre_replaced;
}

static void write_id(struct mikey_writer *w, uint8_t role, const struct item *item,
	const uint8_t *octets, struct identity missing)
{
	if (item->id)
		mikey_write_idr(w, role, item->id->type, mikey_at(octets, item->id->data),
			item->id->data.len);
	else
		mikey_write_idr(w, role, MIKEY_ID_NAI, missing.data, missing.len);
}

static void write_tre(struct mikey_writer *w, const struct slot *s, const struct item *item)
{
	uint8_t seconds[4];

	if (!s->grant.tre_replaced) {
		mikey_write_tr(w, MIKEY_TRE, item->t->type, mikey_at(s->m.octets, item->t->value));
		return;
	}
	for (unsigned int i = 0; i < sizeof(seconds); i++)
		seconds[i] = (uint8_t)(s->grant.tre >> (24 - 8 * i));
	mikey_write_tr(w, MIKEY_TRE, MIKEY_TS_NTP_UTC_32, seconds);
}

static void write_item(struct mikey_writer *w, const struct engine *e, const struct slot *s,
	const struct item *item)
{
	const struct identity none = {NULL, 0};
	const uint8_t *octets = s->m.octets;

	switch (item->kind) {
	case ITEM_IDRKMS:
		write_id(w, MIKEY_IDRKMS, item, octets, e->policy->kms_identity);
		break;
	case ITEM_IDRI:
		write_id(w, MIKEY_IDRI, item, octets, s->grant.idr_i);
		break;
	case ITEM_TRS:
		mikey_write_tr(w, MIKEY_TRS, item->t->type, mikey_at(octets, item->t->value));
		break;
	case ITEM_TRE:
		write_tre(w, s, item);
		break;
	case ITEM_TRR:
		mikey_write_tr(w, MIKEY_TRR, item->t->type, mikey_at(octets, item->t->value));
		break;
	case ITEM_IDRAPP:
		write_id(w, MIKEY_IDRAPP, item, octets, none);
		break;
	case ITEM_IDRR:
		write_id(w, MIKEY_IDRR, item, octets, none);
		break;
	}
}

void request_write_policy(struct mikey_writer *w, const struct engine *e, const struct slot *s)
{
	struct items items;

	items_collect(&items, &s->tp);
	for (unsigned int i = 0; i < items.n; i++)
		write_item(w, e, s, &items.at[i]);
}
