/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/secret.h"
#include "dataplane/engine/authorise.h"
#include "dataplane/engine/derive.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"

static enum verdict check_type(struct engine *e, struct slot *s)
{
	const struct mikey_ticket *t = &s->m.ticket;

	if (!policy_type_allowed(e->policy, t->type, t->subtype, t->version))
		return VERDICT_RESOLVE_TICKET_TYPE;
	if (t->prf != MIKEY_PRF_MIKEY_1 && t->prf != MIKEY_PRF_HMAC_SHA_256)
		return VERDICT_RESOLVE_PRF;
	s->res = (struct resolution){
		.hash = t->prf == MIKEY_PRF_MIKEY_1 ? CRYPTO_SHA1 : CRYPTO_SHA256,
		.forking = t->flags & MIKEY_FLAG_I,
	};
	return VERDICT_PENDING;
}

static enum verdict parse_ticket(struct slot *s)
{
	const struct mikey_ticket *t = &s->m.ticket;

	if (mikey_parse_tp_data(&s->tp, s->m.octets, t->tp_data) != MIKEY_PARSE_OK)
		return VERDICT_RESOLVE_TP_MALFORMED;
	switch (mikey_parse_ticket_data(&s->res.data, s->m.octets, t->ticket_data)) {
	case MIKEY_PARSE_OK:
		return VERDICT_PENDING;
	case MIKEY_PARSE_UNSUPPORTED:
		return VERDICT_RESOLVE_MAC_ALG;
	default:
		return VERDICT_RESOLVE_TICKET_MALFORMED;
	}
}

/* Each where the RFC names it: PRF in the policy, Encr alg in KEMAC, MAC alg in V (readings N45).
 */
static enum verdict check_algorithms(const struct slot *s)
{
	const struct mikey_ticket_data *td = &s->res.data;

	if (td->kemac.encr_alg != MIKEY_ENCR_AES_CM_128 &&
		td->kemac.encr_alg != MIKEY_ENCR_AES_CM_256)
		return VERDICT_RESOLVE_ENCR_ALG;
	if (mikey_mac_len(td->v.auth_alg) <= 0 || td->kemac.mac_alg != MIKEY_AUTH_NULL)
		return VERDICT_RESOLVE_MAC_ALG;
	if (td->kemac.encr_alg != hash_encr_alg(s->res.hash) ||
		td->v.auth_alg != hash_auth_alg(s->res.hash))
		return VERDICT_RESOLVE_MIXED;
	return VERDICT_PENDING;
}

static void check_ticket(struct engine *e, struct slot *s)
{
	s->verdict = check_type(e, s) ?: parse_ticket(s) ?: check_algorithms(s);
}

/* The ids of sealing keys and PSKs are disjoint; without an id it is the key that seals now
 * (readings N53). */
static bool find_sealing_key(struct engine *e, struct slot *s)
{
	const struct mikey_id *id = &s->res.data.idr_psk;
	const struct keyring *ring = e->view->keyring;

	if (id->present && !keyring_id_is_sealing(identity_at(s->m.octets, id)))
		return false;
	s->res.sealing = id->present ? keyring_find(ring, identity_at(s->m.octets, id))
				     : keyring_active(ring);
	if (s->res.sealing) {
		s->res.tpk = &s->res.sealing->tpk;
		s->gk = &s->res.sealing->gk;
	}
	return true;
}

static void use_owner(struct engine *e, struct slot *s, const struct subscriber *owner)
{
	const struct sealing_key *active = keyring_active(e->view->keyring);

	if (!owner || subscriber_expired(owner, e->now_seconds))
		return;
	s->res.owner = owner;
	s->res.tpk = &owner->psk;
	s->gk = active ? &active->gk : NULL;
}

static void check_tpk(struct engine *e, struct slot *s)
{
	if (!s->res.tpk)
		s->verdict = e->policy->in_sync ? VERDICT_RESOLVE_UNKNOWN_KEY
						: VERDICT_RESOLVE_UNKNOWN_KEY_NOT_IN_SYNC;
	else if (!s->gk)
		s->verdict = VERDICT_RESOLVE_NO_GENERATION_KEY;
}

static void find_tpks(struct engine *e)
{
	struct identity ids[ENGINE_BATCH_MAX] = {0};
	const struct subscriber *owners[ENGINE_BATCH_MAX];
	bool any = false;

	for (unsigned int i = 0; i < e->n; i++) {
		struct slot *s = &e->slots[i];

		if (!slot_live(s) || s->op != SLOT_RESOLVE || find_sealing_key(e, s))
			continue;
		ids[i] = identity_at(s->m.octets, &s->res.data.idr_psk);
		any = true;
	}
	if (!any)
		return;
	subscriber_table_lookup(e->view->subscribers, ids, e->n, owners);
	for (unsigned int i = 0; i < e->n; i++) {
		if (ids[i].data)
			use_owner(e, &e->slots[i], owners[i]);
	}
}

