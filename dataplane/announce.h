/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Announces addresses that were taken into service (gratuitous ARP, unsolicited neighbour
 * advertisement) on every port and VLAN: at once and twice more, a second apart, as announcements
 * get lost. The first worker sends them. Main thread.
 */
#ifndef TKMS_DATAPLANE_ANNOUNCE_H
#define TKMS_DATAPLANE_ANNOUNCE_H

#include "dataplane/worker.h"

enum { ANNOUNCE_TIMES = 3 };

struct announcer {
	unsigned int n;
	struct {
		uint8_t family;
		uint8_t octets[NET_IPV6_OCTETS];
		uint8_t left;
	} pending[2 * NET_ADDRESSES_MAX];
};

/* Notes what is held now and was not before (NULL: nothing was), forgets what is gone or lingers.
 */
void announcer_update(
	struct announcer *a, const struct net_addresses *before, const struct net_addresses *now);

/* Hands what is due to the worker; call after announcer_update() and every second. */
void announcer_tick(struct announcer *a, const struct net_vlans *vlans, struct worker *w);

/* Tells snooping switches again which groups we listen to; every NET_MLD_INTERVAL_S seconds. */
void announcer_refresh(
	const struct net_addresses *now, const struct net_vlans *vlans, struct worker *w);

#endif
