/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "common/mikey/message.h"
#include "tests/unit/mikey_vectors.h"

/* What the parser should say of a vector, from what the reference implementation says. */
static enum mikey_parse expected_result(const struct mikey_vector *v)
{
	if (strstr(v->name, "request_version_2") != NULL) /* echoed by the response */
		return MIKEY_PARSE_VERSION;
	if (strstr(v->reason, "unknown TS type") != NULL)
		return MIKEY_PARSE_UNSUPPORTED;
	if (strstr(v->reason, "TP Data: truncated") != NULL)
		return MIKEY_PARSE_OK; /* the message is well formed around it */
	if (strstr(v->reason, "truncated") != NULL)
		return MIKEY_PARSE_MALFORMED;
	return MIKEY_PARSE_OK;
}

Test(mikey_message, vectors_parse_as_the_reference_does)
{
	struct mikey_vectors all = mikey_vectors_load();

	for (size_t i = 0; i < all.n; i++) {
		const struct mikey_vector *v = &all.v[i];
		struct mikey_message m;
		enum mikey_parse res = mikey_parse_message(&m, v->octets, v->len);

		cr_expect_eq(res, expected_result(v), "%s: %d (%s)", v->name, res, v->reason);
		cr_expect_eq(m.data_type, v->octets[1], "%s", v->name);
		if (res == MIKEY_PARSE_UNSUPPORTED)
			cr_expect(m.ts_unknown && m.unsupported_error == MIKEY_ERR_INVALID_TS);
	}
	mikey_vectors_free(&all);
}
