/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/announce.h"

#include <string.h>

#include "dataplane/log.h"
#include "dataplane/net/arp.h"
#include "dataplane/net/mld.h"
#include "dataplane/net/nd.h"

static void forget_gone(struct announcer *a, const struct net_addresses *now)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < a->n; i++)
		if (a->pending[i].left > 0 &&
			net_addresses_holds(now, a->pending[i].family, a->pending[i].octets))
			a->pending[kept++] = a->pending[i];
	a->n = kept;
}

static void note(struct announcer *a, const struct net_addresses *before, uint8_t family,
	const uint8_t *octets)
{
	if (before && net_addresses_holds(before, family, octets))
		return;
	/* The same address on several ports is announced once. */
	for (unsigned int i = 0; i < a->n; i++)
		if (a->pending[i].family == family &&
			memcmp(a->pending[i].octets, octets,
				family == 4 ? NET_IPV4_OCTETS : NET_IPV6_OCTETS) == 0) {
			a->pending[i].left = ANNOUNCE_TIMES;
			return;
		}
	a->pending[a->n].family = family;
	a->pending[a->n].left = ANNOUNCE_TIMES;
	memcpy(a->pending[a->n].octets, octets, family == 4 ? NET_IPV4_OCTETS : NET_IPV6_OCTETS);
	a->n++;
}

/* Entries are distinct addresses of the set that is served: there is always room for them. */
void announcer_update(
	struct announcer *a, const struct net_addresses *before, const struct net_addresses *now)
{
	forget_gone(a, now);
	for (unsigned int i = 0; i < now->n4; i++)
		if (!now->lingers4[i])
			note(a, before, 4, now->v4[i]);
	for (unsigned int i = 0; i < now->n6; i++)
		if (!now->lingers6[i])
			note(a, before, 6, now->v6[i]);
}

typedef size_t (*build_fn)(const uint8_t *mac, const uint8_t *address, uint8_t *out);

static bool send_one(
	struct worker *w, unsigned int port, uint16_t vlan, const uint8_t *octets, build_fn build)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

	if (!m)
		return false;
	rte_pktmbuf_append(
		m, (uint16_t)build(w->ports[port].mac, octets, rte_pktmbuf_mtod(m, uint8_t *)));
	if (vlan != 0)
		net_tag(&(struct net_flow){.tagged = true, .tci = vlan},
			(uint8_t *)rte_pktmbuf_prepend(m, NET_VLAN_LEN));
	m->port = (uint16_t)port;
	if (rte_ring_enqueue(w->announcements, m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static bool send_all(
	struct worker *w, const struct net_vlans *vlans, const uint8_t *octets, build_fn build)
{
	bool all = true;

	for (uint16_t vlan = 0; vlan < NET_VLANS; vlan++) {
		if (!net_vlans_has(vlans, vlan))
			continue;
		for (unsigned int port = 0; port < w->n_ports; port++)
			all &= send_one(w, port, vlan, octets, build);
	}
	return all;
}

/* Switches first: they must let through what neighbours ask then. */
static bool announce(
	struct worker *w, const struct net_vlans *vlans, uint8_t family, const uint8_t *octets)
{
	bool reported;

	if (family == 4)
		return send_all(w, vlans, octets, net_arp_announce);
	reported = send_all(w, vlans, octets, net_mld_report);
	return send_all(w, vlans, octets, net_nd_announce) && reported;
}

void announcer_tick(struct announcer *a, const struct net_vlans *vlans, struct worker *w)
{
	bool all = true;

	for (unsigned int i = 0; i < a->n; i++) {
		if (a->pending[i].left == 0)
			continue;
		all &= announce(w, vlans, a->pending[i].family, a->pending[i].octets);
		a->pending[i].left--;
	}
	if (!all)
		log_line(LOG_WARNING, "not every address could be announced this time", "worker=%u",
			w->index);
}

void announcer_refresh(
	const struct net_addresses *now, const struct net_vlans *vlans, struct worker *w)
{
	bool all = true;

	for (unsigned int i = 0; i < now->n6; i++)
		if (!now->lingers6[i])
			all &= send_all(w, vlans, now->v6[i], net_mld_report);
	if (!all)
		log_line(LOG_WARNING, "not every multicast group could be reported this time",
			"worker=%u", w->index);
}
