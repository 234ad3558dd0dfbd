/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/octets.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

/* HDR, T, ERR, [V] (5.4): version, PRF and CSB ID are those of the message in error, T is the
 * clock. */
static void write_error(struct engine *e, struct slot *s)
{
	const struct verdict_info *info = verdict_info(s->verdict);
	struct mikey_writer w;
	uint8_t t[TIMESTAMP_LEN];

	if (info->error_no == VERDICT_SILENT)
		return;
	octets_put64(t, e->now);
	mikey_write_begin(&w, s->msg->response, s->msg->response_cap);
	mikey_write_hdr(&w, MIKEY_ERROR, s->m.prf, s->m.csb_id);
	mikey_write_version(&w, s->m.version);
	mikey_write_t(&w, MIKEY_TS_NTP_UTC, t);
	mikey_write_err(&w, (uint8_t)info->error_no);
	if (info->authenticated)
		s->mac_off = mikey_write_v(&w, s->m.v.auth_alg);
	const size_t len = mikey_write_end(&w);

	/* To strangers nothing larger than what they sent: no amplification. */
	if (info->authenticated || len <= s->msg->request_len)
		s->msg->response_len = (uint16_t)len;
}

/* The key of the message in error, over the Error message alone (readings N16). */
static void compute_mac(struct engine *e, struct slot *s)
{
	if (s->msg->response_len == 0 || !verdict_info(s->verdict)->authenticated)
		return;

	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.init_auth,
		.key_len = hash_len(s->hash),
		.seg = {{s->msg->response, (uint32_t)s->mac_off}},
		.n_segments = 1,
		.out = s->msg->response + s->mac_off,
		.hash = s->hash,
	};
}

static bool refused(const struct slot *s)
{
	return s->verdict != VERDICT_REQUEST_OK && s->verdict != VERDICT_RESOLVE_OK;
}

void stage_errors(struct engine *e)
{
	for (unsigned int i = 0; i < e->n; i++) {
		struct slot *s = &e->slots[i];

		if (!refused(s))
			continue;
		write_error(e, s);
		compute_mac(e, s);
	}
	ops_mac_run(e);
}
