/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP (RFC 826): announcing an address that was taken into service (RFC 5227 2.3). Pure. */
#ifndef TKMS_NET_ARP_H
#define TKMS_NET_ARP_H

#include <stddef.h>
#include <stdint.h>

/* Builds a gratuitous request for address (4 octets) from mac; out has NET_ETH_MIN octets. Returns
 * the length. */
size_t net_arp_announce(const uint8_t *mac, const uint8_t *address, uint8_t *out);

#endif
