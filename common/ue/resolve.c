/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/resolve.h"

#include <string.h>

#include "common/crypto/secret.h"
#include "common/ue/accept.h"
#include "common/ue/kms.h"
#include "common/ue/policy.h"

void ue_resolved_clear(struct ue_resolved *r)
{
	secret_wipe(r, sizeof(*r));
}

/* The ticket but for Initiator Data and its length. */
static struct mikey_span bare_ticket(const struct mikey_message *m)
{
	return (struct mikey_span){
		m->ticket.body.off, (uint16_t)(m->ticket.initiator_len_off - m->ticket.body.off)};
}

static enum ue_result keep_ticket(const struct mikey_message *m, struct ue_resolved *out)
{
	const struct mikey_span s = bare_ticket(m);
	if (s.len > sizeof(out->body)) {
		return UE_NO_ROOM;
	}
	memcpy(out->body, mikey_at(m->octets, s), s.len);
	out->body_len = s.len;
	return UE_OK;
}

enum ue_result ue_resolve_build(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	uint64_t ntp_now, uint8_t *buf, size_t cap, size_t *len)
{
	struct ue_incoming in;
	struct ue_kms_init x;
	enum ue_result r = ue_incoming_open(&in, ue, transfer, transfer_len, ntp_now);
	if (r == UE_OK) {
		r = ue_kms_open(ue, MIKEY_RESOLVE_INIT_PSK, ntp_now, buf, cap, &x);
	}
	if (r != UE_OK) {
		return r;
	}
	mikey_write_ticket_raw(&x.w, mikey_at(transfer, in.m.ticket.body), in.m.ticket.body.len);
	return ue_kms_seal(ue, &x, len);
}

/* The modifier of a forked ticket: our identity, as far as the ticket names it, and RANDRkms. */
static enum ue_result take_modifier(const struct ue *ue, const struct ue_incoming *in,
	const struct mikey_message *resp, struct ue_resolved *out)
{
	const struct mikey_id *id = &resp->idr[MIKEY_IDRR];
	const struct mikey_randr *rand = &resp->randr[MIKEY_RANDRKMS];
	out->forked = (in->m.ticket.flags & MIKEY_FLAG_I) != 0;
	if (!out->forked) {
		return UE_OK;
	}
	if (!id->present) {
		return UE_NO_IDR;
	}
	if (!rand->present || rand->data.len == 0) {
		return UE_NO_RANDR;
	}
	const struct identity name = ue_identity_at(resp->octets, id);
	if (name.len > IDENTITY_MAX || !ue_is_own(ue, name) ||
		!ue_policy_matches(&in->tp, in->m.octets, name)) {
		return UE_RESPONDER;
	}
	out->id_type = id->type;
	out->id_len = (uint8_t)name.len;
	memcpy(out->id, name.data, name.len);
	out->rand_len = (uint8_t)rand->data.len;
	memcpy(out->rand, mikey_at(resp->octets, rand->data), rand->data.len);
	return UE_OK;
}

/* Was this ticket asked for, to the last octet. */
static int same_ticket(const struct mikey_message *a, const struct mikey_message *b)
{
	return a->ticket.present && b->ticket.present && a->ticket.body.len == b->ticket.body.len &&
	       memcmp(mikey_at(a->octets, a->ticket.body), mikey_at(b->octets, b->ticket.body),
		       a->ticket.body.len) == 0;
}

static enum ue_result process(const struct ue *ue, const struct ue_incoming *in,
	const struct ue_pair *p, const struct ue_keying *k, uint64_t ntp_now,
	struct ue_resolved *out, struct ue_info *info)
{
	const unsigned int n_mpk = in->m.ticket.flags & MIKEY_FLAG_I ? 2 : 1;
	enum ue_result r = same_ticket(&in->m, &p->init) ? UE_OK : UE_TICKET_OTHER;
	if (r == UE_OK) {
		r = ue_kms_take(ue, p, k, ntp_now, n_mpk, &out->keys, info);
	}
	if (r == UE_OK) {
		r = take_modifier(ue, in, &p->resp, out);
	}
	if (r == UE_OK) {
		r = ue_incoming_verify(ue, in, &out->keys);
	}
	return r == UE_OK ? keep_ticket(&in->m, out) : r;
}

enum ue_result ue_resolve_process(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	const uint8_t *init, size_t init_len, const uint8_t *resp, size_t resp_len,
	uint64_t ntp_now, struct ue_resolved *out, struct ue_info *info)
{
	struct ue_incoming in;
	struct ue_pair p;
	struct ue_keying k;
	ue_resolved_clear(out);
	enum ue_result r = ue_kms_answer(ue, (struct ue_octets){init, init_len},
		MIKEY_RESOLVE_INIT_PSK, (struct ue_octets){resp, resp_len}, MIKEY_RESOLVE_RESP,
		ntp_now, &p, &k, info);
	if (r == UE_OK) {
		r = ue_incoming_open(&in, ue, transfer, transfer_len, ntp_now);
	}
	if (r == UE_OK) {
		r = process(ue, &in, &p, &k, ntp_now, out, info);
	}
	if (r != UE_OK) {
		ue_resolved_clear(out);
	}
	return r;
}

enum ue_result ue_resolve_local(const struct ue *ue, const uint8_t *transfer, size_t transfer_len,
	const struct ue_tpk *tpk, uint64_t ntp_now, struct ue_resolved *out)
{
	struct ue_incoming in;
	ue_resolved_clear(out);
	enum ue_result r = ue_incoming_open(&in, ue, transfer, transfer_len, ntp_now);
	if (r == UE_OK && (in.m.ticket.flags & MIKEY_FLAG_E)) {
		r = UE_MUST_RESOLVE;
	}
	if (r == UE_OK) {
		struct identity id = ue_ticket_key_id(&in.m);
		r = id.len == 0 || identity_equal(id, tpk->id) ? UE_OK : UE_TICKET_KEY;
	}
	if (r == UE_OK) {
		r = ue_ticket_open(ue->crypto, &in.m, tpk, &out->keys);
	}
	if (r == UE_OK) {
		const unsigned int max = in.m.prf == MIKEY_PRF_MIKEY_1 ? 16 : CRYPTO_INKEY_MAX;
		r = ue_keyset_check_session_keys(&out->keys, max);
	}
	if (r == UE_OK) {
		r = ue_incoming_verify(ue, &in, &out->keys);
	}
	if (r == UE_OK) {
		r = keep_ticket(&in.m, out);
	}
	if (r != UE_OK) {
		ue_resolved_clear(out);
	}
	return r;
}

enum ue_result ue_resolved_reuse(const struct ue *ue, const struct ue_resolved *resolved,
	const uint8_t *transfer, size_t transfer_len, uint64_t ntp_now)
{
	struct ue_incoming in;
	enum ue_result r = ue_incoming_open(&in, ue, transfer, transfer_len, ntp_now);
	if (r != UE_OK) {
		return r;
	}
	const struct mikey_span s = bare_ticket(&in.m);
	if (s.len != resolved->body_len ||
		memcmp(mikey_at(transfer, s), resolved->body, s.len) != 0) {
		return UE_TICKET_OTHER;
	}
	if (!(in.m.ticket.flags & MIKEY_FLAG_J)) {
		return UE_TICKET_USED;
	}
	return ue_incoming_verify(ue, &in, &resolved->keys);
}
