/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/respond.h"
#include "dataplane/engine/octets.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"
#include "dataplane/engine/transcript.h"

enum {
	T_OFF = MIKEY_HDR_LEN + 2, /* TS value in every response: T follows HDR */
	T_PRF_BITS = 20,
};

void respond_begin(struct engine *e, struct slot *s)
{
	static const uint8_t later[TIMESTAMP_LEN];
	const struct identity kms = e->policy->kms_identity;
	struct mikey_writer *w = &s->w;

	mikey_write_begin(w, s->msg->response, s->msg->response_cap);
	mikey_write_hdr(w, s->op == SLOT_REQUEST ? MIKEY_REQUEST_RESP : MIKEY_RESOLVE_RESP,
		s->m.prf, s->m.csb_id);
	mikey_write_t(w, MIKEY_TS_NTP_UTC, later);
	mikey_write_idr(w, MIKEY_IDRKMS, MIKEY_ID_NAI, kms.data, kms.len);
}

/* REQUEST_RESP has got HDR, T, IDRkms and TICKET by now; RESOLVE_RESP begins here
 * (4.2.1.5, 4.2.3.5). */
static void write_response(struct engine *e, struct slot *s)
{
	struct mikey_writer *w = &s->w;

	if (s->op == SLOT_RESOLVE)
		respond_begin(e, s);
	s->kemac_off = mikey_write_kemac(w, hash_encr_alg(s->hash), NULL, s->plain_len);
	if (s->op == SLOT_RESOLVE && s->res.forking) {
		mikey_write_idr(
			w, MIKEY_IDRR, MIKEY_ID_NAI, s->res.returned.data, s->res.returned.len);
		mikey_write_randr(w, MIKEY_RANDRKMS, s->res.randr_kms, s->res.randr_kms_len);
	}
	s->mac_off = mikey_write_v(w, s->m.v.auth_alg);
	if (mikey_write_end(w) == 0)
		s->verdict = VERDICT_RESPONSE_SIZE;
}

/* Rule R3: another plaintext has another T and so another IV, also at the same moment under the
 * same keys. */
static void queue_t(struct engine *e, struct slot *s)
{
	const struct crypto_segment context = {s->plain, (uint32_t)s->plain_len};

	s->t_prf = kdf_queue(
		e, (struct kdf_source){.state = s->gk}, KDF108_LABEL_RESPONSE_T, &context, 1, 4);
}

static void set_t(struct engine *e, struct slot *s)
{
	const uint64_t mask = (UINT64_C(1) << T_PRF_BITS) - 1;
	uint8_t *t = s->msg->response + T_OFF;

	octets_put64(t, (e->now & ~mask) | (octets_get32(s->t_prf) & mask));
	slot_generated(e, s, ENGINE_GEN_RESPONSE_T, 0, t, TIMESTAMP_LEN);
}

static void encrypt(struct engine *e, struct slot *s)
{
	struct crypto_cm_op *op = ops_cm(e);

	*op = (struct crypto_cm_op){
		.key = s->keys.resp.encr,
		.key_len = hash_encr_len(s->hash),
		.src = s->plain,
		.dst = s->msg->response + s->kemac_off,
		.len = (uint16_t)s->plain_len,
	};

	crypto_cm_iv(op->iv, s->keys.resp.salt, s->m.csb_id, s->msg->response + T_OFF);
}

/* The response without its MAC || the whole initial message (5.5). */
static void compute_mac(struct engine *e, struct slot *s)
{
	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.resp.auth,
		.key_len = hash_len(s->hash),
		.seg = {{s->msg->response, (uint32_t)s->mac_off},
			{s->msg->request, s->msg->request_len}},
		.n_segments = 2,
		.out = s->msg->response + s->mac_off,
		.hash = s->hash,
	};
}

static void finish(struct engine *e, struct slot *s)
{
	(void)e;
	s->msg->response_len = (uint16_t)mikey_write_end(&s->w);
	s->verdict = s->op == SLOT_REQUEST ? VERDICT_REQUEST_OK : VERDICT_RESOLVE_OK;
}

void stage_respond(struct engine *e)
{
	slots_each(e, SLOT_ANY, write_response);
	slots_each(e, SLOT_ANY, queue_t);
	ops_mac_run(e);
	slots_each(e, SLOT_ANY, set_t);
	slots_each(e, SLOT_ANY, encrypt);
	ops_cm_run(e);
	slots_each(e, SLOT_ANY, compute_mac);
	ops_mac_run(e);
	slots_each(e, SLOT_ANY, finish);
}
