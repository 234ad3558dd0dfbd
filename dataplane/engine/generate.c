/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/engine/octets.h"
#include "dataplane/engine/slot.h"
#include "dataplane/engine/stages.h"
#include "dataplane/engine/transcript.h"

/* Rule R1: granted type, flags, TP Data and keys; the key that seals. Everything that is generated
 * hangs on all of it. */
static void transcript_grant(struct transcript *t, const struct slot *s)
{
	const struct grant *g = &s->grant;

	transcript_field(t, g->tpk_id.data, g->tpk_id.len);
	transcript_number(t, s->m.tp.type, 2);
	transcript_number(t, s->m.tp.subtype, 1);
	transcript_number(t, s->m.tp.version, 1);
	transcript_number(t, s->m.tp.prf, 1);
	transcript_number(t, g->flags, 2);
	transcript_number(t, g->n_keys, 1);
	for (unsigned int i = 0; i < g->n_keys; i++) {
		const struct granted_key *k = &g->keys[i];

		transcript_number(t, k->type, 1);
		transcript_number(t, k->len, 1);
		transcript_number(t, k->salt_len, 1);
		transcript_number(t, k->spi_generated, 1);
		transcript_field(t, k->spi, k->spi_generated ? 0 : k->spi_len);
	}
}

static void queue_decision(struct engine *e, struct slot *s)
{
	const uint8_t *tp_data = s->msg->response + s->grant.tp_data.off;
	struct transcript t = transcript_begin(e);
	struct crypto_segment context[2];

	transcript_message(&t, e, s);
	transcript_grant(&t, s);
	transcript_number(&t, s->grant.tp_data.len, 2);
	context[0] = transcript_end(e, &t);
	context[1] = (struct crypto_segment){tp_data, s->grant.tp_data.len};
	s->grant.decision = kdf_queue(e, (struct kdf_source){.state = s->gk}, KDF108_LABEL_DECISION,
		context, 2, CRYPTO_SHA256_LEN);
}

static uint8_t *queue_output(struct engine *e, const struct slot *s, enum engine_generated what,
	unsigned int index, size_t len)
{
	const struct kdf_source source = {.key = s->grant.decision};
	struct transcript t = transcript_begin(e);

	transcript_number(&t, what, 1);
	transcript_number(&t, index, 1);
	transcript_number(&t, len, 2);
	const struct crypto_segment context = transcript_end(e, &t);

	return kdf_queue(e, source, KDF108_LABEL_OUTPUT, &context, 1, len);
}

/* Lengths: readings N25 and N46. */
static void queue_outputs(struct engine *e, struct slot *s)
{
	struct grant *g = &s->grant;

	g->mpk_len = hash_is_weak(g->hash) ? 16 : 32;
	g->rand_len = g->tpk_len > g->mpk_len ? g->tpk_len : g->mpk_len;
	g->mpk = queue_output(e, s, ENGINE_GEN_MPK, 0, g->mpk_len);
	g->mpk_spi = queue_output(e, s, ENGINE_GEN_MPK_SPI, 0, SPI_GENERATED_LEN);
	g->rand = queue_output(e, s, ENGINE_GEN_TICKET_RAND, 0, g->rand_len);
	for (unsigned int i = 0; i < g->n_keys; i++) {
		struct granted_key *k = &g->keys[i];

		k->key = queue_output(e, s, ENGINE_GEN_KEY, i, k->len);
		if (k->salt_len > 0)
			k->salt = queue_output(e, s, ENGINE_GEN_SALT, i, k->salt_len);
		if (k->spi_generated)
			k->spi = k->spi_new =
				queue_output(e, s, ENGINE_GEN_SPI, i, SPI_GENERATED_LEN);
	}
}

static void replace_outputs(struct engine *e, struct slot *s)
{
	struct grant *g = &s->grant;

	slot_generated(e, s, ENGINE_GEN_MPK, 0, g->mpk, g->mpk_len);
	slot_generated(e, s, ENGINE_GEN_MPK_SPI, 0, g->mpk_spi, SPI_GENERATED_LEN);
	slot_generated(e, s, ENGINE_GEN_TICKET_RAND, 0, g->rand, g->rand_len);
	for (unsigned int i = 0; i < g->n_keys; i++) {
		struct granted_key *k = &g->keys[i];

		slot_generated(e, s, ENGINE_GEN_KEY, i, k->key, k->len);
		if (k->salt_len > 0)
			slot_generated(e, s, ENGINE_GEN_SALT, i, k->salt, k->salt_len);
		if (k->spi_generated)
			slot_generated(e, s, ENGINE_GEN_SPI, i, k->spi_new, SPI_GENERATED_LEN);
	}
}

static bool spi_taken(const struct grant *g, unsigned int of)
{
	const struct granted_key *k = &g->keys[of];

	for (unsigned int i = 0; i < g->n_keys; i++) {
		/* Generated ones that come later give way themselves. */
		if (i == of || (i > of && g->keys[i].spi_generated))
			continue;
		if (g->keys[i].spi_len == k->spi_len &&
			memcmp(g->keys[i].spi, k->spi, k->spi_len) == 0)
			return true;
	}
	return false;
}

/* SPIs tell the keys of a ticket apart. Not secret: the next number will do, on every node the
 * same. */
static void separate_spis(struct grant *g)
{
	for (unsigned int i = 0; i < g->n_keys; i++) {
		struct granted_key *k = &g->keys[i];

		while (k->spi_generated && spi_taken(g, i))
			octets_put32(k->spi_new, octets_get32(k->spi_new) + 1);
	}
}

static void check_outputs(struct engine *e, struct slot *s)
{
	struct grant *g = &s->grant;

	replace_outputs(e, s);
	separate_spis(g);
	for (unsigned int i = 0; i < g->n_keys; i++) {
		if (!crypto_key_acceptable(g->keys[i].key, g->keys[i].len))
			s->verdict = VERDICT_REQUEST_WEAK_KEY;
	}
}

void stage_generate(struct engine *e)
{
	slots_each(e, SLOT_REQUEST, queue_decision);
	ops_mac_run(e);
	slots_each(e, SLOT_REQUEST, queue_outputs);
	ops_mac_run(e);
	slots_each(e, SLOT_REQUEST, check_outputs);
}
