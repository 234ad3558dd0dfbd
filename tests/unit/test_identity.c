/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "common/identity/identity.h"
#include "tests/unit/vectors.h"

static struct identity id(const char *s)
{
	return (struct identity){(const uint8_t *)s, (uint16_t)strlen(s)};
}

Test(identity, wildcard_vectors)
{
	json_t *root = vectors_load("primitives.json"), *c;
	json_t *cases = json_object_get(root, "wildcard");
	size_t i;

	cr_assert_geq(json_array_size(cases), 25);
	json_array_foreach(cases, i, c)
	{
		struct identity pattern = id(vectors_string(c, "pattern"));
		struct identity name = id(vectors_string(c, "name"));

		cr_expect_eq(identity_match(pattern, name),
			json_is_true(json_object_get(c, "match")), "%s %s",
			vectors_string(c, "pattern"), vectors_string(c, "name"));
	}
	json_decref(root);
}

/* The definition, slow and plainly right: for comparison on short strings. */
static bool match_by_definition(const char *p, const char *n)
{
	if (!*p)
		return !*n;
	if (*p == '?')
		return match_by_definition(p + 1, n) || (*n && match_by_definition(p, n + 1));
	return *n == *p && match_by_definition(p + 1, n + 1);
}

static void nth_string(char *out, unsigned int len, unsigned int n, const char *alphabet)
{
	size_t base = strlen(alphabet);

	out[len] = '\0';
	while (len--) {
		out[len] = alphabet[n % base];
		n /= (unsigned int)base;
	}
}

Test(identity, every_short_pattern_matches_as_defined)
{
	unsigned int pl, pn, p_count, nl, nn, n_count;
	char p[8], n[8];

	for (pl = 0, p_count = 1; pl <= 5; pl++, p_count *= 3) {
		for (pn = 0; pn < p_count; pn++) {
			nth_string(p, pl, pn, "?ab");
			for (nl = 0, n_count = 1; nl <= 5; nl++, n_count *= 3) {
				for (nn = 0; nn < n_count; nn++) {
					nth_string(n, nl, nn, "ab?");
					if (identity_match(id(p), id(n)) !=
						match_by_definition(p, n))
						cr_assert_fail("%s %s", p, n);
				}
			}
		}
	}
}

/* A matcher that tried every split would not end: 20 wildcards over 65,000 octets. */
Test(identity, pathological_patterns_take_quadratic_time_at_most, .timeout = 20)
{
	static uint8_t name[UINT16_MAX], pattern[41];
	struct identity n = {name, sizeof(name)}, p = {pattern, sizeof(pattern)};

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 ? '?' : 'a';
	cr_expect(identity_match(p, n));
	pattern[sizeof(pattern) - 1] = 'b';
	cr_expect_not(identity_match(p, n));
	name[sizeof(name) - 1] = 'b';
	cr_expect(identity_match(p, n));
	memset(pattern, '?', sizeof(pattern));
	cr_expect(identity_match(p, n));
}

Test(identity, names_may_hold_any_octet)
{
	static const uint8_t name[] = {'a', 0, '@', 0xff};
	static const uint8_t pattern[] = {'?', 0, '@', '?'};
	struct identity n = {name, sizeof(name)}, p = {pattern, sizeof(pattern)};

	cr_expect(identity_match(p, n));
	cr_expect(identity_match((struct identity){NULL, 0}, (struct identity){NULL, 0}));
	cr_expect_not(identity_match((struct identity){NULL, 0}, n));
	cr_expect_eq(identity_wildcards(p), 2);
	cr_expect_eq(identity_wildcards(n), 0);
}

Test(identity, equality_is_of_octets)
{
	cr_expect(identity_equal(id("a@b"), id("a@b")));
	cr_expect_not(identity_equal(id("a@b"), id("A@b")));
	cr_expect_not(identity_equal(id("a@b"), id("a@bc")));
	cr_expect_not(identity_equal(id("a@bc"), id("a@b")));
	cr_expect(identity_equal((struct identity){NULL, 0}, id("")));
}

struct nai_case {
	uint8_t type;
	const char *in;
	const char *out;
};

Test(identity, sip_uris_lose_scheme_and_parameters_others_stay)
{
	static const struct nai_case table[] = {
		{0, "alice@example.com", "alice@example.com"},
		{0, "sip:alice@example.com", "sip:alice@example.com"},
		{0, "?@example.com;x", "?@example.com;x"},
		{1, "sip:alice@example.com", "alice@example.com"},
		{1, "SIPS:alice@example.com", "alice@example.com"},
		{1, "sip:alice@example.com;user=phone", "alice@example.com"},
		{1, "sip:alice@example.com?subject=x;y", "alice@example.com"},
		{1, "sip:", ""},
		{1, "sips", "sips"},
		{1, "tel:+1234;phone-context=x", "tel:+1234;phone-context=x"},
		{1, "", ""},
		{2, "sip:x", "sip:x"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct identity in = id(table[i].in);
		struct identity out = identity_nai(table[i].type, in.data, in.len);

		cr_expect(identity_equal(out, id(table[i].out)), "%s", table[i].in);
		cr_expect(out.data >= in.data && out.data + out.len <= in.data + in.len);
	}
}

Test(identity, valid_uids)
{
	static const char *const good[] = {
		"a@b", "alice@example.com", "a.b+c_d-e!~@x.y", "alice;x@example.com"};
	static const char *const bad[] = {"", "@", "a@", "@b", "ab", "a@b@c", "a @b", "a\t@b",
		"a?@b", "a@b?", "a@b\n", "a@\x7f", "\xc3\xa4@b", "abc", "@@@"};
	uint8_t longest[256];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(identity_valid_uid(id(good[i])), "%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(identity_valid_uid(id(bad[i])), "%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[10] = '@';
	cr_expect(identity_valid_uid((struct identity){longest, 255}));
	cr_expect_not(identity_valid_uid((struct identity){longest, 256}));
	longest[11] = 0;
	cr_expect_not(identity_valid_uid((struct identity){longest, 255}));
}
