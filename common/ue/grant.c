/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/grant.h"

#include <string.h>

#include "common/ue/exchange.h"

/* One of the two policies. */
struct side {
	const uint8_t *octets;
	const struct mikey_ticket *ticket;
	struct mikey_tp_data tp;
};

static int id_equal(const struct side *a, const struct mikey_id *x, const struct side *b,
	const struct mikey_id *y)
{
	if (!x->present || !y->present) {
		return x->present == y->present;
	}
	return x->type == y->type &&
	       identity_equal(ue_identity_at(a->octets, x), ue_identity_at(b->octets, y));
}

static int list_equal(const struct side *a, const struct mikey_id *x, unsigned int n_x,
	const struct side *b, const struct mikey_id *y, unsigned int n_y)
{
	if (n_x != n_y) {
		return 0;
	}
	for (unsigned int i = 0; i < n_x; i++) {
		if (!id_equal(a, &x[i], b, &y[i])) {
			return 0;
		}
	}
	return 1;
}

/* Is every one of y also in x. */
static int list_within(const struct side *a, const struct mikey_id *x, unsigned int n_x,
	const struct side *b, const struct mikey_id *y, unsigned int n_y)
{
	for (unsigned int i = 0; i < n_y; i++) {
		unsigned int k = 0;
		while (k < n_x && !id_equal(a, &x[k], b, &y[i])) {
			k++;
		}
		if (k == n_x) {
			return 0;
		}
	}
	return 1;
}

static int time_equal(const struct side *a, const struct mikey_t *x, const struct side *b,
	const struct mikey_t *y)
{
	if (!x->present || !y->present) {
		return x->present == y->present;
	}
	return x->type == y->type && x->value.len == y->value.len &&
	       memcmp(mikey_at(a->octets, x->value), mikey_at(b->octets, y->value), x->value.len) ==
		       0;
}

static enum ue_result check_same(const struct side *a, const struct side *g)
{
	if (a->ticket->flags != g->ticket->flags ||
		!id_equal(a, &a->tp.idr_kms, g, &g->tp.idr_kms) ||
		!id_equal(a, &a->tp.idr_i, g, &g->tp.idr_i) ||
		!time_equal(a, &a->tp.trs, g, &g->tp.trs) ||
		!time_equal(a, &a->tp.tre, g, &g->tp.tre) ||
		!time_equal(a, &a->tp.trr, g, &g->tp.trr) ||
		!list_equal(a, a->tp.idr_r, a->tp.n_idr_r, g, g->tp.idr_r, g->tp.n_idr_r) ||
		!list_equal(a, a->tp.idr_app, a->tp.n_idr_app, g, g->tp.idr_app, g->tp.n_idr_app)) {
		return UE_GRANT_K;
	}
	return UE_OK;
}

static enum ue_result check_flags(uint16_t asked, uint16_t granted)
{
	const uint16_t keep =
		MIKEY_FLAG_E | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H | MIKEY_FLAG_I;
	const uint16_t never_add = MIKEY_FLAG_J | MIKEY_FLAG_L | MIKEY_FLAG_M;
	if ((asked & keep & ~granted) || (granted & never_add & ~asked)) {
		return UE_GRANT_FLAGS;
	}
	return UE_OK;
}

static enum ue_result check_times(const struct side *a, const struct side *g)
{
	if (a->tp.trs.present &&
		(!g->tp.trs.present || mikey_ntp_seconds(g->octets, &g->tp.trs) <
					       mikey_ntp_seconds(a->octets, &a->tp.trs))) {
		return UE_GRANT_TIME;
	}
	if (a->tp.tre.present &&
		(!g->tp.tre.present || mikey_ntp_seconds(g->octets, &g->tp.tre) >
					       mikey_ntp_seconds(a->octets, &a->tp.tre))) {
		return UE_GRANT_TIME;
	}
	/* A longer rekeying interval would be weaker than asked for. */
	if (a->tp.trr.present &&
		(!g->tp.trr.present || memcmp(mikey_at(g->octets, g->tp.trr.value),
					       mikey_at(a->octets, a->tp.trr.value), 4) > 0)) {
		return UE_GRANT_TIME;
	}
	return UE_OK;
}

