/* SPDX-License-Identifier: BSD-3-Clause */
/* The UDP client against responders on loopback that are silent, lie, repeat themselves or are not
 * there. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/client/address.h"
#include "bench/client/client.h"
#include "bench/client/http.h"
#include "bench/client/plan.h"

/* ---- addresses ---- */

static int parse(struct client_pool *pool, const char *list)
{
	const char *bad;
	size_t len;

	return client_pool_parse(pool, list, &bad, &len);
}

Test(client, addresses_with_and_without_port_are_read)
{
	struct client_pool p;

	cr_assert_eq(parse(&p, "192.0.2.1,192.0.2.2:99,[2001:db8::1],[2001:db8:0::2]:7,::1"), 0);
	cr_assert_eq(p.n, 5);
	cr_assert_str_eq(p.address[0].text, "192.0.2.1:2269");
	cr_assert_str_eq(p.address[1].text, "192.0.2.2:99");
	cr_assert_str_eq(p.address[2].text, "[2001:db8::1]:2269");
	cr_assert_str_eq(p.address[3].text, "[2001:db8::2]:7");
	cr_assert_str_eq(p.address[4].text, "[::1]:2269");
}

Test(client, what_is_no_address_is_refused_and_named)
{
	static const char *const wrong[] = {"", "192.0.2.1,", ",192.0.2.1", "192.0.2", "host",
		"192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:1x", "192.0.2.1:-1",
		"[2001:db8::1", "[2001:db8::1]x", "[192.0.2.1]", "[::1]:", "192.0.2.1 "};
	struct client_pool p;
	const char *bad;
	size_t len;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(parse(&p, wrong[i]), -EINVAL, "'%s'", wrong[i]);
	cr_assert_eq(client_pool_parse(&p, "::1,oops,::2", &bad, &len), -EINVAL);
	cr_assert(len == 4 && strncmp(bad, "oops", len) == 0);
	char many[1024] = "::1";
	for (unsigned int i = 0; i < CLIENT_ADDRESSES_MAX; i++)
		strcat(many, ",::1");
	cr_assert_eq(parse(&p, many), -E2BIG);
}

/* ---- the schedule, without a clock ---- */

static const struct client_timing steady = {
	.first_us = 100, .longest_us = 1000, .limit_us = 10000, .jitter_permille = 0};

Test(client, one_address_is_asked_again_after_longer_and_longer_waits)
{
	static const uint64_t times[] = {0, 100, 300, 700, 1500, 2500, 3500};
	struct client_pool pool = {.n = 1};
	struct client_plan p;

	client_plan_begin(&p, &steady, 5000, 0, 1);
	for (unsigned int i = 0; i < 7; i++) {
		cr_assert_eq(p.next_us, 5000 + times[i], "message %u", i);
		cr_assert_eq(client_plan_send(&p, &pool, p.next_us), 0);
	}
	cr_assert_eq(p.end_us, 15000);
}

Test(client, silence_moves_to_the_next_address_and_waits_double_per_round)
{
	static const unsigned int order[] = {1, 2, 0, 1, 2, 0};
	static const uint64_t times[] = {0, 100, 200, 300, 500, 700};
	struct client_pool pool = {.n = 3};
	struct client_plan p;

	client_plan_begin(&p, &steady, 0, 1, 1);
	for (unsigned int i = 0; i < 6; i++) {
		cr_assert_eq(p.next_us, times[i], "message %u at %lu", i, (unsigned long)p.next_us);
		cr_assert_eq(client_plan_send(&p, &pool, p.next_us), order[i], "message %u", i);
	}
}

Test(client, silent_addresses_come_last_for_a_while)
{
	struct client_pool pool = {.n = 3};
	struct client_plan p;

	client_plan_begin(&p, &steady, 0, 0, 1);
	cr_assert_eq(client_plan_send(&p, &pool, 0), 0);
	cr_assert_eq(client_plan_send(&p, &pool, 100), 1); /* 0 was silent */
	client_plan_answered(&pool, 1, 100);
	client_plan_begin(&p, &steady, 1000, 0, 1);
	cr_assert_eq(client_plan_send(&p, &pool, 1000), 1);
	cr_assert_eq(client_plan_send(&p, &pool, 1100), 2);
	cr_assert_eq(client_plan_send(&p, &pool, 1200), 0);
	/* It is forgiven after a time, and at once when it answers. */
	client_plan_begin(&p, &steady, 60000000, 0, 1);
	cr_assert_eq(client_plan_send(&p, &pool, 60000000), 0);
}

