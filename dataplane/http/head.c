/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/head.h"

#include <string.h>
#include <strings.h>

static bool is_name_octet(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_clean(const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (name_len == 0)
		return false;
	for (size_t i = 0; i < name_len; i++) {
		if (!is_name_octet((unsigned char)name[i]))
			return false;
	}
	for (size_t i = 0; i < value_len; i++) {
		unsigned char c = (unsigned char)value[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && strncasecmp(name, text, len) == 0;
}

static bool is_mikey(const char *value, size_t len)
{
	static const char type[] = "application/mikey";
	size_t n = sizeof(type) - 1;

	return len >= n && strncasecmp(value, type, n) == 0 &&
	       (len == n || value[n] == ';' || value[n] == ' ' || value[n] == '\t');
}

static void add_length(struct head *h, const char *value, size_t len)
{
	h->lengths += h->lengths < 2;
	h->length = 0;
	if (len == 0 || len > 18)
		h->broken = true;
	for (size_t i = 0; i < len && !h->broken; i++) {
		if (value[i] < '0' || value[i] > '9')
			h->broken = true;
		h->length = h->length * 10 + (uint64_t)(value[i] - '0');
	}
}

void head_add(
	struct head *h, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (!is_clean(name, name_len, value, value_len)) {
		h->broken = true;
		return;
	}
	if (is("content-length", name, name_len)) {
		add_length(h, value, value_len);
	} else if (is("transfer-encoding", name, name_len)) {
		h->codings += h->codings < 2;
		if (is("chunked", value, value_len))
			h->chunked = true;
		else
			h->other_coding = true;
	} else if (is("host", name, name_len)) {
		h->hosts += h->hosts < 2;
	} else if (is("content-type", name, name_len)) {
		h->types += h->types < 2;
		h->is_mikey = is_mikey(value, value_len);
	} else if (is("content-encoding", name, name_len)) {
		h->is_encoded |= !is("identity", value, value_len);
	} else if (is("expect", name, name_len)) {
		h->expects = true;
	} else if (is("x-forwarded-for", name, name_len)) {
		h->forwarded = value;
		h->forwarded_len = value_len;
	}
}

const char *head_ambiguous(const struct head *h, bool http11)
{
	if (h->broken)
		return "malformed header";
	if (h->lengths > 1)
		return "more than one Content-Length";
	if (h->codings > 1 || h->other_coding)
		return "Transfer-Encoding other than chunked";
	if (h->codings && h->lengths)
		return "Content-Length and Transfer-Encoding";
	if (h->codings && !http11)
		return "Transfer-Encoding in HTTP/1.0";
	if (h->hosts > 1 || (http11 && h->hosts == 0))
		return "not exactly one Host";
	if (h->types > 1)
		return "more than one Content-Type";
	return NULL;
}

const char *head_last_entry(const char *list, size_t len, size_t *entry_len)
{
	size_t end = len, start;

	while (end && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	for (start = end; start && list[start - 1] != ',';)
		start--;
	while (start < end && (list[start] == ' ' || list[start] == '\t'))
		start++;
	*entry_len = end - start;
	return list + start;
}
