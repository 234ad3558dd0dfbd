/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/derive.h"

static void queue_prepared(struct engine *e, uint8_t hash, const struct crypto_key *key,
	const uint8_t *label, size_t label_len, uint8_t *out, uint16_t out_len)
{
	*ops_prf(e) = (struct crypto_prf_op){
		.key = key,
		.label = label,
		.label_len = (uint16_t)label_len,
		.out = out,
		.out_len = out_len,
		.hash = hash,
	};
}

static void queue_raw(struct engine *e, uint8_t hash, const uint8_t *key, uint16_t key_len,
	const uint8_t *label, size_t label_len, uint8_t *out, uint16_t out_len)
{
	*ops_prf(e) = (struct crypto_prf_op){
		.inkey = key,
		.inkey_len = key_len,
		.label = label,
		.label_len = (uint16_t)label_len,
		.out = out,
		.out_len = out_len,
		.hash = hash,
	};
}

static void message_key(struct engine *e, const struct slot *s, const struct crypto_key *psk,
	enum kdf_key which, enum kdf_phase phase, uint8_t *out, uint16_t out_len)
{
	const struct kdf_rand none = {NULL, 0};
	const bool request = s->op == SLOT_REQUEST;
	uint8_t *label = scratch_top(e);
	const size_t n = kdf_label_message(label, which, phase, s->m.csb_id,
		request ? s->randr : none, request ? none : s->randr);

	queue_prepared(e, s->hash, psk, scratch_take(e, n), n, out, out_len);
}

void derive_message_auth(struct engine *e, const struct slot *s, const struct crypto_key *psk,
	uint8_t *out, enum kdf_phase phase)
{
	message_key(e, s, psk, KDF_AUTH, phase, out, hash_len(s->hash));
}

void derive_response(struct engine *e, struct slot *s)
{
	struct message_keys *k = &s->keys.resp;
	const struct crypto_key *psk = &s->sender->psk;

	message_key(e, s, psk, KDF_ENCR, KDF_RESP, k->encr, hash_encr_len(s->hash));
	message_key(e, s, psk, KDF_SALT, KDF_RESP, k->salt, SALT_LEN);
	message_key(e, s, psk, KDF_AUTH, KDF_RESP, k->auth, hash_len(s->hash));
}

void derive_ticket(struct engine *e, struct slot *s, const struct crypto_key *tpk,
	struct ticket_algorithms alg, struct kdf_rand rand)
{
	struct message_keys *k = &s->keys.ticket;
	const struct {
		enum kdf_key which;
		uint8_t *out;
		uint16_t len;
	} wanted[] = {
		{KDF_ENCR, k->encr, alg.encr_len},
		{KDF_SALT, k->salt, SALT_LEN},
		{KDF_AUTH, k->auth, hash_len(alg.mac_hash)},
	};

	for (unsigned int i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const size_t n = kdf_label_ticket(scratch_top(e), wanted[i].which, rand);

		queue_prepared(
			e, alg.prf_hash, tpk, scratch_take(e, n), n, wanted[i].out, wanted[i].len);
	}
}

void derive_mpk(struct engine *e, enum kdf_mpk which, uint8_t prf_hash, const uint8_t *mpk,
	uint16_t len, struct kdf_rand rand, uint8_t *out)
{
	const size_t n = kdf_label_mpk(scratch_top(e), which, rand);

	queue_raw(e, prf_hash, mpk, len, scratch_take(e, n), n, out, len);
}

void derive_initiator_data(struct engine *e, uint8_t prf_hash, uint8_t mac_hash,
	const uint8_t *mpkr, uint16_t len, uint8_t *out)
{
	const size_t n = kdf_label_initiator_data(scratch_top(e), KDF_AUTH);

	queue_raw(e, prf_hash, mpkr, len, scratch_take(e, n), n, out, hash_len(mac_hash));
}

struct crypto_segment derive_fork_label(
	struct engine *e, enum kdf_fork which, struct identity id, struct kdf_rand randr_kms)
{
	const size_t n = kdf_label_fork(scratch_top(e), which, id.data, id.len, randr_kms);

	return (struct crypto_segment){scratch_take(e, n), (uint32_t)n};
}

void derive_forked(struct engine *e, uint8_t prf_hash, struct crypto_segment label,
	const uint8_t *key, uint16_t len, uint8_t *out)
{
	queue_raw(e, prf_hash, key, len, label.data, label.len, out, len);
}
