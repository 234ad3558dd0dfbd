/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets that are not what they should be: nothing outside the message is read, whatever they say.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/mikey_walk.h"
#include "tests/unit/mikey_vectors.h"

/* Pages with one on each side that faults. */
struct guarded {
	uint8_t *map;
	size_t page, room;
};

static struct guarded guarded_new(size_t len)
{
	struct guarded g = {.page = (size_t)sysconf(_SC_PAGESIZE)};

	g.room = (len + g.page - 1) / g.page * g.page;
	g.map = mmap(NULL, g.room + 2 * g.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(g.map, MAP_FAILED);
	cr_assert_eq(mprotect(g.map + g.page, g.room, PROT_READ | PROT_WRITE), 0);
	return g;
}

static void guarded_free(struct guarded *g)
{
	munmap(g->map, g->room + 2 * g->page);
}

static uint8_t *against_end(const struct guarded *g, const uint8_t *octets, size_t len)
{
	uint8_t *at = g->map + g->page + g->room - len;

	memcpy(at, octets, len);
	return at;
}

static uint8_t *exact(const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	cr_assert_not_null(copy);
	memcpy(copy, octets, len);
	return copy;
}

Test(mikey_robust, no_prefix_of_a_message_parses)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		struct guarded g = guarded_new(v->len);

		for (size_t len = 0; len < v->len; len++) {
			uint8_t *copy = exact(v->octets, len);

			cr_expect_neq(
				mikey_walk(copy, len), MIKEY_PARSE_OK, "%s: %zu", v->name, len);
			mikey_walk(against_end(&g, v->octets, len), len);
			free(copy);
		}
		guarded_free(&g);
	}
	mikey_vectors_free(&all);
}

Test(mikey_robust, prefixes_are_dissected_as_far_as_they_go)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i += 7) {
		const struct mikey_vector *v = &all.v[i];

		for (size_t len = 0; len <= v->len; len++) {
			uint8_t *copy = exact(v->octets, len);

			mikey_walk_decode(copy, len);
			free(copy);
		}
	}
	mikey_vectors_free(&all);
}

static void flip_all(uint8_t *octets, size_t len)
{
	static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};

	for (size_t k = 0; k < len; k++) {
		for (size_t f = 0; f < sizeof(masks); f++) {
			octets[k] ^= masks[f];
			mikey_walk(octets, len);
			octets[k] ^= masks[f];
		}
	}
}

Test(mikey_robust, flipped_octets_keep_every_span_inside, .timeout = 120)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		uint8_t *copy = exact(v->octets, v->len);

		flip_all(copy, v->len);
		free(copy);
	}
	mikey_vectors_free(&all);
}

Test(mikey_robust, flipped_octets_stop_at_guard_pages, .timeout = 120)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i += 3) {
		const struct mikey_vector *v = &all.v[i];
		struct guarded g = guarded_new(v->len);

		flip_all(against_end(&g, v->octets, v->len), v->len);
		memcpy(g.map + g.page, v->octets, v->len);
		flip_all(g.map + g.page, v->len);
		guarded_free(&g);
	}
	mikey_vectors_free(&all);
}

Test(mikey_robust, flipped_octets_are_dissected, .timeout = 120)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i += 11) {
		const struct mikey_vector *v = &all.v[i];
		uint8_t *copy = exact(v->octets, v->len);

		for (size_t k = 0; k < v->len; k++) {
			copy[k] ^= 0xff;
			mikey_walk_decode(copy, v->len);
			copy[k] ^= 0xff;
		}
		free(copy);
	}
	mikey_vectors_free(&all);
}

/* Wherever a part is taken to begin. */
Test(mikey_robust, parts_begin_anywhere)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i += 5) {
		const struct mikey_vector *v = &all.v[i];

		for (size_t off = 0; off < v->len; off++) {
			uint8_t *copy = exact(v->octets + off, v->len - off);

			mikey_walk_parts(copy, v->len - off);
			free(copy);
		}
	}
	mikey_vectors_free(&all);
}
