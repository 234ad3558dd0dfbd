/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is the header of a request one that means the same to everybody. libmicrohttpd is lenient where
 * two readings are possible (two lengths, a length and chunks, blanks before a colon); behind a
 * front proxy that reads it the other way, the rest of a body would pass for a request of somebody
 * else. What is ambiguous is refused and its connection closed. Pure; fed header by header.
 */
#ifndef TKMS_HTTP_HEAD_H
#define TKMS_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct head {
	bool broken;	 /* a name or value with octets that may not be there */
	bool is_mikey;	 /* Content-Type: application/mikey */
	bool is_encoded; /* Content-Encoding other than identity */
	bool expects;	 /* 100-continue: waits before it sends the body */
	bool chunked, other_coding;
	uint8_t hosts, types, lengths, codings;
	uint64_t length;       /* of the body, if lengths is 1 */
	const char *forwarded; /* last X-Forwarded-For, or NULL */
	size_t forwarded_len;
};

void head_add(
	struct head *h, const char *name, size_t name_len, const char *value, size_t value_len);

/* NULL, or why the request must not be taken. http11: its version is 1.1. */
const char *head_ambiguous(const struct head *h, bool http11);

/* The last entry of X-Forwarded-For: what the proxy next to us has seen. */
const char *head_last_entry(const char *list, size_t len, size_t *entry_len);

#endif
