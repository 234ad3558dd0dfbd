/* SPDX-License-Identifier: BSD-3-Clause */
/* The listener for Prometheus: GET /metrics. One thread; nothing blocks. */
#ifndef TKMS_HTTP_EXPORTER_H
#define TKMS_HTTP_EXPORTER_H

#include "dataplane/http/metrics.h"

struct exporter;

/* metrics: of n workers. listen_fd becomes the exporter's. NULL: no memory. */
struct exporter *exporter_new(const struct http_config *config, const struct metrics *metrics,
	unsigned int n, int listen_fd);
void exporter_free(struct exporter *e);
/* Readable when exporter_run() has something to do. */
int exporter_fd(const struct exporter *e);
void exporter_run(struct exporter *e);

#endif