static struct kdf_rand ticket_rand(const struct slot *s)
{
	const struct mikey_span rand = s->res.data.rand.data;

	return (struct kdf_rand){mikey_at(s->m.octets, rand), (uint8_t)rand.len};
}

static void derive_keys(struct engine *e, struct slot *s)
{
	const struct ticket_algorithms alg = {
		.prf_hash = s->res.hash,
		.encr_len = hash_encr_len(s->res.hash),
		.mac_hash = s->res.hash,
	};

	derive_ticket(e, s, s->res.tpk, alg, ticket_rand(s));
}

/* From Ticket Type to the Auth alg of V in one run (readings N15). */
static void compute_mac(struct engine *e, struct slot *s)
{
	const uint16_t from = s->m.ticket.body.off, to = s->res.data.v.mac.off;

	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.ticket.auth,
		.key_len = hash_len(s->res.hash),
		.seg = {{s->m.octets + from, (uint32_t)(to - from)}},
		.n_segments = 1,
		.out = s->mac,
		.hash = s->res.hash,
	};
}

static void check_mac(struct engine *e, struct slot *s)
{
	const struct mikey_span mac = s->res.data.v.mac;

	(void)e;
	if (!secret_equal(s->mac, mikey_at(s->m.octets, mac), mac.len))
		s->verdict = VERDICT_RESOLVE_TICKET_MAC;
}

static void decrypt(struct engine *e, struct slot *s)
{
	const struct mikey_span data = s->res.data.kemac.data;
	uint8_t t64[TIMESTAMP_LEN];
	struct crypto_cm_op *op = ops_cm(e);

	*op = (struct crypto_cm_op){
		.key = s->keys.ticket.encr,
		.key_len = hash_encr_len(s->res.hash),
		.src = mikey_at(s->m.octets, data),
		.len = data.len,
	};

	s->res.plain = scratch_take(e, data.len);
	op->dst = s->res.plain;
	mikey_t64(t64, s->m.octets, &s->res.data.t);
	crypto_cm_iv(op->iv, s->keys.ticket.salt, (uint32_t)NO_CSB_ID, t64);
}

/* MPK || {TEK|TGK|GTGK}, each of a length that the PRF takes, none that is too strong for the way
 * it goes. */
static enum verdict check_key(const struct slot *s, unsigned int i)
{
	const struct mikey_key *k = &s->res.keys[i];

	if ((k->type == MIKEY_MPK) != (i == 0))
		return VERDICT_RESOLVE_KEYS_MALFORMED;
	if (k->key.len < KEY_MIN || k->key.len > KEY_MAX ||
		!crypto_key_acceptable(mikey_at(s->res.plain, k->key), k->key.len))
		return VERDICT_RESOLVE_KEY_SIZE;
	if (i > 0 && k->key.len > KEY_MIN && (hash_is_weak(s->hash) || hash_is_weak(s->res.hash)))
		return VERDICT_RESOLVE_KEY_STRENGTH;
	return VERDICT_PENDING;
}

static void check_keys(struct engine *e, struct slot *s)
{
	if (mikey_parse_keys(s->res.keys, 1 + POLICY_KEYS_MAX, &s->res.n_keys, s->res.plain,
		    s->res.data.kemac.data.len) != MIKEY_PARSE_OK ||
		s->res.n_keys == 0) {
		s->verdict = VERDICT_RESOLVE_KEYS_MALFORMED;
		return;
	}
	for (unsigned int i = 0; i < s->res.n_keys && slot_live(s); i++)
		s->verdict = check_key(s, i);
	if (slot_live(s))
		s->verdict = authorise_keys(e, s);
}

static void check_permission(struct engine *e, struct slot *s)
{
	s->verdict = authorise_ticket(e, s);
}

void stage_open_ticket(struct engine *e)
{
	slots_each(e, SLOT_RESOLVE, check_ticket);
	find_tpks(e);
	slots_each(e, SLOT_RESOLVE, check_tpk);
	slots_each(e, SLOT_RESOLVE, derive_keys);
	ops_prf_run(e);
	slots_each(e, SLOT_RESOLVE, compute_mac);
	ops_mac_run(e);
	slots_each(e, SLOT_RESOLVE, check_mac);
	slots_each(e, SLOT_RESOLVE, check_permission);
	slots_each(e, SLOT_RESOLVE, decrypt);
	ops_cm_run(e);
	slots_each(e, SLOT_RESOLVE, check_keys);
}