Test(client, many_messages_that_meet_one_silence_mark_the_address_once)
{
	struct client_pool pool = {.n = 2};
	struct client_plan p[20];

	for (unsigned int i = 0; i < 20; i++) {
		client_plan_begin(&p[i], &steady, i, 0, 1);
		cr_assert_eq(client_plan_send(&p[i], &pool, i), 0);
	}
	for (unsigned int i = 0; i < 20; i++)
		cr_assert_eq(client_plan_send(&p[i], &pool, 100 + i), 1);
	cr_expect_eq(pool.address[0].silences, 1);
	/* The second silence is one of a message that was sent after the first was noticed. */
	client_plan_begin(&p[0], &steady, 200, 0, 1);
	p[0].tried = 2;
	cr_assert_eq(client_plan_send(&p[0], &pool, 200), 0);
	(void)client_plan_send(&p[0], &pool, 300);
	cr_expect_eq(pool.address[0].silences, 2);
}

Test(client, a_lost_datagram_does_not_mark_an_address_that_answers_others)
{
	struct client_pool pool = {.n = 2};
	struct client_plan p;

	client_plan_begin(&p, &steady, 1000, 0, 1);
	cr_assert_eq(client_plan_send(&p, &pool, 1000), 0);
	client_plan_answered(&pool, 0, 1050);
	cr_assert_eq(client_plan_send(&p, &pool, 1100), 1);
	cr_expect_eq(pool.address[0].silences, 0);
	cr_expect_eq(pool.address[0].dead_until_us, 0);
}

Test(client, when_all_are_silent_all_are_still_asked)
{
	struct client_pool pool = {.n = 2};
	struct client_plan p;
	unsigned int asked[2] = {0, 0};

	client_plan_begin(&p, &steady, 0, 0, 1);
	for (unsigned int i = 0; i < 8; i++)
		asked[client_plan_send(&p, &pool, p.next_us)]++;
	cr_assert(asked[0] == 4 && asked[1] == 4);
}

Test(client, hints_move_on_at_once_but_cannot_drive_a_flood)
{
	struct client_pool pool = {.n = 2};
	struct client_plan p;

	client_plan_begin(&p, &steady, 0, 0, 1);
	cr_assert_eq(client_plan_send(&p, &pool, 0), 0);
	client_plan_hint(&p, &pool, 0, 10);
	cr_assert_eq(p.next_us, 10);
	cr_assert_eq(client_plan_send(&p, &pool, 10), 1);
	client_plan_hint(&p, &pool, 0, 20); /* late, from the first: nothing */
	cr_assert_eq(p.next_us, 110);
	client_plan_hint(&p, &pool, 1, 20);
	client_plan_hint(&p, &pool, 1, 21);
	cr_assert_eq(p.next_us, 110);		   /* all were asked: the schedule goes on */
	cr_assert_eq(pool.address[0].silences, 0); /* an Error is not silence */
}

Test(client, waits_vary_within_the_jitter)
{
	struct client_timing t = steady;
	struct client_pool pool = {.n = 1};
	struct client_plan p;
	uint64_t least = UINT64_MAX, most = 0;

	t.first_us = t.longest_us = 1000;
	t.jitter_permille = 250;
	client_plan_begin(&p, &t, 0, 0, 12345);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)client_plan_send(&p, &pool, 0);
		least = p.next_us < least ? p.next_us : least;
		most = p.next_us > most ? p.next_us : most;
	}
	cr_assert(least >= 750 && least < 800 && most <= 1250 && most > 1200);
}

/* ---- sockets ---- */

/* A responder: answers every datagram with its script of one-octet kinds, the question's tag behind
 * each. */
struct responder {
	int fd;
	int family;
	const char
		*script; /* A answer, E Error, J junk, L answer to an older question; "" silent */
	atomic_uint asked;
	atomic_bool stop;
	pthread_t thread;
	char text[64];
};

