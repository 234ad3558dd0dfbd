/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/http/exporter.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 32, TIMEOUT_S = 10, MEMORY = 4096 };

struct exporter {
	const struct http_config *config;
	const struct metrics *metrics;
	unsigned int n;
	struct MHD_Daemon *daemon;
};

static struct MHD_Response *page(const struct exporter *e)
{
	struct MHD_Response *r;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	metrics_print(out, e->metrics, e->n, e->config);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	r = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!r)
		free(text);
	else if (MHD_add_response_header(r, "Content-Type", "text/plain; version=0.0.4") !=
		 MHD_YES) {
		MHD_destroy_response(r);
		r = NULL;
	}
	return r;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **context)
{
	static char none[] = "GET /metrics\n";
	unsigned int status = MHD_HTTP_OK;
	struct MHD_Response *r;
	enum MHD_Result result;

	(void)version;
	(void)upload;
	(void)context;
	if (*upload_len)
		return MHD_NO;
	if (strcmp(url, "/metrics") == 0 && strcmp(method, MHD_HTTP_METHOD_GET) == 0) {
		r = page(cls);
	} else {
		status = MHD_HTTP_NOT_FOUND;
		r = MHD_create_response_from_buffer(sizeof(none) - 1, none, MHD_RESPMEM_PERSISTENT);
	}
	if (!r)
		return MHD_NO;
	result = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return result;
}

struct exporter *exporter_new(const struct http_config *config, const struct metrics *metrics,
	unsigned int n, int listen_fd)
{
	struct exporter *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	*e = (struct exporter){.config = config, .metrics = metrics, .n = n};
	e->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, e,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!e->daemon) {
		free(e);
		return NULL;
	}
	return e;
}

void exporter_free(struct exporter *e)
{
	if (!e)
		return;
	MHD_stop_daemon(e->daemon);
	free(e);
}

int exporter_fd(const struct exporter *e)
{
	return MHD_get_daemon_info(e->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void exporter_run(struct exporter *e)
{
	MHD_run(e->daemon);
}
