/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of the HTTP edge that need no socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mikey/types.h"
#include "dataplane/http/address.h"
#include "dataplane/http/config.h"
#include "dataplane/http/head.h"
#include "dataplane/http/limiter.h"
#include "dataplane/http/log.h"
#include "dataplane/http/metrics.h"
#include "dataplane/http/sandbox.h"
#include "dataplane/http/sources.h"
#include "dataplane/http/wire.h"

/* "Name: value" lines. */
static struct head head_of(const char *const *lines)
{
	struct head h = {0};

	for (; *lines; lines++) {
		const char *colon = strchr(*lines, ':'),
			   *value = colon + 1 + strspn(colon + 1, " ");

		head_add(&h, *lines, (size_t)(colon - *lines), value, strlen(value));
	}
	return h;
}

Test(http_edge, headers_that_mean_two_things_are_refused)
{
	static const struct {
		const char *why;
		const char *lines[5];
		bool http11;
	} cases[] = {
		{"Content-Length and Transfer-Encoding",
			{"Host: a", "Content-Length: 5", "Transfer-Encoding: chunked"}, true},
		{"more than one Content-Length",
			{"Host: a", "Content-Length: 5", "Content-Length: 5"}, true},
		{"malformed header", {"Host: a", "Content-Length: 5, 5"}, true},
		{"malformed header", {"Host: a", "Content-Length: +5"}, true},
		{"malformed header", {"Host: a", "Content-Length: 0x5"}, true},
		{"malformed header", {"Host: a", "Content-Length: "}, true},
		{"malformed header", {"Host: a", "Content-Length: 99999999999999999999"}, true},
		{"malformed header", {"Host: a", "Content-Length : 5"}, true},
		{"malformed header", {"Host: a", " X: folded"}, true},
		{"malformed header", {"Host: a", "X: a\rY: b"}, true},
		{"malformed header", {"Host: a", "X\x01: b"}, true},
		{"Transfer-Encoding other than chunked", {"Host: a", "Transfer-Encoding: identity"},
			true},
		{"Transfer-Encoding other than chunked",
			{"Host: a", "Transfer-Encoding: gzip, chunked"}, true},
		{"Transfer-Encoding other than chunked",
			{"Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"},
			true},
		{"Transfer-Encoding in HTTP/1.0", {"Transfer-Encoding: chunked"}, false},
		{"not exactly one Host", {"X: y"}, true},
		{"not exactly one Host", {"Host: a", "Host: a"}, true},
		{"more than one Content-Type",
			{"Host: a", "Content-Type: application/mikey", "Content-Type: text/plain"},
			true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct head h = head_of(cases[i].lines);
		const char *why = head_ambiguous(&h, cases[i].http11);

		cr_expect(
			why && strcmp(why, cases[i].why) == 0, "case %zu: %s", i, why ? why : "-");
	}
}

Test(http_edge, plain_headers_are_taken)
{
	struct head h = head_of((const char *const[]){"hOST: a", "content-LENGTH: 640",
		"Content-Type: Application/MIKEY; charset=x", "Accept: */*",
		"X-Forwarded-For: 192.0.2.9, 198.51.100.7", NULL});
	size_t len;
	const char *last = head_last_entry(h.forwarded, h.forwarded_len, &len);

	cr_expect_null(head_ambiguous(&h, true));
	cr_expect(h.is_mikey);
	cr_expect_eq(h.length, 640);
	cr_expect_eq(len, strlen("198.51.100.7"));
	cr_expect_eq(strncmp(last, "198.51.100.7", len), 0);
	h = head_of((const char *const[]){"Content-Type: application/mikeyx", NULL});
	cr_expect_not(h.is_mikey);
	h = head_of((const char *const[]){"Host: a", "Transfer-Encoding: Chunked", NULL});
	cr_expect_null(head_ambiguous(&h, true));
}

Test(http_edge, only_requests_to_a_kms_are_taken)
{
	struct wire_head head;
	uint8_t m[12] = {1, 11, 0, 0, 0x11, 0x22, 0x33, 0x44};

	for (unsigned int type = 0; type < 256; type++) {
		bool initial = type == 11 || type == 12 || type == 16 || type == 17;

		m[1] = (uint8_t)type;
		cr_expect_eq(wire_request(m, sizeof(m), &head) == WIRE_REQUEST_OK, initial,
			"type %u", type);
	}
	m[1] = 16;
	cr_expect_eq(wire_request(m, sizeof(m), &head), WIRE_REQUEST_OK);
	cr_expect_eq(head.csb_id, 0x11223344);
	cr_expect_eq(wire_request(m, 9, &head), WIRE_SHORT);
	cr_expect_eq(wire_request(m, 0, &head), WIRE_SHORT);
	m[0] = 2;
	cr_expect_eq(wire_request(m, sizeof(m), &head), WIRE_VERSION);
}

Test(http_edge, an_error_is_vouched_for_by_a_mac_only)
{
	const uint8_t plain[] = {1, 6, 12, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0};
	const uint8_t with_v[] = {1, 6, 12, 0, 0, 0, 0, 7, 0, 0, /* ERR */ 9, 0, 0, 0, /* V */ 0, 1,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	struct wire_head head;

	cr_expect_eq(wire_answer(plain, sizeof(plain), &head), WIRE_UNVOUCHED);
	cr_expect_eq(head.csb_id, 7);
	cr_expect_eq(wire_answer(with_v, sizeof(with_v), &head), WIRE_ANSWER);
	cr_expect_eq(wire_answer(with_v, sizeof(with_v) - 1, &head), WIRE_NOT_AN_ANSWER);
}

Test(http_edge, addresses_are_read_and_written)
{
	static const struct {
		const char *text, *canonical;
		uint16_t port;
	} good[] = {
		{"192.0.2.1", "192.0.2.1:2269", 2269},
		{"192.0.2.1:99", "192.0.2.1:99", 2269},
		{"2001:db8::1", "[2001:db8::1]:2269", 2269},
		{"[2001:DB8::1]", "[2001:db8::1]:2269", 2269},
		{"[::1]:8080", "[::1]:8080", 0},
	};
	static const char *const bad[] = {"", ":", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2:1", "[::1", "[::1]x", "[::1]:", "::1::", "host", "192.0.2.1:1x", "[]:1",
		"0000000000000000000000000000000000000000000000000000000000000000"};
	struct address a;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(address_parse(&a, good[i].text, good[i].port), 0, "%s", good[i].text);
		cr_expect_str_eq(a.text, good[i].canonical);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(address_parse(&a, bad[i], 2269), -EINVAL, "%s", bad[i]);
	cr_expect_eq(address_parse(&a, "192.0.2.1", 0), -EINVAL, "a port is needed");
}

Test(http_edge, a_source_is_an_ipv4_address_or_an_ipv6_64)
{
	struct source a, b;
	char text[INET6_ADDRSTRLEN];

	cr_assert(source_parse(&a, "2001:db8:0:1:aaaa::1", 20));
	cr_assert(source_parse(&b, "2001:db8:0:1:bbbb::2", 20));
	cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0);
	cr_assert(source_parse(&b, "2001:db8:0:2::2", 15));
	cr_expect_neq(memcmp(&a, &b, sizeof(a)), 0);
	cr_assert(source_parse(&a, "192.0.2.1", 9));
	cr_assert(source_parse(&b, "::ffff:192.0.2.1", 16));
	cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0);
	source_text(&a, text);
	cr_expect_str_eq(text, "192.0.2.1");
	cr_expect_not(source_parse(&a, "unknown", 7));
	cr_expect_not(source_parse(&a, "", 0));
}

Test(http_edge, ranges_have_what_is_in_them)
{
	struct address a;
	struct range r;

	cr_assert_eq(range_parse(&r, "192.0.2.128/25"), 0);
	cr_assert_eq(address_parse(&a, "192.0.2.200", 1), 0);
	cr_expect(range_has(&r, &a.any));
	cr_assert_eq(address_parse(&a, "192.0.2.100", 1), 0);
	cr_expect_not(range_has(&r, &a.any));
	cr_assert_eq(range_parse(&r, "2001:db8::/33"), 0);
	cr_assert_eq(address_parse(&a, "2001:db8:7fff::1", 1), 0);
	cr_expect(range_has(&r, &a.any));
	cr_assert_eq(address_parse(&a, "2001:db8:8000::1", 1), 0);
	cr_expect_not(range_has(&r, &a.any));
	cr_assert_eq(range_parse(&r, "192.0.2.7"), 0);
	cr_assert_eq(address_parse(&a, "192.0.2.6", 1), 0);
	cr_expect_not(range_has(&r, &a.any));
	cr_expect_eq(range_parse(&r, "192.0.2.0/33"), -EINVAL);
	cr_expect_eq(range_parse(&r, "x/8"), -EINVAL);
}

Test(http_edge, a_source_gets_its_rate_and_its_burst)
{
	struct limiter *l = calloc(1, sizeof(*l));
	struct limiter_rate rate = limiter_rate(100, 10), none = limiter_rate(0, 10);
	const uint64_t ms = 1000000;
	unsigned int taken = 0;

	cr_assert_not_null(l);
	for (unsigned int i = 0; i < 50; i++)
		taken += limiter_take(l, &rate, 7, 1000 * ms);
	cr_expect_eq(taken, 10);
	for (taken = 0; taken < 50; taken++)
		cr_assert(limiter_take(l, &rate, 8 + 2 * taken, 1000 * ms),
			"others are not concerned");
	taken = 0;
	for (unsigned int t = 0; t < 1000; t++)
		taken += limiter_take(l, &rate, 7, (1000 + t) * ms);
	cr_expect(taken >= 99 && taken <= 101, "%u in a second", taken);
	for (unsigned int i = 0; i < 1000; i++)
		cr_assert(limiter_take(l, &none, 7, 0));
	free(l);
}

Test(http_edge, a_new_source_takes_the_place_of_the_quietest_of_its_set)
{
	struct limiter *l = calloc(1, sizeof(*l));
	struct limiter_rate rate = limiter_rate(1, 2);
	const uint64_t s = 1000000000, tag = 5;

	cr_assert_not_null(l);
	for (uint64_t i = 0; i < LIMITER_WAYS; i++)
		cr_assert(limiter_take(l, &rate, tag + i * 2 * LIMITER_SETS, s + i));
	cr_assert(limiter_take(l, &rate, tag + 100 * 2 * LIMITER_SETS, 2 * s));
	cr_assert(limiter_take(l, &rate, tag + 3 * 2 * LIMITER_SETS, s + 4));
	cr_expect_not(limiter_take(l, &rate, tag + 3 * 2 * LIMITER_SETS, s + 5), "still known");
	free(l);
}

Test(http_edge, connections_of_a_source_are_counted)
{
	struct sources *s = sources_new(2, 4);
	struct source a = {{1}}, b = {{2}};

	cr_assert_not_null(s);
	cr_expect_eq(sources_add(s, &a, 5), 0);
	cr_expect_eq(sources_add(s, &a, 5), 0);
	cr_expect_eq(sources_add(s, &a, 5), -EAGAIN);
	cr_expect_eq(sources_add(s, &b, 5), 0, "the same bucket, another source");
	sources_remove(s, &a, 5);
	cr_expect_eq(sources_add(s, &a, 5), 0);
	sources_remove(s, &a, 5);
	sources_remove(s, &a, 5);
	sources_remove(s, &b, 5);
	sources_free(s);
}

/* Loads a file of that text; returns what was complained about. */
static char *complaints(struct http_config *c, const char *yaml, int *status)
{
	char path[] = "/tmp/tkms-http-XXXXXX", *text = NULL;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w"), *err;
	size_t len;

	cr_assert_not_null(file);
	fputs(yaml, file);
	fclose(file);
	err = open_memstream(&text, &len);
	cr_assert_eq(http_config_init(c), 0);
	*status = http_config_load(c, path, err);
	if (*status == 0)
		*status = http_config_settle(c, err);
	fclose(err);
	unlink(path);
	return text;
}

Test(http_edge, settings_come_from_the_file)
{
	struct http_config c;
	int status;
	char *text = complaints(&c,
		"kms: [192.0.2.1, \"[2001:db8::1]:99\"]\nlisten: [\"[::]:80\"]\nworkers: 4\n"
		"answer_timeout: 500ms\nrest: 1m\naccess_log: all\nmetrics: \"\"\n",
		&status);

	cr_assert_eq(status, 0, "%s", text);
	cr_expect_eq(c.kms.n, 2);
	cr_expect_str_eq(c.kms_address[1].text, "[2001:db8::1]:99");
	cr_expect_eq(c.workers, 4);
	cr_expect_eq(c.answer_timeout, 500);
	cr_expect_eq(c.rest, 60000);
	cr_expect_eq(c.access_log, ACCESS_ALL);
	cr_expect_eq(c.metrics_address.len, 0);
	cr_expect_eq(http_config_set(&c, "kms=198.51.100.1,198.51.100.2,198.51.100.3", stderr), 0);
	cr_expect_eq(c.kms.n, 3);
	http_config_free(&c);
	free(text);
}

Test(http_edge, wrong_settings_are_refused_with_their_place)
{
	static const struct {
		const char *yaml, *says;
	} cases[] = {
		{"kms: [192.0.2.1]\nworker: 4\n", ":2: worker: unknown"},
		{"kms: [192.0.2.1]\nworkers: 0\n", ":2: workers: needs a number from 1 to 256"},
		{"kms: [192.0.2.1]\nworkers: 1\nworkers: 2\n", ":3: workers: given twice"},
		{"kms: [192.0.2.1]\nworkers: [1]\n", ":2: workers: is no list"},
		{"kms: [192.0.2.1]\npath: {a: b}\n", ":2: path: is no mapping"},
		{"kms: [192.0.2.1]\nrest: 60\n", ":2: rest: needs a time"},
		{"kms: [192.0.2.1]\nrest: 99999999999999999999s\n", ":2: rest: needs a time"},
		{"kms: [192.0.2.1]\naccess_log: yes\n", ":2: access_log: is errors, all or off"},
		{"kms: [kms.example]\n", "kms: is not IP"},
		{"workers: 1\n", "kms: missing"},
		{"kms: [192.0.2.1]\npath: keys\n", "path: needs /"},
		{"kms: [192.0.2.1]\ntrusted_proxies: [10.0.0.0/40]\n", "trusted_proxies: is not"},
		{"kms: [192.0.2.1]\nfirst_port: 65530\n", "beyond port 65535"},
		{"kms: [192.0.2.1\n", "file: did not find"},
		{"- 192.0.2.1\n", "file: "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_config c;
		int status;
		char *text = complaints(&c, cases[i].yaml, &status);

		cr_expect_eq(status, -EINVAL, "%s", cases[i].yaml);
		cr_expect(strstr(text, cases[i].says), "\"%s\" says: %s", cases[i].yaml, text);
		http_config_free(&c);
		free(text);
	}
}

Test(http_edge, metrics_add_up_all_workers)
{
	struct metrics *m = calloc(2, sizeof(*m));
	struct http_config c;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(http_config_init(&c), 0);
	cr_assert_eq(http_config_set(&c, "kms=192.0.2.1", stderr), 0);
	cr_assert_eq(http_config_settle(&c, stderr), 0);
	metrics_add(&m[0].status[STATUS_503], 3);
	metrics_add(&m[1].status[STATUS_503], 4);
	metrics_answered(&m[0], 150);
	metrics_answered(&m[1], 99000000);
	metrics_add(&m[1].address[0].answers, 5);
	metrics_print(out, m, 2, &c);
	fclose(out);
	cr_expect(strstr(text, "tkms_http_requests_total{status=\"503\"} 7\n"));
	cr_expect(strstr(text, "tkms_http_answer_seconds_bucket{le=\"0.0001\"} 0\n"));
	cr_expect(strstr(text, "tkms_http_answer_seconds_bucket{le=\"0.0002\"} 1\n"));
	cr_expect(strstr(text, "tkms_http_answer_seconds_bucket{le=\"+Inf\"} 2\n"));
	cr_expect(strstr(text, "tkms_http_kms_answers_total{address=\"192.0.2.1:2269\"} 5\n"));
	http_config_free(&c);
	free(text);
	free(m);
}

Test(http_edge, a_worker_that_is_gone_leaves_its_counters_and_no_gauge)
{
	struct metrics *m = calloc(1, sizeof(*m));

	metrics_set(&m->connections, 3);
	metrics_set(&m->in_flight, 4);
	metrics_set(&m->pairs, 5);
	metrics_set(&m->address[2].silent, 1);
	metrics_add(&m->address[2].answers, 6);
	metrics_add(&m->datagrams_sent, 7);
	metrics_add(&m->status[STATUS_200], 8);
	metrics_gone(m);
	cr_expect_eq(m->connections, 0);
	cr_expect_eq(m->in_flight, 0);
	cr_expect_eq(m->pairs, 0);
	cr_expect_eq(m->address[2].silent, 0);
	cr_expect_eq(m->address[2].answers, 6);
	cr_expect_eq(m->datagrams_sent, 7);
	cr_expect_eq(m->status[STATUS_200], 8);
	free(m);
}

Test(http_edge, the_access_log_escapes_what_clients_write_and_has_its_rate)
{
	struct access_buffer *b = calloc(1, sizeof(*b));
	struct access_line l = {
		.client = "192.0.2.1", .method = "P\"\n x", .target = "/\\\x1b", .type = -1};

	access_add(b, &l);
	cr_expect(strstr(b->text, "method=P%22%0a%20x target=\"/%5c%1b\" status=0"), "%s", b->text);
	b->len = 0;
	b->most = 2;
	for (unsigned int i = 0; i < 5; i++) {
		l.now_us = 7999999;
		access_add(b, &l);
	}
	cr_expect_eq(b->left_out, 3);
	l.now_us = 8000000;
	access_add(b, &l);
	cr_expect_eq(b->left_out, 3, "a new second");
	cr_expect_eq(b->lost, 0);
	free(b);
}

Test(http_edge, an_answer_may_not_take_longer_than_the_stop)
{
	struct http_config c;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(http_config_init(&c), 0);
	cr_assert_eq(http_config_set(&c, "kms=192.0.2.1", out), 0);
	cr_assert_eq(http_config_set(&c, "answer_timeout=11s", out), 0);
	cr_expect_neq(http_config_settle(&c, out), 0);
	fflush(out);
	cr_expect(strstr(text, "answer_timeout: is longer than stop_timeout"), "%s", text);
	cr_assert_eq(http_config_set(&c, "stop_timeout=11s", out), 0);
	cr_expect_eq(http_config_settle(&c, out), 0);
	fclose(out);
	free(text);
	http_config_free(&c);
}

/* In a process of its own: bit i of its exit status is set when attempt i was let through. */
static int attempts_in(enum sandbox_role role)
{
	char *const argv[] = {"true", NULL};
	int status = 0, fd, let = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(role) != 0)
			_exit(128);
		fd = open("/etc/hostname", O_RDONLY);
		let |= fd >= 0 || errno != EPERM ? 1 : 0;
		fd = open("/tmp/tkms-http-file", O_CREAT | O_WRONLY, 0600);
		let |= fd >= 0 || errno != EPERM ? 2 : 0;
		let |= unlink("/tmp/tkms-http-file") == 0 || errno != EPERM ? 4 : 0;
		execv("/bin/true", argv);
		let |= errno != EPERM ? 8 : 0;
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		let |= fd >= 0 ? 16 : 0;
		pid = fork();
		if (pid == 0)
			_exit(0);
		let |= pid > 0 ? 32 : 0;
		_exit(let);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(http_edge, a_worker_opens_no_file_and_no_socket_and_starts_nothing)
{
	cr_expect_eq(attempts_in(SANDBOX_WORKER), 0);
}

Test(http_edge, the_supervisor_opens_no_file_and_starts_workers_only)
{
	cr_expect_eq(attempts_in(SANDBOX_SUPERVISOR), 16 | 32);
}