static enum ue_result check_identities(
	const struct ue *ue, const struct side *a, const struct side *g)
{
	if (g->tp.idr_i.present && !ue_is_own(ue, ue_identity_at(g->octets, &g->tp.idr_i))) {
		return UE_IDENTITY;
	}
	if (g->tp.n_idr_r == 0 ||
		!list_within(a, a->tp.idr_r, a->tp.n_idr_r, g, g->tp.idr_r, g->tp.n_idr_r)) {
		return UE_GRANT_RECIPIENTS;
	}
	/* No IDRapp at all authorises every application. */
	if (a->tp.n_idr_app != 0 &&
		(g->tp.n_idr_app == 0 || !list_within(a, a->tp.idr_app, a->tp.n_idr_app, g,
						 g->tp.idr_app, g->tp.n_idr_app))) {
		return UE_GRANT_APPS;
	}
	return UE_OK;
}

static enum ue_result check_key(const uint8_t *asked_data, const struct mikey_key *asked,
	const struct ue_keyset *keys, const struct mikey_key *got)
{
	if (got == NULL || got->type != asked->type || got->key.len != asked->key.len ||
		got->salt.len != asked->salt.len) {
		return UE_GRANT_KEYS;
	}
	if (asked->kv == MIKEY_KV_SPI &&
		(got->spi.len != asked->spi.len ||
			memcmp(ue_keyset_at(keys, got->spi), asked_data + asked->spi.off,
				asked->spi.len) != 0)) {
		return UE_GRANT_KEYS;
	}
	return UE_OK;
}

static enum ue_result check_keys(const struct side *a, const struct ue_keyset *keys)
{
	struct mikey_key asked[MIKEY_KEYS_MAX];
	unsigned int n;
	if (!a->tp.kemac.present) {
		return UE_OK;
	}
	const uint8_t *data = mikey_at(a->octets, a->tp.kemac.data);
	if (mikey_parse_keys(asked, MIKEY_KEYS_MAX, &n, data, a->tp.kemac.data.len) !=
		MIKEY_PARSE_OK) {
		return UE_ARGUMENT;
	}
	for (unsigned int i = 0; i < n; i++) {
		enum ue_result r = check_key(data, &asked[i], keys, ue_keyset_session_key(keys, i));
		if (r != UE_OK) {
			return r;
		}
	}
	return ue_keyset_session_key(keys, n) == NULL ? UE_OK : UE_GRANT_KEYS;
}

static enum ue_result open_side(
	struct side *s, const struct mikey_message *m, const struct mikey_ticket *t)
{
	s->octets = m->octets;
	s->ticket = t;
	if (mikey_parse_tp_data(&s->tp, m->octets, t->tp_data) != MIKEY_PARSE_OK ||
		s->tp.n_idr_r > MIKEY_IDRR_MAX || s->tp.n_idr_app > MIKEY_IDRAPP_MAX) {
		return UE_TICKET_POLICY;
	}
	return UE_OK;
}

static enum ue_result check_changed(const struct ue *ue, const struct side *a, const struct side *g)
{
	enum ue_result r = check_flags(a->ticket->flags, g->ticket->flags);
	if (r == UE_OK) {
		r = check_times(a, g);
	}
	return r == UE_OK ? check_identities(ue, a, g) : r;
}

enum ue_result ue_grant_check(const struct ue *ue, const struct mikey_message *asked,
	const struct mikey_message *granted, const struct ue_keyset *keys, enum ue_changes changes)
{
	struct side a, g;
	const struct mikey_ticket *want = &asked->tp, *got = &granted->ticket;
	if (open_side(&a, asked, want) != UE_OK) {
		return UE_ARGUMENT;
	}
	enum ue_result r = open_side(&g, granted, got);
	if (r != UE_OK) {
		return r;
	}
	if (g.tp.kemac.present) {
		return UE_TICKET_POLICY;
	}
	if (want->type != got->type || want->subtype != got->subtype ||
		want->version != got->version) {
		return UE_TICKET_TYPE;
	}
	if (want->prf != got->prf) {
		return UE_PRF;
	}
	if (!(got->flags & MIKEY_FLAG_D)) {
		return UE_GRANT_FLAGS;
	}
	if (!(got->flags & MIKEY_FLAG_N)) {
		return UE_SPECIAL;
	}
	if (!(got->flags & MIKEY_FLAG_K)) {
		r = check_same(&a, &g);
	} else {
		r = changes == UE_CHANGES_NONE ? UE_GRANT_CHANGED : check_changed(ue, &a, &g);
	}
	return r == UE_OK ? check_keys(&a, keys) : r;
}
