/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast listener discovery (RFC 3810): tells switches that snoop that the solicited-node group
 * of an address is wanted here, or they would keep neighbour solicitations from us. Queries are not
 * answered; reports are sent often enough instead. Pure.
 */
#ifndef TKMS_NET_MLD_H
#define TKMS_NET_MLD_H

#include <stddef.h>
#include <stdint.h>

/* Default query interval of RFC 3810 9.2 is 125 s, groups are forgotten after two of them. */
enum { NET_MLD_REPORT_LEN = 90, NET_MLD_INTERVAL_S = 60 };

/* Builds a report for the group of address (16 octets) from mac; out has NET_MLD_REPORT_LEN octets.
 * Returns the length. */
size_t net_mld_report(const uint8_t *mac, const uint8_t *address, uint8_t *out);

#endif
