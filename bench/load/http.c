/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/load/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/client/http.h"
#include "bench/exchange/exchange.h"

enum { POSTS_MAX = 1024, PACKETS_A_TURN = 64, STATUSES = 600, POLL_MS = 1000 };

struct post {
	struct post *next; /* when not in use */
	CURL *curl;
	size_t answer_len;
	uint8_t message[EXCHANGE_MESSAGE_MAX];
	uint8_t answer[EXCHANGE_ANSWER_MAX];
};

struct http_gateway {
	char url[2][CLIENT_URL_MAX]; /* of a REQUEST, of a RESOLVE */
	int fd;			     /* our end */
	pthread_t thread;
	CURLM *multi;
	struct curl_slist *headers;
	struct post *free;
	unsigned int n_free;
	struct post *post; /* POSTS_MAX of them */
	uint64_t failed;   /* without an HTTP answer */
	uint64_t status[STATUSES];
};

static size_t take(char *octets, size_t size, size_t n, void *arg)
{
	struct post *p = arg;

	n *= size;
	if (n > sizeof(p->answer) - p->answer_len)
		return 0;
	memcpy(p->answer + p->answer_len, octets, n);
	p->answer_len += n;
	return n;
}

static void begin(struct http_gateway *g, struct post *p, size_t len)
{
	int resolve = p->message[1] == MIKEY_RESOLVE_INIT_PSK;

	p->answer_len = 0;
	if (curl_easy_setopt(p->curl, CURLOPT_URL, g->url[resolve]) != CURLE_OK ||
		curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE, (long)len) != CURLE_OK ||
		curl_multi_add_handle(g->multi, p->curl) != CURLM_OK) {
		g->failed++;
		return;
	}
	g->free = p->next;
	g->n_free--;
}

/* Returns whether the other end is still there. */
static bool read_packets(struct http_gateway *g)
{
	for (unsigned int i = 0; i < PACKETS_A_TURN && g->free; i++) {
		ssize_t n = recv(g->fd, g->free->message, sizeof(g->free->message),
			MSG_DONTWAIT | MSG_TRUNC);

		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if ((size_t)n >= MIKEY_HDR_LEN && (size_t)n <= sizeof(g->free->message))
			begin(g, g->free, (size_t)n);
	}
	return true;
}

static void end(struct http_gateway *g, CURL *curl, CURLcode result)
{
	struct post *p = NULL;
	long status = 0;

	if (curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&p) != CURLE_OK || !p)
		abort(); /* it was set for every handle */
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_multi_remove_handle(g->multi, curl);
	if (result != CURLE_OK || status < 0 || status >= STATUSES)
		g->failed++;
	else
		g->status[status]++;
	/* A run that is over does not read any more: then there is nobody to tell. */
	if (result == CURLE_OK && status == 200 &&
		send(g->fd, p->answer, p->answer_len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		g->failed++;
	p->next = g->free;
	g->free = p;
	g->n_free++;
}

static void *work(void *arg)
{
	struct http_gateway *g = arg;
	bool open = true;

	while (open) {
		struct curl_waitfd in = {.fd = g->fd, .events = g->free ? CURL_WAIT_POLLIN : 0};
		const CURLMsg *m;
		int running, left;

		open = read_packets(g);
		(void)curl_multi_perform(g->multi, &running);
		while ((m = curl_multi_info_read(g->multi, &left)) != NULL) {
			if (m->msg == CURLMSG_DONE)
				end(g, m->easy_handle, m->data.result);
		}
		if (open && curl_multi_poll(g->multi, &in, 1, POLL_MS, NULL) != CURLM_OK)
			break;
	}
	return NULL;
}

static CURLcode set_up(struct http_gateway *g, struct post *p)
{
	CURLcode r = curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, g->headers);

	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, 10000L);
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, p->message);
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take);
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
	r = r ? r : curl_easy_setopt(p->curl, CURLOPT_PRIVATE, p);
	return r;
}

static int prepare(struct http_gateway *g, const char *url, unsigned int connections)
{
	if (client_http_url(g->url[0], url, MIKEY_REQUEST_INIT_PSK) < 0 ||
		client_http_url(g->url[1], url, MIKEY_RESOLVE_INIT_PSK) < 0)
		return -ENAMETOOLONG;
	g->headers = curl_slist_append(NULL, "Content-Type: application/mikey");
	g->multi = curl_multi_init();
	g->post = calloc(POSTS_MAX, sizeof(*g->post));
	if (!g->headers || !curl_slist_append(g->headers, "Expect:") || !g->multi || !g->post ||
		curl_multi_setopt(g->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections) !=
			CURLM_OK ||
		curl_multi_setopt(g->multi, CURLMOPT_MAXCONNECTS, (long)connections) != CURLM_OK)
		return -ENOMEM;
	for (; g->n_free < POSTS_MAX; g->n_free++) {
		struct post *p = &g->post[g->n_free];

		p->curl = curl_easy_init();
		if (!p->curl || set_up(g, p) != CURLE_OK)
			return -ENOMEM;
		p->next = g->free;
		g->free = p;
	}
	return 0;
}

static void release(struct http_gateway *g)
{
	for (unsigned int i = 0; g->post && i < POSTS_MAX; i++) {
		if (g->post[i].curl)
			(void)curl_multi_remove_handle(g->multi, g->post[i].curl);
		curl_easy_cleanup(g->post[i].curl);
	}
	if (g->multi)
		(void)curl_multi_cleanup(g->multi);
	curl_slist_free_all(g->headers);
	free(g->post);
	free(g);
}

struct http_gateway *http_gateway_open(const char *url, unsigned int connections, int *fd)
{
	struct http_gateway *g = calloc(1, sizeof(*g));
	int pair[2], err = g ? prepare(g, url, connections) : -ENOMEM;

	if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		err = -errno;
	if (!err) {
		g->fd = pair[1];
		err = -pthread_create(&g->thread, NULL, work, g);
		if (!err) {
			*fd = pair[0];
			return g;
		}
		close(pair[0]);
		close(pair[1]);
	}
	fprintf(stderr, "tkms-bench: %s: %s\n", url, strerror(-err));
	if (g)
		release(g);
	return NULL;
}

void http_gateway_close(struct http_gateway *g)
{
	if (!g)
		return;
	/* The thread reads an end of file. */
	(void)shutdown(g->fd, SHUT_RDWR);
	(void)pthread_join(g->thread, NULL);
	for (unsigned int i = 0; i < STATUSES; i++) {
		if (i != 200 && g->status[i])
			fprintf(stderr, "tkms-bench: HTTP status %u: %lu times\n", i, g->status[i]);
	}
	if (g->failed)
		fprintf(stderr, "tkms-bench: no HTTP answer: %lu times\n", g->failed);
	close(g->fd);
	release(g);
}
