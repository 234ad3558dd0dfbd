/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/engine.h"

#include <assert.h>
#include <string.h>

#include "common/crypto/secret.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

/* A subscriber whose messages are refused whatever their MAC says: its key need not be secret. */
static void stranger_init(struct engine *e)
{
	static const uint8_t psk[CRYPTO_SHA256_LEN];
	static const uint8_t ids[] = "stranger\020stranger@nowhere";
	struct subscriber *s = (struct subscriber *)(void *)e->stranger_octets;

	_Static_assert(sizeof(ids) - 1 == 8 + 1 + STRANGER_UID_LEN, "PSK id, length, UID");

	e->stranger = s;
	crypto_key_prepare(e->crypto, psk, sizeof(psk), &s->psk);
	s->psk_len = sizeof(psk);
	s->psk_id_len = 8;
	s->n_uids = 1;
	memcpy(s->octets, ids, sizeof(ids) - 1);
}

struct engine *engine_new(struct crypto *crypto)
{
	struct engine *e = secret_alloc(sizeof(*e));

	if (!e)
		return NULL;
	e->crypto = crypto;
	stranger_init(e);
	return e;
}

void engine_free(struct engine *e)
{
	if (e)
		secret_free(e, sizeof(*e));
}

void engine_set_admission(struct engine *e, engine_admit_fn fn, void *arg)
{
	e->admit = fn;
	e->admit_arg = arg;
}

void engine_test_generated(struct engine *e, engine_generated_fn fn, void *arg)
{
	e->generated = fn;
	e->generated_arg = arg;
}

/* Seconds since 1900 of an NTP time: a first bit of 0 means 2036 and later (RFC 4330). */
static int64_t ntp_seconds(uint64_t ntp)
{
	const int64_t seconds = (int64_t)(ntp >> 32);

	return seconds & INT64_C(0x80000000) ? seconds : seconds + (INT64_C(1) << 32);
}

static void batch_begin(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n)
{
	assert(n <= ENGINE_BATCH_MAX);
	e->view = view;
	e->policy = view->policy;
	e->now = ntp_now;
	e->now_seconds = ntp_seconds(ntp_now);
	e->n = n;
	for (unsigned int i = 0; i < n; i++) {
		struct slot *s = &e->slots[i];

		s->msg = &msgs[i];
		s->msg->response_len = 0;
		s->number = (uint8_t)i;
		s->op = SLOT_ANY;
		s->keyed = false;
		s->verdict = VERDICT_PENDING;
	}
}

static uint16_t key_slot(const struct engine *e, const struct slot *s)
{
	const struct sealing_key *key = NULL;

	if (s->verdict == VERDICT_RESOLVE_OK)
		key = s->res.sealing;
	else if (s->verdict == VERDICT_REQUEST_OK)
		key = keyring_active(e->view->keyring);
	/* a ticket of mode 2 is sealed with a PSK */
	if (!key || (s->verdict == VERDICT_REQUEST_OK && s->grant.tpk != &key->tpk))
		return ENGINE_NO_SLOT;
	return key->slot;
}

static void batch_end(struct engine *e)
{
	for (unsigned int i = 0; i < e->n; i++) {
		struct slot *s = &e->slots[i];

		s->msg->verdict = (uint16_t)s->verdict;
		s->msg->key_slot = key_slot(e, s);
		if (s->keyed)
			secret_wipe(&s->keys, sizeof(s->keys));
	}
	secret_wipe(e->scratch, e->scratch_used);
	e->scratch_used = 0;
}

static bool any_live(const struct engine *e)
{
	unsigned int i = 0;

	while (i < e->n && !slot_live(&e->slots[i]))
		i++;
	return i < e->n;
}

void engine_process(struct engine *e, const struct engine_view *view, uint64_t ntp_now,
	struct engine_msg *msgs, unsigned int n)
{
	batch_begin(e, view, ntp_now, msgs, n);
	stage_screen(e);
	/* A flood of garbage ends here. */
	if (any_live(e)) {
		stage_authenticate(e);
		stage_open_ticket(e);
		stage_fork(e);
		stage_grant(e);
		stage_generate(e);
		stage_seal(e);
		stage_respond(e);
	}
	stage_errors(e);
	batch_end(e);
}