static void *respond(void *arg)
{
	struct responder *r = arg;
	struct sockaddr_storage from;
	uint8_t buf[64];

	while (!atomic_load(&r->stop)) {
		socklen_t len = sizeof(from);
		const ssize_t n =
			recvfrom(r->fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n < 1)
			continue;
		atomic_fetch_add(&r->asked, 1);
		for (const char *s = r->script; *s; s++) {
			uint8_t out[2] = {(uint8_t)*s, buf[0]};

			if (*s == 'L') {
				out[0] = 'A';
				out[1] ^= 0xff;
			}
			(void)sendto(r->fd, out, sizeof(out), 0, (struct sockaddr *)&from, len);
		}
	}
	return NULL;
}

static void bind_loopback(struct responder *r)
{
	struct sockaddr_storage sa = {.ss_family = (sa_family_t)r->family};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
	socklen_t len = r->family == AF_INET ? sizeof(*v4) : sizeof(*v6);

	if (r->family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	r->fd = socket(r->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(r->fd, 0);
	cr_assert_eq(bind(r->fd, (struct sockaddr *)&sa, len), 0, "%s", strerror(errno));
	cr_assert_eq(getsockname(r->fd, (struct sockaddr *)&sa, &len), 0);
	if (r->family == AF_INET)
		snprintf(r->text, sizeof(r->text), "127.0.0.1:%u", ntohs(v4->sin_port));
	else
		snprintf(r->text, sizeof(r->text), "[::1]:%u", ntohs(v6->sin6_port));
}

static void start(struct responder *r, int family, const char *script)
{
	const struct timeval wake = {.tv_usec = 20000};

	memset(r, 0, sizeof(*r));
	r->family = family;
	r->script = script;
	bind_loopback(r);
	cr_assert_eq(setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake)), 0);
	cr_assert_eq(pthread_create(&r->thread, NULL, respond, r), 0);
}

static void stop(struct responder *r)
{
	atomic_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	close(r->fd);
}

/* An address where nobody listens. */
static void nobody(struct responder *r, int family)
{
	memset(r, 0, sizeof(*r));
	r->family = family;
	bind_loopback(r);
	close(r->fd);
}

static enum client_verdict judge(void *arg, unsigned int address, const uint8_t *octets, size_t len)
{
	const uint8_t tag = *(const uint8_t *)arg;

	(void)address;
	if (len != 2 || octets[1] != tag)
		return CLIENT_IGNORE;
	if (octets[0] == 'A')
		return CLIENT_FINAL;
	return octets[0] == 'E' ? CLIENT_HINT : CLIENT_IGNORE;
}

static const struct client_timing quick = {
	.first_us = 200000, .longest_us = 400000, .limit_us = 2000000, .jitter_permille = 100};

static struct client_outcome outcome;

static int ask(struct client_pool *pool, uint8_t tag)
{
	return client_call(pool, &quick, &tag, 1, judge, &tag, &outcome);
}

static void pool_of(struct client_pool *pool, const struct responder *a, const struct responder *b)
{
	char list[160];

	snprintf(list, sizeof(list), "%s%s%s", a->text, b ? "," : "", b ? b->text : "");
	cr_assert_eq(parse(pool, list), 0);
}

Test(client, the_first_address_answers_over_both_families)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct client_pool pool;
	struct responder a;

	for (unsigned int i = 0; i < 2; i++) {
		start(&a, families[i], "A");
		pool_of(&pool, &a, NULL);
		cr_assert_eq(ask(&pool, 1), 0);
		cr_assert(outcome.address == 0 && outcome.sent == 1 && outcome.received == 1);
		cr_assert_lt(outcome.rtt_us, 180000);
		stop(&a);
	}
}

Test(client, a_silent_address_is_left_and_remembered)
{
	struct client_pool pool;
	struct responder a, b;

	start(&a, AF_INET, "");
	start(&b, AF_INET6, "A");
	pool_of(&pool, &a, &b);
	cr_assert_eq(ask(&pool, 1), 0);
	cr_assert(outcome.address == 1 && outcome.sent == 2);
	cr_assert(outcome.total_us >= 180000 && outcome.total_us < 1000000, "%lu us",
		(unsigned long)outcome.total_us);
	cr_assert_eq(ask(&pool, 2), 0);
	cr_assert(outcome.address == 1 && outcome.sent == 1);
	cr_assert_eq(atomic_load(&a.asked), 1);
	stop(&a);
	stop(&b);
}

