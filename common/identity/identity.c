/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/identity/identity.h"

#include <string.h>
#include <strings.h>

enum { ID_TYPE_URI = 1 };

static bool drop_prefix(struct identity *id, const char *prefix)
{
	size_t n = strlen(prefix);

	if (id->len < n || strncasecmp((const char *)id->data, prefix, n) != 0)
		return false;
	id->data += n;
	id->len = (uint16_t)(id->len - n);
	return true;
}

struct identity identity_nai(uint8_t id_type, const uint8_t *data, uint16_t len)
{
	struct identity id = {data, len};
	uint16_t i;

	if (id_type != ID_TYPE_URI)
		return id;
	if (!drop_prefix(&id, "sip:") && !drop_prefix(&id, "sips:"))
		return id;
	for (i = 0; i < id.len; i++) {
		if (id.data[i] == ';' || id.data[i] == '?') {
			id.len = i;
			break;
		}
	}
	return id;
}

bool identity_equal(struct identity a, struct identity b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * Literal runs are matched as early as possible; only the latest '?' ever has to take more octets,
 * because a match that leaves more of the name to the rest of the pattern is never worse.
 */
bool identity_match(struct identity pattern, struct identity name)
{
	size_t p = 0, n = 0;
	size_t retry_p = 0, retry_n = 0; /* after the latest '?'; retry_p 0: none seen */

	/* Also if there is a '?': it matches itself. */
	if (identity_equal(pattern, name))
		return true;
	while (n < name.len) {
		if (p < pattern.len && pattern.data[p] == '?') {
			retry_p = ++p;
			retry_n = n;
		} else if (p < pattern.len && pattern.data[p] == name.data[n]) {
			p++;
			n++;
		} else if (retry_p) {
			p = retry_p;
			n = ++retry_n;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '?')
		p++;
	return p == pattern.len;
}

unsigned int identity_wildcards(struct identity pattern)
{
	unsigned int count = 0;
	uint16_t i;

	for (i = 0; i < pattern.len; i++)
		count += pattern.data[i] == '?';
	return count;
}

bool identity_valid_uid(struct identity uid)
{
	unsigned int at_signs = 0;
	uint16_t i;

	if (uid.len < 3 || uid.len > IDENTITY_MAX)
		return false;
	for (i = 0; i < uid.len; i++) {
		if (uid.data[i] <= ' ' || uid.data[i] >= 0x7f || uid.data[i] == '?')
			return false;
		at_signs += uid.data[i] == '@';
	}
	return at_signs == 1 && uid.data[0] != '@' && uid.data[uid.len - 1] != '@';
}
