/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every setting of tkms-http, in one table. X(kind, name, default, least, most, help): kinds are
 * LIST (of texts), TEXT, UINT, TIME (milliseconds; least and most too) and WORDS (one of
 * access_words).
 */
#ifndef TKMS_HTTP_SETTINGS_H
#define TKMS_HTTP_SETTINGS_H

enum { SETTINGS_LIST_MAX = 64 };

#define HTTP_SETTINGS(X)                                                                           \
	X(LIST, kms, "", 1, 64,                                                                    \
		"addresses of the KMS's data planes: IP, IP:port, [v6] or [v6]:port; UDP 2269 "    \
		"unless "                                                                          \
		"said otherwise")                                                                  \
	X(LIST, listen, "127.0.0.1:8080", 1, 8, "where HTTP/1.1 is spoken: IP:port or [v6]:port")  \
	X(LIST, trusted_proxies, "", 0, 64,                                                        \
		"front proxies (address or range) whose X-Forwarded-For names the client")         \
	X(TEXT, metrics, "127.0.0.1:9469", 0, 0,                                                   \
		"where Prometheus finds /metrics; empty: nowhere")                                 \
	X(TEXT, path, "/keymanagement", 1, 255, "path of the service")                             \
	X(TEXT, query_request, "requesttype=ticketrequest", 0, 255,                                \
		"query for ticket requests; a request without query is accepted too")              \
	X(TEXT, query_resolve, "requesttype=ticketresolve", 0, 255, "query for ticket resolves")   \
	X(UINT, workers, "1", 1, 256, "processes that share the listening addresses, one per CPU") \
	X(TEXT, user, "nobody", 1, 64, "who to become when started by root")                       \
	X(WORDS, access_log, "errors", 0, 0,                                                       \
		"requests written to standard output: errors (status 400 and above), all, off")    \
	X(UINT, access_log_rate, "1000", 0, 1000000,                                               \
		"lines of it a second, per worker; those left out are counted; 0: no limit")       \
	X(UINT, ports, "16", 1, 256,                                                               \
		"UDP ports per KMS address and worker; each client's messages leave from one of "  \
		"them")                                                                            \
	X(UINT, first_port, "0", 0, 65535,                                                         \
		"UDP ports are first_port, first_port + 1, ... (workers x ports of them); 0: any") \
	X(UINT, message_max, "8192", 256, 16384, "longest message accepted, octets")               \
	X(UINT, header_max, "4096", 1024, 65536,                                                   \
		"memory of a connection for the header of a request, octets")                      \
	X(UINT, connections, "16384", 1, 1000000, "open connections per worker")                   \
	X(UINT, connections_per_source, "1024", 0, 1000000,                                        \
		"open connections per source and worker; 0: no limit. A source is an IPv4 "        \
		"address or an IPv6 /64")                                                          \
	X(UINT, requests_per_source, "1000", 0, 10000000,                                          \
		"requests a second per source, over all workers; 0: no limit")                     \
	X(UINT, requests_burst, "2000", 1, 10000000, "requests that a source may send at once")    \
	X(UINT, in_flight, "4096", 1, 1000000, "requests waiting for an answer, per worker")       \
	X(UINT, in_flight_per_source, "1024", 0, 1000000,                                          \
		"requests of a source waiting for an answer, per worker; 0: no limit")             \
	X(TIME, answer_timeout, "3s", 50, 60000,                                                   \
		"for an answer of the KMS, retries included; not above stop_timeout")              \
	X(TIME, wait_first, "100ms", 5, 10000,                                                     \
		"before the next address is asked, as long as an address has not been measured")   \
	X(TIME, wait_shortest, "20ms", 1, 10000,                                                   \
		"least of it; in between it follows the measured round trips")                     \
	X(TIME, wait_longest, "1s", 10, 60000, "most of it; it doubles with every round")          \
	X(TIME, rest, "60s", 5000, 600000,                                                         \
		"how long after an unanswered message its port is not used for another one with "  \
		"the same CSB ID")                                                                 \
	X(TIME, request_timeout, "10s", 100, 600000,                                               \
		"for a client to send a request and to take its answer")                           \
	X(TIME, keepalive_timeout, "60s", 100, 3600000,                                            \
		"from one request of a connection to the end of the next one's header")            \
	X(TIME, stop_timeout, "10s", 100, 600000, "for requests in flight when told to stop")

#endif
