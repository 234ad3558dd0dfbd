/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/request.h"

#include "common/ue/grant.h"
#include "common/ue/kms.h"

enum ue_result ue_request_build(const struct ue *ue, const struct ue_policy *policy,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len)
{
	struct ue_kms_init x;
	enum ue_result r = ue_policy_check(policy, ue->suite);
	if (r == UE_OK) {
		r = ue_kms_open(ue, MIKEY_REQUEST_INIT_PSK, ntp_now, buf, cap, &x);
	}
	if (r != UE_OK) {
		return r;
	}
	const struct mikey_ticket_head head = ue_policy_head(policy, ue->suite);
	struct mikey_nest tp = mikey_open_tp(&x.w, MIKEY_TP, &head);
	ue_policy_write(&x.w, ue, policy, UE_WITH_KEMAC);
	mikey_close(&x.w, tp);
	return ue_kms_seal(ue, &x, len);
}

static int has_tgk(const struct ue_keyset *ks)
{
	for (unsigned int i = 0; i < ks->n; i++) {
		if (ks->key[i].type == MIKEY_TGK || ks->key[i].type == MIKEY_TGK_SALT) {
			return 1;
		}
	}
	return 0;
}

static enum ue_result take_ticket(struct ue_ticket *t, const struct mikey_message *m)
{
	struct mikey_tp_data tp;
	enum ue_result r = ue_ticket_adopt(t, m);
	if (r == UE_OK) {
		r = ue_ticket_policy(t, &tp);
	}
	if (r == UE_OK) {
		r = ue_times_check(&tp);
	}
	if (r == UE_OK) {
		r = ue_flags_check(t->flags, has_tgk(&t->keys));
	}
	return r == UE_OK ? ue_ticket_type_check(t->type, t->subtype, t->version) : r;
}

enum ue_result ue_request_process(const struct ue *ue, enum ue_changes changes, const uint8_t *init,
	size_t init_len, const uint8_t *resp, size_t resp_len, uint64_t ntp_now,
	struct ue_ticket *ticket, struct ue_info *info)
{
	struct ue_pair p;
	struct ue_keying k;
	ue_ticket_clear(ticket);
	enum ue_result r = ue_kms_answer(ue, (struct ue_octets){init, init_len},
		MIKEY_REQUEST_INIT_PSK, (struct ue_octets){resp, resp_len}, MIKEY_REQUEST_RESP,
		ntp_now, &p, &k, info);
	if (r != UE_OK) {
		return r;
	}
	if (!p.resp.ticket.present) {
		return UE_NO_TICKET;
	}
	r = ue_kms_take(ue, &p, &k, ntp_now, p.resp.ticket.flags & MIKEY_FLAG_I ? 2 : 1,
		&ticket->keys, info);
	if (r == UE_OK) {
		r = take_ticket(ticket, &p.resp);
	}
	if (r == UE_OK) {
		r = ue_grant_check(ue, &p.init, &p.resp, &ticket->keys, changes);
	}
	if (r != UE_OK) {
		ue_ticket_clear(ticket);
	}
	return r;
}
