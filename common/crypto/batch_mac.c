/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/crypto/batch.h"

/* Takes octets of the segments into a block under construction. */
struct joiner {
	struct batch_mac *m;
	struct lanes_run *run; /* the next free one */
	uint8_t *block;	       /* the next free one in m->joined */
	size_t fill;	       /* octets in it */
	uint64_t total;
	uint32_t blocks;
};

static void add_run(struct joiner *j, const uint8_t *data, uint32_t blocks)
{
	*j->run++ = (struct lanes_run){data, blocks};
	j->blocks += blocks;
}

static void join(struct joiner *j, const uint8_t *data, size_t len)
{
	if (len)
		memcpy(j->block + j->fill, data, len);
	j->fill += len;
}

static void add_segment(struct joiner *j, const uint8_t *data, size_t len)
{
	j->total += len;
	if (j->fill) {
		size_t room = LANES_BLOCK - j->fill;
		size_t part = len < room ? len : room;

		join(j, data, part);
		if (j->fill < LANES_BLOCK)
			return;
		add_run(j, j->block, 1);
		j->block += LANES_BLOCK;
		j->fill = 0;
		data += part;
		len -= part;
	}
	if (len >= LANES_BLOCK)
		add_run(j, data, (uint32_t)(len / LANES_BLOCK));
	join(j, data + len / LANES_BLOCK * LANES_BLOCK, len % LANES_BLOCK);
}

static struct lanes_hmac add_message(struct batch_mac *m, const struct crypto_mac_op *op)
{
	struct joiner j = {.m = m, .run = m->runs, .block = m->joined};
	unsigned int i;

	for (i = 0; i < op->n_segments; i++)
		if (op->seg[i].len)
			add_segment(&j, op->seg[i].data, op->seg[i].len);
	add_run(&j, j.block, lanes_pad(j.block, j.fill, j.total));
	return (struct lanes_hmac){op->state ? op->state : &m->own, m->runs, op->out, j.blocks};
}

static void mac_of_hash(
	struct batch *b, enum crypto_hash hash, const struct crypto_mac_op *ops, unsigned int n)
{
	unsigned int i, jobs = 0, n_keys = 0;

	for (i = 0; i < n; i++) {
		struct batch_mac *m = &b->macs[jobs];

		if (ops[i].hash != hash)
			continue;
		b->hmac[jobs++] = add_message(m, &ops[i]);
		if (!ops[i].state) {
			memcpy(m->key, ops[i].key, ops[i].key_len);
			memset(m->key + ops[i].key_len, 0, sizeof(m->key) - ops[i].key_len);
			b->keys[n_keys++] = (struct lanes_key){m->key, &m->own};
		}
	}
	if (jobs == 0)
		return;
	lanes_keys(&b->lanes, hash, b->keys, n_keys);
	lanes_hmac(&b->lanes, hash, b->hmac, jobs);
}

void batch_mac(struct batch *b, const struct crypto_mac_op *ops, unsigned int n)
{
	mac_of_hash(b, CRYPTO_SHA1, ops, n);
	mac_of_hash(b, CRYPTO_SHA256, ops, n);
}
