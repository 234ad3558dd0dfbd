/* SPDX-License-Identifier: BSD-3-Clause */
/* What the mutators of the fuzz targets promise: structure stays, room is kept, seeds repeat. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/engine_batch.h"
#include "tests/fuzz/mikey_mutator.h"
#include "tests/fuzz/mikey_walk.h"
#include "tests/unit/mikey_vectors.h"

enum { SEEDS = 60, ROOM = 8192 };

/* Does it parse, and the inside of its ticket. */
static bool is_whole(const uint8_t *octets, size_t len)
{
	struct mikey_message m;
	struct mikey_tp_data tp;

	if (mikey_parse_message(&m, octets, len) != MIKEY_PARSE_OK)
		return false;
	return !m.ticket.present ||
	       mikey_parse_tp_data(&tp, octets, m.ticket.tp_data) == MIKEY_PARSE_OK;
}

Test(mutator, changed_messages_stay_messages)
{
	struct mikey_vectors all = mikey_vectors_load();
	unsigned int changed = 0, whole = 0, longer = 0, shorter = 0;
	static uint8_t data[ROOM], again[ROOM];

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];

		if (v->len > ROOM / 2 || !is_whole(v->octets, v->len))
			continue;
		for (uint32_t seed = 1; seed <= SEEDS; seed++) {
			memcpy(data, v->octets, v->len);
			memcpy(again, v->octets, v->len);
			const size_t len = mikey_mutate(data, v->len, ROOM, seed * 2654435761u);

			if (len == 0) {
				cr_assert_eq(memcmp(data, v->octets, v->len), 0);
				continue;
			}
			cr_assert_leq(len, ROOM);
			cr_assert_eq(mikey_mutate(again, v->len, ROOM, seed * 2654435761u), len);
			cr_assert_eq(memcmp(data, again, len), 0);
			(void)mikey_walk(data, len);
			changed++;
			whole += is_whole(data, len);
			longer += len > v->len;
			shorter += len < v->len;
		}
	}
	/* Unknown algorithms and what a ticket must have make some that do not parse. */
	cr_expect_geq(whole, changed / 4 * 3, "%u of %u", whole, changed);
	cr_expect_gt(changed, 1000);
	cr_expect_gt(longer, changed / 10);
	cr_expect_gt(shorter, changed / 10);
	mikey_vectors_free(&all);
}

Test(mutator, the_room_is_kept_and_other_octets_are_left)
{
	struct mikey_vectors all = mikey_vectors_load();
	const struct mikey_vector *v = &all.v[0];
	uint8_t noise[64];

	for (uint32_t seed = 1; seed <= 1000; seed++) {
		uint8_t *exact = malloc(v->len);

		cr_assert_not_null(exact);
		memcpy(exact, v->octets, v->len);
		cr_assert_leq(mikey_mutate(exact, v->len, v->len, seed * 7919), v->len);
		free(exact);
	}
	memset(noise, 0xee, sizeof(noise));
	cr_expect_eq(mikey_mutate(noise, sizeof(noise), sizeof(noise), 1), 0);
	cr_expect_eq(mikey_mutate(noise, 0, sizeof(noise), 1), 0);
	mikey_vectors_free(&all);
}

static unsigned int messages(const uint8_t *data, size_t size)
{
	unsigned int n = 0;

	for (size_t at = 1; at + 2 <= size; n++) {
		at += 2 + ((size_t)data[at] << 8 | data[at + 1]);
		cr_assert_leq(at, size);
	}
	return n;
}

Test(mutator, a_message_becomes_a_batch_that_grows_and_shrinks)
{
	struct mikey_vectors all = mikey_vectors_load();
	static uint8_t data[65535];
	size_t size = all.v[0].len, len;
	unsigned int most = 0, grown = 0, shrunk = 0;

	memcpy(data, all.v[0].octets, size);
	for (uint32_t seed = 1; seed < 4000; seed++) {
		const unsigned int before = data[0] == FUZZ_BATCH ? messages(data, size) : 1;

		len = fuzz_batch_mutate(data, size, sizeof(data), seed);
		if (len == 0)
			continue;
		size = len;
		const unsigned int now = data[0] == FUZZ_BATCH ? messages(data, size) : 1;

		grown += now > before;
		shrunk += now < before;
		most = now > most ? now : most;
	}
	cr_expect_gt(most, 1);
	cr_expect_leq(most, 64);
	cr_expect_gt(grown, 0);
	cr_expect_gt(shrunk, 0);
	mikey_vectors_free(&all);
}
