/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tkms-sources: REQUEST_INITs of many subscribers from many source addresses, at a steady rate,
 * each sent once. Every answer is verified by the UE library. Prints one JSON object; exit status 0
 * only if every request got its answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "common/crypto/secret.h"
#include "common/ue/request.h"

enum { SOURCES_MAX = 1000, PORT = 2269, REPLY_WAIT_MS = 3000, CSB_ID_OFFSET = 4, HEADER_MIN = 10 };

struct subscriber {
	struct identity psk_id, uid;
	uint8_t psk[32];
	size_t psk_len;
};

struct request {
	uint8_t *init;
	size_t len;
	bool answered;
};

struct run {
	struct crypto *crypto;
	struct identity kms;
	struct subscriber *subscribers;
	size_t n_subscribers;
	int sockets[SOURCES_MAX];
	unsigned int n_sources, n_requests, rate;
	struct request *requests;
	uint32_t next; /* request that is being built: its CSB ID */
	unsigned int sent, answered, wrong;
	uint64_t last_answer, longest_gap; /* ns */
	int epoll;
};

static _Noreturn void quit(const char *what)
{
	fprintf(stderr, "tkms-sources: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;
	if (clock_gettime(id, &t))
		quit("clock");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t ntp_now(void)
{
	const uint64_t ns = clock_ns(CLOCK_REALTIME);
	return (ns / 1000000000 + 2208988800U) << 32 | ((ns % 1000000000) << 32) / 1000000000;
}

/* The CSB ID tells which request an answer is for. */
static int draw(void *arg, enum ue_draw what, unsigned int index, uint8_t *out, size_t len)
{
	const struct run *r = arg;
	if (what != UE_DRAW_CSB_ID)
		return ue_random_system(NULL, what, index, out, len);
	const uint32_t id = htonl(r->next);
	if (len != sizeof(id))
		return -EINVAL;
	memcpy(out, &id, sizeof(id));
	return 0;
}

static size_t hex_octets(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;
	for (; hex[0] && hex[1] && n < cap; hex += 2) {
		unsigned int value;
		if (sscanf(hex, "%2x", &value) != 1)
			return 0;
		out[n++] = (uint8_t)value;
	}
	return *hex ? 0 : n;
}

static struct identity text_identity(const json_t *text)
{
	if (!json_is_string(text) || json_string_length(text) > IDENTITY_MAX) {
		errno = EINVAL;
		quit("subscriber file");
	}
	char *copy = strdup(json_string_value(text));
	if (!copy)
		quit("memory");
	return (struct identity){(const uint8_t *)copy, (uint16_t)strlen(copy)};
}

static void load_subscribers(struct run *r, const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		quit(path);
	char *line = NULL;
	size_t cap = 0;
	while (getline(&line, &cap, file) > 0) {
		json_t *record = json_loads(line, 0, NULL);
		struct subscriber s = {.psk_id = text_identity(json_object_get(record, "psk_id")),
			.uid = text_identity(json_array_get(json_object_get(record, "uids"), 0))};
		const char *psk = json_string_value(json_object_get(record, "psk"));
		s.psk_len = psk ? hex_octets(psk, s.psk, sizeof(s.psk)) : 0;
		if (s.psk_len < 16) {
			errno = EINVAL;
			quit("psk in the subscriber file");
		}
		r->subscribers = realloc(r->subscribers, (r->n_subscribers + 1) * sizeof(s));
		if (!r->subscribers)
			quit("memory");
		r->subscribers[r->n_subscribers++] = s;
		json_decref(record);
	}
	free(line);
	fclose(file);
	if (r->n_subscribers < 2) {
		errno = EINVAL;
		quit("need two subscribers at least");
	}
}

/* Source i: 10.69.128.0 + i or fd69::8:0 + i, which are local to the lab's clients. */
static int open_source(unsigned int i, const char *kms)
{
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	const bool six = inet_pton(AF_INET6, kms, &to6.sin6_addr) == 1;
	if (!six && inet_pton(AF_INET, kms, &to4.sin_addr) != 1) {
		errno = EINVAL;
		quit("--kms");
	}
	const int s =
		socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		quit("socket");
	const int room = 4 << 20;
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)))
		quit("SO_RCVBUF");
	char name[INET6_ADDRSTRLEN];
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6};
	struct sockaddr_in from4 = {.sin_family = AF_INET};
	snprintf(name, sizeof(name), "fd69::8:%x", i + 1);
	inet_pton(AF_INET6, name, &from6.sin6_addr);
	from4.sin_addr.s_addr = htonl((10U << 24 | 69U << 16 | 128U << 8) + i + 1);
	const struct sockaddr *from = six ? (struct sockaddr *)&from6 : (struct sockaddr *)&from4;
	const struct sockaddr *to = six ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4;
	const socklen_t len = six ? sizeof(to6) : sizeof(to4);
	if (bind(s, from, len) || connect(s, to, len))
		quit("source address");
	return s;
}

static struct ue ue_of(struct run *r, uint32_t request)
{
	const struct subscriber *s = &r->subscribers[request % r->n_subscribers];
	struct ue ue;
	ue_init(&ue, r->crypto, draw, r);
	ue.uids = &s->uid;
	ue.n_uids = 1;
	ue.psk_id = s->psk_id;
	ue.psk = s->psk;
	ue.psk_len = s->psk_len;
	ue.kms = r->kms;
	ue.suite = request / r->n_subscribers % 2 ? UE_SUITE_A : UE_SUITE_B;
	return ue;
}

