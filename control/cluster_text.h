/* SPDX-License-Identifier: BSD-3-Clause */
/* Words for what the replica set is about. */
#ifndef TKMS_CONTROL_CLUSTER_TEXT_H
#define TKMS_CONTROL_CLUSTER_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "control/cluster.h"

/* text: INET6_ADDRSTRLEN octets. */
void cluster_address_text(uint8_t family, const uint8_t *octets, char *text);
/* "operator,clock"; "" for none. */
void cluster_drain_text(uint32_t reasons, char *text, size_t cap);
/* The name of one bit of enum heartbeat_drain; NULL: unknown. */
const char *cluster_drain_name(uint32_t reason);
/* serving, starting (no data plane, or not loaded), draining, drained, dead. */
const char *cluster_member_state(const struct cluster_member *member);

#endif
