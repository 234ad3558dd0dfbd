/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/transcript.h"

#include <assert.h>
#include <string.h>

#include "dataplane/engine/octets.h"

struct transcript transcript_begin(struct engine *e)
{
	return (struct transcript){.octets = scratch_top(e), .len = 0};
}

void transcript_field(struct transcript *t, const void *data, size_t len)
{
	assert(len <= UINT16_MAX && t->len + 2 + len <= SCRATCH_TOP_MAX);
	octets_put16(t->octets + t->len, (uint16_t)len);
	if (len)
		memcpy(t->octets + t->len + 2, data, len);
	t->len += 2 + len;
}

void transcript_number(struct transcript *t, uint64_t value, size_t len)
{
	uint8_t octets[8];

	octets_put64(octets, value);
	transcript_field(t, octets + sizeof(octets) - len, len);
}

struct crypto_segment transcript_end(struct engine *e, const struct transcript *t)
{
	return (struct crypto_segment){scratch_take(e, t->len), (uint32_t)t->len};
}

void transcript_message(struct transcript *t, const struct engine *e, const struct slot *s)
{
	const struct mikey_message *m = &s->m;
	const struct identity psk_id = subscriber_psk_id(s->sender);

	transcript_field(t, e->policy->kms_identity.data, e->policy->kms_identity.len);
	transcript_number(t, m->data_type, 1);
	transcript_number(t, m->prf, 1);
	transcript_number(t, m->v.auth_alg, 1);
	transcript_field(t, psk_id.data, psk_id.len);
	transcript_field(t, s->self.data, s->self.len);
	transcript_number(t, m->csb_id, 4);
	transcript_number(t, m->t.type, 1);
	transcript_field(t, mikey_at(m->octets, m->t.value), m->t.value.len);
	transcript_field(t, s->randr.data, s->randr.len);
	transcript_field(t, mikey_at(m->octets, m->v.mac), m->v.mac.len);
}

static void queue_block(struct engine *e, struct kdf_source source, const char *label,
	uint32_t block, const struct crypto_segment *context, unsigned int n, const uint8_t *tail,
	uint8_t *out)
{
	const size_t head_len = kdf108_head(scratch_top(e), block, label);
	struct crypto_mac_op *op = ops_mac(e);

	*op = (struct crypto_mac_op){
		.state = source.state,
		.key = source.key,
		.key_len = source.key ? CRYPTO_SHA256_LEN : 0,
		.n_segments = (uint8_t)(n + 2),
		.out = out,
		.hash = CRYPTO_SHA256,
	};

	op->seg[0] = (struct crypto_segment){scratch_take(e, head_len), (uint32_t)head_len};
	for (unsigned int i = 0; i < n; i++)
		op->seg[1 + i] = context[i];
	op->seg[1 + n] = (struct crypto_segment){tail, KDF108_TAIL_LEN};
}

uint8_t *kdf_queue(struct engine *e, struct kdf_source source, const char *label,
	const struct crypto_segment *context, unsigned int n, size_t out_len)
{
	const size_t blocks = (out_len + KDF108_BLOCK - 1) / KDF108_BLOCK;
	uint8_t *out = scratch_take(e, blocks * KDF108_BLOCK);
	uint8_t *tail = scratch_take(e, KDF108_TAIL_LEN);

	assert(n <= TRANSCRIPT_CONTEXT_MAX);
	kdf108_tail(tail, out_len);
	for (size_t i = 0; i < blocks; i++)
		queue_block(e, source, label, (uint32_t)(i + 1), context, n, tail,
			out + i * KDF108_BLOCK);
	return out;
}
