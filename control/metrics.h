/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the node says to Prometheus: names begin with tkms_, units are Prometheus' base units, one
 * time is one UNIX time in seconds. Neither keys nor identities of subscribers are in it. One
 * thread, the event loop's.
 */
#ifndef TKMS_CONTROL_METRICS_H
#define TKMS_CONTROL_METRICS_H

#include "control/exposition.h"

struct control;

void metrics_write(const struct control *c, struct exposition *e);
/* The part of the data plane; nothing but that it is away when it is. */
void metrics_write_dataplane(const struct control *c, struct exposition *e);
void metrics_write_sync(const struct control *c, struct exposition *e);
void metrics_write_cluster(const struct control *c, struct exposition *e);

#endif
