/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transcript of a decision: what the KDF's context is made of (ARCHITECTURE.md, R1). Every
 * field is preceded by its length in two octets, so that no two transcripts are the same string.
 * And the KDF itself, batched.
 */
#ifndef TKMS_ENGINE_TRANSCRIPT_H
#define TKMS_ENGINE_TRANSCRIPT_H

#include "dataplane/engine/kdf108.h"
#include "dataplane/engine/slot.h"

struct transcript {
	uint8_t *octets;
	size_t len;
};

enum {
	TRANSCRIPT_CONTEXT_MAX = CRYPTO_SEGMENTS_MAX - 2,
};

/* Begins at scratch_top(): nothing else may take scratch before transcript_end(). */
struct transcript transcript_begin(struct engine *e);
void transcript_field(struct transcript *t, const void *data, size_t len);
/* An integer of len octets, big-endian. */
void transcript_number(struct transcript *t, uint64_t value, size_t len);
struct crypto_segment transcript_end(struct engine *e, const struct transcript *t);

/* What every decision depends on: KMS, message, sender. */
void transcript_message(struct transcript *t, const struct engine *e, const struct slot *s);

/* Key of a KDF: an HMAC state or 32 octets. */
struct kdf_source {
	const struct crypto_hmac_state *state;
	const uint8_t *key;
};

/*
 * Queues out_len octets of KDF(source, label, context), to be had after ops_mac_run(). Returns
 * where they will be, in scratch. context: n <= TRANSCRIPT_CONTEXT_MAX segments.
 */
uint8_t *kdf_queue(struct engine *e, struct kdf_source source, const char *label,
	const struct crypto_segment *context, unsigned int n, size_t out_len);

#endif
