/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/crypto/secret.h"
#include "dataplane/engine/derive.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"
#include "dataplane/engine/transcript.h"

static struct identity key_octets(const struct slot *s, unsigned int i)
{
	const struct mikey_span key = s->res.keys[i].key;

	return (struct identity){mikey_at(s->res.plain, key), key.len};
}

static struct kdf_rand ticket_rand(const struct slot *s)
{
	const struct mikey_span rand = s->res.data.rand.data;

	return (struct kdf_rand){mikey_at(s->m.octets, rand), (uint8_t)rand.len};
}

/* Vi and Vr, if and only if keys are forked; otherwise nobody looks at Initiator Data (readings
 * N37). */
static void parse_initiator_data(struct engine *e, struct slot *s)
{
	const struct mikey_initiator_data *id = &s->res.initiator;

	(void)e;
	if (!s->res.forking)
		return;
	switch (mikey_parse_initiator_data(
		&s->res.initiator, s->m.octets, s->m.ticket.initiator_data)) {
	case MIKEY_PARSE_OK:
		if (mikey_mac_len(id->vr.auth_alg) <= 0 || id->vi.auth_alg != id->vr.auth_alg)
			s->verdict = VERDICT_RESOLVE_INITIATOR_DATA_ALG;
		break;
	case MIKEY_PARSE_UNSUPPORTED:
		s->verdict = VERDICT_RESOLVE_INITIATOR_DATA_ALG;
		break;
	default:
		s->verdict = VERDICT_RESOLVE_NO_INITIATOR_DATA;
		break;
	}
}

static void derive_mpks(struct engine *e, struct slot *s)
{
	const struct identity mpk = key_octets(s, 0);

	derive_mpk(e, KDF_MPKI, s->res.hash, mpk.data, mpk.len, ticket_rand(s), s->keys.mpki);
	if (s->res.forking)
		derive_mpk(
			e, KDF_MPKR, s->res.hash, mpk.data, mpk.len, ticket_rand(s), s->keys.mpkr);
}

static uint8_t vr_hash(const struct slot *s)
{
	return s->res.initiator.vr.auth_alg == MIKEY_AUTH_HMAC_SHA_1_160 ? CRYPTO_SHA1
									 : CRYPTO_SHA256;
}

static void derive_vr_key(struct engine *e, struct slot *s)
{
	if (s->res.forking)
		derive_initiator_data(e, s->res.hash, vr_hash(s), s->keys.mpkr,
			s->res.keys[0].key.len, s->keys.initiator_data_auth);
}

/* The entire Initiator Data but the MAC itself (6.10). */
static void compute_vr(struct engine *e, struct slot *s)
{
	const uint16_t from = s->m.ticket.initiator_data.off, to = s->res.initiator.vr.mac.off;

	if (!s->res.forking)
		return;

	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.initiator_data_auth,
		.key_len = hash_len(vr_hash(s)),
		.seg = {{s->m.octets + from, (uint32_t)(to - from)}},
		.n_segments = 1,
		.out = s->mac,
		.hash = vr_hash(s),
	};
}

static void check_vr(struct engine *e, struct slot *s)
{
	const struct mikey_span mac = s->res.initiator.vr.mac;

	(void)e;
	if (s->res.forking && !secret_equal(s->mac, mikey_at(s->m.octets, mac), mac.len))
		s->verdict = VERDICT_RESOLVE_INITIATOR_DATA_MAC;
}

/* As long as the longest key that it forks (12.1). */
static uint8_t randr_kms_len(const struct slot *s)
{
	uint16_t longest = s->res.keys[0].key.len;

	for (unsigned int i = 1; i < s->res.n_keys; i++) {
		if (key_is_tgk(s->res.keys[i].type) && s->res.keys[i].key.len > longest)
			longest = s->res.keys[i].key.len;
	}
	return (uint8_t)longest;
}

/* Rule R1: the request's MAC stands for all of it, the ticket included. */
static void generate_randr_kms(struct engine *e, struct slot *s)
{
	if (!s->res.forking)
		return;
	struct transcript t = transcript_begin(e);

	transcript_message(&t, e, s);
	transcript_field(&t, s->res.returned.data, s->res.returned.len);
	const struct crypto_segment context = transcript_end(e, &t);

	s->res.randr_kms_len = randr_kms_len(s);
	s->res.randr_kms = kdf_queue(e, (struct kdf_source){.state = s->gk}, KDF108_LABEL_RANDR_KMS,
		&context, 1, s->res.randr_kms_len);
}

