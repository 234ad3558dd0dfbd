/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A KMS over HTTP for a load run that knows datagrams only: what is sent into one end of a socket
 * pair is posted, what the KMS answers with status 200 comes back there. Anything else is silence
 * to the run, which tries again. A thread of its own with libcurl.
 */
#ifndef TKMS_BENCH_LOAD_HTTP_H
#define TKMS_BENCH_LOAD_HTTP_H

struct http_gateway;

/* fd: the caller's end, non-blocking; one message a packet. Prints why and returns NULL when it
 * cannot. */
struct http_gateway *http_gateway_open(const char *url, unsigned int connections, int *fd);
/* Ends the thread; says on stderr which other statuses there were. The caller's end stays open. */
void http_gateway_close(struct http_gateway *g);

#endif
