/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process that tkms-http starts as: takes the listening addresses, gives up its rights, starts
 * the workers and starts them again when they die, serves /metrics, and passes SIGTERM on.
 */
#ifndef TKMS_HTTP_SUPERVISOR_H
#define TKMS_HTTP_SUPERVISOR_H

#include "dataplane/http/config.h"

/* Returns the exit status of the program. */
int supervisor_run(const struct http_config *config);

#endif