/* MPKr and TGKs are forked, TEKs, GTGKs and salts are not (5.1.1, readings N24). */
static void derive_forked_keys(struct engine *e, struct slot *s)
{
	if (!s->res.forking)
		return;
	slot_generated(e, s, ENGINE_GEN_RANDRKMS, 0, s->res.randr_kms, s->res.randr_kms_len);
	const struct kdf_rand randr = {s->res.randr_kms, s->res.randr_kms_len};
	const struct crypto_segment mpkr_label =
		derive_fork_label(e, KDF_FORK_MPKR, s->res.returned, randr);
	const struct crypto_segment tgk_label =
		derive_fork_label(e, KDF_FORK_TGK, s->res.returned, randr);

	derive_forked(e, s->res.hash, mpkr_label, s->keys.mpkr, s->res.keys[0].key.len,
		s->keys.mpkr_forked);
	for (unsigned int i = 1; i < s->res.n_keys; i++) {
		const struct identity key = key_octets(s, i);

		if (!key_is_tgk(s->res.keys[i].type))
			continue;
		s->res.forked[i] = scratch_take(e, KEY_MAX);
		derive_forked(e, s->res.hash, tgk_label, key.data, key.len, s->res.forked[i]);
	}
}

/* Type, SPI and salt stay as they are in the ticket (readings N24, N44). */
static void write_key(
	struct mikey_writer *w, const struct slot *s, unsigned int i, const uint8_t *octets)
{
	const struct mikey_key *k = &s->res.keys[i];
	const struct mikey_key_spec spec = {
		.type = k->type,
		.kv = k->kv,
		.key = octets,
		.key_len = k->key.len,
		.salt = mikey_at(s->res.plain, k->salt),
		.salt_len = k->salt.len,
		.spi = mikey_at(s->res.plain, k->spi),
		.spi_len = (uint8_t)k->spi.len,
		.valid_from = mikey_at(s->res.plain, k->valid_from),
		.valid_from_len = (uint8_t)k->valid_from.len,
		.valid_to = mikey_at(s->res.plain, k->valid_to),
		.valid_to_len = (uint8_t)k->valid_to.len,
	};

	mikey_write_key(w, &spec);
}

/* MPKi || [MPKr'] || {TEK|TGK|GTGK} (4.2.3.5). */
static void write_keys(struct engine *e, struct slot *s)
{
	struct mikey_writer w;

	mikey_write_begin_keys(&w, scratch_top(e), SCRATCH_TOP_MAX);
	write_key(&w, s, 0, s->keys.mpki);
	if (s->res.forking)
		write_key(&w, s, 0, s->keys.mpkr_forked);
	for (unsigned int i = 1; i < s->res.n_keys; i++)
		write_key(&w, s, i, s->res.forked[i] ? s->res.forked[i] : key_octets(s, i).data);
	s->plain_len = mikey_write_end(&w);
	s->plain = scratch_take(e, s->plain_len);
	if (s->plain_len == 0)
		s->verdict = VERDICT_RESPONSE_SIZE;
}

void stage_fork(struct engine *e)
{
	slots_each(e, SLOT_RESOLVE, parse_initiator_data);
	slots_each(e, SLOT_RESOLVE, derive_mpks);
	ops_prf_run(e);
	slots_each(e, SLOT_RESOLVE, derive_vr_key);
	ops_prf_run(e);
	slots_each(e, SLOT_RESOLVE, compute_vr);
	ops_mac_run(e);
	slots_each(e, SLOT_RESOLVE, check_vr);
	slots_each(e, SLOT_RESOLVE, generate_randr_kms);
	ops_mac_run(e);
	/* Labels of one length follow each other: the lanes are full then. */
	slots_each(e, SLOT_RESOLVE, derive_response);
	slots_each(e, SLOT_RESOLVE, derive_forked_keys);
	ops_prf_run(e);
	slots_each(e, SLOT_RESOLVE, write_keys);
}
