/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The yardstick of bench/http.sh: libmicrohttpd alone, one thread, the same 200 octets to every
 * POST. http-fixed ADDRESS PORT
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OCTETS = 200 };

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **context)
{
	static char seen;

	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	if (!*context) {
		*context = &seen;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

int main(int argc, char **argv)
{
	static char body[OCTETS];
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct MHD_Response *r =
		MHD_create_response_from_buffer(sizeof(body), body, MHD_RESPMEM_PERSISTENT);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
		fputs("usage: http-fixed ADDRESS PORT\n", stderr);
		return 2;
	}
	at.sin_port = htons((uint16_t)atoi(argv[2]));
	if (!r || MHD_add_response_header(r, "Content-Type", "application/mikey") != MHD_YES ||
		!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, r,
			MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, 4096U,
			MHD_OPTION_END)) {
		fputs("http-fixed: cannot serve there\n", stderr);
		return 1;
	}
	for (;;)
		pause();
}
