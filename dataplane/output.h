/* SPDX-License-Identifier: BSD-3-Clause */
/* What leaves a worker: frames are gathered and sent a burst at a time, answers that are longer
 * than a packet leave in fragments. The worker's thread. */
#ifndef TKMS_DATAPLANE_OUTPUT_H
#define TKMS_DATAPLANE_OUTPUT_H

#include "dataplane/worker.h"

/* Queues a frame of the flow for the port, with the flow's VLAN tag put in. m is the queue's. */
void output_frame(
	struct worker *w, const struct port *port, const struct net_flow *flow, struct rte_mbuf *m);

/* Where the response to message i of a burst is written: WORKER_RESPONSE_MAX octets. */
uint8_t *output_response_at(const struct worker *w, unsigned int i);

/* Queues the response to message i of the burst. What cannot leave is counted. */
void output_response(struct worker *w, const struct port *port, unsigned int i);

#endif