static void send_next(struct run *r)
{
	uint8_t buf[UE_MESSAGE_MAX];
	const uint64_t now = ntp_now();
	struct request *q = &r->requests[r->next];
	const struct ue ue = ue_of(r, r->next);
	struct ue_policy policy;
	ue_policy_default(&policy, now);
	policy.recipients = &r->subscribers[(r->next + 1) % r->n_subscribers].uid;
	policy.n_recipients = 1;
	const enum ue_result result =
		ue_request_build(&ue, &policy, now, buf, sizeof(buf), &q->len);
	if (result != UE_OK) {
		fprintf(stderr, "tkms-sources: %s\n", ue_strerror(result));
		exit(2);
	}
	q->init = malloc(q->len);
	if (!q->init)
		quit("memory");
	memcpy(q->init, buf, q->len);
	/* A refused port (nobody there for a moment) is a loss like any other. */
	if (send(r->sockets[r->next % r->n_sources], buf, q->len, 0) < 0 && errno != ECONNREFUSED)
		quit("send");
	r->next++;
	r->sent++;
}

static void judge(struct run *r, const uint8_t *resp, size_t len)
{
	uint32_t id = 0;
	if (len >= HEADER_MIN)
		memcpy(&id, resp + CSB_ID_OFFSET, sizeof(id));
	id = ntohl(id);
	if (len < HEADER_MIN || id >= r->next) {
		r->wrong++;
		return;
	}
	struct request *q = &r->requests[id];
	static struct ue_ticket ticket;
	struct ue_info info;
	const struct ue ue = ue_of(r, id);
	const enum ue_result result = ue_request_process(
		&ue, UE_CHANGES_STRICTER, q->init, q->len, resp, len, ntp_now(), &ticket, &info);
	ue_ticket_clear(&ticket);
	if (result != UE_OK || q->answered) {
		if (!r->wrong++)
			fprintf(stderr, "tkms-sources: request %u: %s (Error %d)%s\n", id,
				ue_strerror(result), info.error_no,
				q->answered ? ", answered before" : "");
		return;
	}
	q->answered = true;
	r->answered++;
	const uint64_t now = clock_ns(CLOCK_MONOTONIC);
	if (now - r->last_answer > r->longest_gap)
		r->longest_gap = now - r->last_answer;
	r->last_answer = now;
}

static void receive(struct run *r, int timeout_ms)
{
	struct epoll_event events[64];
	uint8_t buf[UE_MESSAGE_MAX];
	const int n = epoll_wait(r->epoll, events, 64, timeout_ms);
	for (int i = 0; i < n; i++) {
		ssize_t len;
		while ((len = recv(events[i].data.fd, buf, sizeof(buf), 0)) >= 0)
			judge(r, buf, (size_t)len);
	}
}

static void run_all(struct run *r)
{
	const uint64_t start = clock_ns(CLOCK_MONOTONIC);
	r->last_answer = start;
	while (r->next < r->n_requests) {
		const uint64_t due = start + (uint64_t)r->next * 1000000000 / r->rate;
		const uint64_t now = clock_ns(CLOCK_MONOTONIC);
		if (now >= due)
			send_next(r);
		receive(r, now >= due || due - now < 1000000 ? 0 : 1);
	}
	const uint64_t end = clock_ns(CLOCK_MONOTONIC) + (uint64_t)REPLY_WAIT_MS * 1000000;
	while (r->answered < r->sent && clock_ns(CLOCK_MONOTONIC) < end)
		receive(r, 50);
	/* Silence up to the end is a gap as well. */
	const uint64_t now = clock_ns(CLOCK_MONOTONIC);
	if (r->answered < r->sent && now - r->last_answer > r->longest_gap)
		r->longest_gap = now - r->last_answer;
}

static void usage(FILE *out)
{
	fputs("tkms-sources --kms ADDRESS --identity KMS --subscribers FILE --requests N "
	      "[--sources N] [--rate R]\n",
		out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"kms", required_argument, NULL, 'k'},
		{"identity", required_argument, NULL, 'i'},
		{"subscribers", required_argument, NULL, 'f'},
		{"requests", required_argument, NULL, 'n'},
		{"sources", required_argument, NULL, 's'},
		{"rate", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	static struct run r = {.n_sources = 1, .rate = 1000};
	const char *kms = NULL, *file = NULL;
	int c;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			kms = optarg;
			break;
		case 'i':
			r.kms = (struct identity){
				(const uint8_t *)optarg, (uint16_t)strlen(optarg)};
			break;
		case 'f':
			file = optarg;
			break;
		case 'n':
			r.n_requests = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 's':
			r.n_sources = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			r.rate = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (!kms || !file || !r.kms.len || !r.n_requests || !r.rate || !r.n_sources ||
		r.n_sources > SOURCES_MAX) {
		usage(stderr);
		return 2;
	}
	r.crypto = crypto_open("openssl");
	r.requests = calloc(r.n_requests, sizeof(*r.requests));
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!r.crypto || !r.requests || r.epoll < 0)
		quit("start");
	load_subscribers(&r, file);
	for (unsigned int i = 0; i < r.n_sources; i++) {
		r.sockets[i] = open_source(i, kms);
		struct epoll_event event = {.events = EPOLLIN, .data.fd = r.sockets[i]};
		if (epoll_ctl(r.epoll, EPOLL_CTL_ADD, r.sockets[i], &event))
			quit("epoll");
	}
	run_all(&r);
	printf("{\"sent\": %u, \"answered\": %u, \"wrong\": %u, \"lost\": %u, \"longest_gap_ms\": "
	       "%.1f}\n",
		r.sent, r.answered, r.wrong, r.sent - r.answered, (double)r.longest_gap / 1e6);
	return r.answered == r.sent && r.wrong == 0 ? 0 : 1;
}
