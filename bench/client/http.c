/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/client/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/mikey/types.h"

enum { ANSWER_MAX = 65535 };

struct answer {
	size_t len;
	uint8_t octets[ANSWER_MAX];
};

struct http_call {
	CURL *curl;
	struct curl_slist *headers;
	const struct client_timing *timing;
	struct client_outcome *out;
	client_judge_fn judge;
	void *arg;
	uint64_t end_us;
};

bool client_is_url(const char *text)
{
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

int client_http_url(char out[CLIENT_URL_MAX], const char *base, uint8_t data_type)
{
	const char *host = strstr(base, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	const bool request =
		data_type == MIKEY_REQUEST_INIT_PSK || data_type == MIKEY_REQUEST_INIT_PK;
	const int n =
		snprintf(out, CLIENT_URL_MAX, "%s%s%s", base, path == NULL ? "/keymanagement" : "",
			strchr(base, '?') != NULL ? ""
			: request		  ? "?requesttype=ticketrequest"
						  : "?requesttype=ticketresolve");
	return n < 0 || n >= CLIENT_URL_MAX ? -ENAMETOOLONG : 0;
}

static size_t take(char *octets, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	n *= size;
	if (n > sizeof(a->octets) - a->len) {
		return 0;
	}
	memcpy(a->octets + a->len, octets, n);
	a->len += n;
	return n;
}

static int set_up(struct http_call *c, const char *url, const uint8_t *message, size_t len,
	struct answer *answer)
{
	c->headers = curl_slist_append(NULL, "Content-Type: application/mikey");
	if (c->headers == NULL || curl_slist_append(c->headers, "Expect:") == NULL) {
		return -ENOMEM;
	}
	CURLcode r = curl_easy_setopt(c->curl, CURLOPT_URL, url);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)len);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, message);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	r = r ? r : curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, answer);
	return r == CURLE_OK ? 0 : -EINVAL;
}

/* 1: done, 0: may be tried again, -errno. */
static int attempt(struct http_call *c, struct answer *answer)
{
	const uint64_t now = client_clock_us();
	long status = 0;
	if (now >= c->end_us) {
		return -ETIMEDOUT;
	}
	answer->len = 0;
	c->out->sent++;
	if (curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)((c->end_us - now) / 1000 + 1)) !=
		CURLE_OK) {
		return -EINVAL;
	}
	const CURLcode r = curl_easy_perform(c->curl);
	if (r != CURLE_OK) {
		long e = 0;
		(void)curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &e);
		c->out->send_errno = e != 0 ? (int)e : ECONNRESET;
		return r == CURLE_URL_MALFORMAT || r == CURLE_UNSUPPORTED_PROTOCOL ? -EINVAL : 0;
	}
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	c->out->http_status = (unsigned int)status;
	if (status == 200) {
		c->out->received++;
		c->out->rtt_us = client_clock_us() - now;
		switch (c->judge(c->arg, 0, answer->octets, answer->len)) {
		case CLIENT_FINAL:
			return 1;
		case CLIENT_HINT:
			c->out->hints++;
			return 0;
		case CLIENT_IGNORE:
		default:
			return 0;
		}
	}
	return status == 408 || status == 429 || status >= 500 ? 0 : -EPROTO;
}

static uint64_t pause_us(struct http_call *c, unsigned int round)
{
	curl_off_t after = 0;
	uint64_t wait = c->timing->longest_us;
	if (round < 32 && (uint64_t)c->timing->first_us << round < wait) {
		wait = (uint64_t)c->timing->first_us << round;
	}
	if (curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0) {
		wait = (uint64_t)after * 1000000;
	}
	return wait;
}

static int repeat(struct http_call *c, struct answer *answer)
{
	for (unsigned int round = 0;; round++) {
		const int r = attempt(c, answer);
		if (r != 0) {
			return r < 0 ? r : 0;
		}
		const uint64_t wait = pause_us(c, round);
		if (client_clock_us() + wait >= c->end_us) {
			return -ETIMEDOUT;
		}
		const struct timespec t = {(time_t)(wait / 1000000), (long)(wait % 1000000 * 1000)};
		(void)nanosleep(&t, NULL);
	}
}

int client_http_call(const char *base, const struct client_timing *timing, const uint8_t *message,
	size_t len, client_judge_fn judge, void *arg, struct client_outcome *outcome)
{
	static _Thread_local struct answer answer;
	const uint64_t start = client_clock_us();
	struct http_call c = {
		.timing = timing,
		.out = outcome,
		.judge = judge,
		.arg = arg,
		.end_us = start + timing->limit_us,
	};
	char url[CLIENT_URL_MAX];
	*outcome = (struct client_outcome){0};
	int r = client_http_url(url, base, len > 1 ? message[1] : 0);
	if (r != 0) {
		return r;
	}
	c.curl = curl_easy_init();
	r = c.curl != NULL ? set_up(&c, url, message, len, &answer) : -ENOMEM;
	if (r == 0) {
		r = repeat(&c, &answer);
	}
	curl_easy_cleanup(c.curl);
	curl_slist_free_all(c.headers);
	outcome->total_us = client_clock_us() - start;
	return r;
}
