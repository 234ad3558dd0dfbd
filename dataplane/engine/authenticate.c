/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/secret.h"
#include "dataplane/engine/derive.h"
#include "dataplane/engine/init_mac.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

/* Without a branch: what it decides takes the same time. */
static const struct subscriber *choose(
	bool first, const struct subscriber *a, const struct subscriber *b)
{
	uintptr_t mask = -(uintptr_t)first;

	/* The compiler must not see that it is a condition. */
	__asm__("" : "+r"(mask));
	return (const struct subscriber *)(((uintptr_t)a & mask) | ((uintptr_t)b & ~mask));
}

/* As a look-up does with the record of a subscriber. */
static void prefetch_stranger(const struct engine *e)
{
	for (size_t at = 0; at < sizeof(e->stranger_octets); at += 64)
		__builtin_prefetch(e->stranger_octets + at);
}

static uint8_t longest_uid(const struct engine *e)
{
	const uint8_t of_table = subscriber_table_longest_uid(e->view->subscribers);

	return of_table > STRANGER_UID_LEN ? of_table : STRANGER_UID_LEN;
}

/* By IDRpsk if there is one, else by the sender's identity (readings N53). */
static void find_subscribers(struct engine *e)
{
	struct identity psk_ids[ENGINE_BATCH_MAX] = {0}, uids[ENGINE_BATCH_MAX] = {0};
	const struct subscriber *by_psk_id[ENGINE_BATCH_MAX], *by_uid[ENGINE_BATCH_MAX];

	prefetch_stranger(e);
	for (unsigned int i = 0; i < e->n; i++) {
		const struct slot *s = &e->slots[i];

		if (!slot_live(s))
			continue;
		if (s->m.idr[MIKEY_IDRPSK].present)
			psk_ids[i] = slot_id(s, MIKEY_IDRPSK);
		else
			uids[i] = identity_nai_at(s->m.octets, &s->m.idr[slot_self_role(s)]);
	}
	subscriber_table_lookup(e->view->subscribers, psk_ids, e->n, by_psk_id);
	subscriber_table_lookup_uid(e->view->subscribers, uids, e->n, by_uid);
	/* After the look-ups: no UID that they found is longer. */
	e->longest_uid = longest_uid(e);
	for (unsigned int i = 0; i < e->n; i++) {
		struct slot *s = &e->slots[i];
		const struct subscriber *found =
			choose(by_psk_id[i] != NULL, by_psk_id[i], by_uid[i]);
		const struct subscriber *sender = choose(found != NULL, found, e->stranger);

		s->known = (found != NULL) & !subscriber_expired(sender, e->now_seconds);
		s->sender = choose(s->known, sender, e->stranger);
	}
}

static void derive_init_key(struct engine *e, struct slot *s)
{
	s->keyed = true;
	derive_message_auth(e, s, &s->sender->psk, s->keys.init_auth, KDF_INIT);
}

static void check_mac(struct engine *e, struct slot *s)
{
	static const uint16_t verdicts[2][2][2] = {
		/* not in sync, in sync; unknown, known; wrong, right */
		{{VERDICT_AUTH_UNKNOWN_NOT_IN_SYNC, VERDICT_AUTH_UNKNOWN_NOT_IN_SYNC},
			{VERDICT_AUTH_MAC_NOT_IN_SYNC, VERDICT_PENDING}},
		{{VERDICT_AUTH_UNKNOWN, VERDICT_AUTH_UNKNOWN}, {VERDICT_AUTH_MAC, VERDICT_PENDING}},
	};
	const bool right = secret_equal(s->mac, mikey_at(s->m.octets, s->m.v.mac), s->m.v.mac.len);

	s->verdict = verdicts[e->policy->in_sync][s->known][right];
}

/* Only now: whoever can be charged for a message has made it. */
static void admit(struct engine *e, struct slot *s)
{
	if (e->admit)
		s->verdict = e->admit(e->admit_arg, s->sender, mikey_at(s->m.octets, s->m.v.mac));
}

static enum verdict check_self(struct slot *s)
{
	const struct mikey_id *self = &s->m.idr[slot_self_role(s)];

	if (!self->present) {
		s->self = subscriber_uid(s->sender, 0);
		return VERDICT_PENDING;
	}
	s->self = identity_nai_at(s->m.octets, self);
	return subscriber_has_uid(s->sender, s->self) ? VERDICT_PENDING : VERDICT_MESSAGE_IDENTITY;
}

static void check_addressing(struct engine *e, struct slot *s)
{
	const struct mikey_id *kms = &s->m.idr[MIKEY_IDRKMS];

	if (s->m.n_cs != 0 || s->m.map_type != MIKEY_MAP_EMPTY)
		s->verdict = VERDICT_MESSAGE_MAP;
	else if (kms->present &&
		 !identity_equal(identity_nai_at(s->m.octets, kms), e->policy->kms_identity))
		s->verdict = VERDICT_MESSAGE_KMS;
	else
		s->verdict = check_self(s);
}

void stage_authenticate(struct engine *e)
{
	find_subscribers(e);
	slots_each(e, SLOT_ANY, derive_init_key);
	ops_prf_run(e);
	slots_each(e, SLOT_ANY, init_mac_queue);
	ops_mac_run(e);
	slots_each(e, SLOT_ANY, init_mac_take);
	slots_each(e, SLOT_ANY, check_mac);
	slots_each(e, SLOT_ANY, admit);
	slots_each(e, SLOT_ANY, check_addressing);
}
