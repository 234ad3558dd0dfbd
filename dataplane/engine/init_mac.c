/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/init_mac.h"

#include <string.h>

enum { HASH_BLOCK = 64, HASH_LENGTH = 8 }; /* of SHA-1 and SHA-256 */

/* All ones or zero; the compiler must not see that it is a condition. */
static inline size_t mask_if(bool condition)
{
	size_t mask = -(size_t)condition;

	__asm__("" : "+r"(mask));
	return mask;
}

/* Whole blocks before the one with the length. */
static uint32_t blocks_before(uint32_t octets)
{
	return (octets + HASH_LENGTH) / HASH_BLOCK;
}

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* That of the stranger or, if it makes another number of blocks, the one that is closest to it. */
static uint32_t dummy_len(uint32_t fixed, uint32_t blocks, uint32_t longest)
{
	const uint32_t start = blocks * HASH_BLOCK, end = start + HASH_BLOCK - 1;
	const uint32_t before = fixed + HASH_LENGTH;
	const uint32_t least = start > before ? start - before : 1;
	const uint32_t most = end - before < longest ? end - before : longest;

	return clamp(STRANGER_UID_LEN, least, most);
}

void init_mac_plan(struct init_mac_plan *p, uint32_t fixed, uint32_t uid_len, uint32_t longest)
{
	const uint32_t first = blocks_before(fixed + 1);

	assert(uid_len >= 1 && uid_len <= longest && longest <= IDENTITY_MAX);
	p->n = blocks_before(fixed + longest) - first + 1;
	p->right = blocks_before(fixed + uid_len) - first;
	for (unsigned int i = 0; i < p->n; i++) {
		const uint32_t dummy = dummy_len(fixed, first + i, longest);
		const uint32_t right = (uint32_t)mask_if(i == p->right);

		p->len[i] = dummy ^ ((dummy ^ uid_len) & right);
	}
}

/* UID || Identity_kms, and zeroes up to the length it has with the longest UID. */
static void join(uint8_t *out, struct identity uid, struct identity kms, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const size_t in_uid = mask_if(i < uid.len);
		const size_t in_kms = mask_if(i - uid.len < kms.len);

		out[i] = (uint8_t)((uid.data[i & in_uid] & in_uid) |
				   (kms.data[(i - uid.len) & in_kms] & in_kms));
	}
}

static void queue(struct engine *e, const struct slot *s, struct crypto_segment self,
	struct identity kms, uint8_t *out)
{
	*ops_mac(e) = (struct crypto_mac_op){
		.key = s->keys.init_auth,
		.key_len = hash_len(s->hash),
		.seg = {{s->m.octets, s->m.v.mac.off}, self, {kms.data, kms.len}},
		.n_segments = 3,
		.out = out,
		.hash = s->hash,
	};
}

static void queue_plan(struct engine *e, struct slot *s, struct identity kms)
{
	const struct identity none = {(const uint8_t *)"", 0};
	const struct identity uid = subscriber_uid(s->sender, 0);
	uint8_t *joined = scratch_take(e, (size_t)e->longest_uid + kms.len);
	struct init_mac_plan plan;

	join(joined, uid, kms.len ? kms : none, (size_t)e->longest_uid + kms.len);
	init_mac_plan(&plan, s->m.v.mac.off + kms.len, uid.len, e->longest_uid);
	s->n_macs = (uint8_t)plan.n;
	s->right_mac = (uint8_t)plan.right;
	s->macs = scratch_take(e, (size_t)plan.n * CRYPTO_MAC_MAX);
	for (unsigned int i = 0; i < plan.n; i++)
		queue(e, s, (struct crypto_segment){joined, plan.len[i] + kms.len}, none,
			s->macs + (size_t)i * CRYPTO_MAC_MAX);
}

void init_mac_queue(struct engine *e, struct slot *s)
{
	const struct mikey_id *self = &s->m.idr[slot_self_role(s)];
	const struct mikey_id *kms_id = &s->m.idr[MIKEY_IDRKMS];
	const struct identity kms =
		kms_id->present ? identity_at(s->m.octets, kms_id) : e->policy->kms_identity;

	s->n_macs = 0;
	if (self->present)
		queue(e, s,
			(struct crypto_segment){mikey_at(s->m.octets, self->data), self->data.len},
			kms, s->mac);
	else
		queue_plan(e, s, kms);
}

void init_mac_take(struct engine *e, struct slot *s)
{
	(void)e;
	if (s->n_macs == 0)
		return;
	memset(s->mac, 0, sizeof(s->mac));
	for (unsigned int i = 0; i < s->n_macs; i++) {
		const size_t right = mask_if(i == s->right_mac);

		for (unsigned int j = 0; j < sizeof(s->mac); j++)
			s->mac[j] |= (uint8_t)(s->macs[i * CRYPTO_MAC_MAX + j] & right);
	}
}
