/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/key_counts.h"

#include <string.h>

static struct key_uses sum_of(const struct key_counters_list *workers, unsigned int slot)
{
	struct key_uses sum = {0};

	for (unsigned int i = 0; i < workers->n; i++) {
		const struct key_uses *uses = &workers->counters[i]->slot[slot];

		sum.sealed += __atomic_load_n(&uses->sealed, __ATOMIC_RELAXED);
		sum.resolved += __atomic_load_n(&uses->resolved, __ATOMIC_RELAXED);
	}
	return sum;
}

/* Its own slot, or the one that was left longest ago. */
static unsigned int find(const struct key_counts *c, const struct sealing_key *key)
{
	unsigned int oldest = 0;

	for (unsigned int i = 0; i < KEY_SLOTS; i++) {
		if (c->slot[i].id_len == key->id_len &&
			memcmp(c->slot[i].id, key->id, key->id_len) == 0)
			return i;
		if (c->slot[i].generation < c->slot[oldest].generation)
			oldest = i;
	}
	return oldest;
}

void key_counts_assign(
	struct key_counts *c, struct keyring *ring, const struct key_counters_list *workers)
{
	c->generation++;
	for (unsigned int i = 0; i < ring->n_keys; i++) {
		struct sealing_key *key = &ring->keys[i];
		unsigned int slot = find(c, key);

		if (c->slot[slot].id_len != key->id_len ||
			memcmp(c->slot[slot].id, key->id, key->id_len) != 0) {
			memcpy(c->slot[slot].id, key->id, key->id_len);
			c->slot[slot].id_len = key->id_len;
			c->slot[slot].before = sum_of(workers, slot);
		}
		c->slot[slot].generation = c->generation;
		key->slot = (uint16_t)slot;
	}
}

void key_counts_report(const struct key_counts *c, const struct key_counters_list *workers,
	struct ipc_stats *report)
{
	report->n_keys = 0;
	for (unsigned int i = 0; i < KEY_SLOTS && report->n_keys < IPC_KEYS_MAX; i++) {
		struct ipc_key_count *count = &report->keys[report->n_keys];
		struct key_uses sum;

		if (!c->slot[i].id_len || c->slot[i].generation != c->generation)
			continue;
		sum = sum_of(workers, i);
		memcpy(count->id, c->slot[i].id, c->slot[i].id_len);
		count->id[c->slot[i].id_len] = '\0';
		count->sealed = sum.sealed - c->slot[i].before.sealed;
		count->resolved = sum.resolved - c->slot[i].before.resolved;
		report->n_keys++;
	}
}
