/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to a KMS over HTTP: one question as a POST, asked again until it is answered or the time
 * is over. Blocks. Uses libcurl, without proxies, redirects or anything else of the environment.
 */
#ifndef TKMS_CLIENT_HTTP_H
#define TKMS_CLIENT_HTTP_H

#include <stdbool.h>

#include "bench/client/client.h"

enum { CLIENT_URL_MAX = 512 };

/* "http://..." or "https://...": not a list of addresses. */
bool client_is_url(const char *text);

/*
 * The URL to post a message to: base with the standard path if it has none, and the query that the
 * message's type asks for if it has none. 0 or -ENAMETOOLONG.
 */
int client_http_url(char out[CLIENT_URL_MAX], const char *base, uint8_t data_type);

/*
 * As client_call(): 0 when the judge said CLIENT_FINAL, -ETIMEDOUT, or -errno. outcome->http_status
 * is the last status, 0: no HTTP answer. A status that another try would not change ends the call
 * with -EPROTO.
 */
int client_http_call(const char *base, const struct client_timing *timing, const uint8_t *message,
	size_t len, client_judge_fn judge, void *arg, struct client_outcome *outcome);

#endif
