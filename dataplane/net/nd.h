/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery (RFC 4861): announcing an address that was taken into service (7.2.6). Pure.
 */
#ifndef TKMS_NET_ND_H
#define TKMS_NET_ND_H

#include <stddef.h>
#include <stdint.h>

enum { NET_ND_ANNOUNCE_LEN = 86 };

/* Builds an unsolicited advertisement of address (16 octets) by mac; out has NET_ND_ANNOUNCE_LEN
 * octets. Returns the length. */
size_t net_nd_announce(const uint8_t *mac, const uint8_t *address, uint8_t *out);

#endif