Test(client, an_unverified_error_only_moves_on)
{
	struct client_pool pool;
	struct responder a, b;

	start(&a, AF_INET, "E");
	start(&b, AF_INET, "A");
	pool_of(&pool, &a, &b);
	cr_assert_eq(ask(&pool, 1), 0);
	cr_assert(outcome.address == 1 && outcome.hints == 1);
	cr_assert_lt(outcome.total_us, 180000);
	stop(&a);
	stop(&b);
	/* From everybody: the call goes on until its time is over, at the pace of the schedule. */
	start(&a, AF_INET, "EEEE");
	pool_of(&pool, &a, NULL);
	cr_assert_eq(ask(&pool, 2), -ETIMEDOUT);
	cr_assert(outcome.sent >= 5 && outcome.sent <= 8, "%u sent", outcome.sent);
	cr_assert_eq(outcome.hints, 4 * outcome.sent);
	cr_assert_geq(outcome.total_us, quick.limit_us);
	stop(&a);
}

Test(client, a_forged_error_before_the_answer_does_not_end_the_call)
{
	struct client_pool pool;
	struct responder a;

	start(&a, AF_INET, "EJLAA");
	pool_of(&pool, &a, NULL);
	cr_assert_eq(ask(&pool, 9), 0);
	cr_assert(outcome.sent == 1 && outcome.hints == 1 && outcome.received == 4);
	/* What is left over from that call does not reach the next one. */
	cr_assert_eq(ask(&pool, 10), 0);
	cr_assert(outcome.received == 4);
	stop(&a);
}

Test(client, an_address_where_nobody_listens_costs_no_time)
{
	struct client_pool pool;
	struct responder a, b;

	nobody(&a, AF_INET);
	start(&b, AF_INET, "A");
	pool_of(&pool, &a, &b);
	cr_assert_eq(ask(&pool, 1), 0);
	cr_assert_eq(outcome.address, 1);
	cr_assert_eq(outcome.send_errno, ECONNREFUSED);
	cr_assert_lt(outcome.total_us, 180000);
	cr_assert_gt(pool.address[0].dead_until_us, client_clock_us());
	stop(&b);
}

Test(client, silence_everywhere_ends_at_the_limit)
{
	struct client_pool pool;
	struct responder a, b;

	start(&a, AF_INET, "");
	start(&b, AF_INET6, "J");
	pool_of(&pool, &a, &b);
	cr_assert_eq(ask(&pool, 1), -ETIMEDOUT);
	cr_assert(outcome.total_us >= quick.limit_us && outcome.total_us < 2 * quick.limit_us);
	cr_assert(atomic_load(&a.asked) >= 2 && atomic_load(&b.asked) >= 2);
	stop(&a);
	stop(&b);
}

Test(client, the_ntp_clock_runs_with_the_system_clock)
{
	struct timespec t;
	const uint64_t ntp = client_clock_ntp();

	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &t), 0);
	const int64_t d = (int64_t)((ntp >> 32) - 2208988800u) - t.tv_sec;
	cr_assert(d >= -1 && d <= 0);
}

Test(client, a_url_gets_the_standard_path_and_the_query_of_the_message)
{
	static const struct {
		const char *base;
		uint8_t type;
		const char *url;
	} cases[] = {
		{"http://kms", 11, "http://kms/keymanagement?requesttype=ticketrequest"},
		{"http://kms:8080", 16, "http://kms:8080/keymanagement?requesttype=ticketresolve"},
		{"http://[::1]:80/a", 16, "http://[::1]:80/a?requesttype=ticketresolve"},
		{"https://kms/a?b=c", 11, "https://kms/a?b=c"},
	};
	char url[CLIENT_URL_MAX], longest[CLIENT_URL_MAX + 1];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(client_is_url(cases[i].base));
		cr_assert_eq(client_http_url(url, cases[i].base, cases[i].type), 0);
		cr_expect_str_eq(url, cases[i].url);
	}
	cr_expect_not(client_is_url("192.0.2.1:2269"));
	memset(longest, 'a', CLIENT_URL_MAX);
	longest[CLIENT_URL_MAX] = 0;
	cr_expect_eq(client_http_url(url, longest, 11), -ENAMETOOLONG);
}
