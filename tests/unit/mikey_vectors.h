/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of tests/vectors for the tests of common/mikey: exact-size copies, so that ASan sees
 * every octet. */
#ifndef TKMS_TESTS_MIKEY_VECTORS_H
#define TKMS_TESTS_MIKEY_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct mikey_vector {
	char name[96];	 /* case, suite, step */
	char step[32];	 /* "REQUEST_INIT", ...; "" for errors.json */
	char reason[96]; /* errors.json: oracle_reason */
	int error_no;	 /* errors.json: oracle_error_no, -2 for exchanges.json */
	uint8_t *octets;
	size_t len;
};

struct mikey_vectors {
	size_t n;
	struct mikey_vector *v;
};

/* exchanges.json, then errors.json (also their responses). Ends the test when a file cannot be
 * read. */
struct mikey_vectors mikey_vectors_load(void);
void mikey_vectors_free(struct mikey_vectors *all);

#endif
